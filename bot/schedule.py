"""What the clock starts: reminders, summaries, sweeps, and the forgetting of what nobody needs any more.

The scheduler only says when. What is due, and which process does it, the database decides; so a job that comes late,
twice or in several processes does no harm.
"""

from collections.abc import Awaitable, Callable
from contextvars import Context
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.base import BaseTrigger

from bot.messages.summary_posts import SummaryPosts
from services.model.clock import Clock
from services.model.errors import Invalid
from services.operations.engine import Engine
from services.operations.runner import Runner
from services.operations.service import Operations
from services.store import Store
from services.watching import cron
from services.watching.triage import Triage

SWEEP = timedelta(seconds=15)
"""How much later than it says a request for approval expires at most."""
DELIVERIES_KEPT = timedelta(days=2)
"""Slack's last repetition of a delivery comes within a day."""
WORKFLOWS_KEPT = timedelta(days=35)
"""A finished workflow's id keeps the same work from being started again."""
TRANSITIONS_KEPT = timedelta(days=400)
SLOTS_KEPT = timedelta(days=35)
SNOOZES = timedelta(seconds=30)
"""How much later than it says a snooze ends at most."""
FOLLOW_JOB = "watches"
FOLLOW = timedelta(minutes=1)
"""How soon a process schedules what another one has changed in the watches."""
FORGET = timedelta(hours=6)
log = structlog.get_logger("schedule")


class CrontabTrigger(BaseTrigger):  # type: ignore[misc]  # apscheduler has no types
    """Fires at a schedule's times as crontab means them: APScheduler's own trigger counts days of the week from Monday.

    Times that have passed are left out, however many; what was missed is found by the board.
    """

    def __init__(self, schedule: cron.Cron) -> None:
        self._schedule = schedule

    def get_next_fire_time(self, previous: datetime | None, now: datetime) -> datetime | None:
        """APScheduler asks this at the start, and after every firing."""
        after = max(previous, now) if previous else now
        return next(iter(self._schedule.next(after, 1)), None)


class Schedule:
    """The jobs of one process, in memory; what they do is done once by the database.

    Each watch with a schedule has a job of its own, as the database has the watches.
    """

    def __init__(self, store: Store, clock: Clock, summaries: SummaryPosts) -> None:
        self._store = store
        self._clock = clock
        self._summaries = summaries
        self._scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "misfire_grace_time": None})
        self._scheduled: dict[str, tuple[str, str]] = {}
        """Expression and zone of each scheduled watch."""
        # A change that comes while the last one is being read is read too.
        self._every(FOLLOW, self.follow_watches, FOLLOW_JOB, max_instances=3)

    def add(self, operations: Operations, runner: Runner, engine: Engine, triage: Triage) -> None:
        """The jobs that look after everything else."""

        async def forget() -> None:
            now = self._clock.now()
            await self._store.deliveries.forget(now - DELIVERIES_KEPT)
            await self._store.sightings.forget(now - TRANSITIONS_KEPT)
            await self._store.summaries.forget(now - SLOTS_KEPT)
            await self._store.messages.forget_summaries(now - SLOTS_KEPT)
            while await engine.forget(now - WORKFLOWS_KEPT):
                pass

        self._every(SWEEP, operations.sweep, "requests")
        self._every(timedelta(minutes=1), runner.tidy, "tidy")
        self._every(SNOOZES, triage.sweep, "snoozes")
        self._every(FORGET, forget, "forget")

    def _every(self, span: timedelta, job: Callable[[], Awaitable[None]], name: str, **options: Any) -> None:
        self._scheduler.add_job(job, "interval", seconds=span.total_seconds(), id=name, **options)

    @property
    def watches(self) -> set[str]:
        """Ids of the watches whose summaries are scheduled."""
        return set(self._scheduled)

    async def start(self) -> None:
        """Begin, with the watches as they are."""
        self._scheduler.start()
        await self.follow_watches()

    def stop(self) -> None:
        """Start no more jobs."""
        self._scheduler.shutdown(wait=False)

    def watches_changed(self) -> None:
        """Watches have changed: read them again now."""
        # In a context of its own: the scheduler's timers would log with the reference of whoever changed a watch.
        # By the machine's clock, as the scheduler itself.
        Context().run(self._scheduler.modify_job, FOLLOW_JOB, next_run_time=datetime.now(UTC))

    async def follow_watches(self) -> None:
        """Make the jobs those of the stored watches."""
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
                # A zone that this machine's database no longer has. The others go on.
                log.warning("watch_not_scheduled", watch=watch, every=every, tz=tz, error=str(error))
                continue
            job = self._summaries.due
            self._scheduler.add_job(job, trigger, args=[watch], id=_job(watch), replace_existing=True)
            self._scheduled[watch] = (every, tz)


def _job(watch: str) -> str:
    return f"summary:{watch}"
