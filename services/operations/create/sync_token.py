"""The check on a sync token that exists already, and that the new connected registry is to sync by."""

from difflib import get_close_matches

from services.model.azure import ScopeMap, Token, resource_name
from services.model.plan import Finding
from services.operations.answers import known
from services.operations.belongings import gateways
from services.operations.checks import blocker, ok, required
from services.operations.create.observation import Observation
from services.operations.create.request import Code, CreateRequest
from services.policy.sites import gateway_actions, repository_actions, synced_repositories
from services.policy.sync_permissions import grants


def assess_sync_token(request: CreateRequest, observation: Observation) -> Finding:
    """It has to be enabled, nobody else's, and with a scope map of its own that has the rights of this registry."""
    tokens, connected = required(observation.tokens), required(observation.connected)
    required(observation.scope_maps)
    token = observation.token(request.sync_token)
    if token is None:
        names = [other.name for other in tokens]
        near = get_close_matches(request.sync_token, names, n=3) or sorted(names)[:3]
        return blocker(Code.SYNC_TOKEN_ABSENT, token=request.sync_token, near=tuple(near))
    if not token.enabled:
        return blocker(Code.SYNC_TOKEN_DISABLED, token=token.name)
    users = tuple(
        registry.name
        for registry in connected
        if registry.name.casefold() != request.name
        if token.name.casefold() in map(resource_name, (registry.token_id, *registry.client_token_ids))
    )
    if users:
        return blocker(Code.SYNC_TOKEN_USED, token=token.name, users=users)
    return _assess_scope_map(request, observation, token)


def _assess_scope_map(request: CreateRequest, observation: Observation, token: Token) -> Finding:
    """Its rights are those that the registry syncs by, and `permissions` changes them later."""
    scope_map = observation.scope_map(resource_name(token.scope_map_id))
    facts = {"token": token.name, "scope_map": resource_name(token.scope_map_id)}
    sharing = tuple(
        other.name
        for other in known(observation.tokens, ())
        if other.id != token.id and other.scope_map_id.casefold() == token.scope_map_id.casefold()
    )
    if scope_map is None or scope_map.system_defined or sharing:
        return blocker(Code.SYNC_TOKEN_MAP_SHARED, sharing=sharing, **facts)
    repositories = synced_repositories(scope_map.actions)
    if missing := _missing(request, scope_map, repositories):
        return blocker(Code.SYNC_TOKEN_RIGHTS, missing=missing, **facts)
    if others := tuple(sorted(gateways(scope_map) - {request.name})):
        return blocker(Code.SYNC_TOKEN_GATEWAYS, others=others, **facts)
    return ok(Code.SYNC_TOKEN_FITS, repositories=repositories, **facts)


def _missing(request: CreateRequest, scope_map: ScopeMap, repositories: tuple[str, ...]) -> tuple[str, ...]:
    needed = (*gateway_actions(request.name), *repository_actions(request.mode, repositories or ("REPOSITORY",)))
    return tuple(action for action in needed if not grants(scope_map.actions, action))
