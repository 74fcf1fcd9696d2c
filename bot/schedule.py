"""What the clock starts: reminders, summaries, sweeps, and the forgetting of what nobody needs any more.

The scheduler only says when. What is due, and which process does it, the database decides; so a job that comes late,
twice or in several processes does no harm.
"""

from contextvars import Context
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler as AsyncIOScheduler  # noqa: PLC0414 - the wiring names it too
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
DELIVERIES_KEPT = timedelta(days=2)
"""Slack's last repetition of a delivery comes within a day."""
WORKFLOWS_KEPT = timedelta(days=35)
"""A finished workflow's id keeps the same work from being started again."""
TRANSITIONS_KEPT = timedelta(days=400)
SLOTS_KEPT = timedelta(days=35)
SNOOZES = timedelta(seconds=30)
"""How much later than it says a snooze ends at most."""
REREAD_JOB = "reread"
REREAD = timedelta(minutes=1)
"""How soon a process hears of watches that another one has changed."""
log = structlog.get_logger("schedule")


def make_schedule(
    operations: Operations, runner: Runner, store: Store, engine: Engine, clock: Clock
) -> AsyncIOScheduler:
    """Jobs in memory: each process has its own, and what they do is done once by the database."""

    async def forget() -> None:
        now = clock.now()
        await store.deliveries.forget(now - DELIVERIES_KEPT)
        await store.sightings.forget(now - TRANSITIONS_KEPT)
        await store.summaries.forget(now - SLOTS_KEPT)
        await store.messages.forget_summaries(now - SLOTS_KEPT)
        while await engine.forget(now - WORKFLOWS_KEPT):
            pass

    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1})
    scheduler.add_job(operations.sweep, "interval", seconds=SWEEP.total_seconds(), id="sweep", misfire_grace_time=None)
    scheduler.add_job(runner.tidy, "interval", minutes=1, id="tidy", misfire_grace_time=None)
    scheduler.add_job(forget, "interval", hours=6, jitter=600, id="forget", misfire_grace_time=None)
    return scheduler


def add_watching(scheduler: AsyncIOScheduler, jobs: "SummaryJobs", incidents: Triage) -> None:
    """The jobs of watching: summaries on their schedules, and the end of snoozes."""
    every = {"trigger": "interval", "misfire_grace_time": None}
    # A change that comes while the last one is being read is read too.
    scheduler.add_job(jobs.reread, seconds=REREAD.total_seconds(), id=REREAD_JOB, max_instances=3, **every)
    scheduler.add_job(incidents.sweep, seconds=SNOOZES.total_seconds(), id="incidents", **every)


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


class SummaryJobs:
    """One job in the scheduler for each watch with a schedule, as the database has them."""

    def __init__(self, scheduler: AsyncIOScheduler, store: Store, summaries: SummaryPosts, clock: Clock) -> None:
        self._scheduler = scheduler
        self._store = store
        self._summaries = summaries
        self._clock = clock
        self._set: dict[str, tuple[str, str]] = {}

    def changed(self) -> None:
        """Watches have changed: read them again now."""
        # In a context of its own: the scheduler's timers would log with the reference of whoever changed a watch.
        Context().run(self._scheduler.modify_job, REREAD_JOB, next_run_time=self._clock.now())

    async def reread(self) -> None:
        """Make the jobs those of the stored watches."""
        wanted = {one.id: (one.every, one.tz) for one in await self._store.watches.all() if one.every}
        for watch in self._set.keys() - wanted.keys():
            self._scheduler.remove_job(_job(watch))
            del self._set[watch]
        for watch, (every, tz) in wanted.items():
            if self._set.get(watch) != (every, tz):
                self._put(watch, every, tz)

    def _put(self, watch: str, every: str, tz: str) -> None:
        try:
            trigger = CrontabTrigger(cron.parse(every, tz))
        except Invalid as error:
            # A zone that this machine's database no longer knows. The others go on.
            log.warning("not_scheduled", watch=watch, every=every, tz=tz, error=str(error))
            return
        self._scheduler.add_job(
            self._summaries.due, trigger, args=[watch], id=_job(watch), replace_existing=True, misfire_grace_time=None
        )
        self._set[watch] = (every, tz)


def _job(watch: str) -> str:
    return f"summary:{watch}"
