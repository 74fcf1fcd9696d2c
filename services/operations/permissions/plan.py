"""The plan of a change of permissions. Pure."""

from services.model.plan import PlannedStep
from services.operations.permissions.observation import Observation
from services.operations.permissions.request import PermissionsRequest
from services.operations.permissions.steps import GRANT, REVOKE, SYNCED
from services.operations.procedure import Draft
from services.policy.sites import Site, repository_actions
from services.policy.sync_permissions import Lineage, SyncAccess, grants, split


def plan(_site: Site, request: PermissionsRequest, observation: Observation) -> Draft:
    """Rights are added from the top down: an edge syncs nothing that those above it may not read."""
    family = observation.family(request.name)
    if family is None:
        return Draft((), {})
    registry = family.own.registry
    steps = _grants(request, family) if request.add else _revocation(request, family.own)
    facts = {
        "connected_registry.mode": registry.mode,
        "connected_registry.parent": registry.parent,
        "connected_registry.activation": registry.activation,
    }
    if not any(step.runs for step in steps):
        return Draft(steps, facts)
    return Draft((*steps, PlannedStep(SYNCED.kind, {"name": registry.name}, "verify")), facts)


def holders(request: PermissionsRequest, family: Lineage) -> tuple[SyncAccess, ...]:
    """Whose scope maps change: for additions those above from the top, and in any case its own."""
    return (*reversed(family.above), family.own) if request.add else (family.own,)


def lacking(request: PermissionsRequest, family: Lineage, holder: SyncAccess) -> tuple[str, ...]:
    """The actions that a scope map in the line gets, by the mode of the registry that is to sync."""
    actions = repository_actions(family.own.registry.mode, request.add)
    return tuple(action for action in actions if not grants(holder.actions, action))


def revoked(request: PermissionsRequest, access: SyncAccess) -> tuple[str, ...]:
    """The actions that go: whatever a scope map allows on exactly these repositories."""
    return tuple(
        action
        for action in access.actions
        for kind, repository, _ in (split(action),)
        if kind == "repositories" and repository in request.remove
    )


def _grants(request: PermissionsRequest, family: Lineage) -> tuple[PlannedStep, ...]:
    """One step for each scope map, though several may have the same."""
    steps: dict[str, PlannedStep] = {}
    for holder in holders(request, family):
        if holder.scope_map is None:
            continue
        actions = lacking(request, family, holder)
        params = {"name": holder.scope_map.name, "registry": holder.name, "actions": actions}
        steps[holder.scope_map.name] = PlannedStep(GRANT.kind, params, "change" if actions else "reuse")
    return tuple(steps.values())


def _revocation(request: PermissionsRequest, own: SyncAccess) -> tuple[PlannedStep, ...]:
    if own.scope_map is None:
        return ()
    actions = revoked(request, own)
    params = {"name": own.scope_map.name, "registry": own.name, "actions": actions}
    return (PlannedStep(REVOKE.kind, params, "change" if actions else "reuse"),)
