import asyncio
from datetime import timedelta

import pytest

from bot.slack.tasks import Tasks
from services.cache import Cache
from services.model.errors import Unreachable


async def test_draining_waits_for_what_is_under_way_and_takes_nothing_more() -> None:
    work, gate, done = Tasks(), asyncio.Event(), []

    async def one() -> None:
        await gate.wait()
        done.append(1)

    work.start(one())
    gate.set()

    assert await work.drain(timedelta(seconds=5)) == 0
    assert done == [1]
    assert not work.has_room


async def test_what_does_not_end_by_the_deadline_is_cancelled() -> None:
    work = Tasks()
    work.start(asyncio.Event().wait())

    assert await work.drain(timedelta(0)) == 1


async def test_there_is_a_bound() -> None:
    work = Tasks(most=1)
    task = work.start(asyncio.Event().wait())

    assert not work.has_room
    task.cancel()


async def test_an_answer_is_remembered_for_its_lifetime() -> None:
    asked: list[str] = []
    now = [0.0]

    async def ask(key: str) -> int:
        asked.append(key)
        return len(asked)

    remembered = Cache(ask, lifetime=timedelta(seconds=10), clock=lambda: now[0])

    assert [await remembered.get("a"), await remembered.get("a")] == [1, 1]
    now[0] = 11
    assert await remembered.get("a") == 2


async def test_all_who_ask_at_once_share_one_question() -> None:
    asked: list[str] = []

    async def ask(key: str) -> str:
        asked.append(key)
        return key

    remembered = Cache(ask, lifetime=timedelta(seconds=10))

    assert await asyncio.gather(*(remembered.get("a") for _ in range(5))) == ["a"] * 5
    assert asked == ["a"]


async def test_an_old_answer_is_better_than_none_but_not_for_ever() -> None:
    answers = [1]
    now = [0.0]

    async def ask(_key: str) -> int:
        if answers:
            return answers.pop()
        raise Unreachable("slack", "users.info")

    remembered = Cache(ask, lifetime=timedelta(seconds=10), stale=timedelta(seconds=20), clock=lambda: now[0])
    await remembered.get("a")

    now[0] = 15
    assert await remembered.get("a") == 1
    now[0] = 31
    with pytest.raises(Unreachable):
        await remembered.get("a")
