"""When summaries are due: on fake time, with the database's word for what was posted."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from services.model.watch import Watch
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from services.ports import Azure
from services.store import Store, open_store
from services.watching.poller import Poller
from services.watching.reports import SummaryReports
from tests.contract.watching.conftest import PLACE

MONDAY = datetime(2026, 3, 2, 8, 59, 30, tzinfo=UTC)


class World:
    """One database, one clock, and what was posted."""

    def __init__(self, store: Store) -> None:
        self.store, self.moment = store, MONDAY
        self.posted: list[datetime] = []
        self.late: list[bool] = []

    def now(self) -> datetime:
        return self.moment

    def turn(self, **span: float) -> None:
        self.moment += timedelta(**span)

    def process(self) -> SummaryReports:
        """What a process of its own computes."""
        nothing = FixedConfiguration({}, Policy())
        return SummaryReports(self.store, nothing, Poller(self.store, nothing, cast(Azure, None), lambda _: None), self)

    async def post(self, process: SummaryReports) -> None:
        """Post what is due."""
        for watch in await self.store.watches.all():
            if due := await process.due(watch):
                self.posted.append(due.at)
                self.late.append(due.late)
                await process.posted(due)

    async def watch(self, every: str, tz: str = "UTC") -> Watch:
        watch = Watch("w-1", PLACE, "acr", "contosoacr", every, tz, "on", "U0ALICE", self.moment)
        return await self.store.watches.save(replace(watch, created=min(self.moment, MONDAY)))


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        store = await open_store(f"sqlite:///{tmp_path / 'bot.db'}")
        stack.push_async_callback(store.close)
        yield World(store)


async def test_a_due_time_is_posted_once_however_often_it_is_looked_at(world: World) -> None:
    bot = world.process()
    await world.watch("0 9 * * *")

    for _ in range(10):
        world.turn(seconds=20)
        await world.post(bot)

    assert world.posted == [datetime(2026, 3, 2, 9, tzinfo=UTC)]


async def test_of_many_missed_ones_the_latest_is_due_and_late(world: World) -> None:
    bot = world.process()
    await world.watch("0 * * * *")
    world.turn(days=3, minutes=20)

    await world.post(bot)
    await world.post(bot)

    assert (world.posted, world.late) == ([datetime(2026, 3, 5, 9, tzinfo=UTC)], [True])


async def test_nothing_is_due_for_times_before_the_watch_was_there(world: World) -> None:
    bot = world.process()
    world.turn(days=1)
    watch = await world.watch("0 9 * * *")
    await world.store.watches.save(replace(watch, created=world.moment))
    world.turn(seconds=10)

    await world.post(bot)

    assert world.posted == []


async def test_what_is_not_posted_stays_due_until_the_next_time(world: World) -> None:
    bot = world.process()
    watch = await world.watch("0 9 * * *")
    world.turn(minutes=1)
    first = await bot.due(watch)
    world.turn(hours=5)
    again = await bot.due(watch)
    world.turn(days=1)
    following = await bot.due(watch)

    assert [due.at.day for due in (first, again, following) if due] == [2, 2, 3]


async def test_when_clocks_go_forward_the_skipped_time_is_due_once(world: World) -> None:
    bot = world.process()
    await world.watch("30 2 * * *", "Europe/Berlin")
    world.moment = datetime(2026, 3, 28, 0, tzinfo=UTC)
    await world.post(bot)
    world.posted.clear()

    for _ in range(72 * 4):
        world.turn(minutes=15)
        await world.post(bot)

    assert [f"{each:%d %H:%M}" for each in world.posted] == ["28 01:30", "29 01:00", "30 00:30"]


async def test_when_clocks_go_back_the_doubled_time_is_due_once(world: World) -> None:
    bot = world.process()
    await world.watch("30 2 * * *", "Europe/Berlin")
    world.moment = datetime(2026, 10, 24, 0, tzinfo=UTC)
    await world.post(bot)
    world.posted.clear()

    for _ in range(72 * 4):
        world.turn(minutes=15)
        await world.post(bot)

    assert [f"{each:%d %H:%M}" for each in world.posted] == ["24 00:30", "25 00:30", "26 01:30"]


async def test_a_clock_that_jumps_ahead_and_back_makes_no_due_time_due_twice(world: World) -> None:
    bot = world.process()
    await world.watch("0 * * * *")
    for jump in (timedelta(hours=30), timedelta(hours=-30), timedelta(hours=-5), timedelta(hours=5)):
        world.moment += jump
        for _ in range(6):
            world.turn(minutes=30)
            await world.post(bot)

    assert set(Counter(world.posted).values()) == {1}


async def test_after_a_clock_that_was_a_year_ahead_summaries_go_on(world: World) -> None:
    bot = world.process()
    await world.watch("0 9 * * *")
    world.turn(days=365)
    await world.post(bot)
    world.turn(days=-365, minutes=1)

    await world.post(bot)

    assert world.posted[-1] == datetime(2026, 3, 2, 9, tzinfo=UTC)
