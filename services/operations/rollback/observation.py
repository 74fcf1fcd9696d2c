"""What a rollback looks at: what a removal looks at too, and the workload that the operation was about."""

import asyncio
from dataclasses import dataclass

from services.model.azure import ConnectedRegistry, Extension, ScopeMap, Token
from services.model.kubernetes import DeployedWorkload
from services.model.plan import Plan
from services.operations.answers import Answer, NotAsked, Questions, known
from services.operations.reach import ClusterQuestions
from services.operations.remove.observation import Observation as RemovalObservation
from services.operations.remove.observation import observe as observe_removal
from services.operations.rollback.request import RollbackRequest
from services.operations.workload_removal import Place, place_of
from services.policy.sites import Site
from services.ports import Azure, Kubernetes

_ACR = "Microsoft.ContainerRegistry/registries"
AT_ACR = {
    "connected.remove": f"{_ACR}/connectedRegistries/delete",
    "connected.update": f"{_ACR}/connectedRegistries/write",
    "connected.client_tokens": f"{_ACR}/connectedRegistries/write",
    "client_token.unlink": f"{_ACR}/connectedRegistries/write",
    "scope_map.narrow": f"{_ACR}/scopeMaps/write",
    "scope_map.widen": f"{_ACR}/scopeMaps/write",
    "scope_map.remove": f"{_ACR}/scopeMaps/delete",
    "client_scope_map.delete": f"{_ACR}/scopeMaps/delete",
    "token.remove": f"{_ACR}/tokens/delete",
    "client_token.delete": f"{_ACR}/tokens/delete",
    "client_password.end": f"{_ACR}/tokens/write",
}
AT_CLUSTER = {
    "extension.remove": "Microsoft.KubernetesConfiguration/extensions/delete",
    "extension.update": "Microsoft.KubernetesConfiguration/extensions/write",
}
"""What Azure's roles call the writes of each kind of step, at the cloud registry and at the Arc-enabled cluster."""


@dataclass(frozen=True)
class Observation:
    """The world around what an operation has done."""

    removal: RemovalObservation
    missing_at_acr: Answer[tuple[str, ...] | None]
    missing_at_cluster: Answer[tuple[str, ...] | None]
    workload: Answer[DeployedWorkload | None]
    """Asked only where the operation was about one."""
    missing_workload_rights: Answer[tuple[str, ...]]
    """In its namespace; likewise."""

    @property
    def registries(self) -> tuple[ConnectedRegistry, ...]:
        """Those of the cloud registry; none where Azure gave no answer, and likewise below: a check blocks then."""
        return known(self.removal.connected, ())

    @property
    def sees_cluster(self) -> bool:
        """Whether the site gives access to its cluster."""
        return not isinstance(self.removal.namespace_phase, NotAsked)

    def registry(self, name: object) -> ConnectedRegistry | None:
        """The connected registry of that name, whatever its case (ARM names have none)."""
        return next((one for one in self.registries if _same(one.name, name)), None)

    def scope_map(self, name: object) -> ScopeMap | None:
        """The scope map of that name."""
        return next((one for one in known(self.removal.scope_maps, ()) if _same(one.name, name)), None)

    def token(self, name: object) -> Token | None:
        """The token of that name."""
        return next((one for one in known(self.removal.tokens, ()) if _same(one.name, name)), None)

    def extension(self, name: object) -> Extension | None:
        """The extension of that name at the site."""
        return next((one for one in known(self.removal.extensions, ()) if _same(one.name, name)), None)


def place_in(request: RollbackRequest) -> Place | None:
    """Where the workload is that the operation was about; None where it was about none."""
    return next((place_of(step) for step in request.options.steps if "namespace" in step.params), None)


async def observe(
    azure: Azure, kubernetes: Kubernetes, site: Site, request: RollbackRequest, _approved: Plan | None
) -> Observation:
    """The requests of a removal and two more, and two questions to the cluster where it was about a workload."""
    acr, arc, place = site.acr_ref, site.cluster_ref, place_in(request)
    async with asyncio.TaskGroup() as group:
        arm, kube = Questions(group, "azure"), Questions(group, "kubernetes")
        removal = group.create_task(observe_removal(azure, kubernetes, site, request.removal, None))
        at_acr = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, sorted({*AT_ACR.values()})))
        at_cluster = arm.find(arc.id, lambda: azure.permissions.missing(arc.id, sorted({*AT_CLUSTER.values()})))
        workload: asyncio.Task[Answer[DeployedWorkload | None]] = kube.skip()
        rights: asyncio.Task[Answer[tuple[str, ...]]] = kube.skip()
        if place is not None:
            inside = ClusterQuestions.of(kube, azure, kubernetes, site)
            workload = inside.ask(lambda cluster: cluster.workload(place.namespace, place.name))
            rights = inside.ask(lambda cluster: cluster.missing_workload_rights(place.namespace))
    return Observation(removal.result(), at_acr.result(), at_cluster.result(), workload.result(), rights.result())


def _same(one: str, other: object) -> bool:
    return one.casefold() == str(other).casefold()
