"""When summaries are posted: on fake time, with the database's word for who posts."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_EXECUTED
from apscheduler.schedulers.asyncio import AsyncIOScheduler

from bot.messages.summary_posts import Summaries
from bot.schedule import CrontabTrigger, SummaryJobs
from handlers.kit.message import Message
from services.model.errors import Refused, Unreachable
from services.model.watch import Watch
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from services.ports import Azure
from services.store import Store, open_store
from services.watching import cron
from services.watching.poller import Poller
from services.watching.reports import SummaryReports
from tests.contract.watching.conftest import PLACE

MONDAY = datetime(2026, 3, 2, 8, 59, 30, tzinfo=UTC)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass
class Time:
    """What all processes read as now."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now

    def turn(self, **span: float) -> None:
        self.now += timedelta(**span)


@dataclass
class Channel:
    """What was posted, by mark; `trouble` is raised by the next post, after or before it took effect."""

    posts: list[tuple[str, Message]] = field(default_factory=list)
    trouble: Exception | None = None
    lost: bool = False

    async def post(self, channel: str, message: Message, *, kind: str, mark: str, **_: Any) -> str:
        if self.trouble and not self.lost:
            raise self.trouble
        self.posts.append((mark, message))
        if self.trouble:
            raise self.trouble
        return f"{len(self.posts)}.0"

    async def find(self, channel: str, mark: str, *, kind: str, thread: str = "") -> str:
        return next((f"{index}.0" for index, (known, _) in enumerate(self.posts, 1) if known == mark), "")

    @property
    def times(self) -> list[datetime]:
        """The due times that were posted, in order."""
        return [datetime.fromtimestamp(int(mark.rpartition(":")[2]), UTC) for mark, _ in self.posts]


