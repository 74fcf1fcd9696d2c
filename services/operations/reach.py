"""The way to a site's cluster, the same for every kind of operation and every command.

Nothing else asks how a site's cluster is reached, or whether it is at all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from services.model.errors import AgentsAway, DomainError, NoAccess, NotAuthenticated, Unreachable
from services.operations.answers import Answer, Questions, value_of
from services.policy.sites import Site
from services.ports import Azure, Cluster, Kubernetes

T = TypeVar("T")
_IN_CONTACT = frozenset({"connected", "connecting", ""})
"""Connectivity states of an Arc resource that say nothing against its agents."""
_STATUS_DEADLINE = 4.0
"""Seconds that Azure gets to say whether it has contact; the question that failed has a deadline of its own."""


def require_access(site: Site) -> None:
    """Raises `NoAccess` where the site file says `access: none`."""
    if site.access == "none":
        raise NoAccess("kubernetes", site.name)


async def cluster_of(azure: Azure, kubernetes: Kubernetes, site: Site) -> Cluster:
    """The site's cluster, compared with its Arc resource.

    Raises:
        NoAccess: the site file says `access: none`.
        AgentsAway: the site has `access: arc`, and Azure Arc has no contact with the cluster.
        Unreachable, NotAuthenticated, WrongCluster: as `Kubernetes.cluster` does.
    """
    require_access(site)
    access = site.cluster.kubernetes
    if site.access != "arc":
        return await kubernetes.cluster(access.kubeconfig, access.context, site.cluster_ref)
    try:
        return await kubernetes.cluster(access.kubeconfig, access.context, site.cluster_ref, route="arc")
    except (Unreachable, NotAuthenticated) as error:
        # A proxy that is away has to be started first, whatever the agents do.
        if error.reason not in {"arc_relay", "arc_credential"}:
            raise
        raise await _with_the_agents_word(azure, site, error) from error


async def _with_the_agents_word(azure: Azure, site: Site, error: Unreachable | NotAuthenticated) -> DomainError:
    """The error, or `AgentsAway` where that explains it. Says nothing new where Azure can't be asked."""
    try:
        async with asyncio.timeout(_STATUS_DEADLINE):
            arc = await azure.clusters.get(site.cluster_ref)
    except (DomainError, TimeoutError):
        return error
    state = arc.connectivity
    if state.casefold() in _IN_CONTACT:
        return error
    reason = "expired" if state.casefold() == "expired" else ""
    return AgentsAway(
        "kubernetes",
        site.name,
        error.code,
        error.message,
        reason=reason,
        state=state,
        last_heartbeat=arc.last_heartbeat,
    )


@dataclass(frozen=True)
class ClusterQuestions:
    """Puts questions to a site's cluster, which has to be reached first; each gets no answer if the reaching got none.

    `target` is the site's name, for errors.
    """

    questions: Questions
    target: str
    reaching: "asyncio.Task[Answer[Cluster]]"

    @classmethod
    def of(cls, questions: Questions, azure: Azure, kubernetes: Kubernetes, site: Site) -> "ClusterQuestions":
        """To the cluster of a site."""
        return cls(questions, site.name, questions.ask(site.name, lambda: cluster_of(azure, kubernetes, site)))

    def ask(self, question: Callable[[Cluster], Awaitable[T]]) -> "asyncio.Task[Answer[T]]":
        """One question, beside all others."""

        async def reach_and_ask() -> T:
            return await question(await value_of(self.reaching))

        return self.questions.ask(self.target, reach_and_ask)
