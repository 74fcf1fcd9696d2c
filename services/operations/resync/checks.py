"""What a resync looks at, and the checks on it."""

import asyncio
from dataclasses import dataclass

from services.model.errors import VersionNotOffered
from services.model.plan import Finding, Plan
from services.operations import azure_checks
from services.operations.answers import Answer, Questions, Unknown
from services.operations.checks import Check, blocker, check, ok, required
from services.operations.registry_checks import RegistryObservation, at_rest
from services.operations.resync.request import Code, ResyncRequest
from services.policy.sites import CONNECTED_REGISTRIES_TYPE, Site
from services.ports import Azure, Kubernetes

RESYNC = f"{CONNECTED_REGISTRIES_TYPE}/resync"
ACTION = f"{RESYNC}/action"


@dataclass(frozen=True)
class Observation(RegistryObservation):
    """All connected registries of the cloud registry, and whether the cloud has the action at all."""

    api_version: Answer[str]
    missing_actions: Answer[tuple[str, ...] | None]


async def observe(
    azure: Azure, _kubernetes: Kubernetes, site: Site, _request: ResyncRequest, _approved: Plan | None
) -> Observation:
    """Two ARM requests, and the list of api-versions where it is not at hand."""
    acr = site.acr_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        version = arm.ask(acr.id, lambda: azure.providers.api_version(acr.subscription, RESYNC))
        missing = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, [ACTION]))
    return Observation(connected.result(), version.result(), missing.result())


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: ResyncRequest, observation: Observation) -> Finding:
    """Nothing is asked of it while Azure is changing it."""
    return at_rest(observation, request.name)


@check("azure.version", title="This cloud offers resyncs", essential=True)
def offered(_site: Site, _request: ResyncRequest, observation: Observation) -> Finding:
    """Since 2026-01-01-preview; other clouds get versions months later."""
    answer = observation.api_version
    if isinstance(answer, Unknown) and isinstance(answer.error, VersionNotOffered):
        return blocker(Code.NOT_OFFERED, offered=answer.error.offered)
    return ok(Code.OFFERED, version=required(answer))


@check("connected.contact", title="Its runtime is in contact")
def contact(_site: Site, request: ResyncRequest, observation: Observation) -> Finding | None:
    """Azure refuses a resync of one that is not."""
    registry = observation.registry(request.name)
    if registry is None:
        return None
    if registry.activation != "Active":
        return blocker(Code.NOT_ACTIVATED)
    facts = {"state": registry.connection_state, "last_activity": registry.last_activity, "schedule": registry.schedule}
    return blocker(Code.OFFLINE, **facts) if registry.connection_state == "Offline" else ok(Code.IN_CONTACT, **facts)


@check("azure.actions", title="Bot has the Azure right to resync")
def actions(site: Site, request: ResyncRequest, observation: Observation) -> Finding | None:
    """By its roles."""
    if observation.registry(request.name) is None:
        return None
    return azure_checks.actions((observation.missing_actions, site.acr_ref.name))


CHECKS: tuple[Check[ResyncRequest, Observation], ...] = (exists, offered, contact, actions)
