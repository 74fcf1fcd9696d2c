"""What the sync scope map of a deployment holds: what is asked for, and what others have put there since. Pure."""

from services.model.azure import resource_name
from services.operations.answers import known
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployRequest
from services.policy.hierarchy import descendants
from services.policy.sites import sync_actions


def is_own_scope_map(request: DeployRequest, observation: Observation) -> bool:
    """Whether the existing connected registry syncs with the token that has the scope map of this name."""
    registry, sync_token = observation.registry_named(request.name), known(observation.token, None)
    if registry is None or sync_token is None:
        return False
    return (
        registry.token_id.casefold() == sync_token.id.casefold()
        and resource_name(sync_token.scope_map_id) == request.scope_map_name.casefold()
    )


def scope_map_actions(request: DeployRequest, observation: Observation) -> tuple[str, ...]:
    """Its actions, sorted.

    Of its own scope map nothing goes unless somebody names the repositories: `permissions add` may have added some. And
    nothing goes at all while others are below it, since they sync by these rights too.
    """
    actions = sync_actions(request.name, request.mode, request.repositories)
    registry, existing = observation.registry_named(request.name), known(observation.scope_map, None)
    if registry is None or existing is None or not is_own_scope_map(request, observation):
        return actions
    registries = known(observation.connected, ())
    if request.repositories_named and not descendants(registry, registries):
        return actions
    return tuple(sorted({*actions, *(action.lower() for action in existing.actions)}))
