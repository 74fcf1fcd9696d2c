"""Access to all clusters: one client for each kubeconfig and context, for as long as the bot runs."""

import asyncio
import os
from collections.abc import Mapping

from kubernetes.aio.client import ApiClient

from services.kube import access
from services.kube.api import Api
from services.kube.cluster import KubernetesCluster

DEADLINE = 15.0
REQUESTS_AT_ONCE = 8


class KubernetesGateway:
    """Implements `services.ports.Kubernetes`. `deadline` is of one request, in seconds; close it in the end.

    `environment` is where `KUBECONFIG`, `HOME` and the variables of a Pod are looked up.
    """

    def __init__(
        self,
        *,
        deadline: float = DEADLINE,
        at_once: int = REQUESTS_AT_ONCE,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self._deadline = deadline
        self._at_once = at_once
        self._environment = environment
        self._clients: dict[tuple[str, str], ApiClient] = {}
        self._clusters: dict[tuple[str, str], KubernetesCluster] = {}
        self._loading = asyncio.Lock()

    async def cluster(self, kubeconfig: str, context: str) -> KubernetesCluster:
        """The cluster behind a context. Raises `Unreachable` when the kubeconfig can't be used; ask again then."""
        key = access.place(kubeconfig, self._environment), context
        async with self._loading:
            if key not in self._clusters:
                client = await access.client(*key)
                name = context or client.configuration.host
                self._clients[key] = client
                self._clusters[key] = KubernetesCluster(
                    Api(client, name, deadline=self._deadline, at_once=self._at_once)
                )
            return self._clusters[key]

    async def close(self) -> None:
        """Let all connections go."""
        clients = list(self._clients.values())
        self._clients.clear()
        self._clusters.clear()
        for client in clients:
            await client.close()  # type: ignore[no-untyped-call]  # the library has no types here
