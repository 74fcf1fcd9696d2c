"""The way to a site's cluster, the same for every kind of operation and every command.

Nothing else asks how a site's cluster is reached, or whether it is at all.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from services.model.errors import NoAccess
from services.operations.answers import Answer, Questions, value_of
from services.policy.sites import Site
from services.ports import Cluster, Kubernetes

T = TypeVar("T")


def require_access(site: Site) -> None:
    """Raises `NoAccess` where the site file says `access: none`."""
    if site.access == "none":
        raise NoAccess("kubernetes", site.name)


async def cluster_of(kubernetes: Kubernetes, site: Site) -> Cluster:
    """The site's cluster, compared with its Arc resource.

    Raises:
        NoAccess: the site file says `access: none`.
        Unreachable, WrongCluster: as `Kubernetes.cluster` does.
    """
    require_access(site)
    access = site.cluster.kubernetes
    return await kubernetes.cluster(access.kubeconfig, access.context, site.cluster_ref)


@dataclass(frozen=True)
class ClusterQuestions:
    """Puts questions to a site's cluster, which has to be reached first; each gets no answer if the reaching got none.

    `target` is the site's name, for errors.
    """

    questions: Questions
    target: str
    reaching: "asyncio.Task[Answer[Cluster]]"

    @classmethod
    def of(cls, questions: Questions, kubernetes: Kubernetes, site: Site) -> "ClusterQuestions":
        """To the cluster of a site."""
        return cls(questions, site.name, questions.ask(site.name, lambda: cluster_of(kubernetes, site)))

    def ask(self, question: Callable[[Cluster], Awaitable[T]]) -> "asyncio.Task[Answer[T]]":
        """One question, beside all others."""

        async def reach_and_ask() -> T:
            return await question(await value_of(self.reaching))

        return self.questions.ask(self.target, reach_and_ask)
