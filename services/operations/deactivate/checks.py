"""What a deactivation looks at, and the checks on it."""

import asyncio
from dataclasses import dataclass

from services.model.azure import Extension
from services.model.plan import Finding, Plan
from services.operations.answers import Answer, Questions
from services.operations.checks import Check, check, if_known, ok, required, warning
from services.operations.deactivate.request import Code, DeactivateRequest
from services.operations.registry_checks import RegistryObservation, at_rest
from services.policy.extensions import extension_of
from services.policy.sites import Site
from services.ports import Azure, Kubernetes


@dataclass(frozen=True)
class Observation(RegistryObservation):
    """All connected registries of the cloud registry, and the extensions of the site's cluster."""

    extensions: Answer[tuple[Extension, ...]]


async def observe(
    azure: Azure, _kubernetes: Kubernetes, site: Site, _request: DeactivateRequest, _approved: Plan | None
) -> Observation:
    """Two ARM requests."""
    acr, arc = site.acr_ref, site.cluster_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        extensions = arm.list(arc.id, lambda: azure.extensions.list(arc))
    return Observation(connected.result(), extensions.result())


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: DeactivateRequest, observation: Observation) -> Finding:
    """Nothing is deactivated while Azure is changing it."""
    return at_rest(observation, request.name)


@check("connected.activation", title="Activation of the connected registry")
def activation(_site: Site, request: DeactivateRequest, seen: Observation) -> Finding | None:
    """One that is inactive already needs nothing."""
    registry = seen.registry(request.name)
    if registry is None:
        return None
    if registry.activation != "Active":
        return ok(Code.INACTIVE_ALREADY)
    return ok(Code.ACTIVE, state=registry.connection_state, last_activity=registry.last_activity)


@check("extension.stays", title="Extension at the site")
def extension(_site: Site, request: DeactivateRequest, seen: Observation) -> Finding | None:
    """An installed runtime goes on serving what it has, and can no longer sync."""
    registry = seen.registry(request.name)
    if registry is None or registry.activation != "Active":
        return None
    registries, extensions = required(seen.connected), required(seen.extensions)
    own = extension_of(request.name, registries, extensions)
    if own is not None:
        return warning(Code.EXTENSION_STAYS, extension=own.name)
    return ok(Code.NO_EXTENSION)


@check("connected.children", title="Connected registries below it")
def children(_site: Site, request: DeactivateRequest, seen: Observation) -> Finding | None:
    """Nested ones sync through their parent."""
    registries = if_known(seen.connected) or ()
    below = tuple(one.name for one in registries if one.parent.casefold() == request.name.casefold())
    return warning(Code.CHILDREN_STOP, children=below) if below else None


CHECKS: tuple[Check[DeactivateRequest, Observation], ...] = (exists, activation, extension, children)
