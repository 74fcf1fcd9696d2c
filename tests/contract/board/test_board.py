"""Messages that live, by the example of operations: posted once, edited to the last state, whatever Slack does."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from bot.messages.board import BETWEEN_EDITS
from bot.messages.posting import UPDATES_PER_MINUTE
from handlers.kit.message import Message
from services.model.message import Channel, LiveMessage, Subject
from services.model.operation import Decision, Operation
from services.store import Store
from tests.contract.board.conftest import NOW, PLACE, Process, World
from tests.golden.values import STATES

ASKED: Operation = replace(STATES["planning"], id="op-one", plan=None, started_at=None, place=PLACE)


async def add(store: Store, name: str = "op-one", **changes: Any) -> None:
    await store.operations.create(replace(ASKED, id=name, **changes), f"key of {name}")


async def ends(process: Process, name: str = "op-one") -> None:
    await process.store.operations.move(name, ["planning"], "cancelled", event="ended")
    process.board.changed(Subject("operation", name))


async def running(world: World, *, between_edits: float = BETWEEN_EDITS) -> Process:
    """A process with one card on the board."""
    process = await world.process(between_edits=between_edits)
    await add(process.store)
    await process.look()
    return process


async def test_a_subject_is_posted_once_and_edited_to_its_last_state(world: World) -> None:
    process = await running(world)
    await process.look()
    await ends(process)
    await process.shown()

    assert world.texts() == ["Deploy edge01 to hamburg: cancelled"]
    assert len(world.replies()) == 1


async def test_processes_at_the_same_moment_post_one_message(world: World) -> None:
    processes = [await world.process() for _ in range(4)]
    await add(processes[0].store)
    await asyncio.gather(*(process.look() for process in processes))

    assert len(world.texts()) == 1
    assert len(world.calls("chat.postMessage")) == 1


async def test_what_another_process_changed_is_shown_on_the_same_message(world: World) -> None:
    first, second = await running(world), await world.process()
    await ends(second)
    await asyncio.gather(first.shown(), second.shown())

    assert world.texts() == ["Deploy edge01 to hamburg: cancelled"]


async def test_a_message_that_a_dead_process_had_in_hand_is_taken_over(world: World) -> None:
    process = await world.process()
    await add(process.store)
    card = LiveMessage(Subject("operation", "op-one"), Channel(PLACE.team, PLACE.channel))
    await process.store.messages.claim(card, "dead", world.time.now(), world.time.now() + timedelta(minutes=1))
    await process.board.sweep(None)
    before = world.texts()
    world.time.turn(minutes=2)
    await process.shown()

    assert (before, len(world.texts())) == ([], 1)


async def test_a_post_whose_process_died_before_the_answer_came_is_found_again(world: World) -> None:
    dead = await world.process(started=False)
    await add(dead.store)
    card = LiveMessage(Subject("operation", "op-one"), Channel(PLACE.team, PLACE.channel))
    await dead.store.messages.claim(card, "dead", world.time.now(), world.time.now())
    await dead.store.messages.write(card, "dead", world.time.now(), pending="op-one:message")
    content = Message("Deploy edge01 to hamburg: planning")
    await dead.board._posting.post(card.channel, content, kind="registry_operation", mark="op-one:message")
    world.time.turn(minutes=2)
    living = await world.process()
    await living.shown()

    assert world.texts() == ["Deploy edge01 to hamburg: planning"]


@pytest.mark.parametrize("action", ["drop", "lose_reply", "fail"])
async def test_a_post_without_an_answer_does_not_become_two(world: World, action: str) -> None:
    world.strike("chat.postMessage", action)
    await running(world)

    assert len(world.texts()) == 1


@pytest.mark.parametrize(
    "word",
    [
        "token_revoked",
        "invalid_auth",
        "missing_scope",
        "is_archived",
        "is_inactive",
        "channel_not_found",
        "fatal_error",
    ],
)
async def test_what_slack_refuses_for_a_while_is_shown_when_it_takes_it_again(world: World, word: str) -> None:
    process = await running(world)
    world.strike("chat.update", code=word, times=3)
    await ends(process)
    async with asyncio.timeout(60):
        while "cancelled" not in world.texts()[0]:
            await asyncio.sleep(0.01)

    assert len(world.texts()) == 1


@pytest.mark.parametrize("word", ["not_in_channel", "is_archived", "token_revoked"])
async def test_many_subjects_that_are_refused_try_one_at_a_time_and_log_one_line(
    world: World, word: str, every_log_line: None
) -> None:
    process = await world.process()
    for number in range(4):
        await add(process.store, f"op-{number}")
    world.strike("chat.postMessage", code=word, times=6)
    with capture_logs() as logs:
        await process.board.sweep(None)
        async with asyncio.timeout(60):
            while len(world.texts()) < 4:
                await asyncio.sleep(0.01)

    about_refusals = [line["event"] for line in logs if line["event"].startswith("messages_")]
    assert about_refusals == ["messages_refused", "messages_accepted"]
    assert len([call for call in world.calls("chat.postMessage") if not call["ok"]]) == 6


async def test_a_channel_without_the_bot_does_not_keep_others_waiting(world: World) -> None:
    process = await world.process()
    world.bot_leaves()
    await add(process.store)
    await add(process.store, "op-two", place=replace(PLACE, channel="C0GENERAL"))
    await process.look()

    assert (world.texts(), len(world.texts("C0GENERAL"))) == ([], 1)


async def test_whoever_asked_for_what_can_not_be_shown_is_told_once_directly(world: World) -> None:
    first, second = await world.process(), await world.process()
    world.bot_leaves()
    await add(first.store)
    await add(first.store, "op-two")
    await first.look()
    await second.look()

    direct = world.slack.workspace.direct(ASKED.requester).id
    [notice] = world.texts(direct)
    assert notice.startswith(":warning:  The bot can't post in <#C0EDGE> any more.")


async def test_when_the_bot_is_invited_what_it_could_not_post_appears_at_once(world: World) -> None:
    process = await world.process()
    world.bot_leaves()
    await add(process.store)
    await process.look()
    world.bot_enters()
    process.board.reachable(Channel(PLACE.team, PLACE.channel))
    async with asyncio.timeout(60):
        while not world.texts():
            await asyncio.sleep(0.01)

    assert world.texts() == ["Deploy edge01 to hamburg: planning"]


async def test_a_message_that_somebody_deleted_comes_back_with_its_thread(world: World) -> None:
    process = await running(world)
    world.delete(world.messages()[0])
    await ends(process)
    await process.shown()

    assert world.texts() == ["Deploy edge01 to hamburg: cancelled"]


async def test_a_message_that_is_too_long_is_shown_shorter(world: World) -> None:
    process = await running(world)
    world.strike("chat.update", code="msg_too_long", times=2)
    await ends(process)
    await process.shown()

    assert world.texts() == ["Deploy edge01 to hamburg: cancelled"]
    assert world.messages()[0].blocks == []


async def test_blocks_that_slack_refuses_leave_the_headline_and_the_buttons(world: World) -> None:
    process = await world.process()
    world.strike("chat.postMessage", code="invalid_blocks")
    await add(process.store, state="waiting")
    await process.look()

    assert [block["type"] for block in world.messages()[0].blocks] == ["section", "actions"]


@pytest.mark.parametrize("wait", ["3600", "1"])
async def test_a_429_is_waited_for_within_bounds(world: World, wait: str) -> None:
    process = await running(world)
    world.strike("chat.update", status=429, headers={"Retry-After": wait})
    await ends(process)
    async with asyncio.timeout(60):
        while not (refused := [call for call in world.calls("chat.update") if not call["ok"]]):
            await asyncio.sleep(0.01)

    assert len(refused) == 1
    assert process.board._posting.updates.wait() <= 60


async def test_progress_waits_between_two_edits_and_an_end_does_not(world: World) -> None:
    process = await running(world, between_edits=300)
    await process.store.operations.change("op-one")
    process.board.changed(Subject("operation", "op-one"))
    await asyncio.sleep(0)
    await ends(process)
    await process.shown()

    assert world.texts() == ["Deploy edge01 to hamburg: cancelled"]


async def test_cards_that_wait_for_an_edit_do_not_all_take_the_next_one(world: World) -> None:
    process = await world.process()
    names = ["op-one", "op-two", "op-three", "op-four"]
    for name in names:
        await add(process.store, name)
    await process.look()
    budget = process.board._posting.updates
    while budget.wait() == 0:
        budget.take()
    for name in names:
        await ends(process, name)
    async with asyncio.timeout(60):
        while len(world.calls("chat.update")) < 2:
            await asyncio.sleep(0.01)

    assert budget.wait() <= 60 / UPDATES_PER_MINUTE


async def test_what_another_process_has_posted_meanwhile_waits_for_an_edit_like_any(world: World) -> None:
    first, second = await world.process(), await world.process()
    await add(first.store)
    posts, edits = second.board._posting.posts(Channel(PLACE.team, PLACE.channel)), second.board._posting.updates
    for budget in (posts, edits):
        while budget.wait() == 0:
            budget.take()
    await second.board.sweep(None)
    await first.look()
    await second.store.operations.move("op-one", ["planning"], "cancelled", event="ended")
    await second.shown()

    assert world.texts() == ["Deploy edge01 to hamburg: cancelled"]
    assert edits.wait() <= 60 / UPDATES_PER_MINUTE


async def test_a_database_that_does_not_answer_for_a_while_loses_nothing(world: World) -> None:
    process = await world.process()
    await add(process.store)
    async with process.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE messages RENAME TO elsewhere")
    process.board.changed(Subject("operation", "op-one"))
    async with asyncio.timeout(60):
        while not len(process.board._obstacles):
            await asyncio.sleep(0.01)
    async with process.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE elsewhere RENAME TO messages")
    await process.shown()

    assert len(world.texts()) == 1


async def test_a_channel_that_others_read_along_meanwhile_gets_nothing_until_they_leave(world: World) -> None:
    process = await running(world)
    world.overheard.add(PLACE.channel)
    await ends(process)
    await process.shown()
    before = (world.texts(), world.replies())
    world.overheard.clear()
    process.board.reachable(Channel(PLACE.team, PLACE.channel))
    await process.look()

    assert before == (["Deploy edge01 to hamburg: planning"], [])
    assert world.texts() == ["Deploy edge01 to hamburg: cancelled"]


async def test_more_lines_than_a_reply_takes_come_in_several(world: World) -> None:
    process = await running(world)
    for attempt in range(2, 32):
        decision = Decision(-attempt, "U0ALICE", f"{attempt:02} " + "alice" * 40, "retry", NOW)
        await process.store.operations.decide("op-one", decision)
        await process.store.operations.change("op-one", event="retried", key=f"retried:{attempt}")
    await process.look()

    lines = "\n".join(world.replies()).splitlines()
    assert (len(world.replies()), len(lines)) == (2, 30)
    assert all(line.endswith("alice") for line in lines)
