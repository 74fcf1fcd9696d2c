"""Who comes when, of operations that lock the same things."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import pytest

from services.store import Store
from tests.contract.store.test_store import FRESH

Queue = Callable[..., Awaitable[None]]


@pytest.fixture
def queue(store: Store) -> Queue:
    """Let operations be queued in this order; each is its name with what it locks behind it, as in `one:berlin,edge01`."""

    async def queueing(*operations: str, parent: str = "") -> None:
        for operation in operations:
            name, _, locks = operation.partition(":")
            made = replace(FRESH, id=name, locks=tuple(filter(None, locks.split(","))), parent=parent)
            await store.operations.create(made, name)
            await store.operations.move(name, ["planning"], "queued", attempt=1)

    return queueing


async def granted(store: Store) -> list[str]:
    return [operation for operation, _ in await store.locks.grant()]


async def waits_for(store: Store, name: str) -> list[str]:
    operation = await store.operations.get(name)
    assert operation
    return [one.id for one in operation.waits_for]


async def test_what_nobody_else_locks_is_granted_at_once_and_again_when_asked_again(store: Store, queue: Queue) -> None:
    await queue("one:berlin", "two:hamburg", "three:")

    assert set(await granted(store)) == {"one", "two", "three"}
    assert set(await granted(store)) == {"one", "two", "three"}


async def test_an_operation_waits_for_all_that_it_locks(store: Store, queue: Queue) -> None:
    await queue("one:berlin", "two:edge01", "three:berlin,edge01")
    assert set(await granted(store)) == {"one", "two"}
    assert await waits_for(store, "three") == ["one", "two"]

    await store.operations.move("one", ["queued"], "cancelled")
    assert await granted(store) == ["two"]
    await store.operations.move("two", ["queued"], "cancelled")
    assert await granted(store) == ["three"]


async def test_nobody_goes_past_one_who_has_waited_longer(store: Store, queue: Queue) -> None:
    await queue("one:berlin", "two:berlin,edge01", "three:edge01")

    assert await granted(store) == ["one"]
    assert await waits_for(store, "three") == ["two"]


async def test_a_grant_around_an_operation_gives_a_turn_to_its_rivals_alone_and_lets_nobody_pass(
    store: Store, queue: Queue
) -> None:
    await queue("one:berlin", "two:hamburg", "three:berlin,edge01", "four:edge01")

    around_four = await store.locks.rivals("four")
    assert around_four == {"three", "four"}
    assert await store.locks.grant(around_four) == ()
    assert await store.locks.grant(await store.locks.rivals("one")) == (("one", 1),)


async def test_what_runs_keeps_its_locks_to_its_end(store: Store, queue: Queue) -> None:
    await queue("one:berlin", "two:berlin")
    await granted(store)
    await store.operations.move("one", ["queued"], "running")
    assert await granted(store) == []

    await store.operations.move("one", ["running"], "failed")
    assert await granted(store) == ["two"]


async def test_what_a_running_operation_needs_no_more_is_free_for_others_and_a_retry_claims_it_again(
    store: Store, queue: Queue
) -> None:
    await queue("one:acr,berlin", "two:acr", "three:berlin")
    await granted(store)
    await store.operations.move("one", ["queued"], "running")
    await store.locks.free("one", ("acr", "hamburg"))
    assert await granted(store) == ["two"]

    await store.operations.move("one", ["running"], "failed")
    assert set(await granted(store)) == {"two", "three"}
    await store.operations.move("one", ["failed"], "queued")
    assert await waits_for(store, "one") == ["two", "three"]


async def test_a_retry_queues_behind_those_who_wait(store: Store, queue: Queue) -> None:
    await queue("one:berlin")
    await store.operations.move("one", ["queued"], "failed")
    await queue("two:berlin")
    await store.operations.move("one", ["failed"], "queued")

    assert await granted(store) == ["two"]


async def test_those_who_wait_have_something_new_to_show_when_their_turn_comes_nearer(
    store: Store, queue: Queue
) -> None:
    await queue("one:berlin", "two:berlin", "three:berlin")
    before = await store.operations.get("three")
    await store.operations.move("one", ["queued"], "cancelled")
    after = await store.operations.get("three")

    assert before
    assert after
    assert after.revision > before.revision


async def test_what_a_parent_holds_is_held_for_its_children(store: Store, queue: Queue) -> None:
    await queue("parent:edge01", "stranger:edge01")
    await granted(store)
    await store.operations.move("parent", ["queued"], "running")
    await queue("child:edge01,berlin", parent="parent")

    assert await granted(store) == []
    await store.operations.move("stranger", ["queued"], "cancelled")
    assert await granted(store) == ["child"]


async def test_however_many_ask_at_once_one_gets_it(store: Store, queue: Queue) -> None:
    await queue(*(f"op-{number}:berlin" for number in range(6)))
    answers = await asyncio.gather(*(granted(store) for _ in range(6)))

    assert answers == [["op-0"]] * 6
