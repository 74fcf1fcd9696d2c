"""Polling: each watched cloud registry on its own, one list request whatever the number of its connected registries.

A slow or failing cloud registry delays no other: each has its own task, deadline and back-off, and those in trouble
have places of their own among the requests that run at once. Several processes share the work by a claim in the
database.
"""

import asyncio
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from services.model.azure import AcrRef, ConnectedRegistry
from services.model.errors import DomainError, Throttled, Unreachable
from services.model.poll import Known, Poll, Verdict
from services.ports import Azure, Configuration
from services.store import Store
from services.watching import poll_result, scope
from services.watching.clusters import ArcClusters

DEADLINE = 30.0
"""Seconds for one list with all its pages."""
AT_ONCE, DOUBTFUL = 8, 4
"""Requests at once to cloud registries that answer, and to those that failed last time."""
LONGEST = timedelta(minutes=15)
"""Between two tries of one that keeps failing."""
JITTER = 0.1
SUPERVISE = 15.0
log = structlog.get_logger("watching")


@dataclass(frozen=True)
class Polled:
    """How one poll went. `error` is the failure's kind, `after` the seconds until the next."""

    acr: str
    registries: int = 0
    error: str = ""
    after: float = 0


class Watching:
    """`changed` is called with an incident's id whenever people should see something new.

    What Azure says is judged by `now`; when to ask again goes by `local`, this machine's clock (`now` without one).
    """

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        azure: Azure,
        changed: Callable[[str], None],
        *,
        interval: timedelta = timedelta(seconds=60),
        deadline: float = DEADLINE,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        local: Callable[[], datetime] | None = None,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._azure = azure
        self._changed = changed
        self._interval = interval.total_seconds()
        self._deadline = deadline
        self._now = now
        self._local = local or now
        self._chance = chance
        self._clusters = ArcClusters(azure, now)
        self._sound, self._doubtful = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(DOUBTFUL)
        self._failures: dict[str, int] = {}
        self._refreshing: dict[str, asyncio.Lock] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._owner: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    # --- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to poll what is watched, and follow the watches as they change."""
        self._owner = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """End all polls; one that is under way is asked for again after the next start."""
        tasks = [*self._tasks.values(), *([self._owner] if self._owner else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()

    def rewatch(self) -> None:
        """Watches have changed."""
        self._wake.set()

    async def watched(self) -> dict[str, AcrRef]:
        """The cloud registries to ask, by ARM id in lower case.

        Those that some watch is about, and those of which a channel still has an open alert, so that it has an end.
        """
        sites = self._configuration.sites
        open_alerts = await self._store.incidents.with_messages()
        told = {ref.id.lower(): ref for site in sites.values() if (ref := site.acr_ref).id.lower() in open_alerts}
        return told | scope.acrs(await self._store.watches.all(), sites)

    async def _supervise(self) -> None:
        while True:
            self._wake.clear()
            try:
                wanted = await self.watched()
                self._follow(wanted)
                await self._leave(wanted)
            except Exception:
                log.exception("not_supervised")
            try:
                async with asyncio.timeout(SUPERVISE):
                    await self._wake.wait()
            except TimeoutError:
                continue

    def _follow(self, wanted: Mapping[str, AcrRef]) -> None:
        for acr in self._tasks.keys() - wanted.keys():
            self._tasks.pop(acr).cancel()
        for acr, ref in wanted.items():
            if acr not in self._tasks or self._tasks[acr].done():
                self._tasks[acr] = asyncio.create_task(self._keep(ref, first=len(wanted)))

    async def _leave(self, wanted: Mapping[str, AcrRef]) -> None:
        """Forget what is not watched any more: nothing is known of it from now on."""
        known = {one.acr for one in await self._store.sightings.polls()} - wanted.keys()
        for acr in known:
            for incident in await self._store.sightings.drop(acr, self._now()):
                self._changed(incident)

    async def _keep(self, acr: AcrRef, *, first: int) -> None:
        """Poll one cloud registry for ever; the first polls of many are spread over a part of the interval."""
        await asyncio.sleep(self._chance() * min(self._interval, 0.2 * (first - 1)))
        while True:
            try:
                after = await self._turn(acr)
            except Exception:
                log.exception("poll_broke", acr=acr.name)
                after = self._interval
            await asyncio.sleep(after)

    async def _turn(self, acr: AcrRef) -> float:
        """Poll if no other process does; the seconds until the next try."""
        now = self._local()
        if not await self._store.sightings.claim(acr.id.lower(), now, now + timedelta(seconds=self._deadline * 2)):
            return self._interval * (0.25 + JITTER * self._chance())
        return (await self.poll(acr)).after

    # --- polling ----------------------------------------------------------------------------------------------------

    async def cycle(self, acrs: Iterable[AcrRef] | None = None) -> tuple[Polled, ...]:
        """Poll these, or all that are watched, once and at once."""
        wanted = list(acrs) if acrs is not None else list((await self.watched()).values())
        return tuple(await asyncio.gather(*map(self.poll, wanted)))

    async def poll(self, acr: AcrRef) -> Polled:
        """Ask one cloud registry, store what that means, and tell of it."""
        key = acr.id.lower()
        try:
            found = await self._list(acr)
        except DomainError as error:
            return await self._failed(key, acr, error)
        self._failures.pop(key, None)
        sites = [site for site in self._configuration.sites.values() if site.acr_ref.id.lower() == key]
        refs = list({site.cluster_ref.id.lower(): site.cluster_ref for site in sites}.values())
        suspected, troubled = await self._suspicions(key, found)
        await self._clusters.refresh(refs, suspected=suspected, troubled=troubled)
        after = self._interval * (1 + JITTER * (2 * self._chance() - 1))
        now, due = self._now(), self._due(after)

        def judge(known: Known) -> Verdict:
            looks = self._clusters.known()
            mine = {cluster: looks[cluster] for ref in refs if (cluster := ref.id.lower()) in looks}
            return poll_result.asked(known, poll_result.sightings(acr, found, known, mine, now), now, due)

        await self._settle(key, now, judge)
        return Polled(key, len(found), after=after)

    async def _list(self, acr: AcrRef) -> tuple[ConnectedRegistry, ...]:
        places = self._doubtful if self._failures.get(acr.id.lower()) else self._sound
        async with places:
            try:
                async with asyncio.timeout(self._deadline):
                    return await self._azure.connected.list(acr)
            except TimeoutError:
                raise Unreachable("azure", acr.id, code="Deadline") from None

    async def _failed(self, key: str, acr: AcrRef, error: DomainError) -> Polled:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        after = backoff(self._interval, failures, error) * (1 + JITTER * self._chance())
        now, due = self._now(), self._due(after)
        log.warning("not_polled", acr=acr.name, error=str(error), failures=failures, seconds=round(after))
        await self._settle(key, now, partial(poll_result.not_asked, error=error, now=now, due=due))
        return Polled(key, error=type(error).__name__, after=after)

    def _due(self, after: float) -> datetime:
        """From when on another process may ask, when this one wants to in so many seconds."""
        return self._local() + timedelta(seconds=after * (1 - 2 * JITTER))

    async def refresh(self, acrs: Iterable[AcrRef]) -> None:
        """Poll those whose last good poll is older than two intervals, before somebody reads of them.

        One that is backed off from is left alone.
        """
        await asyncio.gather(*map(self._refresh, acrs))

    async def _refresh(self, acr: AcrRef) -> None:
        """Once for all who want to read at the same moment."""
        key = acr.id.lower()
        async with self._refreshing.setdefault(key, asyncio.Lock()):
            known = {one.acr: one for one in await self._store.sightings.polls()}
            if self._stale(known.get(key), self._now()):
                await self.poll(acr)

    def _stale(self, poll: Poll | None, now: datetime) -> bool:
        if poll is None or (poll.succeeded is None and not poll.failures):
            return True
        if poll.failures and poll.due > self._local():
            return False
        # A negative age is a clock that was set back.
        return poll.succeeded is None or not 0 <= (now - poll.succeeded).total_seconds() < 2 * self._interval

    async def _settle(self, acr: str, now: datetime, judge: Callable[[Known], Verdict]) -> None:
        verdict = await self._store.sightings.judge(acr, now, judge)
        for one in verdict.transitions:
            log.info("turned", registry=one.target.name, acr=acr, before=one.before, after=one.after, reason=one.reason)
        for incident in verdict.told:
            self._changed(incident)

    async def _suspicions(self, acr: str, found: Iterable[ConnectedRegistry]) -> tuple[frozenset[str], frozenset[str]]:
        """Clusters on which something has just gone silent, and those on which something is wrong for longer."""
        down = {one.name for one in found if not _is_up(one.connection_state)}
        if not down:
            return frozenset(), frozenset()
        seen = [one for one in await self._store.sightings.seen([acr]) if one.sighting.cluster]
        fallen = [one for one in seen if one.sighting.target.name in down and _is_up(one.sighting.connection_state)]
        return (
            frozenset(one.sighting.cluster for one in fallen),
            frozenset(one.sighting.cluster for one in seen if one.state in ("late", "offline")),
        )


def _is_up(connection_state: str) -> bool:
    return connection_state.lower() in ("online", "syncing", "unhealthy")


def backoff(interval: float, failures: int, error: DomainError) -> float:
    """Seconds until the next try after so many failures in a row; never sooner than Azure asks for."""
    grown: float = interval * 2 ** min(failures - 1, 10)
    wished = error.retry_after if isinstance(error, Throttled) else 0.0
    return max(min(grown, max(LONGEST.total_seconds(), interval)), wished)
