"""Modals and Home tabs, with Bolt on the other side."""

from typing import Any

import pytest
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.clock import Clock
from sandbox.tests.contract.slack.people import Json, People

pytestmark = pytest.mark.usefixtures("connected")


def words(text: str) -> Json:
    return {"type": "plain_text", "text": text}


def modal(*blocks: Json, **more: Any) -> Json:
    return {
        "type": "modal",
        "callback_id": "deploy",
        "title": words("Deploy"),
        "submit": words("Go"),
        "blocks": list(blocks),
        **more,
    }


NAME: Json = {
    "type": "input",
    "block_id": "name",
    "label": words("Name"),
    "element": {"type": "plain_text_input", "action_id": "it", "min_length": 3},
}
SITE: Json = {
    "type": "input",
    "block_id": "site",
    "label": words("Site"),
    "optional": True,
    "element": {"type": "external_select", "action_id": "site", "min_query_length": 0},
}


@pytest.fixture
def opened(app: AsyncApp) -> list[Json]:
    """Views that /registry opened, in order; the modal has a name and a site."""
    views: list[Json] = []

    @app.command("/registry")
    async def registry(ack: AsyncAck, command: Json, client: AsyncWebClient) -> None:
        view = modal(NAME, SITE, private_metadata="op1", notify_on_close=True)
        views.append((await client.views_open(trigger_id=command["trigger_id"], view=view))["view"])
        await ack()

    @app.options("site")
    async def site(ack: AsyncAck, payload: Json) -> None:
        matching = [name for name in ("berlin", "hamburg") if name.startswith(payload["value"])]
        await ack(options=[{"text": words(name.title()), "value": name} for name in matching])

    return views


async def test_a_modal_is_filled_in_and_submitted(app: AsyncApp, opened: list[Json], people: People) -> None:
    submitted: list[Json] = []

    @app.view("deploy")
    async def deploy(ack: AsyncAck, view: Json) -> None:
        submitted.append(view)
        await ack()

    await people.say("/registry deploy")
    answer = await people.post(
        "fill", **{"as": "alice", "values": {"Name": "edge01", "site": "berlin"}, "submit": True}
    )

    assert answer == {"ok": True}
    state = submitted[0]["state"]["values"]
    assert state["name"]["it"] == {"type": "plain_text_input", "value": "edge01"}
    assert state["site"]["site"]["selected_option"]["value"] == "berlin"
    assert submitted[0]["private_metadata"] == "op1"
    assert (await people.get("view", **{"as": "alice"})) == {"view": None, "stack": 0}


async def test_an_attached_file_reaches_the_app_which_reads_it_with_its_token(
    app: AsyncApp, people: People, web: AsyncWebClient
) -> None:
    files: list[Json] = []
    element = {"type": "file_input", "action_id": "it", "filetypes": ["yaml"], "max_files": 1}

    @app.command("/registry")
    async def registry(ack: AsyncAck, command: Json, client: AsyncWebClient) -> None:
        block = {"type": "input", "block_id": "file", "label": words("File"), "element": element}
        await client.views_open(trigger_id=command["trigger_id"], view=modal(block))
        await ack()

    @app.view("deploy")
    async def deploy(ack: AsyncAck, view: Json) -> None:
        files.extend(view["state"]["values"]["file"]["it"]["files"])
        await ack()

    await people.say("/registry deploy")
    attached = {"file": {"name": "app.yaml", "content": "kind: Deployment"}}
    answer = await people.post("fill", **{"as": "alice", "values": attached, "submit": True})

    [file] = files
    assert answer == {"ok": True}
    assert (file["name"], file["size"], file["mode"], file["user"]) == ("app.yaml", 16, "hosted", "U0ALICE")
    bearer = {"Authorization": f"Bearer {web.token}"}
    async with people.session.get(file["url_private_download"], headers=bearer) as content:
        assert await content.text() == "kind: Deployment"
    async with people.session.get(file["url_private_download"]) as login:
        assert login.content_type == "text/html"


