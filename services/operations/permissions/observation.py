"""What a change of permissions looks at before it decides."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from services.model.azure import Registry, ScopeMap, Token, resource_name
from services.model.errors import Absent
from services.model.kubernetes import DeployedWorkload, Workload
from services.model.plan import Plan
from services.operations.answers import Answer, Questions, known, value_of
from services.operations.permissions.request import PermissionsRequest
from services.operations.reach import ClusterQuestions
from services.operations.registry_checks import RegistryObservation
from services.policy.sites import Site
from services.policy.sync_permissions import Lineage, lineage
from services.ports import Azure, Cluster, Kubernetes

WRITE = "Microsoft.ContainerRegistry/registries/scopeMaps/write"


@dataclass(frozen=True)
class Observation(RegistryObservation):
    """The hierarchy of connected registries with the rights of each, and what hangs on the repositories that go."""

    scope_maps: Answer[tuple[ScopeMap, ...]]
    tokens: Answer[tuple[Token, ...]]
    missing_actions: Answer[tuple[str, ...] | None]
    workloads: Answer[tuple[Workload, ...]]
    """Whatever runs in the site's cluster with images of it. Asked only where repositories go."""
    own_workloads: Answer[tuple[DeployedWorkload, ...]]
    """Those that the bot has made from it, also while no Pod of them runs. Likewise."""
    images: Mapping[str, Answer[str]] = field(default_factory=dict)
    """By repository that is added: the name of any tag, empty where it has none."""

    def family(self, name: str) -> Lineage | None:
        """The connected registry of that name with those above and below it; None where there is none."""
        registry = self.registry(name)
        if registry is None:
            return None
        registries, tokens, scope_maps = known(self.connected, ()), known(self.tokens, ()), known(self.scope_maps, ())
        return lineage(registry, registries, tokens, scope_maps)

    def tokens_with(self, scope_map: ScopeMap) -> tuple[str, ...]:
        """Names of the tokens that have a scope map."""
        tokens = known(self.tokens, ())
        return tuple(token.name for token in tokens if resource_name(token.scope_map_id) == scope_map.name.casefold())


async def observe(
    azure: Azure, kubernetes: Kubernetes, site: Site, request: PermissionsRequest, _approved: Plan | None
) -> Observation:
    """Four ARM requests; where repositories are added, one more and a look at each of them."""
    acr = site.acr_ref
    async with asyncio.TaskGroup() as group:
        arm, kube = Questions(group, "azure"), Questions(group, "kubernetes")
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        scope_maps = arm.list(acr.id, lambda: azure.scope_maps.list(acr))
        tokens = arm.list(acr.id, lambda: azure.tokens.list(acr))
        missing = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, [WRITE]))
        cloud: asyncio.Task[Answer[Registry]] = (
            arm.ask(acr.id, lambda: azure.registries.get(acr)) if request.add else arm.skip()
        )

        def look(repository: str) -> asyncio.Task[Answer[str]]:
            async def any_tag() -> str:
                try:
                    return await azure.images.any_tag(acr, (await value_of(cloud)).login_server, repository)
                except Absent:
                    return ""

            return arm.ask(f"{acr.id}/{repository}", any_tag)

        images = {repository: look(repository) for repository in request.add}
        inside = (
            ClusterQuestions.of(kube, azure, kubernetes, site)
            if request.remove
            else ClusterQuestions(kube, site.name, kube.skip())
        )

        async def pulling(cluster: Cluster) -> tuple[Workload, ...]:
            registries = await value_of(connected)
            hosts = {one.login_server for one in registries if one.name.casefold() == request.name.casefold()}
            return await cluster.workloads(hosts)

        workloads = inside.ask(pulling)
        own_workloads = inside.ask(lambda cluster: cluster.workloads_of(request.name.lower()))
    return Observation(
        connected.result(),
        scope_maps.result(),
        tokens.result(),
        missing.result(),
        workloads.result(),
        own_workloads.result(),
        {repository: image.result() for repository, image in images.items()},
    )