class World:
    """One database, one channel, and as many processes as one likes."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._url, self._stack = f"sqlite:///{folder / 'bot.db'}", stack
        self.time, self.channel = Time(), Channel()
        self.store: Store

    async def process(self) -> Summaries:
        """A process of its own: its own connection, its own name."""
        store = self.store = await open_store(self._url)
        self._stack.push_async_callback(store.close)
        nothing = FixedConfiguration({}, Policy())
        watching = Poller(store, nothing, cast(Azure, None), lambda _: None, now=self.time)
        reporting = SummaryReports(store, nothing, watching, now=self.time)
        return Summaries(cast(Any, self.channel), store, reporting, now=self.time)

    async def watch(self, every: str, tz: str = "UTC", name: str = "w-1") -> Watch:
        found = Watch(name, PLACE, "acr", name, every, tz, "on", "U0ALICE", LONG_AGO)
        return await self.store.watches.save(replace(found, created=min(self.time.now, MONDAY)))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(tmp_path, stack)


async def test_a_due_time_is_posted_once_however_often_it_is_looked_at(world: World) -> None:
    bot = await world.process()
    await world.watch("0 9 * * *")

    for _ in range(10):
        world.time.turn(seconds=20)
        await bot.sweep()

    assert world.channel.times == [datetime(2026, 3, 2, 9, tzinfo=UTC)]


async def test_two_processes_post_each_due_time_once(world: World) -> None:
    one, other = await world.process(), await world.process()
    await world.watch("*/5 * * * *")

    for _ in range(60):
        world.time.turn(minutes=1)
        await one.sweep()
        await other.sweep()

    assert set(Counter(world.channel.times).values()) == {1}
    assert len(world.channel.posts) == 12


async def test_two_processes_at_the_same_moment_post_once(world: World) -> None:
    processes = [await world.process() for _ in range(4)]
    await world.watch("0 9 * * *")
    world.time.turn(minutes=1)

    await asyncio.gather(*(process.due("w-1") for process in processes))

    assert len(world.channel.posts) == 1


async def test_of_many_missed_ones_the_latest_is_posted_and_says_when_it_was_due(world: World) -> None:
    bot = await world.process()
    await world.watch("0 * * * *")
    world.time.turn(days=3, minutes=20)

    await bot.sweep()
    await bot.sweep()

    assert world.channel.times == [datetime(2026, 3, 5, 9, tzinfo=UTC)]
    assert "alarm_clock" in str(world.channel.posts[0][1].blocks)


async def test_nothing_is_posted_for_times_before_the_watch_was_there(world: World) -> None:
    bot = await world.process()
    world.time.now = MONDAY + timedelta(days=1)
    await world.store.watches.save(
        Watch("w-1", PLACE, "acr", "one", "0 9 * * *", "UTC", "on", "U0ALICE", world.time.now)
    )
    world.time.turn(seconds=10)

    await bot.sweep()

    assert world.channel.posts == []


async def test_a_process_that_dies_after_its_claim_leaves_it_to_another_one(world: World) -> None:
    dying, other = await world.process(), await world.process()
    watch = await world.watch("0 9 * * *")
    world.time.turn(minutes=1)
    assert await dying._reporting.claim(watch)

    await other.sweep()
    assert world.channel.posts == []
    world.time.turn(minutes=3)
    await other.sweep()

    assert len(world.channel.posts) == 1


async def test_a_process_that_comes_back_too_late_does_not_post_a_second_one(world: World) -> None:
    frozen, other = await world.process(), await world.process()
    watch = await world.watch("0 9 * * *")
    world.time.turn(minutes=1)
    due = await frozen._reporting.claim(watch)
    assert due
    world.time.turn(minutes=3)
    await other.sweep()

    assert not await frozen._reporting.begin(due)


async def test_a_lost_reply_does_not_make_a_second_post(world: World) -> None:
    one, other = await world.process(), await world.process()
    await world.watch("0 9 * * *")
    world.time.turn(minutes=1)
    world.channel.trouble, world.channel.lost = Unreachable("slack", "chat.postMessage"), True
    await one.sweep()
    world.channel.trouble = None

    world.time.turn(minutes=3)
    await other.sweep()
    await one.sweep()

    assert len(world.channel.posts) == 1


async def test_a_post_that_failed_is_tried_again_by_the_next_sweep(world: World) -> None:
    bot = await world.process()
    await world.watch("0 9 * * *")
    world.time.turn(minutes=1)
    world.channel.trouble = Unreachable("slack", "chat.postMessage")
    await bot.sweep()
    world.channel.trouble = None

    await bot.sweep()

    assert len(world.channel.posts) == 1


async def test_a_channel_without_the_bot_is_not_tried_again_until_the_next_time(world: World) -> None:
    bot = await world.process()
    await world.watch("0 9 * * *")
    world.time.turn(minutes=1)
    world.channel.trouble = Refused("slack", "chat.postMessage", code="not_in_channel")
    await bot.sweep()
    world.channel.trouble = None
    await bot.sweep()
    world.time.turn(days=1)

    await bot.sweep()

    assert world.channel.times == [datetime(2026, 3, 3, 9, tzinfo=UTC)]


async def test_when_clocks_go_forward_the_skipped_time_is_due_once(world: World) -> None:
    bot = await world.process()
    await world.watch("30 2 * * *", "Europe/Berlin")
    world.time.now = datetime(2026, 3, 28, 0, tzinfo=UTC)
    await bot.sweep()
    world.channel.posts.clear()

    for _ in range(72 * 4):
        world.time.turn(minutes=15)
        await bot.sweep()

    assert [f"{each:%d %H:%M}" for each in world.channel.times] == ["28 01:30", "29 01:00", "30 00:30"]


async def test_when_clocks_go_back_the_doubled_time_is_due_once(world: World) -> None:
    bot = await world.process()
    await world.watch("30 2 * * *", "Europe/Berlin")
    world.time.now = datetime(2026, 10, 24, 0, tzinfo=UTC)
    await bot.sweep()
    world.channel.posts.clear()

    for _ in range(72 * 4):
        world.time.turn(minutes=15)
        await bot.sweep()

    assert [f"{each:%d %H:%M}" for each in world.channel.times] == ["24 00:30", "25 00:30", "26 01:30"]


async def test_a_clock_that_jumps_ahead_and_back_posts_no_due_time_twice(world: World) -> None:
    bot = await world.process()
    await world.watch("0 * * * *")
    for jump in (timedelta(hours=30), timedelta(hours=-30), timedelta(hours=-5), timedelta(hours=5)):
        world.time.now += jump
        for _ in range(6):
            world.time.turn(minutes=30)
            await bot.sweep()

    assert set(Counter(world.channel.times).values()) == {1}


async def test_after_a_clock_that_was_a_year_ahead_summaries_go_on(world: World) -> None:
    bot = await world.process()
    await world.watch("0 9 * * *")
    world.time.turn(days=365)
    await bot.sweep()
    world.time.turn(days=-365, minutes=1)

    await bot.sweep()

    assert world.channel.times[-1] == datetime(2026, 3, 2, 9, tzinfo=UTC)


# --- the scheduler --------------------------------------------------------------------------------------------------


def test_days_of_the_week_are_those_of_crontab() -> None:
    trigger = CrontabTrigger(cron.parse("0 9 * * 1", "UTC"))

    fires = trigger.get_next_fire_time(None, datetime(2026, 3, 3, tzinfo=UTC))

    assert fires == datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert fires.isoweekday() == 1


def test_firings_that_a_clock_jumped_over_are_left_out() -> None:
    trigger = CrontabTrigger(cron.parse("* * * * *", "UTC"))

    fires = trigger.get_next_fire_time(MONDAY, MONDAY + timedelta(days=365, seconds=1))

    assert fires == MONDAY + timedelta(days=365, seconds=30)


async def test_jobs_follow_the_watches(world: World) -> None:
    bot = await world.process()
    watch = await world.watch("0 9 * * *")
    scheduler = AsyncIOScheduler(timezone=UTC)
    scheduler.start(paused=True)
    jobs = SummaryJobs(scheduler, world.store, bot)

    await jobs.reread()
    before = [job.id for job in scheduler.get_jobs()]
    await world.store.watches.remove(watch.id)
    await jobs.reread()

    assert (before, scheduler.get_jobs()) == (["summary:w-1"], [])
    scheduler.shutdown(wait=False)


async def test_when_the_scheduler_fires_the_summary_is_posted(world: World) -> None:
    bot = await world.process()
    await world.watch("0 9 * * *")
    world.time.turn(minutes=1)
    scheduler, over = AsyncIOScheduler(timezone=UTC), asyncio.Event()
    scheduler.add_listener(lambda _: over.set(), EVENT_JOB_EXECUTED | EVENT_JOB_ERROR)
    scheduler.start()
    await SummaryJobs(scheduler, world.store, bot).reread()

    scheduler.modify_job("summary:w-1", next_run_time=datetime.now(UTC))
    async with asyncio.timeout(60):
        await over.wait()

    assert world.channel.times == [datetime(2026, 3, 2, 9, tzinfo=UTC)]
    scheduler.shutdown(wait=False)
