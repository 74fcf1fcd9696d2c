"""Jobs that the clock starts: reminders, summaries, sweeps, and the deletion of old rows.

The scheduler only decides when a job runs. The database decides what is due and which process does it, so a job that
runs late, twice or in several processes does no harm. What would only do the same again is left to the leader.
"""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from bot.messages.summary_posts import SummaryPosts
from bot.retention import OldRows
from services.model.clock import Clock
from services.model.errors import DatabaseAway, Invalid
from services.operations.engine import Engine
from services.operations.occupation import Occupied
from services.operations.runner import Runner
from services.operations.service import Operations
from services.policy import cron
from services.store import Store
from services.watching.triage import Triage

SWEEP = timedelta(seconds=15)
"""A request for approval expires at most this long after its time."""
SNOOZES = timedelta(seconds=30)
"""A snooze ends at most this long after its time."""
FOLLOW_JOB = "watches"
FOLLOW = timedelta(minutes=1)
"""How soon a process notices watches that another process has changed."""
OLD_ROWS = timedelta(hours=1)
"""So that a bot that is restarted each day deletes too."""
LOOK = timedelta(seconds=20)
"""Between two looks whether the machine's clock was set."""
JUMP = 5.0
"""Seconds; what keeps a clock right moves it by less at once."""
log = structlog.get_logger("schedule")


class CrontabTrigger(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """Fires at the times of a crontab expression. APScheduler's own trigger numbers the days of the week from Monday.

    It skips times that have passed; the board finds the summaries that were missed.
    """

    def __init__(self, schedule: cron.Cron) -> None:
        self._schedule = schedule

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """Called by APScheduler when the job is added and after each run."""
        after = max(previous, now) if previous else now
        return next(iter(self._schedule.next(after, 1)), None)


class Schedule:
    """The jobs of one process, kept in memory; the database makes sure that their work is done once.

    Each stored watch that has a schedule has its own job.
    """

    def __init__(self, store: Store, clock: Clock, summaries: SummaryPosts, *, look: timedelta = LOOK) -> None:
        self._store = store
        self._clock = clock
        self._look = look
        self._watching_clock: asyncio.Task[None] | None = None
        self._summaries = summaries
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
        self._scheduled: dict[str, tuple[str, str]] = {}
        """Expression and zone of each scheduled watch."""
        # Several at once, so that a change is read even if it comes while the last one is being read.
        self._every(FOLLOW, self.follow_watches, FOLLOW_JOB, max_instances=3)

    def add(self, operations: Operations, runner: Runner, engine: Engine, triage: Triage, old_rows: OldRows) -> None:
        """Add the jobs for operations, alerts and old rows."""

        async def stay_alone() -> None:
            try:
                await engine.check_alone()
            except Occupied as error:
                # The other one has taken over what this one was doing. A stop leaves all of it as it is.
                log.critical("database_taken", reason=str(error))
                os.kill(os.getpid(), signal.SIGTERM)

        self._every(SWEEP, stay_alone, "alone")
        self._every(SWEEP, operations.sweep, "requests")
        self._every(timedelta(minutes=1), self._by_leader(runner.tidy), "tidy")
        self._every(SNOOZES, triage.sweep, "snoozes")
        self._every(OLD_ROWS, self._by_leader(old_rows.delete), "old rows")

    def _by_leader(self, job: Callable[[], Awaitable[None]]) -> Callable[[], Awaitable[None]]:
        async def if_leader() -> None:
            if self._store.lease.is_leader:
                await job()

        return if_leader

    def _every(self, span: timedelta, job: Callable[[], Awaitable[None]], name: str, **options: Any) -> None:
        async def unless_away() -> None:
            # The store has said it; the next time comes soon.
            with suppress(DatabaseAway):
                await job()

        self._scheduler.add_job(unless_away, "interval", seconds=span.total_seconds(), id=name, **options)

    @property
    def watches(self) -> set[str]:
        """Ids of the watches whose summaries are scheduled."""
        return set(self._scheduled)

    async def start(self) -> None:
        """Start, with the watches that are stored now."""
        self._scheduler.start()
        self._watching_clock = asyncio.create_task(self._watch_clock())
        await self.follow_watches()

    def stop(self) -> None:
        """Stop starting jobs."""
        if self._watching_clock is not None:
            self._watching_clock.cancel()
        self._scheduler.shutdown(wait=False)

    async def _watch_clock(self) -> None:
        """Work out all times again when the machine's clock is set.

        The scheduler keeps moments, and sleeps until the next one: set back by an hour, it would sleep for an hour.
        """
        loop = asyncio.get_running_loop()
        offset = self._clock.now().timestamp() - loop.time()
        while True:
            await asyncio.sleep(self._look.total_seconds())
            before, offset = offset, self._clock.now().timestamp() - loop.time()
            if abs(offset - before) < JUMP:
                continue
            log.warning("clock_set", seconds=round(offset - before))
            now = datetime.now(UTC)
            for job in self._scheduler.get_jobs():
                is_summary = isinstance(job.trigger, CrontabTrigger)
                job.modify(next_run_time=job.trigger.get_next_fire_time(None, now) if is_summary else now)

    def watches_changed(self) -> None:
        """Read the watches again now."""
        # In its own context: otherwise the scheduler's timers would log with the reference of the command that
        # changed a watch. By the machine's clock, as the scheduler itself.
        Context().run(self._scheduler.modify_job, FOLLOW_JOB, next_run_time=datetime.now(UTC))

    async def follow_watches(self) -> None:
        """Make the jobs match the stored watches."""
        watches = {watch.id: (watch.every, watch.tz) for watch in await self._store.watches.all() if watch.every}
        for ended in self._scheduled.keys() - watches.keys():
            self._scheduler.remove_job(_job(ended))
            del self._scheduled[ended]
        for watch, (every, tz) in watches.items():
            if self._scheduled.get(watch) == (every, tz):
                continue
            try:
                trigger = CrontabTrigger(cron.parse(every, tz))
            except Invalid as error:
                # The machine's time zone database no longer has the zone. The other watches are not affected.
                log.warning("watch_not_scheduled", watch=watch, every=every, tz=tz, error=str(error))
                continue
            job = self._summaries.due
            self._scheduler.add_job(job, trigger, args=[watch], id=_job(watch), replace_existing=True)
            self._scheduled[watch] = (every, tz)


def _job(watch: str) -> str:
    return f"summary:{watch}"
