"""The control API: what the page and other tests stand on."""

import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import SlackPart
from sandbox.tests.contract.slack.people import Json, People

RICH: Json = {
    "type": "rich_text",
    "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "scope map created"}]}],
}


async def feed(events: aiohttp.ClientResponse) -> AsyncIterator[Json]:
    """The events of a stream as they come."""
    async for line in events.content:
        if line.startswith(b"data: "):
            yield json.loads(line.removeprefix(b"data: "))


async def test_everybody_in_the_channel_is_told_of_a_message_and_its_edits(people: People, web: AsyncWebClient) -> None:
    async with people.session.get(f"{people.url}/events", params={"as": "bob"}) as events:
        stream = feed(events)
        ts = (await web.chat_postMessage(channel="C0EDGE", text="one"))["ts"]
        await web.chat_update(channel="C0EDGE", ts=ts, text="two")
        await web.chat_delete(channel="C0EDGE", ts=ts)
        received = [await anext(stream) for _ in range(3)]

    assert [event["type"] for event in received] == ["message", "message_changed", "message_deleted"]
    assert (received[0]["message"]["text"], received[1]["message"]["text"], received[2]["ts"]) == ("one", "two", ts)


async def test_an_ephemeral_message_is_told_to_one_person(people: People, web: AsyncWebClient) -> None:
    async with people.session.get(f"{people.url}/events", params={"as": "bob"}) as events:
        await web.chat_postEphemeral(channel="C0EDGE", user="U0ALICE", text="psst")
        await web.chat_postMessage(channel="C0EDGE", text="all")
        event = await anext(feed(events))

    assert event["message"]["text"] == "all"


async def test_a_failing_command_is_noticed_by_who_typed_it(people: People) -> None:
    async with people.session.get(f"{people.url}/events", params={"as": "alice"}) as events:
        await people.say("/registry ping")
        notices = [event async for event in _until(feed(events), "notice")]

    assert notices[-1] == {"type": "notice", "text": '/registry failed with the error "dispatch_failed"', "error": True}


async def _until(events: AsyncIterator[Json], kind: str) -> AsyncIterator[Json]:
    async for event in events:
        yield event
        if event["type"] == kind:
            return


async def test_state_shows_what_one_person_has_before_them(people: People, web: AsyncWebClient) -> None:
    await web.chat_postMessage(channel="C0EDGE", text="one")
    before = await people.get("state", **{"as": "alice"})
    await people.messages()
    after = await people.get("state", **{"as": "alice"})

    assert before["me"]["name"] == "alice"
    assert (before["channels"][0]["name"], before["channels"][0]["unread"]) == ("edge-ops", 1)
    assert after["channels"][0]["unread"] == 0
    assert before["connections"] == 0


@pytest.mark.parametrize(
    ("as_", "channels"),
    [
        ("alice", ["edge-ops", "general", "shared-fabrikam", "not-invited"]),
        ("greta", ["general"]),
        ("eve", ["shared-fabrikam"]),
    ],
)
async def test_guests_and_strangers_see_only_their_channels(people: People, as_: str, channels: list[str]) -> None:
    state = await people.get("state", **{"as": as_})

    assert [channel["name"] for channel in state["channels"]] == channels


async def test_reading_shows_blocks_as_lines_and_replies_indented(people: People, web: AsyncWebClient) -> None:
    plan = {
        "type": "plan",
        "title": "Deploy edge01",
        "tasks": [
            {"task_id": "1", "title": "Create the scope map", "status": "complete", "output": RICH},
            {"task_id": "2", "title": "Create the token", "status": "in_progress"},
        ],
    }
    button = {"type": "button", "action_id": "cancel", "text": {"type": "plain_text", "text": "Cancel"}}
    section = {
        "type": "section",
        "text": {"type": "mrkdwn", "text": "asked by <@U0ALICE> &amp; <!subteam^S0APPROVERS>"},
    }
    blocks: list[Json] = [section, plan, {"type": "actions", "elements": [button]}]
    ts = (await web.chat_postMessage(channel="C0EDGE", text="Deploy", blocks=blocks))["ts"]
    await web.chat_postMessage(channel="C0EDGE", text="<https://x.example|a link>", thread_ts=ts)

    assert await people.read() == [
        "Registry: asked by @alice & @edge-approvers",
        "  Deploy edge01",
        "  [x] Create the scope map",
        "      scope map created",
        "  [~] Create the token",
        "  [Cancel]",
        "    Registry: a link",
    ]


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("messages?channel=edge-ops", 400, 'Name the person who acts: "as": "alice".'),
        ("state?as=zoe", 404, "There is nobody called 'zoe'."),
        ("messages?as=alice&channel=nowhere", 404, "There is no channel 'nowhere'."),
        ("messages?as=greta&channel=edge-ops", 404, "greta can't see #edge-ops."),
    ],
)
async def test_a_wrong_question_is_answered_with_what_to_do(people: People, path: str, status: int, words: str) -> None:
    async with people.session.get(f"{people.url}/{path}") as answer:
        assert (answer.status, (await answer.json())["error"]) == (status, words)


async def test_joining_and_leaving_change_who_may_speak(people: People) -> None:
    await people.post("join", channel="not-invited", user="carol")
    joined = await people.say("hello", as_="carol", channel="not-invited")
    await people.post("leave", channel="not-invited", user="carol")
    refused = await people.say("hello", as_="carol", channel="not-invited")

    assert (joined["ok"], refused["error"]) == (True, "not_in_channel")


async def test_what_people_type_is_escaped_and_linked(people: People) -> None:
    await people.say("a < b & @bob in #general")

    assert (await people.messages())[0]["text"] == "a &lt; b &amp; <@U0BOB> in <#C0GENERAL|general>"
    assert await people.read() == ["alice: a < b & @bob in #general"]


async def test_the_page_is_served(part: SlackPart, session: aiohttp.ClientSession) -> None:
    async with session.get(f"{part.url}/") as answer:
        assert answer.content_type == "text/html"
    async with session.get(f"{part.url}/page/main.js") as answer:
        assert answer.content_type.endswith("/javascript")
    async with session.get(f"{part.url}/page/nothing.js") as answer:
        assert answer.status == 404
