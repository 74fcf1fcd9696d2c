"""Buttons and menus in messages."""

import asyncio

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.tests.contract.slack.people import Json, People

APPROVE: Json = {
    "type": "button",
    "action_id": "approve",
    "text": {"type": "plain_text", "text": "Approve"},
    "value": "op1",
}
CONFIRM: Json = {
    "title": {"type": "plain_text", "text": "Sure?"},
    "text": {"type": "mrkdwn", "text": "It is production."},
    "confirm": {"type": "plain_text", "text": "Yes"},
    "deny": {"type": "plain_text", "text": "No"},
}
MENU: Json = {
    "type": "static_select",
    "action_id": "menu",
    "options": [{"text": {"type": "plain_text", "text": name}, "value": name} for name in ("one", "two")],
}


def actions(*elements: Json) -> list[Json]:
    return [{"type": "actions", "block_id": "row", "elements": list(elements)}]


async def test_a_click_reaches_the_app_with_who_and_where(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People, web: AsyncWebClient
) -> None:
    payloads: list[Json] = []

    @app.action("approve")
    async def approve(ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        payloads.append(body)
        await ack()
        await respond("approved", replace_original=True)

    posted = await web.chat_postMessage(channel="C0EDGE", text="Deploy?", blocks=actions(APPROVE))
    answer = await people.click("bob", channel="edge-ops", ts=posted["ts"], text="Approve")

    assert answer == {"ok": True}
    assert payloads[0]["user"]["id"] == "U0BOB"
    assert payloads[0]["container"] == {
        "type": "message",
        "message_ts": posted["ts"],
        "channel_id": "C0EDGE",
        "is_ephemeral": False,
    }
    assert payloads[0]["actions"][0]["value"] == "op1"
    assert payloads[0]["message"]["text"] == "Deploy?"


async def test_a_button_with_a_confirm_object_asks_first(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People, web: AsyncWebClient
) -> None:
    @app.action("approve")
    async def approve(ack: AsyncAck) -> None:
        await ack()

    blocks = actions({**APPROVE, "confirm": CONFIRM})
    ts = (await web.chat_postMessage(channel="C0EDGE", text="Deploy?", blocks=blocks))["ts"]

    assert (await people.click(channel="edge-ops", ts=ts, text="Approve"))["confirm"] == CONFIRM
    assert (await people.click(channel="edge-ops", ts=ts, text="Approve", confirm=False))["denied"] is True
    assert (await people.click(channel="edge-ops", ts=ts, text="Approve", confirm=True)) == {"ok": True}


async def test_a_choice_stands_in_the_action_and_in_the_state(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People, web: AsyncWebClient
) -> None:
    payloads: list[Json] = []

    @app.action("menu")
    async def menu(ack: AsyncAck, body: Json) -> None:
        payloads.append(body)
        await ack()

    ts = (await web.chat_postMessage(channel="C0EDGE", text="Which?", blocks=actions(MENU)))["ts"]
    await people.click(channel="edge-ops", ts=ts, action_id="menu", value="two")

    assert payloads[0]["actions"][0]["selected_option"]["value"] == "two"
    assert payloads[0]["state"]["values"]["row"]["menu"]["selected_option"]["value"] == "two"


async def test_people_of_another_workspace_can_click_in_a_shared_channel(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People, web: AsyncWebClient
) -> None:
    payloads: list[Json] = []

    @app.action("approve")
    async def approve(ack: AsyncAck, body: Json) -> None:
        payloads.append(body["user"])
        await ack()

    ts = (await web.chat_postMessage(channel="C0SHARED", text="Deploy?", blocks=actions(APPROVE)))["ts"]
    await people.click("eve", channel="shared-fabrikam", ts=ts, text="Approve")

    assert payloads[0]["team_id"] == "T0FABRIKAM"


async def test_a_button_that_is_not_there_is_told_with_those_that_are(people: People, web: AsyncWebClient) -> None:
    ts = (await web.chat_postMessage(channel="C0EDGE", text="Deploy?", blocks=actions(APPROVE)))["ts"]

    assert "[Approve]" in (await people.click(channel="edge-ops", ts=ts, text="Reject"))["error"]


async def test_a_button_on_an_ephemeral_message_can_replace_it(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People, web: AsyncWebClient
) -> None:
    @app.action("approve")
    async def approve(ack: AsyncAck, body: Json, respond: AsyncRespond) -> None:
        await respond(text="thanks", replace_original=body["container"]["is_ephemeral"])
        await ack()

    ts = (await web.chat_postEphemeral(channel="C0EDGE", user="U0ALICE", text="Deploy?", blocks=actions(APPROVE)))[
        "message_ts"
    ]
    await people.click(channel="edge-ops", ts=ts, text="Approve")

    assert await people.read() == ["Registry (only you): thanks"]
    assert await people.read(as_="bob") == []


async def test_a_click_on_an_ephemeral_message_names_it_and_does_not_carry_it(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People, web: AsyncWebClient
) -> None:
    bodies: list[Json] = []

    @app.action("approve")
    async def approve(ack: AsyncAck, body: Json) -> None:
        bodies.append(body)
        await ack()

    question = await web.chat_postEphemeral(channel="C0EDGE", user="U0ALICE", text="Deploy?", blocks=actions(APPROVE))
    await people.click(channel="edge-ops", ts=question["message_ts"], text="Approve")

    assert bodies[0]["container"]["message_ts"] == question["message_ts"]
    assert "message" not in bodies[0]


async def test_an_answer_may_spell_its_flags_as_words(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People, web: AsyncWebClient
) -> None:
    @app.action("approve")
    async def approve(ack: AsyncAck, body: Json) -> None:
        flags = {"delete_original": "false", "replace_original": "true"}
        async with people.session.post(body["response_url"], json={"text": "thanks", **flags}):
            await ack()

    ts = (await web.chat_postMessage(channel="C0EDGE", text="Deploy?", blocks=actions(APPROVE)))["ts"]
    await people.click(channel="edge-ops", ts=ts, text="Approve")

    assert await people.read() == ["Registry: thanks"]


async def test_a_button_can_be_hidden_from_all_but_some(people: People, web: AsyncWebClient) -> None:
    blocks = actions({**APPROVE, "visible_to_user_ids": ["U0BOB"]})
    await web.chat_postMessage(channel="C0EDGE", text="Deploy?", blocks=blocks)

    assert await people.read(as_="bob") == ["Registry: [Approve]"]
    assert await people.read() == ["Registry: "]


async def test_a_click_without_a_timestamp_waits_for_the_button(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People, web: AsyncWebClient
) -> None:
    @app.action("approve")
    async def approve(ack: AsyncAck) -> None:
        await ack()

    clicking = asyncio.create_task(people.click(channel="edge-ops", text="Approve"))
    await web.chat_postMessage(channel="C0EDGE", text="Deploy?", blocks=actions(APPROVE))

    assert await clicking == {"ok": True}
