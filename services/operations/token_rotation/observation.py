"""What a rotation looks at before it decides."""

import asyncio
from dataclasses import dataclass

from services.model.azure import ArcCluster, Extension, Token, resource_name
from services.model.plan import Plan
from services.operations.answers import Answer, Questions, known
from services.operations.certificates import CertificateObservation
from services.operations.registry_checks import RegistryObservation
from services.operations.token_rotation.request import RotationRequest
from services.policy.extensions import extension_of
from services.policy.sites import Site
from services.ports import Azure, Kubernetes

AT_ACR = (
    "Microsoft.ContainerRegistry/registries/generateCredentials/action",
    "Microsoft.ContainerRegistry/registries/tokens/write",
)
AT_CLUSTER = ("Microsoft.KubernetesConfiguration/extensions/write",)
"""What Azure's roles call the writes of a rotation."""


@dataclass(frozen=True)
class Observation(RegistryObservation, CertificateObservation):
    """The connected registry's own token, and the extension that works with it. None as a value: there is none."""

    tokens: Answer[tuple[Token, ...]]
    cluster: Answer[ArcCluster | None]
    extensions: Answer[tuple[Extension, ...]]
    missing_at_acr: Answer[tuple[str, ...] | None]
    missing_at_cluster: Answer[tuple[str, ...] | None]

    def token(self, name: str) -> Token | None:
        """The sync token of the connected registry."""
        registry = self.registry(name)
        token_name = resource_name(registry.token_id) if registry else ""
        return next((token for token in known(self.tokens, ()) if token.name.casefold() == token_name), None)

    def extension(self, name: str) -> Extension | None:
        """The extension at the site that serves it."""
        return extension_of(name, known(self.connected, ()), known(self.extensions, ()))


async def observe(
    azure: Azure, _kubernetes: Kubernetes, site: Site, _request: RotationRequest, _approved: Plan | None
) -> Observation:
    """Six ARM requests."""
    acr, arc = site.acr_ref, site.cluster_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        tokens = arm.list(acr.id, lambda: azure.tokens.list(acr))
        cluster = arm.find(arc.id, lambda: azure.clusters.get(arc))
        extensions = arm.list(arc.id, lambda: azure.extensions.list(arc))
        at_acr = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, AT_ACR))
        at_cluster = arm.find(arc.id, lambda: azure.permissions.missing(arc.id, AT_CLUSTER))
    return Observation(
        connected.result(),
        tokens.result(),
        cluster.result(),
        extensions.result(),
        at_acr.result(),
        at_cluster.result(),
    )
