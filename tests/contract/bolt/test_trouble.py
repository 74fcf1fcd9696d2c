import asyncio

import pytest

from sandbox.faults import Fault
from tests.contract.bolt.conftest import Bench
from tests.contract.bolt.workspace import Workspace


async def test_a_rate_limit_is_sat_out(bench: Bench, slack: Workspace) -> None:
    bench.faults.add(Fault("slack", "chat.postMessage", status=429, headers={"Retry-After": "0"}))

    await slack.say("/registry card")

    assert "A card" in await slack.read(as_="dave")


async def test_an_answer_whose_reply_was_lost_is_not_posted_twice(bench: Bench, slack: Workspace) -> None:
    bench.faults.add(Fault("slack", "chat.postMessage", "lose_reply"))

    await slack.say("/registry card")

    assert (await slack.read(as_="dave")).count("A card") == 1


async def test_an_answer_whose_thread_is_gone_comes_directly(bench: Bench, slack: Workspace) -> None:
    bench.faults.add(Fault("slack", "chat.postEphemeral", status=200, code="thread_not_found"))
    direct = bench.part.workspace.direct("U0ALICE").id

    await slack.say("@registry show edge01")
    async with asyncio.timeout(60):
        while not await slack.messages(channel=direct):
            await asyncio.sleep(0.01)

    assert "Shown edge01" in await slack.read(channel=direct)


async def test_reading_is_asked_again_when_the_connection_breaks(bench: Bench, slack: Workspace) -> None:
    bench.faults.add(Fault("slack", "users.info", "drop"))

    await slack.say("/registry show edge01")

    assert "Shown edge01" in await slack.read()


async def test_a_slack_that_does_not_say_who_somebody_is_lets_nothing_happen(bench: Bench, slack: Workspace) -> None:
    bench.faults.add(Fault("slack", "users.info", status=500, code="internal_error", times=None))

    await slack.say("/registry deploy edge01 --site berlin")

    read = await slack.read()
    assert "Slack could not be reached" in read
    assert bench.rows.rows == []


async def test_unknown_groups_give_nobody_a_role_and_whoami_says_why(bench: Bench, slack: Workspace) -> None:
    bench.faults.add(Fault("slack", "usergroups.list", status=200, code="missing_scope", times=None))

    await slack.say("/registry deploy edge01 --site berlin")
    await slack.say("/registry whoami")

    read = await slack.read()
    assert "registry:write" in read
    assert "missing_scope" in read


async def test_a_refreshed_socket_is_followed(bench: Bench, slack: Workspace) -> None:
    await slack.do("sockets", do="refresh")

    await slack.say("/registry show edge01")

    assert "Shown edge01" in await slack.read()


async def test_a_socket_that_stays_open_and_falls_silent_is_replaced(alert_bench: Bench) -> None:
    slack, opened = alert_bench.workspace, alert_bench.part.workspace.calls
    before = [call["method"] for call in opened].count("apps.connections.open")
    await slack.do("sockets", do="silence")
    async with asyncio.timeout(60):
        while [call["method"] for call in opened].count("apps.connections.open") == before:
            await asyncio.sleep(0.01)
        while await alert_bench.bot.trouble():
            await asyncio.sleep(0.01)

    await slack.say("/registry show edge01")

    assert "Shown edge01" in await slack.read()


async def test_a_fault_of_ours_is_told_in_http_mode_as_well(http_bench: Bench) -> None:
    await http_bench.workspace.say("/registry broken")

    assert "the bot's fault" in await http_bench.workspace.read()


@pytest.mark.parametrize("word", ["trigger_expired", "expired_trigger_id", "trigger_exchanged", "exchanged_trigger_id"])
async def test_a_form_that_comes_too_late_is_asked_for_again(bench: Bench, slack: Workspace, word: str) -> None:
    bench.faults.add(Fault("slack", "views.open", status=200, code=word))

    await slack.say("/registry deploy")

    assert "Please try again" in await slack.read()


async def test_a_change_is_not_cut_off_by_the_deadline(hurried_bench: Bench) -> None:
    slack = hurried_bench.workspace
    await hurried_bench.part_say("/registry rebuild")
    await hurried_bench.part_say("/registry slow")
    async with asyncio.timeout(60):
        while "There was no answer" not in await slack.read():
            await asyncio.sleep(0.01)

    hurried_bench.gate.set()
    await hurried_bench.bot.idle()

    assert "Rebuilt" in await slack.read()
