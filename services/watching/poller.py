"""Polling: each watched cloud registry on its own, one list request whatever the number of its connected registries.

A slow or failing cloud registry delays no other: each has its own task, deadline and back-off, and failing ones have a
limit of their own on requests at once. Of several processes the leader polls, since it remembers looks and failures; a
claim in the database keeps the next leader's polls apart from its last ones.
"""

import asyncio
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import structlog

from services.model.azure import AcrRef, ConnectedRegistry
from services.model.errors import DatabaseAway, DomainError, Throttled, Unreachable
from services.model.poll import Poll, PollResult, StoredState
from services.ports import Azure, Configuration
from services.store import Store
from services.watching import poll_result, scope
from services.watching.clusters import ArcClusters

DEADLINE = 30.0
"""Seconds for one list with all its pages."""
AT_ONCE, DOUBTFUL = 8, 4
"""Requests at once to cloud registries that answered last time, and to those that failed."""
STORING = 4
"""Questions to the database at once. The process has a few connections, which commands and operations need too."""
LONGEST = timedelta(minutes=15)
"""Longest time between two polls of one that keeps failing."""
JITTER = 0.1
SUPERVISE = 15.0
log = structlog.get_logger("watching")


@dataclass(frozen=True)
class PollOutcome:
    """How one poll went. `error` is the kind of failure, `after` the seconds until the next poll."""

    acr: str
    registries: int = 0
    error: str = ""
    after: float = 0


