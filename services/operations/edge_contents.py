"""What a connected registry has of repositories: asked in its own cluster, with the pull secrets that are there.

Nobody makes a password for a question. A new one would work at the edge after its next sync at the earliest, and who
can read repositories there is whoever has been let in by an operation: the bot's workloads.
"""

import asyncio
from collections.abc import Awaitable, Collection, Mapping

from services.model.azure import ConnectedRegistry
from services.model.contents import EdgeContents, EdgeQuestion, EdgeSilence
from services.model.errors import DomainError, Unreachable
from services.model.kubernetes import DeployedWorkload
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
        workloads = await cluster.workloads_of(registry.name.lower())
    except DomainError as error:
        return dict.fromkeys(repositories, EdgeSilence("NotAsked", error=error))
    answers: dict[str, EdgeContents] = dict.fromkeys(repositories, EdgeSilence("NoReader"))
    image, tags = site.cluster.kubernetes.reader_image, (tag,) if tag else ()
    questions = [
        EdgeQuestion(namespace, registry.login_server, secrets, image, tags)
        for namespace, secrets in readers(workloads, repositories).items()
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


def readers(workloads: Collection[DeployedWorkload], repositories: Collection[str]) -> dict[str, dict[str, str]]:
    """Pull secrets by namespace and repository: one for each repository, of a workload that has pulled if there is one.

    Each pull secret is of a client token that may read the repository of its workload and nothing else.
    """
    chosen: dict[str, tuple[str, str]] = {}
    for workload in sorted(workloads, key=lambda workload: any(pod.image_id for pod in workload.pods)):
        image = workload.spec.image.partition("/")[2]
        repository = image.partition("@")[0].partition(":")[0]
        if workload.managed and repository in repositories and workload.spec.pull_secret:
            chosen[repository] = workload.spec.namespace, workload.spec.pull_secret
    secrets: dict[str, dict[str, str]] = {}
    for repository, (namespace, secret) in sorted(chosen.items()):
        secrets.setdefault(namespace, {})[repository] = secret
    return secrets
