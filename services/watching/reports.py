"""Summaries: which are due, and what they contain.

A watch's due times follow from its expression and the clock alone. Of several that were missed only the latest is
posted, late.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from services.model.clock import Clock
from services.model.errors import Invalid
from services.model.health import DiskSample, Health, Sighting, Target
from services.model.watch import Watch
from services.policy import cron
from services.ports import Configuration
from services.store import Store
from services.store.summaries import Slot
from services.watching import scope, summaries
from services.watching.health import health
from services.watching.poller import Poller

NEVER = datetime.max.replace(tzinfo=UTC)
LATE = timedelta(minutes=5)
"""A summary posted this long after its due time says so."""


@dataclass(frozen=True)
class Due:
    """A due time of a watch whose summary is not posted."""

    watch: Watch
    at: datetime
    late: bool

    @property
    def subject(self) -> str:
        """Its id as the subject of a message (`services.model.message`)."""
        return f"{self.watch.id}:{int(self.at.timestamp())}"


class SummaryReports:
    """What the watches of all channels have due, and what their summaries contain."""

    def __init__(self, store: Store, configuration: Configuration, poller: Poller, clock: Clock) -> None:
        self._store = store
        self._configuration = configuration
        self._poller = poller
        self._clock = clock
        self._nothing_due: dict[str, tuple[Watch, datetime, datetime]] = {}
        """By a watch's id: of the watch as it is, nothing is due from then on and before its next due time."""

    # --- when -------------------------------------------------------------------------------------------------------

    async def due(self, watch: Watch) -> Due | None:
        """The watch's latest due time, if its summary is not posted; None also where its schedule can't be read."""
        now = self._clock.now()
        if not watch.every:
            return None
        same, since, until = self._nothing_due.get(watch.id, (None, now, now))
        # A clock that was set back makes other times the latest.
        if watch == same and since <= now < until:
            return None
        try:
            schedule = cron.parse(watch.every, watch.tz)
        except Invalid:
            # An older version took it, or the time zone is gone. `watches` shows it, and the other watches go on.
            return None
        at = schedule.latest(now)
        if at is not None and at > watch.created:
            last = await self._store.summaries.last(watch.id, now)
            if not (last and last.due >= at and (last.posted or last.due > at)):
                is_open = await self._store.summaries.open(watch.id, at, now)
                return Due(watch, at, now - at > LATE) if is_open else None
        self._nothing_due[watch.id] = (watch, now, next(iter(schedule.next(now, 1)), NEVER))
        return None

    async def posted(self, due: Due) -> None:
        """The summary is in the channel."""
        await self._store.summaries.posted(due.watch.id, due.at, self._clock.now())

    async def last(self, watch: Watch) -> Slot | None:
        """The newest slot up to now."""
        return await self._store.summaries.last(watch.id, self._clock.now())

    async def disks(self, acrs: Collection[str]) -> Mapping[Target, tuple[DiskSample, ...]]:
        """What polls have seen of the disks of connected registries in these cloud registries (ARM ids, lower case)."""
        return {last.sighting.target: last.sighting.disk for last in await self._store.sightings.last(acrs)}

    # --- what -------------------------------------------------------------------------------------------------------

    async def report(self, watch: Watch, *, before: datetime | None = None) -> summaries.Report:
        """The state of everything that the watch covers, and what changed since the last summary (before `before`).

        What was not polled lately is polled now; what can't be read is unknown.
        """
        sites = self._configuration.sites
        acrs = scope.acrs([watch], sites)
        await self._poller.refresh(acrs.values())
        now = self._clock.now()
        polls = {poll.acr: poll for poll in await self._store.sightings.polls()}
        failing = {acr for acr in acrs if acr in polls and polls[acr].failures}
        covered: list[tuple[Sighting, Health]] = []
        for last in await self._store.sightings.last(acrs):
            sighting = last.sighting
            acr = sighting.target.acr
            if not scope.covers(watch, sighting, sites):
                continue
            # A single failure writes no sightings yet, but a summary must not show old states as those of now.
            if acr in failing and not sighting.failed:
                sighting = replace(sighting, failed=polls[acr].error or "Unreachable")
            covered.append((sighting, health(sighting, now, activated_before=last.activated)))
        previous = await self._store.summaries.before(watch.id, before or now)
        since = previous.due if previous else watch.created
        targets = {sighting.target for sighting, _ in covered}
        transitions = await self._store.sightings.transitions(acrs, since)
        changes = [transition for transition in transitions if transition.target in targets]
        names = {site.cluster_ref.id.lower(): site.name for site in sites.values()}
        unread = failing - {target.acr for target in targets}
        return summaries.Report(
            summaries.summary(covered, changes, now, names),
            tuple(sorted(acrs[acr].name for acr in unread)),
        )