class Poller:
    """`changed` is called with an incident's id whenever people should see something new.

    Azure's timestamps are compared with `now`; the next poll goes by `local`, this machine's clock (default: `now`).
    `leads` says whether this process is the one that polls.
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
        leads: Callable[[], bool] = lambda: True,
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
        self._leads = leads
        self._clusters = ArcClusters(azure, now)
        self._sound, self._doubtful = asyncio.Semaphore(AT_ONCE), asyncio.Semaphore(DOUBTFUL)
        self._storing = asyncio.Semaphore(STORING)
        self._failures: dict[str, int] = {}
        self._dues: dict[str, datetime] = {}
        """Until when others leave a cloud registry to this process, by its own doing."""
        self._refreshing: dict[str, asyncio.Lock] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._owner: asyncio.Task[None] | None = None
        self._wake = asyncio.Event()

    # --- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to poll what is watched, and follow the watches as they change."""
        self._owner = asyncio.create_task(self._supervise())

    async def stop(self) -> None:
        """End all polls; one under way is repeated after the next start."""
        tasks = [*self._tasks.values(), *([self._owner] if self._owner else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()

    def rewatch(self) -> None:
        """Read the watches again, since they have changed."""
        self._wake.set()

    async def watched(self) -> dict[str, AcrRef]:
        """The cloud registries to poll, by ARM id in lower case.

        Those that a watch covers, and those of which some channel still shows an open alert, so that it gets closed.
        """
        sites = self._configuration.sites
        with_alerts = await self._store.incidents.with_messages()
        alerted = {ref.id.lower(): ref for site in sites.values() if (ref := site.acr_ref).id.lower() in with_alerts}
        return alerted | scope.acrs(await self._store.watches.all(), sites)

    async def _supervise(self) -> None:
        while True:
            self._wake.clear()
            try:
                await self.follow_watches()
            except DatabaseAway:
                log.debug("watches_not_followed")
            except Exception:
                log.exception("supervision_failed")
            try:
                async with asyncio.timeout(SUPERVISE):
                    await self._wake.wait()
            except TimeoutError:
                continue

    async def follow_watches(self) -> None:
        """Give each watched cloud registry its task, and forget what is no longer watched.

        Nothing stale is then shown when it is watched again.
        """
        watched = await self.watched()
        for acr in self._tasks.keys() - watched.keys():
            self._tasks.pop(acr).cancel()
        for acr, ref in watched.items():
            if acr not in self._tasks or self._tasks[acr].done():
                self._tasks[acr] = asyncio.create_task(self._keep_polling(ref, first=len(watched)))
        for acr in {poll.acr for poll in await self._store.sightings.polls()} - watched.keys():
            for incident in await self._store.sightings.drop(acr, self._now()):
                self._changed(incident)

    async def _keep_polling(self, acr: AcrRef, *, first: int) -> None:
        """Poll one cloud registry for ever; the first polls of many are spread over a part of the interval."""
        await asyncio.sleep(self._chance() * min(self._interval, 0.2 * (first - 1)))
        while True:
            try:
                after = await self._turn(acr)
            except DatabaseAway:
                after = self._interval
            except Exception:
                log.exception("poll_crashed", acr=acr.name)
                after = self._interval
            await asyncio.sleep(after)

    async def _turn(self, acr: AcrRef) -> float:
        """Poll if no other process does; the seconds until the next try."""
        key = acr.id.lower()
        if self._leads():
            async with self._storing:
                now = self._local()
                until = now + timedelta(seconds=self._deadline * 2)
                is_ours = await self._store.sightings.claim(key, now, until, own=self._dues.get(key))
            if is_ours:
                return (await self.poll(acr)).after
        return self._interval * (0.25 + JITTER * self._chance())

    # --- polling ----------------------------------------------------------------------------------------------------

    async def cycle(self, acrs: Iterable[AcrRef] | None = None) -> tuple[PollOutcome, ...]:
        """Poll these, or all that are watched, once and at once."""
        refs = list(acrs) if acrs is not None else list((await self.watched()).values())
        return tuple(await asyncio.gather(*map(self.poll, refs)))

    async def poll(self, acr: AcrRef) -> PollOutcome:
        """Read one cloud registry's list, store what it means, and report the incidents that it changes."""
        key = acr.id.lower()
        try:
            registries = await self._list(acr)
        except DomainError as error:
            return await self._failed(key, acr, error)
        self._failures.pop(key, None)
        sites = scope.sites_of_acr(key, self._configuration.sites)
        refs = {site.cluster_ref.id.lower(): site.cluster_ref for site in sites}
        suspected, troubled = await self._clusters_in_question(key, registries)
        await self._clusters.refresh(refs.values(), suspected=suspected, troubled=troubled)
        after = self._interval * (1 + JITTER * (2 * self._chance() - 1))
        now, due = self._now(), self._due(key, after)

        def decide(stored: StoredState) -> PollResult:
            latest = self._clusters.looks()
            looks = {cluster: latest[cluster] for cluster in refs if cluster in latest}
            sightings = poll_result.sightings(acr, registries, stored, looks, now)
            return poll_result.answered(stored, sightings, now, due)

        await self._apply(key, now, decide)
        return PollOutcome(key, len(registries), after=after)

    async def _list(self, acr: AcrRef) -> tuple[ConnectedRegistry, ...]:
        async with self._doubtful if self._failures.get(acr.id.lower()) else self._sound:
            try:
                async with asyncio.timeout(self._deadline):
                    return await self._azure.connected.list(acr)
            except TimeoutError:
                raise Unreachable("azure", acr.id, code="Deadline") from None

    async def _failed(self, key: str, acr: AcrRef, error: DomainError) -> PollOutcome:
        failures = self._failures[key] = self._failures.get(key, 0) + 1
        after = backoff(self._interval, failures, error) * (1 + JITTER * self._chance())
        now, due = self._now(), self._due(key, after)
        log.warning("poll_failed", acr=acr.name, error=str(error), failures=failures, seconds=round(after))
        await self._apply(key, now, partial(poll_result.failed, error=error, now=now, due=due))
        return PollOutcome(key, error=type(error).__name__, after=after)

    def _due(self, acr: str, after: float) -> datetime:
        """When another process may poll, given that this one polls again in so many seconds."""
        self._dues[acr] = self._local() + timedelta(seconds=after * (1 - 2 * JITTER))
        return self._dues[acr]

    async def refresh(self, acrs: Iterable[AcrRef]) -> None:
        """Poll those whose last successful poll is older than two intervals, before somebody reads about them.

        One that is in back-off is left alone.
        """

        async def poll_if_stale(acr: AcrRef) -> None:
            key = acr.id.lower()
            # One poll for all who want to read at the same moment.
            async with self._refreshing.setdefault(key, asyncio.Lock()):
                async with self._storing:
                    last = await self._store.sightings.poll(key)
                if self._is_stale(last):
                    await self.poll(acr)

        await asyncio.gather(*map(poll_if_stale, acrs))

    def _is_stale(self, poll: Poll | None) -> bool:
        if poll is None or (poll.succeeded is None and not poll.failures):
            return True
        if poll.failures and poll.due > self._local():
            return False
        # A negative age is a clock that was set back.
        return poll.succeeded is None or not 0 <= (self._now() - poll.succeeded).total_seconds() < 2 * self._interval

    async def _apply(self, acr: str, now: datetime, decide: Callable[[StoredState], PollResult]) -> None:
        async with self._storing:
            result = await self._store.sightings.apply_poll(acr, now, decide)
        for turn in result.transitions:
            states = {"before": turn.before, "after": turn.after, "reason": turn.reason}
            log.info("health_changed", registry=turn.target.name, acr=acr, **states)
        for incident in result.incident_ids:
            self._changed(incident)

    async def _clusters_in_question(
        self, acr: str, registries: Iterable[ConnectedRegistry]
    ) -> tuple[frozenset[str], frozenset[str]]:
        """Clusters where a connected registry has just gone silent, and those where one has been wrong for longer."""
        down = {registry.name for registry in registries if not _is_up(registry.connection_state)}
        if not down:
            return frozenset(), frozenset()
        async with self._storing:
            sightings = [last for last in await self._store.sightings.last([acr]) if last.sighting.cluster]
        fallen = [
            last for last in sightings if last.sighting.target.name in down and _is_up(last.sighting.connection_state)
        ]
        return (
            frozenset(last.sighting.cluster for last in fallen),
            frozenset(last.sighting.cluster for last in sightings if last.state in ("late", "offline")),
        )


def _is_up(connection_state: str) -> bool:
    return connection_state.lower() in ("online", "syncing", "unhealthy")


def backoff(interval: float, failures: int, error: DomainError) -> float:
    """Seconds until the next try after so many failures in a row; never sooner than Azure asks for."""
    doubled: float = interval * 2 ** min(failures - 1, 10)
    retry_after = error.retry_after if isinstance(error, Throttled) else 0.0
    return max(min(doubled, max(LONGEST.total_seconds(), interval)), retry_after)