async def test_a_conversation_menu_can_begin_with_where_the_modal_was_opened(app: AsyncApp, people: People) -> None:
    menu: Json = {"type": "conversations_select", "action_id": "it", "response_url_enabled": True}
    menu["default_to_current_conversation"] = True
    where = {"type": "input", "block_id": "where", "label": words("Where"), "element": menu}
    addresses: list[Json] = []

    @app.command("/registry")
    async def registry(ack: AsyncAck, command: Json, client: AsyncWebClient) -> None:
        await client.views_open(trigger_id=command["trigger_id"], view=modal(where))
        await ack()

    @app.view("deploy")
    async def deploy(ack: AsyncAck, body: Json) -> None:
        addresses.extend(body["response_urls"])
        await ack()

    await people.say("/registry")
    assert (await people.post("submit", **{"as": "alice"}))["ok"] is True
    assert [address["channel_id"] for address in addresses] == ["C0EDGE"]


async def test_slack_itself_checks_inputs_before_the_app_hears_of_them(opened: list[Json], people: People) -> None:
    await people.say("/registry deploy")

    empty = await people.post("fill", **{"as": "alice", "values": {}, "submit": True})
    short = await people.post("fill", **{"as": "alice", "values": {"name": "e"}, "submit": True})
    assert empty["errors"] == {"name": "Please complete this required field."}
    assert short["errors"] == {"name": "Please enter at least 3 characters."}


async def test_the_app_can_refuse_what_was_filled_in(app: AsyncApp, opened: list[Json], people: People) -> None:
    @app.view("deploy")
    async def deploy(ack: AsyncAck) -> None:
        await ack(response_action="errors", errors={"name": "It exists."})

    await people.say("/registry deploy")
    answer = await people.post("fill", **{"as": "alice", "values": {"name": "edge01"}, "submit": True})

    assert answer["errors"] == {"name": "It exists."}
    assert (await people.get("view", **{"as": "alice"}))["view"]["id"] == opened[0]["id"]


@pytest.mark.parametrize(("action", "stack"), [("update", 1), ("push", 2)])
async def test_the_app_can_answer_with_another_view(
    app: AsyncApp,
    opened: list[Json],
    people: People,
    action: str,
    stack: int,
) -> None:
    @app.view("deploy")
    async def deploy(ack: AsyncAck) -> None:
        await ack(response_action=action, view=modal({"type": "divider"}, title=words("Second")))

    await people.say("/registry deploy")
    await people.post("fill", **{"as": "alice", "values": {"name": "edge01"}, "submit": True})

    view = await people.get("view", **{"as": "alice"})
    assert (view["view"]["title"]["text"], view["stack"]) == ("Second", stack)


async def test_a_closed_modal_is_told_when_the_app_asked_for_it(
    app: AsyncApp, opened: list[Json], people: People
) -> None:
    closed: list[Json] = []

    @app.view_closed("deploy")
    async def on_close(ack: AsyncAck, body: Json) -> None:
        closed.append(body)
        await ack()

    await people.say("/registry deploy")
    await people.post("close", **{"as": "alice"})

    assert closed[0]["is_cleared"] is False
    assert closed[0]["view"]["id"] == opened[0]["id"]


async def test_options_come_from_the_app(opened: list[Json], people: People) -> None:
    await people.say("/registry deploy")
    offered = await people.post("options", **{"as": "alice", "view": True, "action_id": "site", "value": "ham"})

    assert [option["value"] for option in offered["options"]] == ["hamburg"]


async def test_a_stale_hash_is_a_conflict(opened: list[Json], people: People, web: AsyncWebClient) -> None:
    await people.say("/registry deploy")
    view = opened[0]
    await web.views_update(view_id=view["id"], hash=view["hash"], view=modal(NAME))

    with pytest.raises(SlackApiError, match="hash_conflict"):
        await web.views_update(view_id=view["id"], hash=view["hash"], view=modal(NAME))


async def test_what_was_typed_stays_when_the_view_is_updated(
    opened: list[Json], people: People, web: AsyncWebClient
) -> None:
    await people.say("/registry deploy")
    await people.post("fill", **{"as": "alice", "values": {"name": "edge01"}})
    updated = await web.views_update(view_id=opened[0]["id"], view=modal(NAME))

    assert updated["view"]["state"]["values"]["name"]["it"]["value"] == "edge01"


