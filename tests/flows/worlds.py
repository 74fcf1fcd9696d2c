"""What Azure and a cluster have, to be compared before something is done and after it is undone."""

from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from sandbox.compose import Sandbox

PASSES = {
    *("lastConnectivityTime", "lastSyncTime", "lastActivityTime", "throttle", "generation"),
    *("providers", "images", "dataEndpointEnabled"),
}
"""What no removal takes back: contacts, and what a deployment does to the subscription and the cloud registry."""


class Surroundings(Protocol):
    """A sandbox in which a bot works, in this process or in one of its own."""

    box: Sandbox

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        """What a path of the sandbox's control API answers."""
        ...

    def kubectl(self) -> AbstractAsyncContextManager[Any]:
        """Berlin's cluster, as its administrator sees it."""
        ...

    async def leases(self) -> frozenset[str]:
        """Addresses in berlin that operations have spoken for."""
        ...


def lasting(value: Any) -> Any:
    """A state without what a removal leaves as it is."""
    if isinstance(value, dict):
        return {key: lasting(item) for key, item in value.items() if key not in PASSES}
    return [lasting(item) for item in value] if isinstance(value, list) else value


async def world(registry: Surroundings) -> tuple[Any, Any]:
    """What Azure and the clusters have."""
    clusters = await registry.get("/sandbox/kube/state")
    return lasting(await registry.get("/sandbox/azure/state")), {
        name: {key: cluster[key] for key in ("services", "namespaces")} for name, cluster in clusters.items()
    }
