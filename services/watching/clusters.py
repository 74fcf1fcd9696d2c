"""What the sites' Arc clusters look like: asked seldom, sooner where a connected registry is in trouble.

The list of a cloud registry is one request whatever it holds, a cluster costs one for its extensions and one for its
own state. So extensions are listed now and then, a few clusters at a time, and a cluster's state is asked for only
where it would explain something. What the bot's identity may not read is not asked again for an hour.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog

from services.model.azure import ArcCluster, ClusterRef, Extension
from services.model.errors import Absent, DomainError, NotAllowed, NotAuthenticated, Refused
from services.policy.sites import EXTENSION_TYPE
from services.ports import Azure

ROUTINE = timedelta(minutes=15)
TROUBLED = timedelta(minutes=5)
"""Where something is wrong, to see it come back."""
SUSPECTED = timedelta(seconds=50)
"""Where something has just gone silent."""
REFUSED = timedelta(hours=1)
AT_ONCE = 4
MOST = 10
"""Clusters in one go; the others have their turn in the next polls, the oldest look first."""
DEADLINE = 12.0
"""Seconds for one go; a poll waits no longer for what would only explain its own news."""
CONNECTED = "connected"
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

    async def refresh(
        self,
        clusters: Iterable[ClusterRef],
        *,
        suspected: frozenset[str] = frozenset(),
        troubled: frozenset[str] = frozenset(),
    ) -> None:
        """Look at those whose last look is too old for what is the matter (ids in lower case). Never raises."""
        now = self._now()
        due = [one for one in clusters if self._due(one.id.lower(), suspected, troubled, now)]
        due.sort(key=lambda one: (one.id.lower() not in suspected, self._seen_at(one.id.lower(), now)))
        try:
            async with asyncio.timeout(DEADLINE):
                await asyncio.gather(*(self._look(one, suspected | troubled) for one in due[:MOST]))
        except TimeoutError:
            log.warning("clusters_not_seen", clusters=[one.name for one in due[:MOST]])

    def _due(self, cluster: str, suspected: frozenset[str], troubled: frozenset[str], now: datetime) -> bool:
        look = self._looks.get(cluster)
        if look is None:
            return True
        if look.refused:
            patience = REFUSED
        elif cluster in suspected:
            patience = SUSPECTED
        elif cluster in troubled or look.connectivity.lower() not in ("", CONNECTED):
            patience = TROUBLED
        else:
            patience = ROUTINE
        return abs(now - look.at) >= patience

    def _seen_at(self, cluster: str, now: datetime) -> float:
        """Sorts the oldest look first."""
        look = self._looks.get(cluster)
        return (look.at - now).total_seconds() if look else float("-inf")

    async def _look(self, cluster: ClusterRef, closely: frozenset[str]) -> None:
        key = cluster.id.lower()
        old = self._looks.get(key, ArcLook(self._now()))
        wanted = key in closely or old.connectivity.lower() not in ("", CONNECTED)
        async with self._bound:
            extensions, state = await asyncio.gather(self._extensions(cluster), self._state(cluster, wanted=wanted))
        self._looks[key] = ArcLook(
            self._now(),
            connectivity=_connectivity(state, old),
            extensions=_states(extensions, old),
            refused=isinstance(extensions, _CLOSED) and (state is None or isinstance(state, _CLOSED)),
        )

    async def _extensions(self, cluster: ClusterRef) -> tuple[Extension, ...] | DomainError:
        try:
            return await self._azure.extensions.list(cluster)
        except DomainError as error:
            return error

    async def _state(self, cluster: ClusterRef, *, wanted: bool) -> ArcCluster | DomainError | None:
        try:
            return await self._azure.clusters.get(cluster) if wanted else None
        except DomainError as error:
            return error


_CLOSED = (NotAllowed, NotAuthenticated, Absent, Refused)
"""Answers that will be the same in a minute."""


def _connectivity(state: ArcCluster | DomainError | None, old: ArcLook) -> str:
    if isinstance(state, ArcCluster):
        return state.connectivity
    return "" if isinstance(state, _CLOSED) else old.connectivity


def _states(found: tuple[Extension, ...] | DomainError, old: ArcLook) -> Mapping[str, str]:
    """Provisioning states by name in lower case; as they were where they could not be asked."""
    if isinstance(found, DomainError):
        return old.extensions
    return {one.name.lower(): one.provisioning_state for one in found if one.type.lower() == EXTENSION_TYPE}
