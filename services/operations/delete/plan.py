"""The plan of a deletion. Pure."""

from services.model.plan import PlannedStep
from services.operations.delete.observation import Observation
from services.operations.delete.request import DeleteRequest
from services.operations.procedure import Draft
from services.operations.registry_steps import remove_registry
from services.operations.step import Step
from services.operations.token_steps import delete_scope_map, delete_token, narrow_scope_map
from services.policy.sites import Site

REMOVE = remove_registry("connected.remove")
NARROW = narrow_scope_map("scope_map.narrow")
REMOVE_TOKEN = delete_token("token.remove")
REMOVE_SCOPE_MAP = delete_scope_map("scope_map.remove")
STEPS: tuple[Step, ...] = (REMOVE, NARROW, REMOVE_TOKEN, REMOVE_SCOPE_MAP)


def plan(_site: Site, request: DeleteRequest, observation: Observation) -> Draft:
    """Azure refuses to delete a token in use, and a scope map in use, so they come after the registry."""
    own = observation.belongings(request)
    steps = [PlannedStep(REMOVE.kind, {"name": own.registry.name}, "delete")] if own.registry else []
    if request.cleanup:
        steps += [
            *(
                PlannedStep(NARROW.kind, {"name": name, "actions": actions}, "change")
                for name, actions in own.narrowed.items()
            ),
            *(PlannedStep(REMOVE_TOKEN.kind, {"name": name}, "delete") for name in own.tokens),
            *(PlannedStep(REMOVE_SCOPE_MAP.kind, {"name": name}, "delete") for name in own.scope_maps),
        ]
    facts = {"connected_registry.activation": own.registry.activation} if own.registry else {}
    return Draft(tuple(steps), facts)
