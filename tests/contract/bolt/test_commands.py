import pytest

from tests.contract.bolt.conftest import Bench
from tests.contract.bolt.workspace import Workspace


async def test_a_typed_command_answers_privately(slack: Workspace) -> None:
    assert (await slack.say("/registry show edge01"))["ok"]

    assert "Shown edge01" in await slack.read()
    assert "Shown edge01" not in await slack.read(as_="bob")


async def test_an_answer_for_the_channel_is_a_message_of_the_bot(slack: Workspace) -> None:
    await slack.say("/registry deploy edge01 —site berlin --repository hello-world")

    assert "Deploying edge01 at berlin with hello-world" in await slack.read(as_="dave")


async def test_a_typo_gets_the_line_ready_to_copy(slack: Workspace) -> None:
    await slack.say("/registry shwo edge01")

    assert "/registry show edge01" in await slack.read()


async def test_a_wrong_name_gets_the_nearest_one_that_exists(slack: Workspace) -> None:
    await slack.say("/registry show edeg01")

    assert "/registry show edge01" in await slack.read()


@pytest.mark.parametrize("said", ["show", "show edge01 now", "deploy edge01 --site"])
async def test_how_a_command_is_said_is_ready_to_copy(slack: Workspace, said: str) -> None:
    await slack.say(f"/registry {said}")

    assert "Usage: `/registry" in await slack.read()


async def test_who_lacks_the_permission_is_told_which_and_who_has_it(slack: Workspace, bench: Bench) -> None:
    await slack.say("/registry deploy edge01 --site berlin", as_="bob")

    read = await slack.read(as_="bob")
    assert "registry:write" in read
    assert "operator" in read
    assert bench.rows.rows[-1].outcome == "denied"


async def test_a_grant_for_development_does_not_reach_production(slack: Workspace) -> None:
    await slack.say("/registry deploy edge01 --site hamburg")

    assert "not at hamburg (production)" in (await slack.read()).replace("`", "")


async def test_a_guest_is_refused(slack: Workspace) -> None:
    await slack.say("/registry show edge01", as_="greta", channel="general")

    assert "Guests can't do this" in await slack.read(as_="greta", channel="general")


async def test_a_channel_that_strangers_read_is_refused(slack: Workspace) -> None:
    await slack.say("/registry show edge01", channel="shared-fabrikam")

    assert "other organisations" in await slack.read(channel="shared-fabrikam")


async def test_where_the_bot_is_not_invited_changes_are_refused_and_how_to_invite_is_told(slack: Workspace) -> None:
    await slack.say("/registry deploy edge01 --site berlin", channel="not-invited")

    assert "/invite" in await slack.read(channel="not-invited")


async def test_where_the_bot_is_not_invited_an_answer_for_all_comes_privately(slack: Workspace) -> None:
    await slack.say("/registry card", channel="not-invited")

    assert "A card" in await slack.read(channel="not-invited")


async def test_a_fault_names_a_reference_and_no_secret(slack: Workspace, bench: Bench) -> None:
    await slack.say("/registry broken")

    read = await slack.read()
    assert str(bench.rows.rows[-1].facts["reference"]) in read
    assert "hunter2" not in read


async def test_nothing_typed_shows_what_this_person_may_say(slack: Workspace) -> None:
    await slack.say("/registry", as_="bob")

    read = await slack.read(as_="bob")
    assert "/registry show NAME" in read
    assert "/registry deploy" not in read


async def test_whoami_says_by_which_rule(slack: Workspace) -> None:
    await slack.say("/registry whoami")

    read = await slack.read()
    assert "operator" in read
    assert "edge-ops" in read


async def test_who_runs_too_many_commands_has_to_wait_and_nobody_else(paced_bench: Bench) -> None:
    slack = paced_bench.workspace
    for person in ("alice", "alice", "alice", "bob"):
        await slack.say("/registry show edge01", as_=person)

    read = await slack.read()
    assert read.count("Shown edge01") == 2
    assert "That was not run: one person can run 2 commands a minute. Try again in" in read
    assert "Shown edge01" in await slack.read(as_="bob")
    assert [row.person for row in paced_bench.rows.rows] == ["U0ALICE", "U0ALICE", "U0BOB"]
