"""From a request to a plan: look at the world, run the checks, reserve addresses, choose the steps."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from services.model.clock import Clock
from services.model.errors import NotFound
from services.model.operation import ApprovalRequest, Operation
from services.model.plan import Plan
from services.operations.children import orders
from services.operations.procedure import Procedures
from services.operations.reach import require_access
from services.policy.access import ApprovalRule
from services.policy.sites import Site
from services.ports import Azure, Configuration, Kubernetes
from services.store import Store

LEASE_TRIES = 20
FRESH = timedelta(seconds=30)
"""A plan of this age that nobody had to approve runs without a second look at the world."""


class Planner:
    """Makes plans. Writes nothing but the lease of an address that a plan reserves."""

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        procedures: Procedures,
        azure: Azure,
        kubernetes: Kubernetes,
        *,
        clock: Clock,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._procedures = procedures
        self._azure = azure
        self._kubernetes = kubernetes
        self._clock = clock
        self._environment = environment or {}

    def site(self, operation: Operation) -> Site:
        """The operation's site as it is configured now; raises `NotFound` when it is no longer."""
        site = self._configuration.sites.get(operation.site)
        if site is None:
            raise NotFound("site", operation.site)
        return site

    async def plan(self, operation: Operation, *, approved: Plan | None = None) -> Plan:
        """What the operation would do to the world as it is now.

        `approved` is the plan of the first look, where this is the second. An address that another operation has
        reserved meanwhile is chosen again.
        """
        site, procedure = self.site(operation), self._procedures.of(operation)
        if procedure.needs_cluster:
            require_access(site)
        options = operation.options
        if isinstance(options, Mapping):  # a row of a version that stored what was typed
            options = procedure.options(**options)
        request: Any = procedure.request(site, operation.target, options)
        observation = await procedure.observe(self._azure, self._kubernetes, site, request, approved)
        observation = procedure.with_files(observation, site, self._environment, self._clock.now())
        cluster = site.cluster_ref.id.lower()
        for _ in range(LEASE_TRIES):
            leased = await self._store.leases.of_others(cluster, operation.id)
            observation = procedure.with_leased(observation, leased)
            plan = procedure.make_plan(site, request, observation, self._clock.now())
            if operation.dry_run or plan.blockers:
                return plan
            addresses = filter(None, (procedure.step[step.kind].reserves(step.params) for step in plan.steps))
            if all([await self._store.leases.take(cluster, address, operation.id) for address in addresses]):
                return plan
        return plan

    async def approval_request(self, operation: Operation, plan: Plan) -> ApprovalRequest | None:
        """The approval that the policy in force wants for this plan; None when nobody has to approve.

        An approval of a parent's plan covers its children under the same rule, so a parent needs the approval that any
        of its children needs.
        """
        policy, sites = self._configuration.policy, self._configuration.sites
        places = [(operation.kind, operation.site), *orders(plan.steps)]
        rules = [policy.approval(kind, sites[site]) for kind, site in places if site in sites]
        rule = next(filter(None, rules), None)
        if rule is None or await self._approved_above(operation, rule):
            return None
        ids = [policy.person_of(entry) or policy.group_of(entry) or "" for entry in rule.approvers]
        return approval_request(rule, self._clock, tuple(entry for entry in ids if entry[:1] in {"U", "W", "S"}))

    async def _approved_above(self, operation: Operation, rule: ApprovalRule) -> bool:
        """Whether the operation is part of one whose approval was asked for by this rule, and given."""
        parent = await self._store.operations.get(operation.parent) if operation.parent else None
        if parent is None:
            return False
        request = parent.approval_request
        return request is not None and request.rule == rule.name and len(parent.approvals) >= request.count


def approval_request(rule: ApprovalRule, clock: Clock, mentions: tuple[str, ...]) -> ApprovalRequest:
    """The rule, with the times of the reminder and of the request's end."""
    expires = clock.now() + rule.expires_after
    remind = expires - rule.remind_before if rule.remind_before else None
    return ApprovalRequest(rule.name, rule.approvers, rule.count, rule.self_approval, expires, remind, mentions)


def requested(request: ApprovalRequest) -> dict[str, Any]:
    """The columns of an operation that waits for approval."""
    return {
        "approval_request": request,
        "expires": request.expires,
        "remind": request.remind,
        "event": "asked",
    }
