"""What an identity can see in all its subscriptions: for choosing, never for deciding."""

from services.gateways.azure import reading
from services.gateways.azure.arm import Arm, items
from services.model.azure import ArcCluster, Registry, Subscription

SUBSCRIPTIONS_API_VERSION = "2022-12-01"


class Inventory:
    """Lists of everything; each raises the errors of `services.model.errors`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """Those that are enabled, by name."""
        async with self._arm.reading("/subscriptions") as deadline:
            bodies = await self._arm.entries("/subscriptions", SUBSCRIPTIONS_API_VERSION, deadline=deadline)
        listed = [
            Subscription(str(body["subscriptionId"]), str(body.get("displayName") or body["subscriptionId"]))
            for body in bodies
            if body.get("state") in {"Enabled", "Warned", "PastDue"}
        ]
        return tuple(sorted(listed, key=lambda subscription: subscription.name.casefold()))

    async def registries(self, subscription: str) -> tuple[Registry, ...]:
        """All cloud registries of a subscription."""
        target = f"/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/registries"
        client = self._arm.registries(subscription).registries
        async with self._arm.reading(target) as deadline:
            return tuple(reading.registry(answer) for answer in await items(client.list(deadline=deadline), target))

    async def clusters(self, subscription: str) -> tuple[ArcCluster, ...]:
        """All Arc-enabled clusters of a subscription."""
        target = f"/subscriptions/{subscription}/providers/Microsoft.Kubernetes/connectedClusters"
        async with self._arm.reading(target) as deadline:
            bodies = await self._arm.entries(target, deadline=deadline)
        return tuple(reading.arc_cluster(body) for body in bodies)
