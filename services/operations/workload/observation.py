"""What is looked at before a workload is deployed or deleted: every question with a deadline, none of them fatal."""

import asyncio
from dataclasses import dataclass, field
from typing import TypeVar

from services.model.azure import ConnectedRegistry, Extension, Image, Registry, ScopeMap, Token
from services.model.errors import Absent, NotNeeded
from services.model.kubernetes import DeployedWorkload, Node
from services.model.plan import Plan
from services.operations.answers import Answer, NotAsked, Questions, known, value_of
from services.operations.reach import ClusterQuestions
from services.operations.workload.request import DeletionRequest, WorkloadRequest
from services.policy.extensions import served_registries
from services.policy.sites import Site
from services.ports import Azure, Cluster, Kubernetes

T = TypeVar("T")
NO_REPOSITORY = "NAME_UNKNOWN"


@dataclass(frozen=True)
class CloudImage:
    """What a tag stands for in the cloud: None where there is none; `repository` is whether that exists."""

    image: Image | None
    repository: bool = True


@dataclass(frozen=True)
class Observation:
    """The world around a workload. None as a value means: there is none."""

    registry: Answer[Registry | None]
    connected: Answer[tuple[ConnectedRegistry, ...]]
    extensions: Answer[tuple[Extension, ...]]
    sync_scope_map: Answer[ScopeMap | None]
    """Of the connected registry: which repositories it has."""
    image: Answer[CloudImage]
    scope_map: Answer[ScopeMap | None]
    token: Answer[Token | None]
    kubernetes_version: Answer[str]
    nodes: Answer[tuple[Node, ...]]
    namespace_phase: Answer[str]
    missing_rights: Answer[tuple[str, ...]]
    workload: Answer[DeployedWorkload | None]
    refusal: Answer[str] = field(default_factory=lambda: NotAsked(NotNeeded()))
    """What the API server has against a manifest; only asked where there is one."""

    def connected_registry(self, name: str) -> ConnectedRegistry | None:
        """The connected registry of that name, whatever its case (ARM names have none)."""
        return _named(name, known(self.connected, ()))


@dataclass(frozen=True)
class DeletionObservation:
    """The world around a workload that is to go. `tokens` are all of the cloud registry."""

    connected: Answer[tuple[ConnectedRegistry, ...]]
    extensions: Answer[tuple[Extension, ...]]
    tokens: Answer[tuple[Token, ...]]
    missing_rights: Answer[tuple[str, ...]]
    workload: Answer[DeployedWorkload | None]

    @property
    def registry(self) -> str:
        """The connected registry that the workload is of; without one, that which the site's cluster has; or empty."""
        if workload := known(self.workload, None):
            return workload.spec.registry
        registries = known(self.connected, ())
        names = [served.name for one in known(self.extensions, ()) for served in served_registries(one, registries)]
        return names[0].lower() if len(names) == 1 else ""

    def token(self, request: DeletionRequest) -> Token | None:
        """The workload's client token."""
        name = request.place.token(self.registry)
        return next((token for token in known(self.tokens, ()) if token.name.casefold() == name.casefold()), None)


async def observe(
    azure: Azure, kubernetes: Kubernetes, site: Site, request: WorkloadRequest, _approved: Plan | None
) -> Observation:
    """Seven ARM requests, two of them after others, and what the registry itself says of the image."""
    acr, arc, place = site.acr_ref, site.cluster_ref, request.place
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        registry = arm.find(acr.id, lambda: azure.registries.get(acr))
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        extensions = arm.list(arc.id, lambda: azure.extensions.list(arc))

        async def read_image() -> CloudImage:
            cloud = _present(await value_of(registry))
            try:
                image = await azure.images.get(acr, cloud.login_server, request.repository, request.reference)
            except Absent as absent:
                return CloudImage(None, repository=absent.code != NO_REPOSITORY)
            return CloudImage(image)

        async def read_sync_scope_map() -> ScopeMap:
            own = _present(_named(request.registry, await value_of(connected)))
            token = await azure.tokens.get(acr, own.token_id.rpartition("/")[2])
            return await azure.scope_maps.get(acr, token.scope_map_id.rpartition("/")[2])

        image = arm.ask(acr.id, read_image)
        sync_scope_map = arm.find(acr.id, read_sync_scope_map)
        scope_map = arm.find(acr.id, lambda: azure.scope_maps.get(acr, request.token))
        token = arm.find(acr.id, lambda: azure.tokens.get(acr, request.token))
        inside = ClusterQuestions.of(Questions(group, "kubernetes"), azure, kubernetes, site)
        version = inside.ask(lambda cluster: cluster.version())
        nodes = inside.ask(lambda cluster: cluster.nodes())
        phase = inside.ask(lambda cluster: cluster.namespace_phase(place.namespace))
        missing = inside.ask(lambda cluster: cluster.missing_workload_rights(place.namespace))
        workload = inside.ask(lambda cluster: cluster.workload(place.namespace, place.name))

        async def try_manifest(cluster: Cluster) -> str:
            own = _present(_named(request.registry, await value_of(connected)))
            return await cluster.try_workload(request.spec_at(own.login_server, place.pull_secrets[0]))

        refusal = inside.ask(try_manifest) if request.manifest else arm.skip()
    return Observation(
        registry=registry.result(),
        connected=connected.result(),
        extensions=extensions.result(),
        sync_scope_map=sync_scope_map.result(),
        image=image.result(),
        scope_map=scope_map.result(),
        token=token.result(),
        kubernetes_version=version.result(),
        nodes=nodes.result(),
        namespace_phase=phase.result(),
        missing_rights=missing.result(),
        workload=workload.result(),
        refusal=refusal.result(),
    )


async def observe_deletion(
    azure: Azure, kubernetes: Kubernetes, site: Site, request: DeletionRequest, _approved: Plan | None
) -> DeletionObservation:
    """Three ARM requests."""
    acr, arc, place = site.acr_ref, site.cluster_ref, request.place
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        extensions = arm.list(arc.id, lambda: azure.extensions.list(arc))
        tokens = arm.list(acr.id, lambda: azure.tokens.list(acr))
        inside = ClusterQuestions.of(Questions(group, "kubernetes"), azure, kubernetes, site)
        missing = inside.ask(lambda cluster: cluster.missing_workload_rights(place.namespace))
        workload = inside.ask(lambda cluster: cluster.workload(place.namespace, place.name))
    return DeletionObservation(
        connected.result(), extensions.result(), tokens.result(), missing.result(), workload.result()
    )


def _named(name: str, registries: tuple[ConnectedRegistry, ...]) -> ConnectedRegistry | None:
    return next((one for one in registries if one.name.casefold() == name.casefold()), None)


def _present(value: T | None) -> T:
    """What a question is about. Where it is missing another check says so, and this question is left out."""
    if value is None:
        raise NotNeeded
    return value
