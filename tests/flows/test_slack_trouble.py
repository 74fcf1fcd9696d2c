"""A Slack that throttles, loses replies, refuses or deletes: the last state always arrives, and nothing stands there twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.flows.conversation import Conversation, conversation


@pytest.fixture
async def plain(tmp_path: Path) -> AsyncIterator[Conversation]:
    """A workspace that refuses plan blocks."""
    async with conversation(tmp_path, plan_blocks=False) as talk:
        yield talk


async def test_a_throttled_edit_waits_as_long_as_slack_says_and_then_shows_the_end(registry: Conversation) -> None:
    await registry.fault("slack", "chat.update", status=429, headers={"Retry-After": "2"})
    await registry.say("deploy edge01 --site berlin")

    first, second, *_ = await registry.called_at("chat.update")
    assert (second - first).total_seconds() >= 2
    assert "bot    Deploy edge01 to berlin: online" in await registry.transcript()


@pytest.mark.parametrize("action", ["drop", "lose_reply", "fail"])
async def test_a_card_whose_post_had_no_reply_stands_there_once(registry: Conversation, action: str) -> None:
    await registry.fault("slack", "chat.postMessage", action)
    await registry.say("deploy edge01 --site berlin")

    assert len(await registry.cards()) == 1
    assert "bot    Deploy edge01 to berlin: online" in await registry.transcript()


async def test_a_line_of_the_thread_whose_reply_was_lost_stands_there_once(registry: Conversation) -> None:
    await registry.fault("slack", "chat.postMessage", "lose_reply", skip=1)
    await registry.say("deploy edge01 --site berlin")

    lines = await registry.thread()
    assert len(lines) == len(set(lines)) == 12


async def test_a_workspace_that_refuses_plan_blocks_gets_lines_and_is_not_asked_again(plain: Conversation) -> None:
    await plain.say("deploy edge01 --site hamburg")
    refused = [call for call in await plain.calls("") if call["error"] == "invalid_blocks"]
    await plain.say("deploy edge02 --site hamburg")

    assert "Create: Extension edge02" in await plain.card_of("hamburg")
    assert len(refused) == 1
    assert [call for call in await plain.calls("") if call["error"] == "invalid_blocks"] == refused


async def test_a_card_that_somebody_deleted_comes_back_with_its_buttons(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.delete_card()
    await registry.say(f"operation approve {(await registry.operation()).id}", as_="bob")

    assert "online, approved by bob" in await registry.answer()
    assert len(await registry.cards()) == 1


async def test_slack_gone_for_a_while_does_not_hold_up_the_work(registry: Conversation) -> None:
    await registry.fault("slack", "chat\\.", "drop", times=3)
    await registry.say("deploy edge01 --site berlin")

    assert "bot    Deploy edge01 to berlin: online" in await registry.transcript()


async def test_many_cards_at_once_stay_within_slacks_budget(registry: Conversation) -> None:
    for number in range(12):
        await registry.say(f"deploy edge{number:02} --site hamburg", quiet=False)
    await registry.quiet()

    assert [call["error"] for call in await registry.calls("chat.update") if not call["ok"]] == []
    assert [card["text"].partition(": ")[2] for card in await registry.cards()] == ["waiting for approval"] * 12
