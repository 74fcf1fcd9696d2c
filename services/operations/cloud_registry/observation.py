"""What is looked at before anything is done to a cloud registry."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.model.azure import ConnectedRegistry, Registry
from services.model.errors import Absent, NotNeeded
from services.model.plan import Plan
from services.operations.answers import Answer, NotAsked, Questions, value_of
from services.operations.arrival_checks import ReaderPlace, look_at_place
from services.operations.cloud_registry.request import AcrRequest, ImageImport
from services.operations.reach import ClusterQuestions
from services.policy.extensions import served_registries
from services.policy.sites import Site
from services.ports import Azure, Kubernetes

_ACR = "Microsoft.ContainerRegistry/registries"
DELETE = f"{_ACR}/delete"
ACTIONS = (f"{_ACR}/write", f"{_ACR}/importImage/action", DELETE)
"""What Azure's roles call the writes."""
PROVIDER = "Microsoft.ContainerRegistry"


@dataclass(frozen=True)
class Edge:
    """A connected registry, and what its sync token may read: None where it has no token that could say so."""

    registry: ConnectedRegistry
    actions: tuple[str, ...] | None


@dataclass(frozen=True)
class Observation:
    """None as a value means: there is none."""

    registry: Answer[Registry | None]
    connected: Answer[tuple[ConnectedRegistry, ...]]
    name_refusal: Answer[str]
    """Why none can be created under its name; empty where one can, or it is there already."""
    providers: Answer[Mapping[str, str]]
    """Not asked where the registry is there: then its resource provider is registered."""
    missing_actions: Answer[tuple[str, ...] | None]
    """None where the registry is not there: the roles at its resource group are not asked for."""
    edge: Answer[Edge | None] = field(default_factory=lambda: NotAsked(NotNeeded()))
    """The connected registry at the site; None where there is none, or several may be it. Only looked at for a wait."""
    reader_place: Answer[ReaderPlace] = field(default_factory=lambda: NotAsked(NotNeeded()))
    """Likewise."""
    digests: Mapping[str, Answer[str]] = field(default_factory=dict)
    """By image that is to be imported, what its tag stands for already; empty where it is not there."""


async def observe(
    azure: Azure, kubernetes: Kubernetes, site: Site, request: AcrRequest, _approved: Plan | None
) -> Observation:
    """Three ARM requests, two more where there is no registry, and a look at each image.

    Where images are waited for it is three more, and what the site's cluster says.
    """
    acr = site.acr_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        registry = arm.find(acr.id, lambda: azure.registries.get(acr))

        async def name_refusal() -> str:
            return "" if await value_of(registry) else await azure.registries.name_refusal(acr)

        async def providers() -> Mapping[str, str]:
            return {} if await value_of(registry) else await azure.providers.states(acr.subscription, [PROVIDER])

        def look(image: ImageImport) -> asyncio.Task[Answer[str]]:
            repository, _, tag = image.image.rpartition(":")

            async def digest() -> str:
                if (cloud := await value_of(registry)) is None:
                    return ""
                try:
                    return (await azure.images.get(acr, cloud.login_server, repository, tag)).digest
                except Absent:
                    return ""

            return arm.ask(f"{acr.id}/{image.image}", digest)

        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        refusal, states = arm.ask(acr.id, name_refusal), arm.ask(acr.subscription, providers)
        missing = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, ACTIONS))

        edge: asyncio.Task[Answer[Edge | None]] = arm.skip()
        place: asyncio.Task[Answer[ReaderPlace]] = arm.skip()
        if request.wait_for_images:
            edge = arm.ask(acr.id, lambda: _edge(azure, site, connected))
            inside = ClusterQuestions.of(Questions(group, "kubernetes"), azure, kubernetes, site)
            namespace = site.cluster.kubernetes.reader_namespace
            place = inside.ask(lambda cluster: look_at_place(cluster, namespace))
        digests = {image.image: look(image) for image in request.images}
    return Observation(
        registry.result(),
        connected.result(),
        refusal.result(),
        states.result(),
        missing.result(),
        edge.result(),
        place.result(),
        {image: task.result() for image, task in digests.items()},
    )


async def _edge(
    azure: Azure, site: Site, connected: "asyncio.Task[Answer[tuple[ConnectedRegistry, ...]]]"
) -> Edge | None:
    """The connected registry that the site's cluster runs; None where it runs none, or several may be it."""
    registries, acr = await value_of(connected), site.acr_ref
    extensions = await azure.extensions.list(site.cluster_ref)
    served = {
        registry.name: registry for extension in extensions for registry in served_registries(extension, registries)
    }
    if len(served) != 1:
        return None
    (registry,) = served.values()
    if not registry.token_id:
        return Edge(registry, None)
    token = await azure.tokens.get(acr, registry.token_id.rpartition("/")[2])
    scope_map = await azure.scope_maps.get(acr, token.scope_map_id.rpartition("/")[2])
    return Edge(registry, scope_map.actions)
