"""Access to all clusters: one client for each kubeconfig and context, for as long as the bot runs."""

import asyncio
import os
from collections import defaultdict
from collections.abc import Mapping

from kubernetes.aio.client import ApiClient

from services.gateways.kubernetes import access
from services.gateways.kubernetes.api import Api
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.gateways.kubernetes.translation import connecting

_Key = tuple[str, str, tuple[int, ...]]

DEADLINE = 15.0
REQUESTS_AT_ONCE = 8
PAGE = 500


class KubernetesGateway:
    """Implements `services.ports.Kubernetes`; close it in the end.

    `deadline` is of one request, in seconds; `at_once` limits a cluster's requests at a time, `page` the objects in one
    answer. `environment` is where `KUBECONFIG`, `HOME` and the variables of a Pod are looked up.
    """

    def __init__(
        self,
        *,
        deadline: float = DEADLINE,
        at_once: int = REQUESTS_AT_ONCE,
        page: int = PAGE,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._deadline, self._at_once, self._page = deadline, at_once, page
        self._environment = environment
        self._clients: list[ApiClient] = []
        self._clusters: dict[_Key, KubernetesCluster] = {}
        self._loading: defaultdict[_Key, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def cluster(self, kubeconfig: str, context: str) -> KubernetesCluster:
        """The cluster behind a context; a kubeconfig that has changed is read again.

        Raises `Unreachable` when the kubeconfig can't be used.
        """
        location = access.place(kubeconfig, self._environment)
        key = location, context, access.version(location)
        async with self._loading[key]:
            if key not in self._clusters:
                self._clusters[key] = await self._open(location, context)
            return self._clusters[key]

    async def close(self) -> None:
        """Let all connections go."""
        self._clusters.clear()
        while self._clients:
            await self._clients.pop().close()  # type: ignore[no-untyped-call]  # the library has no types here

    async def _open(self, location: str, context: str) -> KubernetesCluster:
        with connecting(f"{location} {context}".strip()):
            async with asyncio.timeout(self._deadline):
                client = await access.client(location, context, connections=self._at_once)
        self._clients.append(client)
        name = context or client.configuration.host
        return KubernetesCluster(Api(client, name, deadline=self._deadline, at_once=self._at_once, page=self._page))
