"""The rollback of an operation that stopped halfway, declared: what it alone made goes, in reverse.

It is a removal with fewer things in it. So what others use by now, or what sits below, is known by the same rules.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from services.model.errors import Invalid
from services.model.operation import Operation
from services.model.plan import Finding, PlannedStep
from services.operations.checks import Check, check, warning
from services.operations.outputs import ImageKept
from services.operations.procedure import Procedure, site_names
from services.operations.remove import checks
from services.operations.remove.observation import Observation, observe
from services.operations.remove.plan import of_request, plan, shared_rights
from services.operations.remove.procedure import REMOVAL
from services.operations.remove.request import Code, Creations, RemoveOptions, RemoveRequest, RollbackOptions
from services.operations.remove.steps import STEPS
from services.operations.step import Step
from services.operations.token_steps import widen_scope_map
from services.policy.sites import Site, synced_repositories

CREATED: Mapping[str, str] = {
    "extension.install": "extension",
    "connected.create": "connected registry",
    "sync_token.put": "sync token",
    "scope_map.put": "scope map",
}
"""Steps that create what a rollback deletes, in plans of several kinds of operation, and what that is."""
GRANTED, REVOKED = frozenset({"scope_map.grant", "permissions.grant"}), frozenset({"permissions.revoke"})
"""Steps that widen a scope map, and that narrow one."""
STAYING = frozenset({"provider.register", "acr.create", "acr.data_endpoint", "acr.import"})
"""Steps that make what others may use by now."""


def creations_of(operation: Operation) -> RollbackOptions:
    """What an operation has made, by its steps. Raises `Invalid` where nothing of it can be taken back."""
    done = list(_finished(operation))
    options = RollbackOptions(
        operation.id,
        created={
            step.kind: str(step.params["name"]) for step in done if step.kind in CREATED and step.effect == "create"
        },
        granted=_actions(done, GRANTED),
        revoked=_actions(done, REVOKED),
        leaves_shared=any(step.kind in STAYING for step in done),
        uncertain=tuple(
            f"{CREATED.get(planned.kind, 'rights in the scope map')} {planned.params['name']}"
            for planned in _unfinished(operation)
            if planned.kind in CREATED or planned.kind in GRANTED | REVOKED
        ),
    )
    if not (options.created or options.granted or options.revoked):
        raise Invalid("id", operation.id, "rollback.nothing")
    return options


def _finished(operation: Operation) -> Iterator[PlannedStep]:
    """Steps that have changed something: complete ones, and the last one where what it began is certainly its own."""
    remains = operation.outcome.remains if operation.outcome else None
    for run in operation.steps:
        planned = operation.planned[run.index]
        is_own = run.state == "complete" or (run.state in {"running", "error"} and remains)
        if is_own and planned.runs and not isinstance(run.output, ImageKept):
            yield planned


def _unfinished(operation: Operation) -> Iterator[PlannedStep]:
    """Steps that may have changed something: nobody could look."""
    for run in operation.steps:
        is_unknown = operation.outcome is None or operation.outcome.remains is None
        if run.state in {"running", "error"} and is_unknown:
            yield operation.planned[run.index]


def _actions(steps: list[PlannedStep], kinds: frozenset[str]) -> dict[str, tuple[str, ...]]:
    chosen = {str(step.params["name"]): step.params["actions"] for step in steps if step.kind in kinds}
    return {name: tuple(map(str, actions)) for name, actions in chosen.items() if isinstance(actions, tuple | list)}


def _request(_site: Site, name: str, options: RollbackOptions) -> RemoveRequest:
    """Of the connected registry that the operation was about."""
    creations = Creations(dict(options.created), dict(options.granted), dict(options.revoked))
    return RemoveRequest(
        name, RemoveOptions(keep_client_tokens=True), creations, options.leaves_shared, options.uncertain
    )


@check("rollback.stays", title="What stays")
def stays(_site: Site, request: RemoveRequest, _observation: Observation) -> Finding | None:
    """Others may use it by now, whoever began it."""
    return warning(Code.STAYS) if request.leaves_shared else None


@check("rollback.shared", title="Rights that others may need by now")
def shared(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """Another one that is nested may sync by them."""
    rights = shared_rights(request, observation)
    return warning(Code.RIGHTS_KEPT, repositories=synced_repositories(rights)) if rights else None


@check("rollback.uncertain", title="Steps that were stopped halfway")
def uncertain(_site: Site, request: RemoveRequest, _observation: Observation) -> Finding | None:
    """What nobody is sure to have made is not deleted."""
    return warning(Code.UNCERTAIN, uncertain=request.uncertain) if request.uncertain else None


@check("connected.running", title="Nobody uses it by now")
def running(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """An operation that failed at its proof may have left one that works."""
    registry = of_request(request, observation).registry
    if registry is None or not request.creations or "connected.create" not in request.creations.created:
        return None
    facts = {"state": registry.connection_state, "last_activity": registry.last_activity}
    return warning(Code.IN_USE, **facts) if registry.connection_state in {"Online", "Syncing"} else None


def _where_made(check: Check[RemoveRequest, Observation], *kinds: str) -> Check[RemoveRequest, Observation]:
    """The check of a removal, where the operation has made something by steps of these kinds; else it is silent."""

    def rule(site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
        is_own = request.creations is not None and any(kind in request.creations.created for kind in kinds)
        return check.rule(site, request, observation) if is_own else None

    return replace(check, rule=rule)


_REGISTRY, _EXTENSION = "connected.create", "extension.install"
CHECKS: tuple[Check[RemoveRequest, Observation], ...] = (
    stays,
    shared,
    uncertain,
    running,
    _where_made(checks.children, _REGISTRY),
    _where_made(checks.data, _REGISTRY, _EXTENSION),
    _where_made(checks.in_use, *CREATED),
    _where_made(checks.scope_maps, *CREATED),
    checks.actions,
    _where_made(checks.agents, _EXTENSION),
    _where_made(checks.reached, _EXTENSION),
    _where_made(checks.rights, _EXTENSION),
    _where_made(checks.workloads, _EXTENSION),
)
WIDEN = widen_scope_map("scope_map.widen")
ROLLBACK_STEPS: tuple[Step, ...] = (*STEPS, WIDEN)

ROLLBACK = Procedure[RemoveRequest, Observation](
    kind="operation rollback",
    options=RollbackOptions,
    request=_request,
    locks=REMOVAL.locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=plan,
    steps=ROLLBACK_STEPS,
    values={"rollback.options": RollbackOptions},
)
