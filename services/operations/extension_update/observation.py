"""What a change of an extension looks at before it decides."""

import asyncio
from dataclasses import dataclass

from services.model.azure import ArcCluster, Extension, Token, resource_name
from services.model.kubernetes import Node
from services.model.plan import Plan
from services.operations.answers import Answer, Known, NotAsked, Questions, known
from services.operations.certificates import CertificateObservation
from services.operations.extension_update.request import ExtensionUpdateRequest
from services.operations.reach import ClusterQuestions
from services.operations.registry_checks import RegistryObservation
from services.policy.extensions import extension_of
from services.policy.sites import Site
from services.ports import Azure, Kubernetes

AT_ACR = ("Microsoft.ContainerRegistry/registries/generateCredentials/action",)
AT_CLUSTER = ("Microsoft.KubernetesConfiguration/extensions/write",)
"""What Azure's roles call the writes; the first one only where a new connection string goes with the change."""


@dataclass(frozen=True)
class Observation(RegistryObservation, CertificateObservation):
    """The extension that serves the connected registry, and what its connection string is made of."""

    tokens: Answer[tuple[Token, ...]]
    cluster: Answer[ArcCluster | None]
    extensions: Answer[tuple[Extension, ...]]
    nodes: Answer[tuple[Node, ...]]
    cert_manager: Answer[bool]
    missing_at_acr: Answer[tuple[str, ...] | None]
    missing_at_cluster: Answer[tuple[str, ...] | None]

    def extension(self, name: str) -> Extension | None:
        """The extension at the site that serves it."""
        return extension_of(name, known(self.connected, ()), known(self.extensions, ()))

    def token(self, name: str) -> Token | None:
        """The sync token of the connected registry."""
        registry = self.registry(name)
        token_name = resource_name(registry.token_id) if registry else ""
        return next((token for token in known(self.tokens, ()) if token.name.casefold() == token_name), None)

    @property
    def sees_cluster(self) -> bool:
        """Whether the site gives access to its cluster."""
        return not isinstance(self.nodes, NotAsked)


async def observe(
    azure: Azure, kubernetes: Kubernetes, site: Site, _request: ExtensionUpdateRequest, _approved: Plan | None
) -> Observation:
    """Six ARM requests, and two questions to the cluster."""
    acr, arc = site.acr_ref, site.cluster_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        inside = ClusterQuestions.of(Questions(group, "kubernetes"), azure, kubernetes, site)
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        tokens = arm.list(acr.id, lambda: azure.tokens.list(acr))
        cluster = arm.find(arc.id, lambda: azure.clusters.get(arc))
        extensions = arm.list(arc.id, lambda: azure.extensions.list(arc))
        nodes = inside.ask(lambda reached: reached.nodes())
        cert_manager = inside.ask(lambda reached: reached.has_cert_manager())
        at_acr = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, AT_ACR))
        at_cluster = arm.find(arc.id, lambda: azure.permissions.missing(arc.id, AT_CLUSTER))
    return Observation(
        connected.result(),
        tokens.result(),
        cluster.result(),
        extensions.result(),
        nodes.result(),
        Known(facts.cert_manager, proven=False) if (facts := site.cluster.facts) else cert_manager.result(),
        at_acr.result(),
        at_cluster.result(),
    )
