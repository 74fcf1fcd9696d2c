"""What the clock starts: reminders and ends of requests, and the forgetting of what nobody needs any more."""

from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler

from services.engine import Engine
from services.operations import Operations
from services.running import Running
from services.store import Store

SWEEP = timedelta(seconds=15)
DELIVERIES_KEPT = timedelta(days=2)
"""Slack's last repetition of a delivery comes within a day."""
WORKFLOWS_KEPT = timedelta(days=35)
"""A finished workflow's id keeps the same work from being started again."""


def make_schedule(operations: Operations, running: Running, store: Store, engine: Engine) -> AsyncIOScheduler:
    """Jobs in memory: each process has its own, and what they do is done once by the database."""

    async def forget() -> None:
        now = datetime.now(UTC)
        await store.deliveries.forget(now - DELIVERIES_KEPT)
        while await engine.forget(now - WORKFLOWS_KEPT):
            pass

    scheduler = AsyncIOScheduler(timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1})
    scheduler.add_job(operations.sweep, "interval", seconds=SWEEP.total_seconds(), id="sweep", misfire_grace_time=None)
    scheduler.add_job(running.tidy, "interval", minutes=1, id="tidy", misfire_grace_time=None)
    scheduler.add_job(forget, "interval", hours=6, jitter=600, id="forget", misfire_grace_time=None)
    return scheduler
