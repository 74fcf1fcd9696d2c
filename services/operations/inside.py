"""Questions to a site's cluster: all at once, each with a deadline, none of them fatal."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from services.operations.answers import Answer, Questions, value_of
from services.policy.sites import Site
from services.ports import Cluster, Kubernetes

T = TypeVar("T")


@dataclass(frozen=True)
class Inside:
    """Puts questions to a site's cluster, which has to be reached first; they fail as the reaching did."""

    questions: Questions
    site: str
    door: asyncio.Task[Answer[Cluster]]

    @classmethod
    def of(cls, questions: Questions, kubernetes: Kubernetes, site: Site) -> "Inside":
        """Reach the cluster by the site's kubeconfig, as one of the questions."""
        access, arc = site.cluster.kubernetes, site.cluster_ref
        door = questions.ask(site.name, lambda: kubernetes.cluster(access.kubeconfig, access.context, arc))
        return cls(questions, site.name, door)

    def ask(self, question: Callable[[Cluster], Awaitable[T]]) -> asyncio.Task[Answer[T]]:
        """Any question to the cluster."""

        async def reach_and_ask() -> T:
            return await question(await value_of(self.door))

        return self.questions.ask(self.site, reach_and_ask)
