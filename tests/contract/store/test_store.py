"""What the store promises, on both databases."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, func, select, text

from services.model.codec import Codec
from services.model.message import Channel, LiveMessage, Subject
from services.model.operation import Decision, Operation
from services.operations.deploy.outputs import AddressHeld
from services.operations.procedures import PROCEDURES
from services.store import Store, open_store
from services.store.tables import metadata
from tests.golden.values import ASKED, NOW, STATES, plan

FRESH: Operation = replace(STATES["planning"], plan=None, started_at=None)
Add = Callable[..., Any]


@pytest.fixture
def add(store: Store) -> Add:
    """Store an operation, by default one that is being planned."""

    async def adding(name: str = "op-7k3q9xa", **changes: Any) -> Operation:
        made, _ = await store.operations.create(replace(FRESH, id=name, **changes), f"key of {name}")
        return made

    return adding


async def test_the_migrations_make_the_tables_that_the_code_names(store: Store) -> None:
    def differences(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "version_table": "bot_schema"})
        return list(compare_metadata(context, metadata))

    async with store.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_opening_it_again_changes_nothing(url: str, store: Store, add: Add) -> None:
    await add()
    again = await open_store(url, Codec(PROCEDURES.values))
    found = await again.operations.get("op-7k3q9xa")
    await again.close()

    assert found == await store.operations.get("op-7k3q9xa")


async def test_the_same_key_is_the_same_operation_however_many_ask_at_once(store: Store) -> None:
    wanted = [replace(FRESH, id=f"op-{number}") for number in range(5)]
    made = await asyncio.gather(*(store.operations.create(one, "one delivery") for one in wanted))

    assert len({operation.id for operation, _ in made}) == 1
    assert [fresh for _, fresh in made].count(True) == 1


async def test_a_move_is_made_by_one_of_those_who_try(store: Store, add: Add) -> None:
    await add(state="waiting")
    moved = await asyncio.gather(
        *(
            store.operations.move("op-7k3q9xa", ["waiting"], to, event="ended")
            for to in ("queued", "rejected", "expired")
        )
    )

    assert moved.count(True) == 1


async def test_ended_operations_go_with_all_that_hangs_on_them(store: Store, add: Add) -> None:
    await add(parent="", state="running")
    await store.operations.plan("op-7k3q9xa", plan(), ["running"], "running")
    await store.operations.decide("op-7k3q9xa", Decision(1, "U0BOB", "bob", "approve", NOW))
    await store.operations.move("op-7k3q9xa", ["running"], "succeeded", event="ended", ended_at=NOW)
    card = LiveMessage(Subject("operation", "op-7k3q9xa"), Channel("T0CONTOSO", "C0EDGE"))
    await store.messages.claim(card, "a process", NOW, NOW)

    assert await store.operations.forget(NOW, 50) == 0
    assert await store.operations.forget(NOW + timedelta(seconds=1), 50) == 1
    async with store.engine.connect() as connection:
        names = ("operations", "steps", "decisions", "events", "messages")
        assert [await connection.scalar(select(func.count()).select_from(metadata.tables[name])) for name in names] == (
            [0] * len(names)
        )


async def test_what_still_lives_or_is_needed_by_what_lives_stays(store: Store, add: Add) -> None:
    await add("op-waits", state="waiting", ended_at=None)
    await add("op-holds", state="failed", ended_at=NOW)
    await store.leases.take("/arc", "10.112.0.2", "op-holds")
    await add("op-whole", state="failed", ended_at=NOW)
    await add("op-part1", state="running", parent="op-whole", ended_at=None)
    await add("op-part2", state="succeeded", parent="op-whole", ended_at=NOW)
    later = NOW + timedelta(days=500)

    assert await store.operations.forget(later, 50) == 0
    await store.operations.move("op-part1", ["running"], "succeeded", ended_at=NOW)
    # The parent first, whose card lists its parts.
    assert [await store.operations.forget(later, 50) for _ in range(3)] == [1, 2, 0]
    assert {operation.id for operation in await store.operations.find()} == {"op-waits", "op-holds"}


async def test_old_rows_go_in_bites(store: Store, add: Add) -> None:
    for number in range(5):
        await add(f"op-{number}", state="cancelled", ended_at=NOW + timedelta(minutes=number))
        await store.deliveries.first(f"delivery {number}")

    assert await store.operations.forget(NOW + timedelta(days=1), 2) == 2
    assert {operation.id for operation in await store.operations.find()} == {"op-2", "op-3", "op-4"}
    assert [await store.deliveries.forget(datetime.now(UTC), bite) for bite in (2, 4, 4)] == [2, 3, 0]


async def test_a_move_from_another_state_changes_nothing(store: Store, add: Add) -> None:
    before = await add(state="succeeded")

    assert not await store.operations.move("op-7k3q9xa", ["waiting"], "queued", event="approved")
    assert await store.operations.get("op-7k3q9xa") == before
    assert await store.operations.events("op-7k3q9xa", 0) == ()


async def test_a_plan_is_stored_with_its_steps(store: Store, add: Add) -> None:
    await add()
    await store.operations.plan("op-7k3q9xa", plan(), ["planning"], "waiting", event="asked", approval_request=ASKED)
    found = await store.operations.get("op-7k3q9xa")

    assert found
    assert (found.plan, found.approval_request) == (plan(), ASKED)
    assert {run.state for run in found.steps} == {"pending"}
    assert [event.kind for event in await store.operations.events("op-7k3q9xa", 0)] == ["asked"]


async def test_a_plan_comes_too_late_for_one_that_was_cancelled(store: Store, add: Add) -> None:
    await add(state="cancelled")

    assert not await store.operations.plan("op-7k3q9xa", plan(), ["planning"], "queued")
    assert (await store.operations.find())[0].plan is None


async def test_a_person_decides_once_in_a_round(store: Store, add: Add) -> None:
    await add(state="waiting")
    decision = Decision(1, "U0BOB", "bob", "approve", NOW)

    assert await store.operations.decide("op-7k3q9xa", decision)
    assert not await store.operations.decide("op-7k3q9xa", replace(decision, verdict="reject"))
    assert await store.operations.decide("op-7k3q9xa", replace(decision, round=2))


async def test_a_step_begun_twice_keeps_its_first_start_and_tells_once(store: Store, add: Add) -> None:
    await add()
    await store.operations.plan("op-7k3q9xa", plan(), ["planning"], "running")
    await store.operations.begin_step("op-7k3q9xa", 0)
    first = (await store.operations.find())[0].steps[0].started
    await store.operations.begin_step("op-7k3q9xa", 0)
    for _ in range(2):
        await store.operations.end_step("op-7k3q9xa", 0, ok=True, output=AddressHeld("10.112.0.2"))

    found = (await store.operations.find())[0]
    assert found.steps[0].started == first
    assert found.output(AddressHeld) == AddressHeld("10.112.0.2")
    assert len(await store.operations.events("op-7k3q9xa", 0)) == 1


async def test_requests_are_due_when_their_reminder_or_their_end_has_come(store: Store, add: Add) -> None:
    await add(state="waiting")
    await store.operations.change("op-7k3q9xa", remind=NOW + timedelta(hours=22), expires=NOW + timedelta(days=1))

    assert await store.operations.due(NOW + timedelta(hours=21)) == ()
    assert len(await store.operations.due(NOW + timedelta(hours=22))) == 1


async def test_whether_another_one_ran_at_the_cluster_since(store: Store, add: Add) -> None:
    await add("op-ended", state="succeeded", started_at=NOW, ended_at=NOW + timedelta(minutes=5))

    assert await store.operations.ran_since(("/arc",), NOW + timedelta(minutes=1), but="op-7k3q9xa")
    assert not await store.operations.ran_since(("/arc",), NOW + timedelta(minutes=6), but="op-7k3q9xa")
    assert not await store.operations.ran_since(("/arc",), NOW, but="op-ended")
    assert not await store.operations.ran_since(("/other",), NOW, but="op-7k3q9xa")


async def test_an_address_is_leased_to_one_of_those_who_try_at_once(store: Store, add: Add) -> None:
    names = [f"op-{number}" for number in range(8)]
    for name in names:
        await add(name)
    taken = await asyncio.gather(*(store.leases.take("/arc", "10.112.0.2", name) for name in names))

    assert taken.count(True) == 1
    assert await store.leases.of_others("/arc", names[taken.index(True)]) == frozenset()
    assert await store.leases.of_others("/arc", names[taken.index(False)]) == {"10.112.0.2"}


async def test_a_lease_may_be_taken_again_by_its_holder_and_elsewhere_by_others(store: Store, add: Add) -> None:
    await add("op-one")
    await add("op-two")

    assert await store.leases.take("/arc", "10.112.0.2", "op-one")
    assert await store.leases.take("/arc", "10.112.0.2", "op-one")
    assert await store.leases.take("/other", "10.112.0.2", "op-two")
    assert await store.leases.of_others("/arc", "op-two") == {"10.112.0.2"}


async def test_leases_are_given_back_all_but_one(store: Store, add: Add) -> None:
    await add("op-one")
    for address in ("10.112.0.2", "10.112.0.3"):
        await store.leases.take("/arc", address, "op-one")
    await store.leases.release("op-one", but="10.112.0.3")

    assert await store.leases.of_others("/arc", "") == {"10.112.0.3"}


async def test_an_ended_operation_that_still_has_a_lease_is_found(store: Store, add: Add) -> None:
    await add("op-ended", state="failed")
    await add("op-running", state="running")
    for name, address in (("op-ended", "10.112.0.2"), ("op-running", "10.112.0.3")):
        await store.leases.take("/arc", address, name)

    assert [one.id for one in await store.operations.ended_with_leases()] == ["op-ended"]


async def test_a_delivery_is_taken_once(store: Store) -> None:
    firsts = await asyncio.gather(*(store.deliveries.first("trigger") for _ in range(6)))

    assert firsts.count(True) == 1


async def test_a_card_is_behind_until_it_shows_the_last_revision_and_its_thread_the_last_event(
    store: Store, add: Add
) -> None:
    made = await add(state="waiting")
    card = LiveMessage(Subject("operation", made.id), Channel("T0CONTOSO", "C0EDGE"))
    await add("op-other", state="succeeded", dry_run=True)
    await store.operations.change("op-other", event="ended")
    before = await store.messages.operations_behind()
    await store.messages.claim(card, "this", NOW, NOW)
    await store.messages.release(card, "this", ts="1.2", shown=made.revision, position=0)
    shown = await store.messages.operations_behind()
    await store.operations.move(made.id, ["waiting"], "expired", event="ended")
    await store.messages.claim(card, "this", NOW, NOW)
    await store.messages.release(card, "this", shown=made.revision + 1)
    lacks_an_event = await store.messages.operations_behind()
    await store.messages.claim(card, "this", NOW, NOW)
    await store.messages.release(card, "this", position=(await store.operations.events(made.id, 0))[-1].id)
    await store.operations.change("op-other", event="failed")

    assert (before, shown, lacks_an_event) == ((made.id,), (), (made.id,))
    assert await store.messages.operations_behind() == ()
    assert await compared(store) == 0


async def compared(store: Store) -> int:
    """How many operations the next look for cards would compare with them."""
    async with store.engine.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM operations WHERE shown < revision")) or 0)


async def test_what_has_no_card_is_compared_once(store: Store, add: Add) -> None:
    await add("op-dry", state="succeeded", dry_run=True)
    await add("op-part", state="running", parent="op-dry", approval_request=None)
    before = await compared(store)

    assert await store.messages.operations_behind() == ()
    assert (before, await compared(store)) == (2, 0)


async def test_between_starts_only_recent_and_living_operations_are_looked_for(store: Store, add: Add) -> None:
    await add("op-old", state="failed", created=NOW - timedelta(days=9))
    await add("op-lives", state="waiting", created=NOW - timedelta(days=8))
    await add("op-new", state="failed", created=NOW)

    assert await store.messages.operations_behind(NOW - timedelta(days=1)) == ("op-lives", "op-new")


async def test_a_workspace_that_refused_plan_blocks_is_remembered(store: Store) -> None:
    assert await store.workspaces.plan_blocks("T0CONTOSO")
    await store.workspaces.remember_plan_blocks("T0CONTOSO", False)
    assert not await store.workspaces.plan_blocks("T0CONTOSO")
