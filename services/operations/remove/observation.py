"""What a removal looks at before it decides: every question at once, each with a deadline, none of them fatal."""

import asyncio
from dataclasses import dataclass
from typing import Any

from services.model.azure import ArcCluster, ConnectedRegistry, Extension, Lock, ScopeMap, Token
from services.model.errors import WrongCluster
from services.model.kubernetes import DeployedWorkload, Workload
from services.model.plan import Plan
from services.operations.answers import Answer, Questions, value_of
from services.operations.belongings import DELETION_ACTIONS, own_extension
from services.operations.reach import ClusterQuestions, cluster_of
from services.operations.remove.request import RemoveRequest
from services.policy.extensions import SERVICE_ADDRESS, namespace_of, registry_extensions
from services.policy.sites import Site
from services.ports import Azure, Cluster, Kubernetes

Tasks = dict[str, asyncio.Task[Answer[Any]]]

CLUSTER_ACTIONS = {"extension.remove": "Microsoft.KubernetesConfiguration/extensions/delete"}
"""What Azure's roles call the writes at the Arc-enabled cluster."""


@dataclass(frozen=True)
class Observation:
    """The world around a connected registry that is to go. None as a value means: there is none."""

    connected: Answer[tuple[ConnectedRegistry, ...]]
    scope_maps: Answer[tuple[ScopeMap, ...]]
    tokens: Answer[tuple[Token, ...]]
    missing_at_acr: Answer[tuple[str, ...] | None]
    cluster: Answer[ArcCluster | None]
    extensions: Answer[tuple[Extension, ...]]
    missing_at_cluster: Answer[tuple[str, ...] | None]
    locks_at_acr: Answer[tuple[Lock, ...]]
    locks_at_cluster: Answer[tuple[Lock, ...]]
    kubernetes_version: Answer[str]
    missing_rights: Answer[tuple[str, ...]]
    namespace_phase: Answer[str]
    """Of the runtime's namespace, which the extension names."""
    workloads: Answer[tuple[Workload, ...]]
    """Whatever pulls from it."""
    own_workloads: Answer[tuple[DeployedWorkload, ...]]
    """Those that the bot has made."""
    missing_workload_rights: Answer[tuple[str, ...]]
    """In the namespaces of those."""


async def observe(
    azure: Azure, kubernetes: Kubernetes, site: Site, request: RemoveRequest, _approved: Plan | None
) -> Observation:
    """Eleven ARM requests, of which three are lists of everything in the cloud registry that could be a part of it."""
    async with asyncio.TaskGroup() as group:
        arm = _ask_azure(Questions(group, "azure"), azure, site)
        kube = Questions(group, "kubernetes")
        reached = ClusterQuestions(kube, site.name, kube.skip())
        if not request.options.without_cluster:
            reached = _proven(kube, azure, kubernetes, site)
        inside = _ask_cluster(reached, request, arm)
    answers: dict[str, Any] = {name: task.result() for name, task in (arm | inside).items()}
    return Observation(**answers)


def _ask_azure(questions: Questions, azure: Azure, site: Site) -> Tasks:
    """Answers to be, by the fields of an observation."""
    acr, arc = site.acr_ref, site.cluster_ref
    at_acr, at_cluster = tuple(DELETION_ACTIONS.values()), tuple(CLUSTER_ACTIONS.values())
    return {
        "connected": questions.list(acr.id, lambda: azure.connected.list(acr)),
        "scope_maps": questions.list(acr.id, lambda: azure.scope_maps.list(acr)),
        "tokens": questions.list(acr.id, lambda: azure.tokens.list(acr)),
        "missing_at_acr": questions.find(acr.id, lambda: azure.permissions.missing(acr.id, at_acr)),
        "cluster": questions.find(arc.id, lambda: azure.clusters.get(arc)),
        "extensions": questions.list(arc.id, lambda: azure.extensions.list(arc)),
        "missing_at_cluster": questions.find(arc.id, lambda: azure.permissions.missing(arc.id, at_cluster)),
        "locks_at_acr": questions.list(acr.id, lambda: azure.permissions.locks(acr.id)),
        "locks_at_cluster": questions.list(arc.id, lambda: azure.permissions.locks(arc.id)),
    }


def _proven(questions: Questions, azure: Azure, kubernetes: Kubernetes, site: Site) -> ClusterQuestions:
    """Another cluster than the site's would answer that nothing is left."""

    async def proven() -> Cluster:
        reached = await cluster_of(azure, kubernetes, site)
        if reached.identity != "proven":
            raise WrongCluster("kubernetes", site.name, "ClusterUnproven", reason="unproven")
        return reached

    return ClusterQuestions(questions, site.name, questions.ask(site.name, proven))


def _ask_cluster(reached: ClusterQuestions, request: RemoveRequest, arm: Tasks) -> Tasks:
    """The same of the cluster; some questions need what Azure answers to `arm`."""
    inside = reached.ask

    async def phase_of_namespace(reached: Cluster) -> str:
        candidates = registry_extensions(await value_of(arm["extensions"]))
        return await reached.namespace_phase(namespace_of(candidates[0] if candidates else None))

    async def workloads_of_it(reached: Cluster) -> tuple[Workload, ...]:
        registries = await value_of(arm["connected"])
        own = own_extension(request.name, request.options.extension, await value_of(arm["extensions"]), registries)
        hosts = {one.login_server for one in registries if one.name.casefold() == request.name.casefold()}
        return await reached.workloads(hosts | ({own.settings.get(SERVICE_ADDRESS, "")} if own else set()))

    async def rights_at_workloads(reached: Cluster) -> tuple[str, ...]:
        namespaces = sorted({workload.spec.namespace for workload in await value_of(own_workloads)})
        missing = [await reached.missing_workload_rights(namespace) for namespace in namespaces]
        return tuple(right for rights in missing for right in rights)

    own_workloads = inside(lambda reached: reached.workloads_of(request.name))
    return {
        "kubernetes_version": inside(lambda reached: reached.version()),
        "missing_rights": inside(lambda reached: reached.missing_rights_to_remove()),
        "namespace_phase": inside(phase_of_namespace),
        "workloads": inside(workloads_of_it),
        "own_workloads": own_workloads,
        "missing_workload_rights": inside(rights_at_workloads),
    }
