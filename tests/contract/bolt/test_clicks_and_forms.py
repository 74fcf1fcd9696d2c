from bot.manifest import manifest
from handlers import COMMANDS
from tests.contract.bolt.conftest import Bench
from tests.contract.bolt.workspace import Workspace


async def test_a_button_is_a_command_that_somebody_else_typed(slack: Workspace) -> None:
    await slack.say("/registry card")

    await slack.click("Deploy", as_="bob")

    assert "registry:write" in await slack.read(as_="bob")


async def test_a_click_can_replace_the_message(slack: Workspace) -> None:
    await slack.say("/registry card")

    await slack.click("Take", as_="bob")

    assert "Taken by bob" in await slack.read(as_="dave")
    assert "A card" not in await slack.read(as_="dave")


async def test_a_stranger_in_a_shared_channel_is_refused(bench: Bench, slack: Workspace) -> None:
    button = {"type": "button", "action_id": "run:0", "text": {"type": "plain_text", "text": "Show"}}
    row = {"type": "actions", "elements": [button | {"value": "show edge01"}]}
    await bench.client.chat_postMessage(channel="C0SHARED", text="Shared", blocks=[row])

    await slack.click("Show", as_="eve", channel="shared-fabrikam")

    assert "members of its own workspace" in await slack.read(as_="eve", channel="shared-fabrikam")


async def test_a_half_typed_command_opens_its_form_with_what_was_typed(slack: Workspace) -> None:
    await slack.say("/registry deploy edge01 --repository team/app")

    blocks = (await slack.view())["view"]["blocks"]
    assert blocks[1]["element"]["initial_value"] == "edge01"
    assert blocks[3]["element"]["initial_options"][0]["value"] == "team/app"


async def test_a_form_that_slack_can_not_fill_in_asks_for_the_whole_line(slack: Workspace) -> None:
    await slack.say("/registry deploy edge01" + "".join(f" --repository app{number}" for number in range(101)))

    assert "Type the command with all its options" in await slack.read()


async def test_a_submitted_form_runs_the_command(slack: Workspace) -> None:
    await slack.say("/registry deploy")

    assert (await slack.fill({"name": "edge09", "site": "berlin"}))["ok"]

    assert "Deploying edge09 at berlin" in await slack.read(as_="dave")


async def test_a_wrong_value_is_told_beside_its_field_and_can_be_mended(slack: Workspace) -> None:
    await slack.say("/registry deploy")

    wrong = await slack.fill({"name": "edge 09", "site": "berlin"})
    mended = await slack.fill({"name": "edge09", "site": "berlin"})

    assert "can't be the name of a connected registry" in wrong["errors"]["name"]
    assert mended["ok"]


async def test_sites_are_offered_where_this_person_may(slack: Workspace) -> None:
    await slack.say("/registry deploy")

    assert await slack.options("suggest", "site", "") == ["berlin"]


async def test_choices_follow_what_is_typed(slack: Workspace) -> None:
    await slack.say("/registry deploy")

    assert await slack.options("suggest", "repository", "app") == ["team/app"]


async def test_a_click_that_finds_too_much_going_on_is_told_so(narrow_bench: Bench) -> None:
    slack = narrow_bench.workspace
    await slack.say("/registry card")
    card = (await slack.messages())[-1]
    await narrow_bench.part_say("/registry slow")

    await narrow_bench.part_do("click", text="Take", ts=card["ts"], channel="edge-ops")
    narrow_bench.gate.set()
    await narrow_bench.bot.idle()

    assert "Please try again in a moment" in await slack.read()
    assert "Taken" not in await slack.read()


async def test_a_form_that_finds_too_much_going_on_stays_as_it_was_filled_in(narrow_bench: Bench) -> None:
    slack = narrow_bench.workspace
    await slack.say("/registry deploy")
    await narrow_bench.part_say("/registry slow")
    values = {"name": "edge09", "site": "berlin"}

    refused = await narrow_bench.part_do("fill", values=values, submit=True)
    narrow_bench.gate.set()
    await narrow_bench.bot.idle()

    assert "Please try again in a moment" in refused["errors"]["name"]
    assert (await slack.fill(values))["ok"]


async def test_without_the_scope_for_files_the_form_takes_a_pasted_manifest_alone() -> None:
    bench, limited = Bench(), manifest(COMMANDS)
    limited["oauth_config"]["scopes"]["bot"].remove("files:read")
    async with bench.stack:
        await bench.open(manifest=limited)
        await bench.workspace.say("/registry workload deploy edge01 --site berlin")
        form = (await bench.workspace.view())["view"]

    fields = [block["block_id"] for block in form["blocks"]]
    assert ("manifest" in fields, "attachment" in fields) == (True, False)
