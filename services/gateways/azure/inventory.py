"""What an identity can see in all its subscriptions: for choosing, never for deciding."""

from collections.abc import Mapping
from typing import Any

from services.gateways.azure import reading
from services.gateways.azure.arm import MAX_PAGES, Arm, items
from services.gateways.azure.translation import unreadable
from services.model.azure import ArcCluster, Registry, Subscription

SUBSCRIPTIONS_API_VERSION = "2022-12-01"


class Inventory:
    """Lists of everything; each raises the errors of `services.model.errors`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def subscriptions(self) -> tuple[Subscription, ...]:
        """Those that are enabled, by name."""
        bodies = await self._all("/subscriptions", SUBSCRIPTIONS_API_VERSION)
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
        bodies = await self._all(f"/subscriptions/{subscription}/providers/Microsoft.Kubernetes/connectedClusters")
        return tuple(reading.arc_cluster(body) for body in bodies)

    async def _all(self, target: str, version: str = "") -> list[Mapping[str, Any]]:
        """The entries of a list, of all pages."""
        entries: list[Mapping[str, Any]] = []
        url, links = self._arm.url(target, version), set[str]()
        async with self._arm.reading(target) as deadline:
            while url:
                links.add(url)
                as_given = bool(version) or len(links) > 1
                body = await self._arm.object(url, target=target, deadline=deadline, as_given=as_given)
                entries += body["value"]
                url = str(body.get("nextLink") or "")
                if url in links or len(links) > MAX_PAGES:
                    raise unreadable(target)
        return entries
