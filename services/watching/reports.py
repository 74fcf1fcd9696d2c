"""Summaries: which are due, which process posts them, and what they contain.

A watch's due times follow from its expression and the clock alone; the database gives each to one process. Of several
that were missed only the latest is posted, late.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from services.model.health import Health, Sighting
from services.model.watch import Watch
from services.ports import Configuration
from services.store import Store
from services.store.summaries import Slot
from services.watching import cron, scope, summaries
from services.watching.health import health
from services.watching.poller import Poller

LEASE = timedelta(minutes=2)
"""How long a process may take to post a slot before another one takes it over."""
LATE = timedelta(minutes=5)
"""A summary posted this long after its due time says so."""


@dataclass(frozen=True)
class Due:
    """A due time that this process has to post. `tried`: a post may exist already."""

    watch: Watch
    at: datetime
    late: bool
    tried: bool = False


@dataclass(frozen=True)
class Report:
    """A summary, and the names of cloud registries that could not be read and of which nothing is stored."""

    summary: summaries.Summary
    unread: tuple[str, ...] = ()


class SummaryReports:
    """`holder` names this process among those that share the database."""

    def __init__(
        self,
        store: Store,
        configuration: Configuration,
        poller: Poller,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        holder: str = "",
    ) -> None:
        self._store = store
        self._configuration = configuration
        self._poller = poller
        self._now = now
        self._holder = holder or secrets.token_hex(8)

    # --- when -------------------------------------------------------------------------------------------------------

    async def claim(self, watch: Watch) -> Due | None:
        """The watch's latest due time, if its summary was not posted and no other process is posting it."""
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
        """Before a post: prolong the claim, and store that a post may follow. False: another process has the claim."""
        now = self._now()
        slot = await self._store.summaries.claim(due.watch.id, due.at, self._holder, now, now + LEASE)
        if slot is None:
            return False
        await self._store.summaries.save(due.watch.id, due.at, posting=True)
        return True

    async def posted(self, due: Due, ts: str) -> None:
        """The summary is in the channel."""
        await self._store.summaries.save(due.watch.id, due.at, posting=False, ts=ts, posted=self._now())

    async def give_up(self, due: Due) -> None:
        """The summary can't be posted (the bot has left the channel): the slot counts as done, without a message."""
        await self._store.summaries.save(due.watch.id, due.at, posting=False, posted=self._now())

    async def last(self, watch: Watch) -> Slot | None:
        """The newest slot up to now."""
        return await self._store.summaries.last(watch.id, self._now())

    # --- what -------------------------------------------------------------------------------------------------------

    async def report(self, watch: Watch, *, before: datetime | None = None) -> Report:
        """The state of everything that the watch covers, and what changed since the last summary (before `before`).

        What was not polled lately is polled now; what can't be read is unknown.
        """
        sites = self._configuration.sites
        acrs = scope.acrs([watch], sites)
        await self._poller.refresh(acrs.values())
        now = self._now()
        polls = {one.acr: one for one in await self._store.sightings.polls()}
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
        changes = [one for one in await self._store.sightings.transitions(acrs, since) if one.target in targets]
        unread = failing - {target.acr for target in targets}
        return Report(summaries.summary(covered, changes, now), tuple(sorted(acrs[acr].name for acr in unread)))
