"""Checks of a rollback: what stays and why, what works by now, and whether the bot can see and do what it needs."""

from collections.abc import Iterable

from services.model.plan import Finding
from services.operations import azure_checks
from services.operations.answers import NotAsked
from services.operations.checks import Check, blocker, check, ok, required, warning
from services.operations.remove import checks as removal
from services.operations.remove.observation import Observation as RemovalObservation
from services.operations.remove.request import Code as RemovalCode
from services.operations.remove.request import RemoveRequest
from services.operations.rollback.inverses import Staying, World
from services.operations.rollback.observation import AT_ACR, AT_CLUSTER, Observation, place_in
from services.operations.rollback.plan import parts_of, plan
from services.operations.rollback.request import Code, Reason, RollbackRequest
from services.policy.sites import Site

_REGISTRY, _EXTENSION = frozenset({"connected.create"}), frozenset({"extension.install"})
_CREATED = _REGISTRY | _EXTENSION | {"sync_token.put", "scope_map.put"}
_EXTENSION_STEPS = _EXTENSION | {"extension.update"}


@check("rollback.uncertain", title="Steps that were stopped halfway")
def uncertain(_site: Site, request: RollbackRequest, _observation: Observation) -> Finding | None:
    """What nobody is sure to have made is not deleted."""
    names = request.options.uncertain
    return warning(Code.UNCERTAIN, uncertain=names) if names else None


@check("connected.running", title="Nobody uses it by now")
def running(site: Site, request: RollbackRequest, observation: Observation) -> Finding | None:
    """An operation that failed at its proof may have left one that works."""
    registry = World(site, request, observation).own.registry
    if registry is None or not request.has_created(_REGISTRY):
        return None
    facts = {"state": registry.connection_state, "last_activity": registry.last_activity}
    return warning(Code.IN_USE, **facts) if registry.connection_state in {"Online", "Syncing"} else None


@check("azure.read", title="Azure shows what the operation has left", essential=True)
def azure(_site: Site, request: RollbackRequest, observation: Observation) -> Finding | None:
    """What could not be asked is never taken for gone."""
    world = observation.removal
    required(world.connected), required(world.scope_maps), required(world.tokens)
    if any(step.kind in _EXTENSION_STEPS for step in request.options.steps):
        required(observation.removal.extensions)
    return None


@check("workload.read", title="The cluster shows the workload", essential=True)
def workload(_site: Site, request: RollbackRequest, observation: Observation) -> Finding | None:
    """Likewise; a site whose access was taken away since can't say what is there."""
    if place_in(request) is None:
        return None
    if isinstance(observation.workload, NotAsked):
        return blocker(Code.WORKLOAD_UNSEEN)
    required(observation.workload)
    missing = required(observation.missing_workload_rights)
    return blocker(RemovalCode.RIGHTS_MISSING, missing=missing) if missing else ok(RemovalCode.RIGHTS_COMPLETE)


@check("azure.actions", title="Bot has the Azure rights that the rollback uses")
def actions(site: Site, request: RollbackRequest, observation: Observation) -> Finding | None:
    """By its roles; a lock or a deny assignment shows only when Azure refuses."""
    kinds = {step.kind for step in plan(site, request, observation).steps}
    return azure_checks.actions_of_steps(
        kinds,
        (AT_ACR, observation.missing_at_acr, site.acr_ref.name),
        (AT_CLUSTER, observation.missing_at_cluster, site.cluster_ref.name),
    )


def _staying(reason: Reason) -> Check[RollbackRequest, Observation]:
    """The check that says what stays for this reason."""

    @check(f"rollback.{reason}", title="What stays")
    def staying(site: Site, request: RollbackRequest, observation: Observation) -> Finding | None:
        parts = [part for part in parts_of(site, request, observation) if isinstance(part, Staying)]
        concerned = [part for part in parts if part.reason is reason]
        names = dict.fromkeys(name for part in concerned for name in part.parts)
        return warning(reason, parts=tuple(names)) if concerned else None

    return staying


def _where_made(
    rule: Check[RemoveRequest, RemovalObservation], kinds: Iterable[str]
) -> Check[RollbackRequest, Observation]:
    """The check of a removal, where the operation has made something by steps of these kinds; else it is silent."""

    def of_rollback(site: Site, request: RollbackRequest, observation: Observation) -> Finding | None:
        return rule.rule(site, request.removal, observation.removal) if request.has_created(kinds) else None

    return Check(rule.id, rule.title, rule.essential, rule.proofs, of_rollback)


CHECKS: tuple[Check[RollbackRequest, Observation], ...] = (
    *map(_staying, Reason),
    uncertain,
    azure,
    running,
    _where_made(removal.children, _REGISTRY),
    _where_made(removal.data, _REGISTRY | _EXTENSION),
    _where_made(removal.in_use, _CREATED),
    _where_made(removal.scope_maps, _CREATED),
    actions,
    _where_made(removal.agents, _EXTENSION),
    _where_made(removal.reached, _EXTENSION),
    _where_made(removal.rights, _EXTENSION),
    _where_made(removal.workloads, _EXTENSION),
    workload,
)
