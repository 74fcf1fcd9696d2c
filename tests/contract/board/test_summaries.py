"""Due summaries on the board: each due time once, and the jobs that say when."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.schedule import CrontabTrigger, Schedule
from services.model.message import Channel
from services.model.watch import Watch
from services.policy import cron
from tests.contract.board.conftest import NOW, PLACE, Process, World

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)


async def watch(process: Process) -> Watch:
    """Every day at nine, half a minute from now."""
    created = NOW - timedelta(hours=1)
    return await process.store.watches.save(
        Watch("w-1", PLACE, "acr", "elsewhere", "0 9 * * *", "UTC", "on", "U0ALICE", created)
    )


def times(world: World) -> list[datetime]:
    """The due times that were posted, in order."""
    marks = [message.metadata["event_payload"]["mark"] for message in world.messages() if message.metadata]
    return [datetime.fromtimestamp(int(mark.split(":")[1]), UTC) for mark in marks]


async def test_several_processes_post_each_due_time_once(world: World) -> None:
    processes = [await world.process() for _ in range(4)]
    await watch(processes[0])
    for _ in range(2):
        world.time.turn(minutes=1)
        await asyncio.gather(*(process.look() for process in processes))
        world.time.turn(days=1)

    assert times(world) == [NINE, NINE + timedelta(days=1)]


async def test_one_that_was_missed_says_when_it_was_due(world: World) -> None:
    process = await world.process()
    await watch(process)
    world.time.turn(minutes=20)
    await process.look()

    assert "alarm_clock" in str(world.messages()[0].blocks)


async def test_a_lost_reply_makes_no_second_post(world: World) -> None:
    first, second = await world.process(), await world.process()
    await watch(first)
    world.time.turn(minutes=1)
    world.strike("chat.postMessage", "lose_reply")
    await first.look()
    await second.look()

    assert len(times(world)) == 1


async def test_a_channel_without_the_bot_gets_the_latest_one_when_it_is_invited(world: World) -> None:
    process = await world.process()
    await watch(process)
    world.bot_leaves()
    world.time.turn(minutes=1)
    await process.look()
    world.time.turn(days=1)
    await process.look()
    world.bot_enters()
    process.board.reachable(Channel(PLACE.team, PLACE.channel))
    await process.look()

    assert times(world) == [NINE + timedelta(days=1)]


async def test_the_summary_of_a_watch_that_ended_is_not_posted(world: World) -> None:
    process = await world.process()
    ended = await watch(process)
    world.bot_leaves()
    world.time.turn(minutes=1)
    await process.look()
    await process.store.watches.remove(ended.id)
    world.bot_enters()
    process.board.reachable(Channel(PLACE.team, PLACE.channel))
    await process.look()

    assert world.texts() == []


# --- the scheduler --------------------------------------------------------------------------------------------------


def test_days_of_the_week_are_those_of_crontab() -> None:
    trigger = CrontabTrigger(cron.parse("0 9 * * 1", "UTC"))

    fires = trigger.get_next_fire_time(None, datetime(2026, 3, 3, tzinfo=UTC))

    assert fires == datetime(2026, 3, 9, 9, tzinfo=UTC)
    assert fires.isoweekday() == 1


def test_firings_that_a_clock_jumped_over_are_left_out() -> None:
    trigger = CrontabTrigger(cron.parse("* * * * *", "UTC"))

    fires = trigger.get_next_fire_time(NOW, NOW + timedelta(days=365, seconds=1))

    assert fires == NOW + timedelta(days=365, seconds=30)


async def test_work_goes_on_when_the_clock_is_set_back(world: World) -> None:
    process = await world.process()
    schedule = Schedule(process.store, world.time, process.summaries, look=timedelta(milliseconds=10))
    await schedule.start()
    await watch(process)

    world.time.turn(minutes=-50)

    async with asyncio.timeout(60):
        while schedule.watches != {"w-1"}:
            await asyncio.sleep(0.01)
    schedule.stop()


async def test_jobs_follow_the_watches(world: World) -> None:
    process = await world.process()
    ended = await watch(process)
    schedule = Schedule(process.store, world.time, process.summaries)

    await schedule.follow_watches()
    before = schedule.watches
    await process.store.watches.remove(ended.id)
    await schedule.follow_watches()

    assert (before, schedule.watches) == ({"w-1"}, set())


async def test_when_the_time_of_a_watch_comes_its_summary_is_posted(world: World) -> None:
    process = await world.process()
    await watch(process)
    world.time.turn(minutes=1)

    schedule = Schedule(process.store, world.time, process.summaries)
    await schedule.start()
    schedule._scheduler.modify_job("summary:w-1", next_run_time=datetime.now(UTC))
    async with asyncio.timeout(60):
        while not world.texts():
            await asyncio.sleep(0.01)
    schedule.stop()

    assert times(world) == [NINE]


async def test_a_schedule_that_can_no_longer_be_read_keeps_no_other_from_its_time(world: World) -> None:
    store = await world.store()
    elsewhere = replace(PLACE, channel="C0GENERAL")
    await store.watches.save(
        Watch(
            "w-0", elsewhere, "acr", "elsewhere", "0 9 * * *", "Mars/Olympus", "on", "U0ALICE", NOW - timedelta(hours=1)
        )
    )
    process = await world.process()
    await watch(process)
    world.time.turn(minutes=1)
    await process.look()

    assert times(world) == [NINE]
