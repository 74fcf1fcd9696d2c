"""What a change of settings looks at, and the checks on it."""

import asyncio
from dataclasses import dataclass
from difflib import get_close_matches

from services.model.azure import ConnectedRegistry
from services.model.plan import Finding, Plan
from services.operations.answers import Answer, Questions
from services.operations.checks import Check, blocker, check, if_known, ok, required, warning
from services.operations.update.request import Code, UpdateRequest
from services.policy.sites import CONTINUOUS, Site
from services.ports import Azure, Kubernetes

WRITE = "Microsoft.ContainerRegistry/registries/connectedRegistries/write"


@dataclass(frozen=True)
class Observation:
    """All connected registries of the cloud registry, and the actions that the bot's identity lacks there."""

    connected: Answer[tuple[ConnectedRegistry, ...]]
    missing_actions: Answer[tuple[str, ...] | None]

    def registry(self, name: str) -> ConnectedRegistry | None:
        """The connected registry of that name, whatever its case (ARM names have none)."""
        registries = if_known(self.connected) or ()
        return next((one for one in registries if one.name.casefold() == name.casefold()), None)


async def observe(
    azure: Azure, _kubernetes: Kubernetes, site: Site, _request: UpdateRequest, _approved: Plan | None
) -> Observation:
    """Two ARM requests."""
    acr = site.acr_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        missing = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, [WRITE]))
    return Observation(connected.result(), missing.result())


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: UpdateRequest, observation: Observation) -> Finding:
    """Nothing is changed while Azure is changing it."""
    names = [one.name for one in required(observation.connected)]
    registry = observation.registry(request.name)
    if registry is None:
        near = tuple(get_close_matches(request.name, names, n=3))
        return blocker(Code.CONNECTED_ABSENT, near=near or tuple(sorted(names)[:3]))
    if registry.provisioning_state in {"Creating", "Updating", "Deleting"}:
        return blocker(Code.CONNECTED_BUSY, state=registry.provisioning_state)
    return ok(Code.CONNECTED_FOUND, state=registry.connection_state)


@check("connected.window", title="Schedule and window fit together")
def window(_site: Site, request: UpdateRequest, observation: Observation) -> Finding | None:
    """Only a registry that syncs all the time needs no window."""
    registry, options = observation.registry(request.name), request.options
    if registry is None:
        return None
    schedule = options.schedule or registry.schedule
    if schedule == CONTINUOUS or options.window or registry.window:
        return None
    return blocker(Code.WINDOW_MISSING, schedule=schedule)


@check("connected.contact", title="The edge learns of it")
def contact(_site: Site, request: UpdateRequest, observation: Observation) -> Finding | None:
    """By its next contact, which its present schedule decides."""
    registry = observation.registry(request.name)
    if registry is None:
        return None
    if registry.activation == "Active" and registry.connection_state in {"Online", "Syncing"}:
        return ok(Code.NEXT_CONTACT, schedule=registry.schedule)
    return warning(Code.NOT_IN_CONTACT, state=registry.connection_state, last_activity=registry.last_activity)


@check("azure.actions", title="Bot has the Azure right to change it")
def actions(_site: Site, request: UpdateRequest, observation: Observation) -> Finding | None:
    """By its roles."""
    if observation.registry(request.name) is None:
        return None
    missing = required(observation.missing_actions)
    return blocker(Code.ACTIONS_MISSING, missing=missing) if missing else ok(Code.ACTIONS_COMPLETE)


CHECKS: tuple[Check[UpdateRequest, Observation], ...] = (exists, window, contact, actions)
