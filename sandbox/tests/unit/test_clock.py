"""The sandbox's clock."""

import asyncio
from datetime import timedelta

from sandbox.clock import Clock


async def test_a_sleeper_wakes_when_the_clock_is_turned_past_its_time() -> None:
    clock = Clock()
    clock.stop()
    sleeper = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)

    clock.turn(3601)

    await asyncio.wait_for(sleeper, 1)


async def test_a_sleeper_sleeps_on_when_the_clock_is_turned_too_little() -> None:
    clock = Clock()
    clock.stop()
    sleeper = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)

    clock.turn(3599)
    done, _ = await asyncio.wait({sleeper}, timeout=0)

    assert not done
    sleeper.cancel()


def test_a_stopped_clock_stands_still() -> None:
    clock = Clock()
    clock.stop()

    assert clock.now() == clock.now()


def test_a_stopped_clock_can_be_turned() -> None:
    clock = Clock()
    clock.stop()
    before = clock.now()

    clock.turn(60)

    assert clock.now() - before == timedelta(minutes=1)


def test_a_clock_goes_on_from_where_it_stood() -> None:
    clock = Clock()
    clock.stop()
    clock.turn(7200)
    stood = clock.now()

    clock.go_on()

    assert timedelta() <= clock.now() - stood < timedelta(minutes=1)
    assert not clock.stopped


def test_going_on_does_nothing_to_a_running_clock() -> None:
    clock = Clock()
    clock.turn(100)

    clock.go_on()

    assert 99 < clock.ahead < 101


async def test_sleeping_for_no_time_returns_at_once_even_when_stopped() -> None:
    clock = Clock()
    clock.stop()

    await asyncio.wait_for(clock.sleep(0), 1)


async def test_a_sleeper_goes_on_waiting_through_a_stop() -> None:
    clock = Clock()
    sleeper = asyncio.create_task(clock.sleep(10))
    await asyncio.sleep(0)
    clock.stop()
    await asyncio.sleep(0)

    clock.turn(11)

    await asyncio.wait_for(sleeper, 1)
