"""From a request to a plan: look at the world, run the checks, choose an address and lease it, think out the steps."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.model.errors import NotFound
from services.model.operation import Asked, Operation
from services.model.plan import Finding, Plan, PlannedStep
from services.operations.deploy import checks, plan
from services.operations.deploy.observation import Observation, Seen
from services.operations.deploy.request import DeployRequest, deploy_request
from services.policy.access import ApprovalRule
from services.policy.sites import PROVIDERS, Site
from services.ports import Azure, Configuration, Kubernetes
from services.store import Store

Planner = Callable[[Site, DeployRequest, Observation, tuple[Finding, ...], datetime], Plan]
PLANNERS: Mapping[str, Planner] = {"deploy": plan.plan}
"""By the operation's kind."""
LEASE_TRIES = 20


class Planning:
    """Makes plans. Reads only, but for the lease of the address that a plan picks."""

    def __init__(self, store: Store, configuration: Configuration, azure: Azure, kubernetes: Kubernetes) -> None:
        self._store = store
        self._configuration = configuration
        self._azure = azure
        self._kubernetes = kubernetes

    def site(self, operation: Operation) -> Site:
        """The operation's site as it is configured now; raises `NotFound` when it is no longer."""
        site = self._configuration.sites.get(operation.site)
        if site is None:
            raise NotFound("site", operation.site)
        return site

    async def plan(self, operation: Operation, *, providers: Mapping[str, str] | None = None) -> Plan:
        """What the operation would do to the world as it is now.

        `providers` are registration states that are known already: they only ever get better, so a second look at the
        same operation spares the request. An address that another operation has leased meanwhile is chosen anew.
        """
        site = self.site(operation)
        request = deploy_request(site, operation.target, **_options(operation))
        seen = await checks.observe(self._azure, self._kubernetes, site, operation.target, providers=providers is None)
        if providers is not None:
            seen = replace(seen, providers=Seen(providers))
        for _ in range(LEASE_TRIES):
            others = await self._store.leases.of_others(operation.cluster, operation.id)
            seen = replace(seen, leased=others)
            plan = PLANNERS[operation.kind](site, request, seen, checks.run(site, request, seen), datetime.now(UTC))
            if operation.dry_run or plan.blockers or await self._leased(operation, plan):
                return plan
        return plan

    async def _leased(self, operation: Operation, plan: Plan) -> bool:
        held = held_step(plan)
        if held is None:
            return True
        return await self._store.leases.take(operation.cluster, str(held.params["address"]), operation.id)

    def asked(self, operation: Operation, now: datetime) -> Asked | None:
        """The approval that the policy in force wants; None when nobody has to approve."""
        policy = self._configuration.policy
        rule = policy.approval(operation.kind, self.site(operation))
        if rule is None:
            return None
        found = [policy.person_of(entry) or policy.group_of(entry) or "" for entry in rule.approvers]
        return asked(rule, now, tuple(one for one in found if one[:1] in {"U", "W", "S"}))


def asked(rule: ApprovalRule, now: datetime, mentions: tuple[str, ...]) -> Asked:
    """The rule, with the times at which the request is reminded of and ends."""
    expires = now + rule.expires_after
    remind = expires - rule.remind_before if rule.remind_before else None
    return Asked(rule.name, rule.approvers, rule.count, rule.self_approval, expires, remind, mentions)


def held_step(plan: Plan) -> PlannedStep | None:
    """The step that holds the Service address, if the plan has one."""
    return next((step for step in plan.steps if step.kind == "service_ip.hold"), None)


def known_providers(plan: Plan) -> dict[str, str]:
    """Registration states as the plan was made for them."""
    missing: tuple[Any, ...] = next(
        (tuple(step.params["namespaces"]) for step in plan.steps if step.kind == "provider.register"),  # type: ignore[arg-type]  # this step's own parameter
        (),
    )
    return {name: "NotRegistered" if name in missing else "Registered" for name in PROVIDERS}


def _options(operation: Operation) -> dict[str, Any]:
    """What was said in the request, as `deploy_request` takes it; it judges the values."""
    return dict(operation.params)


FRESH = timedelta(seconds=30)
"""A plan of this age that nobody had to approve runs without a second look at the world."""
