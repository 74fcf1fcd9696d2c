"""What a connected registry has of repositories: asked in its own cluster, with the pull secrets that are there.

Nobody makes a password for a question. A new one would work at the edge after its next sync at the earliest, and who
can read repositories there is whoever has been let in by an operation: the bot's workloads.
"""

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Mapping

from services.model.azure import ConnectedRegistry
from services.model.contents import EdgeContents, EdgeQuestion, EdgeSilence
from services.model.errors import DomainError, Unreachable
from services.model.kubernetes import DeployedWorkload, WorkloadSpec
from services.operations.reach import cluster_of
from services.policy.sites import Site
from services.ports import Azure, Cluster, Kubernetes


async def edge_contents(
    azure: Azure,
    kubernetes: Kubernetes,
    site: Site,
    registry: ConnectedRegistry,
    repositories: Collection[str],
    *,
    tag: str = "",
) -> dict[str, EdgeContents]:
    """By repository, of the connected registry in the site's cluster; with `tag` that one alone. Never raises."""
    if not registry.login_server:
        return dict.fromkeys(repositories, EdgeSilence("NoAddress"))
    try:
        cluster = await cluster_of(azure, kubernetes, site)
        specs = await cluster.workload_specs(registry.name.lower())
        candidates = [spec for spec in specs if repository_of(spec) in repositories and spec.pull_secret]
        if len(candidates) > len(set(map(repository_of, candidates))):
            specs = by_proof(await cluster.workloads_of(registry.name.lower()))
    except DomainError as error:
        return dict.fromkeys(repositories, EdgeSilence("NotAsked", error=error))
    answers: dict[str, EdgeContents] = dict.fromkeys(repositories, EdgeSilence("NoReader"))
    image, tags = site.cluster.kubernetes.reader_image, (tag,) if tag else ()
    questions = [
        EdgeQuestion(namespace, registry.login_server, secrets, image, tags)
        for namespace, secrets in readers(specs, repositories).items()
    ]
    for contents in await asyncio.gather(*(_ask(cluster, question) for question in questions)):
        answers |= contents
    return answers


async def answered_by(
    end: float, site: Site, repositories: Collection[str], question: Awaitable[dict[str, EdgeContents]]
) -> dict[str, EdgeContents]:
    """What the edge of a site answers by `end` (of the loop's clock), else that it could not be asked. Never raises.

    One edge at which no Pod starts must not take the answers of all others with it.
    """
    try:
        async with asyncio.timeout_at(end):
            return await question
    except TimeoutError:
        error = Unreachable("kubernetes", site.name, "DeadlineExceeded")
        return dict.fromkeys(repositories, EdgeSilence("NotAsked", error=error))


async def _ask(cluster: Cluster, question: EdgeQuestion) -> Mapping[str, EdgeContents]:
    try:
        return await cluster.edge_contents(question)
    except DomainError as error:
        return dict.fromkeys(question.secrets, EdgeSilence("NotAsked", error=error))


def by_proof(workloads: Collection[DeployedWorkload]) -> tuple[WorkloadSpec, ...]:
    """Those that the bot has made; last are those that have pulled, so that the edge knows their passwords."""
    managed = [workload for workload in workloads if workload.managed]
    managed.sort(key=lambda workload: any(pod.image_id for pod in workload.pods))
    return tuple(workload.spec for workload in managed)


def readers(workloads: Iterable[WorkloadSpec], repositories: Collection[str]) -> dict[str, dict[str, str]]:
    """Pull secrets by namespace and repository: one for each repository, of the last workload that pulls it.

    Each pull secret is of a client token that may read the repository of its workload and nothing else.
    """
    chosen = {
        repository_of(workload): (workload.namespace, workload.pull_secret)
        for workload in workloads
        if workload.pull_secret and repository_of(workload) in repositories
    }
    secrets: dict[str, dict[str, str]] = {}
    for repository, (namespace, secret) in sorted(chosen.items()):
        secrets.setdefault(namespace, {})[repository] = secret
    return secrets


def repository_of(workload: WorkloadSpec) -> str:
    """The repository of its image, without the edge's address."""
    return workload.image.partition("/")[2].partition("@")[0].partition(":")[0]
