"""Summaries: what is due, who posts it, and what it says.

A watch's due times are computed from its expression and the clock, whoever asks; the database gives each to one
process. Of several that were missed only the latest is posted, late.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from services.model.health import Sighting
from services.model.poll import Poll, Seen
from services.model.watch import Watch
from services.ports import Configuration
from services.store import Store
from services.store.summaries import Slot
from services.watching import cron, scope, summaries
from services.watching.health import health
from services.watching.poller import Watching

LEASE = timedelta(minutes=2)
"""For how long a process may post a slot before another one takes it to be dead."""
LATE = timedelta(minutes=5)
"""A summary that comes so long after its due time says so."""


@dataclass(frozen=True)
class Due:
    """A due time that this process has to post. `tried` says that a post may be there already."""

    watch: Watch
    at: datetime
    late: bool
    tried: bool = False


@dataclass(frozen=True)
class Report:
    """A summary, and the names of cloud registries of which nothing is known because they could not be asked."""

    summary: summaries.Summary
    unasked: tuple[str, ...] = ()


class Reporting:
    """`holder` names this process among those that share the database."""

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        watching: Watching,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        holder: str = "",
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._watching = watching
        self._now = now
        self._holder = holder or secrets.token_hex(8)

    # --- when -------------------------------------------------------------------------------------------------------

    async def claim(self, watch: Watch) -> Due | None:
        """The watch's latest due time, if it was not posted and no other process is about to."""
        now = self._now()
        at = cron.parse(watch.every, watch.tz).latest(now) if watch.every else None
        if at is None or at <= watch.created:
            return None
        last = await self._store.summaries.last(watch.id, now)
        if last and last.due >= at and (last.posted or last.due > at):
            return None
        slot = await self._store.summaries.claim(watch.id, at, self._holder, now, now + LEASE)
        return Due(watch, at, now - at > LATE, slot.posting) if slot else None

    async def begin(self, due: Due) -> bool:
        """Right before a post: prolong the claim and note that the post may happen. False: another process has it."""
        now = self._now()
        slot = await self._store.summaries.claim(due.watch.id, due.at, self._holder, now, now + LEASE)
        if slot is None:
            return False
        await self._store.summaries.save(due.watch.id, due.at, posting=True)
        return True

    async def posted(self, due: Due, ts: str) -> None:
        """It is in the channel."""
        await self._store.summaries.save(due.watch.id, due.at, posting=False, ts=ts, posted=self._now())

    async def give_up(self, due: Due) -> None:
        """It can't be posted (the bot is no longer in the channel): the slot counts as done, without a message."""
        await self._store.summaries.save(due.watch.id, due.at, posting=False, posted=self._now())

    async def last(self, watch: Watch) -> Slot | None:
        """The newest slot up to now."""
        return await self._store.summaries.last(watch.id, self._now())

    # --- what -------------------------------------------------------------------------------------------------------

    async def report(self, watch: Watch, *, before: datetime | None = None) -> Report:
        """How everything is that the watch is about, and what changed since the last summary (earlier than `before`).

        What was not asked lately is asked now; what can't be asked is unknown.
        """
        acrs = scope.acrs([watch], self._configuration.sites)
        await self._watching.refresh(acrs.values())
        now = self._now()
        polls = {one.acr: one for one in await self._store.sightings.polls()}
        sites = self._configuration.sites
        seen = [
            self._current(one, polls.get(one.sighting.target.acr))
            for one in await self._store.sightings.seen(acrs)
            if scope.covers(watch, one.sighting, sites)
        ]
        pairs = [(one.sighting, health(one.sighting, now, activated_before=one.activated)) for one in seen]
        previous = await self._store.summaries.before(watch.id, before or now)
        since = previous.due if previous else watch.created
        changes = await self._store.sightings.transitions(acrs, since)
        mine = {one.sighting.target for one in seen}
        summary = summaries.summary(pairs, [one for one in changes if one.target in mine], now)
        known = {one.sighting.target.acr for one in seen}
        unasked = (ref.name for acr, ref in acrs.items() if acr not in known and acr in polls and polls[acr].failures)
        return Report(summary, tuple(sorted(unasked)))

    def _current(self, one: Seen, poll: Poll | None) -> Seen:
        """A sighting whose cloud registry did not answer lately says nothing about now."""
        if one.sighting.failed or poll is None or not poll.failures:
            return one
        return replace(one, sighting=_failed(one.sighting, poll.error))


def _failed(sighting: Sighting, error: str) -> Sighting:
    return replace(sighting, failed=error or "Unreachable")
