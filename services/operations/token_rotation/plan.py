"""The plan of a rotation. Pure."""

from dataclasses import asdict

from services.model.plan import PlannedStep
from services.operations.certificates import Certificate
from services.operations.parents import parent_params
from services.operations.procedure import Draft
from services.operations.token_rotation.observation import Observation
from services.operations.token_rotation.request import RotationRequest
from services.operations.token_rotation.steps import CONTACT, END, ROTATE, STILL_IN_CONTACT
from services.operations.token_steps import SLOTS, idle_slot
from services.policy.extensions import TLS_KEY
from services.policy.sites import Site


def plan(_site: Site, request: RotationRequest, observation: Observation) -> Draft:
    """The old password ends only when the runtime works with the new one, and then it has to go on working."""
    registry, token = observation.registry(request.name), observation.token(request.name)
    extension = observation.extension(request.name)
    if registry is None or token is None or extension is None:
        return Draft((), {})
    slot = idle_slot(token)
    params: dict[str, object] = {
        "name": extension.name,
        "token": token.name,
        "slot": slot,
        "expires": request.expires,
        **parent_params(registry, request.parent_protocol),
    }
    if TLS_KEY in extension.secrets and isinstance(observation.certificate, Certificate):
        params["certificate"] = asdict(observation.certificate)
    steps = [
        PlannedStep(ROTATE.kind, params, "change"),
        PlannedStep(CONTACT.kind, {"name": registry.name}, "verify"),
    ]
    [old] = set(SLOTS) - {slot}
    if old in {password.name for password in token.passwords}:
        steps += [
            PlannedStep(END.kind, {"token": token.name, "slot": old}, "delete"),
            PlannedStep(STILL_IN_CONTACT.kind, {"name": registry.name}, "verify"),
        ]
    facts = {"sync_token.enabled": token.enabled, "connected_registry.activation": registry.activation}
    return Draft(tuple(steps), facts)
