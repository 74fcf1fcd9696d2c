"""Checks of the connected registry's name and of what bears it: nothing is overwritten silently."""

from collections.abc import Mapping

from services.model.azure import ConnectedRegistry, resource_name
from services.model.plan import Finding
from services.operations.checks import blocker, check, if_known, ok, required, warning
from services.operations.deploy.codes import Code
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployRequest
from services.operations.deploy.scope_map import is_own_scope_map, scope_map_actions
from services.policy.sites import CONNECTED_REGISTRIES_PER_ACR, SCOPE_MAP_PERMISSIONS, Site


@check("connected.name", title="Name is free or of this connected registry", essential=True)
def connected_name(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """An existing one is reused when it is as asked. Mode, parent and sync token can't be changed after creation."""
    required(observation.connected)
    if not request.name:
        return None
    if (registry := observation.registry_named(request.name)) is None:
        return ok(Code.NAME_FREE)
    if (final := _cannot_change(registry, request)) is not None:
        return final
    if registry.provisioning_state in {"Creating", "Updating", "Deleting"}:
        return blocker(Code.CONNECTED_BUSY, state=registry.provisioning_state)
    if changes := _changes(registry, request):
        return blocker(Code.CONNECTED_SETTINGS_DIFFER, changes=changes)
    return ok(Code.CONNECTED_REUSED, state=registry.connection_state, activation=registry.activation)


@check("connected.quota", title="Registry has room for one more")
def quota(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """The quota counts all connected registries of a registry, nested ones too."""
    if (registries := if_known(observation.connected)) is None or observation.registry_named(request.name) is not None:
        return None
    code = Code.QUOTA_FULL if len(registries) >= CONNECTED_REGISTRIES_PER_ACR else Code.QUOTA_LEFT
    answer = blocker if code is Code.QUOTA_FULL else ok
    return answer(code, count=len(registries), limit=CONNECTED_REGISTRIES_PER_ACR)


@check("scope_map.permissions", title="Repositories fit in a scope map")
def permissions(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """Four permissions for the registry itself, two or five for each repository, and what is there for others."""
    if not request.name:
        return None
    count = len(scope_map_actions(request, observation))
    facts = {"count": count, "limit": SCOPE_MAP_PERMISSIONS, "repositories": len(request.repositories)}
    if count > SCOPE_MAP_PERMISSIONS:
        return blocker(Code.PERMISSIONS_TOO_MANY, **facts)
    return ok(Code.PERMISSIONS_FIT, **facts)


@check("scope_map.name", title="Scope map is free or of this connected registry", essential=True)
def scope_map(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """The Azure CLI overwrites an existing scope map with a warning line; here it must be this registry's own."""
    if not request.name:
        return None
    if (existing := required(observation.scope_map)) is None:
        return ok(Code.SCOPE_MAP_FREE)
    have, want = {action.casefold() for action in existing.actions}, set(scope_map_actions(request, observation))
    changes = {"added": tuple(sorted(want - have)), "removed": tuple(sorted(have - want))}
    if have == want:
        return ok(Code.SCOPE_MAP_REUSED)
    if is_own_scope_map(request, observation):
        return warning(Code.SCOPE_MAP_CHANGES, **changes)
    return blocker(Code.SCOPE_MAP_FOREIGN, **changes)


@check("token.name", title="Sync token is free or of this connected registry", essential=True)
def token(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """A disabled token was disabled by somebody, perhaps to cut this registry off: it is not switched on silently."""
    if not request.name:
        return None
    if (existing := required(observation.token)) is None:
        return ok(Code.TOKEN_FREE)
    if user := _other_user(request, observation):
        return blocker(Code.TOKEN_IN_USE, user=user)
    if resource_name(existing.scope_map_id) != request.scope_map_name.casefold():
        return blocker(Code.TOKEN_FOREIGN, scope_map=resource_name(existing.scope_map_id))
    if not existing.enabled:
        return blocker(Code.TOKEN_DISABLED)
    return ok(Code.TOKEN_REUSED, passwords=tuple(slot.name for slot in existing.passwords))


def _cannot_change(registry: ConnectedRegistry, request: DeployRequest) -> Finding | None:
    if registry.mode.casefold() != request.mode.casefold():
        return blocker(Code.CONNECTED_MODE_DIFFERS, mode=registry.mode, wanted=request.mode)
    if registry.parent:
        return blocker(Code.CONNECTED_HAS_PARENT, parent=registry.parent)
    if resource_name(registry.token_id) != request.token_name.casefold():
        return blocker(Code.CONNECTED_TOKEN_DIFFERS, token=resource_name(registry.token_id), wanted=request.token_name)
    return None


def _changes(registry: ConnectedRegistry, request: DeployRequest) -> Mapping[str, tuple[object, object]]:
    pairs = {
        "schedule": (registry.schedule, request.schedule),
        "window": (registry.window, request.window),
        "message_ttl": (registry.message_ttl, request.message_ttl),
    }
    return {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}


def _other_user(request: DeployRequest, observation: Observation) -> str:
    """Another connected registry that syncs with the token of this name."""
    for registry in if_known(observation.connected) or ():
        if (
            registry.name.casefold() != request.name.casefold()
            and resource_name(registry.token_id) == request.token_name.casefold()
        ):
            return registry.name
    return ""
