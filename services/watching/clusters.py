"""The state of the sites' Arc clusters: read seldom, and sooner where a connected registry is in trouble.

The list of a cloud registry is one request whatever it holds; a cluster costs one for its extensions and one for its
own state. So extensions are listed now and then, a few clusters at a time, and a cluster's state is read only where it
would explain something. What the bot's identity may not read is tried again after an hour.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

import structlog

from services.model.azure import ArcCluster, ClusterRef, Extension
from services.model.errors import Absent, DomainError, NotAllowed, NotAuthenticated, Refused
from services.model.health import ClusterLook
from services.policy.extensions import registry_extensions
from services.ports import Azure

ROUTINE = timedelta(minutes=15)
TROUBLED = timedelta(minutes=5)
"""Where something is wrong, to notice when it is back."""
SUSPECTED = timedelta(seconds=50)
"""Where something has just gone silent."""
REFUSED = timedelta(hours=1)
AT_ONCE = 4
MOST = 10
"""Clusters in one round; the others follow with the next polls, the oldest look first."""
DEADLINE = 12.0
"""Seconds for one round; a poll waits no longer for what would only explain its own news."""
log = structlog.get_logger("watching")
_CLOSED = (NotAllowed, NotAuthenticated, Absent, Refused)
"""Answers that will be the same in a minute."""


class ArcClusters:
    """Keeps the last look at each cluster in memory; what follows from it is stored with the sightings."""

    def __init__(self, azure: Azure, now: Callable[[], datetime]) -> None:
        self._azure = azure
        self._now = now
        self._looks: dict[str, ClusterLook] = {}
        self._bound = asyncio.Semaphore(AT_ONCE)

    def looks(self) -> Mapping[str, ClusterLook]:
        """The last looks, by the cluster's ARM id in lower case."""
        return self._looks

    async def refresh(
        self,
        clusters: Iterable[ClusterRef],
        *,
        suspected: frozenset[str] = frozenset(),
        troubled: frozenset[str] = frozenset(),
    ) -> None:
        """Look again at those whose last look is too old (ids in lower case). Never raises.

        Args:
            clusters: All that may matter.
            suspected: Where a connected registry has just gone silent.
            troubled: Where one has been wrong for longer.
        """
        now = self._now()
        due = [cluster for cluster in clusters if self._is_due(cluster.id.lower(), suspected, troubled, now)]

        def urgency(cluster: ClusterRef) -> tuple[bool, float]:
            look = self._looks.get(cluster.id.lower())
            age = (look.at - now).total_seconds() if look else float("-inf")
            return cluster.id.lower() not in suspected, age

        due = sorted(due, key=urgency)[:MOST]
        try:
            async with asyncio.timeout(DEADLINE):
                await asyncio.gather(*(self._look(cluster, suspected | troubled) for cluster in due))
        except TimeoutError:
            log.warning("clusters_not_read_in_time", clusters=[cluster.name for cluster in due])

    def _is_due(self, cluster: str, suspected: frozenset[str], troubled: frozenset[str], now: datetime) -> bool:
        look = self._looks.get(cluster)
        if look is None:
            return True
        if look.refused:
            patience = REFUSED
        elif cluster in suspected:
            patience = SUSPECTED
        elif cluster in troubled or _is_disconnected(look):
            patience = TROUBLED
        else:
            patience = ROUTINE
        # A negative age is a clock that was set back.
        return abs(now - look.at) >= patience

    async def _look(self, cluster: ClusterRef, questionable: frozenset[str]) -> None:
        key = cluster.id.lower()
        old = self._looks.get(key, ClusterLook(self._now()))
        closely = key in questionable or _is_disconnected(old)

        async def extensions() -> tuple[Extension, ...] | DomainError:
            try:
                return await self._azure.extensions.list(cluster)
            except DomainError as error:
                return error

        async def state() -> ArcCluster | DomainError | None:
            try:
                return await self._azure.clusters.get(cluster) if closely else None
            except DomainError as error:
                return error

        async with self._bound:
            listed, read = await asyncio.gather(extensions(), state())
        connectivity, installed = old.connectivity, old.extensions
        if isinstance(read, ArcCluster):
            connectivity = read.connectivity
        elif isinstance(read, _CLOSED):
            connectivity = ""
        if not isinstance(listed, DomainError):
            installed = registry_extensions(listed)
        refused = isinstance(listed, _CLOSED) and (read is None or isinstance(read, _CLOSED))
        self._looks[key] = ClusterLook(self._now(), connectivity, installed, refused)


def _is_disconnected(look: ClusterLook) -> bool:
    return look.connectivity.lower() not in ("", "connected")