@pytest.fixture
def refused(app: AsyncApp, clock: Clock) -> list[str]:
    """Errors of views.open; `/registry 4 1` waits four seconds and opens one view."""
    errors: list[str] = []

    @app.command("/registry")
    async def registry(ack: AsyncAck, command: Json, client: AsyncWebClient) -> None:
        seconds, times = map(int, command["text"].split())
        clock.turn(seconds)
        try:
            for _ in range(times):
                await client.views_open(trigger_id=command["trigger_id"], view=modal(NAME))
        except SlackApiError as failure:
            errors.append(failure.response["error"])
        await ack()

    return errors


@pytest.mark.parametrize(("words_", "error"), [("4 1", "trigger_expired"), ("0 2", "trigger_exchanged")])
async def test_a_trigger_is_used_once_and_soon(refused: list[str], people: People, words_: str, error: str) -> None:
    await people.say(f"/registry {words_}")

    assert refused == [error]


async def test_a_broken_view_is_invalid_with_a_pointer(app: AsyncApp, people: People, web: AsyncWebClient) -> None:
    with pytest.raises(SlackApiError) as refused:
        await web.views_open(trigger_id="1.2.3", view=modal({"type": "table", "rows": [[]]}, title=words("x" * 25)))

    assert refused.value.response["error"] == "invalid_arguments"
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be less than 25 characters [json-pointer:/view/title/text]",
        "[ERROR] table is not allowed in a modal [json-pointer:/view/blocks/0/type]",
    ]


async def test_home_is_published_when_somebody_opens_it(app: AsyncApp, people: People) -> None:
    @app.event("app_home_opened")
    async def opened(event: Json, client: AsyncWebClient) -> None:
        blocks = [{"type": "header", "text": words("Fleet")}]
        await client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})

    home = await people.post("home", **{"as": "alice"})

    assert home["view"]["blocks"][0]["text"]["text"] == "Fleet"
    assert (await people.get("state", **{"as": "alice"}))["home_published"] is True
    assert (await people.get("read", **{"as": "alice", "home": "1"}))["lines"] == ["# Fleet"]


async def test_a_button_on_a_home_tab_reaches_the_app(app: AsyncApp, people: People, web: AsyncWebClient) -> None:
    payloads: list[Json] = []

    @app.action("refresh")
    async def refresh(ack: AsyncAck, body: Json) -> None:
        payloads.append(body)
        await ack()

    button = {"type": "button", "action_id": "refresh", "text": words("Refresh")}
    home = {"type": "home", "blocks": [{"type": "actions", "elements": [button]}]}
    view = (await web.views_publish(user_id="U0BOB", view=home))["view"]
    await people.click("bob", home=True, text="Refresh")

    assert payloads[0]["container"] == {"type": "view", "view_id": view["id"]}
    assert payloads[0]["view"]["type"] == "home"


async def test_three_modals_are_the_most(opened: list[Json], people: People, app: AsyncApp) -> None:
    @app.view("deploy")
    async def deploy(ack: AsyncAck, body: Json, client: AsyncWebClient) -> None:
        await client.views_push(trigger_id=body["trigger_id"], view=modal({"type": "divider"}))
        await ack(response_action="push", view=modal({"type": "divider"}))

    await people.say("/registry deploy")
    await people.post("fill", **{"as": "alice", "values": {"name": "edge01"}, "submit": True})
    again = await people.post("submit", **{"as": "alice"})

    assert (await people.get("view", **{"as": "alice"}))["stack"] == 3
    assert again["message"] == "We had some trouble connecting. Try again?"


async def test_an_external_id_finds_its_view_and_is_given_once(
    opened: list[Json], people: People, web: AsyncWebClient
) -> None:
    await web.views_publish(user_id="U0BOB", view={"type": "home", "external_id": "bobs", "blocks": []})
    updated = await web.views_update(external_id="bobs", view={"type": "home", "external_id": "bobs", "blocks": []})

    assert updated["view"]["external_id"] == "bobs"
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        await web.views_publish(user_id="U0ALICE", view={"type": "home", "external_id": "bobs", "blocks": []})
    with pytest.raises(SlackApiError, match="not_found"):
        await web.views_update(external_id="nobodys", view={"type": "home", "blocks": []})
