"""The bot is stopped in the middle and started again on the same database: nothing is lost, nothing is doubled."""

import asyncio

import pytest
from inline_snapshot import snapshot

from tests.flows.conversation import Conversation


async def test_a_request_waits_on_for_its_approval(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.restart()
    await registry.click("Approve", as_="bob")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
       (the bot is started again)
bob    [Approve]
bot    Deploy edge01 to hamburg: online, approved by bob\
""")


@pytest.mark.everywhere
async def test_what_runs_goes_on_and_so_does_its_card(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("scope_map.put")
    await registry.restart()
    await registry.let_go()
    await registry.quiet()

    thread = await registry.thread()
    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
       (the bot is started again)
bot    Deploy edge01 to berlin: online\
""")
    assert len(thread) == len(set(thread)) == 12
    assert len(await registry.requests("POST .*/generateCredentials")) == 1


async def test_an_extension_that_is_being_installed_keeps_its_password(registry: Conversation) -> None:
    await registry.edge(link="down")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("extension.install")
    await registry.requested("PUT .*/extensions/edge01")
    await registry.restart()
    await registry.edge(link="up")
    await registry.quiet()

    assert (await registry.operation()).state == "succeeded"
    assert len(await registry.requests("POST .*/generateCredentials")) == 1


async def test_what_waits_for_its_turn_still_has_it(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("scope_map.put")
    await registry.say("deploy edge02 --site berlin", quiet=False)
    await registry.reached("queued", "edge02")
    await registry.restart()
    await registry.let_go()
    await registry.quiet()

    assert (await registry.operation("edge01")).state == "succeeded"
    assert (await registry.operation("edge02")).state == "blocked"


async def test_a_stop_that_was_asked_for_before_is_kept_afterwards(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("scope_map.put")
    await registry.click("Cancel", as_="carol", quiet=False)
    await registry.until(lambda: _is_stopping(registry))
    await registry.restart()
    await registry.let_go()
    await registry.quiet()

    assert (await registry.operation()).state == "cancelled"
    assert await registry.placeholders() == []


async def test_a_command_that_slack_delivers_again_begins_nothing_new(registry: Conversation) -> None:
    await asyncio.gather(
        registry.say("deploy edge01 --site hamburg", quiet=False),
        registry.say("deploy edge02 --site berlin --dry-run", quiet=False),
    )
    await registry.quiet()
    await registry.restart()
    await registry.quiet()

    assert len(await registry.cards()) == 2


async def _is_stopping(registry: Conversation) -> bool:
    return bool((await registry.operation()).cancelling)


async def test_what_was_written_just_before_the_end_of_a_process_is_asked_for_again_by_the_next(
    registry: Conversation,
) -> None:
    await registry.hold("POST .*/generateCredentials")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("extension.install")
    await registry.restart()
    await registry.fault("azure", "POST .*/generateCredentials", status=404, code="ResourceNotFound", times=1)
    await registry.let_go()
    await registry.quiet()

    assert (await registry.operation()).state == "succeeded"
