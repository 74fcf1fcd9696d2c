"""Forms: what was typed before they opened goes with them."""

from pathlib import Path

import pytest

from tests.flows.conversation import POLICY, Conversation, conversation, site


@pytest.mark.everywhere
async def test_what_was_typed_goes_into_the_form_and_from_it_into_the_plan(registry: Conversation) -> None:
    await registry.say(
        'deploy --site berlin --mode ReadWrite --schedule "0 3 * * *" --window 3h --service-ip 10.96.0.9 --dry-run'
    )
    await registry.fill(name="edge01")
    card = await registry.card()

    assert "ReadWrite, schedule 0 3 * * *, window 3 h" in card
    assert "10.96.0.9" in card


async def test_a_known_repository_goes_before_the_letters_that_were_typed(registry: Conversation) -> None:
    await registry.say("deploy --site berlin")
    asked = {"as": "alice", "view": True, "block_id": "repository", "action_id": "suggest", "value": "hello"}
    offered = await registry.post("options", **asked)

    assert [option["value"] for option in offered["options"]] == ["hello-world", "hello"]


async def test_repositories_of_sites_that_somebody_may_not_see_are_not_suggested(tmp_path: Path) -> None:
    policy = POLICY | {"grants": [{"name": "berlin only", "roles": ["operator"], "to": ["alice"], "sites": ["berlin"]}]}
    secret = site("hamburg", images={"secret-app": "mcr.microsoft.com/secret-app:1"})
    async with conversation(tmp_path, policy=policy, berlin=site("berlin"), hamburg=secret) as talk:
        await talk.say("deploy edge01")
        asked = {"as": "alice", "view": True, "block_id": "repository", "action_id": "suggest", "value": ""}
        offered = await talk.post("options", **asked)
        form = str(await talk.form())

    assert [option["value"] for option in offered["options"]] == ["hello-world"]
    assert "berlin" in form


async def test_no_form_opens_for_a_command_that_lacks_what_the_form_does_not_ask(registry: Conversation) -> None:
    await registry.say("operation reject", as_="bob")

    assert await registry.answer("bob") == (
        "Registry (only you): The id is missing. Usage: `/registry operation reject ID --reason REASON`"
    )


async def test_a_reason_may_begin_with_a_dash(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Reject…", as_="bob")
    await registry.fill(as_="bob", reason="- not before Monday")

    assert "- not before Monday" in await registry.card()


async def test_help_is_about_the_command_whatever_stands_behind_it(registry: Conversation) -> None:
    await registry.say("check berlin --help")

    assert (await registry.answer()).startswith("Registry (only you): */registry check SITE [--name NAME]*")


async def test_a_noun_alone_is_a_question_for_its_commands(registry: Conversation) -> None:
    await registry.say("operation")
    answer = await registry.answer()

    assert "`/registry operation retry ID`" in answer
    assert "`/registry deploy" not in answer
