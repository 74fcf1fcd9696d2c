"""What the sites' Arc clusters look like: asked seldom, sooner where a connected registry is in trouble.

A cluster costs two requests and the list of a cloud registry one, so clusters are looked at every few minutes, a few at
a time. What the bot's identity may not read is not asked again for an hour.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from services.errors import Absent, DomainError, NotAllowed, NotAuthenticated, Refused
from services.ports import Azure
from services.sites import EXTENSION_TYPE
from services.values import ClusterRef

LIFETIME = timedelta(minutes=5)
FRESH = timedelta(seconds=50)
"""Below this age even a suspicion does not make it be asked again."""
REFUSED = timedelta(hours=1)
AT_ONCE = 4
MOST = 10
"""Clusters in one go; the others have their turn in the next polls, the oldest look first."""
DEADLINE = 12.0
log = structlog.get_logger("watching")


@dataclass(frozen=True)
class ArcLook:
    """One look. `connectivity` is empty where it could not be read; `extensions` are provisioning states by name."""

    at: datetime
    connectivity: str = ""
    extensions: Mapping[str, str] = field(default_factory=dict)
    refused: bool = False


class ArcClusters:
    """Remembers looks, in memory: what hangs on them is stored with the sightings."""

    def __init__(self, azure: Azure, now: Callable[[], datetime]) -> None:
        self._azure = azure
        self._now = now
        self._looks: dict[str, ArcLook] = {}
        self._bound = asyncio.Semaphore(AT_ONCE)

    def known(self) -> Mapping[str, ArcLook]:
        """The last looks, by the cluster's ARM id in lower case."""
        return self._looks

    async def refresh(self, clusters: Iterable[ClusterRef], suspected: frozenset[str] = frozenset()) -> None:
        """Look at those whose last look is too old; at `suspected` ones (ids, lower case) earlier. Never raises."""
        now = self._now()
        due = [one for one in clusters if self._due(one.id.lower(), suspected, now)]
        due.sort(key=lambda one: (one.id.lower() not in suspected, self._age(one.id.lower(), now)), reverse=False)
        try:
            async with asyncio.timeout(DEADLINE):
                await asyncio.gather(*(self._look(one) for one in due[:MOST]))
        except TimeoutError:
            log.warning("clusters_not_seen", clusters=[one.name for one in due[:MOST]])

    def _due(self, cluster: str, suspected: frozenset[str], now: datetime) -> bool:
        look = self._looks.get(cluster)
        if look is None:
            return True
        patience = REFUSED if look.refused else FRESH if cluster in suspected else LIFETIME
        return now - look.at >= patience

    def _age(self, cluster: str, now: datetime) -> float:
        """Sorts the oldest look first."""
        look = self._looks.get(cluster)
        return (look.at - now).total_seconds() if look else float("-inf")

    async def _look(self, cluster: ClusterRef) -> None:
        key = cluster.id.lower()
        old = self._looks.get(key, ArcLook(self._now()))
        async with self._bound:
            found, extensions = await asyncio.gather(
                self._azure.clusters.get(cluster), self._azure.extensions.list(cluster), return_exceptions=True
            )
        for answer in (found, extensions):
            if isinstance(answer, BaseException) and not isinstance(answer, DomainError):
                raise answer
        connectivity = old.connectivity if isinstance(found, BaseException) else found.connectivity
        states = old.extensions
        if not isinstance(extensions, BaseException):
            ours = [one for one in extensions if one.type.lower() == EXTENSION_TYPE]
            states = {one.name.lower(): one.provisioning_state for one in ours}
        closed = (NotAllowed, NotAuthenticated, Absent, Refused)
        refused = isinstance(found, closed) and isinstance(extensions, closed)
        if isinstance(found, closed):
            connectivity = ""
        self._looks[key] = ArcLook(self._now(), connectivity, states, refused)
