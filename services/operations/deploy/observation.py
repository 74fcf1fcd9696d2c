"""What a deployment looks at before it decides: every question at once, each with a deadline, none of them fatal."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from services.model.azure import ArcCluster, ConnectedRegistry, Extension, Registry, ScopeMap, Token
from services.model.kubernetes import Node, Runtime, ServiceRanges, StorageClass
from services.model.plan import Plan
from services.operations.answers import DEADLINE, Answer, Known, Questions, known, value_of
from services.operations.deploy.request import DeployRequest
from services.policy.extensions import extension_of
from services.policy.sites import PROVIDERS, RUNTIME_NAMESPACE, Site
from services.ports import Azure, Cluster, Kubernetes

T = TypeVar("T")


@dataclass(frozen=True)
class Observation:
    """The world around one connected registry's deployment to one site. None as a value means: there is none."""

    providers: Answer[Mapping[str, str]]
    registry: Answer[Registry | None]
    connected: Answer[tuple[ConnectedRegistry, ...]]
    scope_map: Answer[ScopeMap | None]
    token: Answer[Token | None]
    cluster: Answer[ArcCluster | None]
    extensions: Answer[tuple[Extension, ...]]
    kubernetes_version: Answer[str]
    nodes: Answer[tuple[Node, ...]]
    storage_classes: Answer[tuple[StorageClass, ...]]
    namespace_phase: Answer[str]
    cert_manager: Answer[bool]
    ranges: Answer[ServiceRanges]
    missing_rights: Answer[tuple[str, ...]]
    runtime: Answer[Runtime | None]
    """Only read when the namespace of the runtime exists."""
    leased: frozenset[str] = frozenset()
    """Service addresses that other operations at this cluster hold in the database."""

    def registry_named(self, name: str) -> ConnectedRegistry | None:
        """The connected registry that has the name already, whatever its case (ARM names have none)."""
        registries = known(self.connected, ())
        return next((registry for registry in registries if registry.name.casefold() == name.casefold()), None)

    def own_extension(self, name: str) -> Extension | None:
        """The extension in this cluster that serves the connected registry; none for a question without a name."""
        return extension_of(name, known(self.connected, ()), known(self.extensions, ())) if name else None

    @property
    def installed(self) -> Runtime:
        """What the cluster shows of an installed runtime; empty where there is none or it can't be read."""
        return known(self.runtime, None) or Runtime()


async def observe(
    azure: Azure,
    kubernetes: Kubernetes,
    site: Site,
    request: DeployRequest,
    approved: Plan | None = None,
    *,
    deadline: float = DEADLINE,
) -> Observation:
    """What exists, or why it could not be asked. `deadline` is of each question, in seconds.

    Seven ARM requests; two less without a name. With the plan that was approved it is six: registration states of
    resource providers only ever get better, so those of the first look still hold.
    """
    acr, arc, access, name = site.acr_ref, site.cluster_ref, site.cluster.kubernetes, request.name
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure", deadline)
        if approved is None:
            states = arm.ask(site.subscription, lambda: azure.providers.states(site.subscription, PROVIDERS))
        registry = arm.find(acr.id, lambda: azure.registries.get(acr))
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        scope_map: asyncio.Task[Answer[ScopeMap | None]]
        token: asyncio.Task[Answer[Token | None]]
        scope_map = arm.find(acr.id, lambda: azure.scope_maps.get(acr, name)) if name else arm.skip()
        token = arm.find(acr.id, lambda: azure.tokens.get(acr, name)) if name else arm.skip()
        cluster = arm.find(arc.id, lambda: azure.clusters.get(arc))
        extensions = arm.list(arc.id, lambda: azure.extensions.list(arc))
        kube = Questions(group, "kubernetes", deadline)
        door = kube.ask(site.name, lambda: kubernetes.cluster(access.kubeconfig, access.context, arc))

        def inside(question: Callable[[Cluster], Awaitable[T]]) -> asyncio.Task[Answer[T]]:
            """A question to the cluster, which has to be reached first; it fails as the reaching did."""

            async def asked() -> T:
                return await question(await value_of(door))

            return kube.ask(site.name, asked)

        async def runtime_where_it_may_be(reached: Cluster) -> Runtime | None:
            return await reached.runtime(RUNTIME_NAMESPACE) if await value_of(phase) else None

        version = inside(lambda reached: reached.version())
        nodes = inside(lambda reached: reached.nodes())
        classes = inside(lambda reached: reached.storage_classes())
        phase = inside(lambda reached: reached.namespace_phase(RUNTIME_NAMESPACE))
        cert_manager = inside(lambda reached: reached.has_cert_manager())
        ranges = inside(lambda reached: reached.service_ranges(access.hold_namespace))
        missing = inside(lambda reached: reached.missing_rights(access.hold_namespace))
        runtime = inside(runtime_where_it_may_be)
    return Observation(
        providers=states.result() if approved is None else Known(_providers(approved)),
        registry=registry.result(),
        connected=connected.result(),
        scope_map=scope_map.result(),
        token=token.result(),
        cluster=cluster.result(),
        extensions=extensions.result(),
        kubernetes_version=version.result(),
        nodes=nodes.result(),
        storage_classes=classes.result(),
        namespace_phase=phase.result(),
        cert_manager=cert_manager.result(),
        ranges=ranges.result(),
        missing_rights=missing.result(),
        runtime=runtime.result(),
    )


def _providers(plan: Plan) -> Mapping[str, str]:
    """Registration states as that plan was made for them."""
    missing: set[object] = set()
    for step in plan.steps:
        if step.kind == "provider.register" and isinstance(namespaces := step.params["namespaces"], tuple):
            missing |= set(namespaces)
    return {name: "NotRegistered" if name in missing else "Registered" for name in PROVIDERS}
