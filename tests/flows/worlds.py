"""What Azure and a cluster have, to be compared before something is done and after it is undone."""

from typing import Any

from tests.flows.conversation import Conversation

PASSES = {
    *("lastConnectivityTime", "lastSyncTime", "lastActivityTime", "throttle", "generation"),
    *("providers", "images", "dataEndpointEnabled"),
}
"""What no removal takes back: contacts, and what a deployment does to the subscription and the cloud registry."""


def lasting(value: Any) -> Any:
    """A state without what a removal leaves as it is."""
    if isinstance(value, dict):
        return {key: lasting(item) for key, item in value.items() if key not in PASSES}
    return [lasting(item) for item in value] if isinstance(value, list) else value


async def world(registry: Conversation) -> tuple[Any, Any]:
    """What Azure and the clusters have."""
    clusters = await registry.get("/sandbox/kube/state")
    return lasting(await registry.azure()), {
        name: {key: cluster[key] for key in ("services", "namespaces")} for name, cluster in clusters.items()
    }
