"""What administrators do while an app runs: to channels, to its token, and to its connections."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import SlackPart
from sandbox.tests.contract.slack.people import Json, People

EVENTS = (
    "channel_archive",
    "channel_left",
    "channel_rename",
    "channel_shared",
    "member_joined_channel",
    "tokens_revoked",
    "app_uninstalled",
    "message",
    "app_mention",
)


@pytest.fixture
async def received(part: SlackPart, app: AsyncApp, people: People) -> AsyncIterator["asyncio.Queue[Json]"]:
    """The events that a Bolt app gets which subscribed to all of them."""
    queue: asyncio.Queue[Json] = asyncio.Queue()
    subscribed = [*(name for name in EVENTS if name != "message"), "message.im", "message.channels"]
    settings = {"socket_mode_enabled": True, "event_subscriptions": {"bot_events": subscribed}}
    await people.post("manifest", manifest={"display_information": {"name": "Registry"}, "settings": settings})

    async def take(event: Json) -> None:
        await queue.put(event)

    for name in EVENTS:
        app.event(name)(take)
    handler = AsyncSocketModeHandler(app, part.environment()["SLACK_APP_TOKEN"])
    await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt annotates no return here
    yield queue
    await handler.close_async()  # type: ignore[no-untyped-call]


async def refusal(call: Any) -> str:
    with pytest.raises(SlackApiError) as refused:
        await call
    return str(refused.value.response["error"])


async def test_an_archived_channel_takes_no_messages_until_it_is_back(people: People, web: AsyncWebClient) -> None:
    await people.post("channel", channel="edge-ops", archived=True)

    assert await refusal(web.chat_postMessage(channel="C0EDGE", text="hello")) == "is_archived"
    assert (await people.say("hello"))["error"] == "is_archived"
    assert (await web.conversations_info(channel="C0EDGE"))["channel"]["is_archived"] is True
    await people.post("channel", channel="edge-ops", archived=False)
    assert (await web.chat_postMessage(channel="C0EDGE", text="hello"))["ok"]


async def test_a_channel_that_became_private_is_not_found_by_an_app_outside(
    people: People, web: AsyncWebClient
) -> None:
    await people.post("channel", channel="not-invited", private=True)

    assert await refusal(web.conversations_info(channel="C0QUIET")) == "channel_not_found"


async def test_a_renamed_and_shared_channel_keeps_its_id(people: People, web: AsyncWebClient) -> None:
    await people.post("channel", channel="edge-ops", name="edge-operations", shared=True)
    channel = (await web.conversations_info(channel="C0EDGE"))["channel"]

    assert (channel["name"], channel["is_ext_shared"]) == ("edge-operations", True)


async def test_changes_of_a_channel_are_events(received: "asyncio.Queue[Json]", people: People) -> None:
    await people.post("channel", channel="edge-ops", name="operations")
    await people.post("channel", channel="operations", archived=True)
    await people.post("leave", channel="operations", user="registry")
    events = [await received.get() for _ in range(3)]

    assert sorted(event["type"] for event in events) == ["channel_archive", "channel_left", "channel_rename"]


async def test_the_app_hears_who_joins_who_writes_to_it_and_who_mentions_it(
    received: "asyncio.Queue[Json]", people: People
) -> None:
    direct = (await people.post("direct", **{"as": "alice", "with": "registry"}))["channel"]
    await people.post("join", channel="edge-ops", user="greta")
    joined = await received.get()
    await people.say("hello", channel=direct)
    message = await received.get()
    await people.say("@registry hello")
    events = [await received.get() for _ in range(2)]

    assert (joined["type"], joined["user"]) == ("member_joined_channel", "U0GRETA")
    assert (message["type"], message["channel_type"]) == ("message", "im")
    assert sorted(event["type"] for event in events) == ["app_mention", "message"]


async def test_a_revoked_token_is_refused_everywhere_and_may_be_restored(
    received: "asyncio.Queue[Json]", people: People, web: AsyncWebClient
) -> None:
    await people.post("token", do="revoke")

    assert await refusal(web.auth_test()) == "token_revoked"
    assert await refusal(web.chat_postMessage(channel="C0EDGE", text="hello")) == "token_revoked"
    await people.post("token", do="restore")
    assert (await web.auth_test())["ok"]


async def test_a_rotated_token_replaces_the_old_one(people: People, part: SlackPart, web: AsyncWebClient) -> None:
    token = (await people.post("token", do="rotate"))["bot_token"]
    renewed = AsyncWebClient(token=token, base_url=part.environment()["SLACK_API_URL"])

    assert await refusal(web.auth_test()) == "token_revoked"
    assert (await renewed.auth_test())["ok"]


async def test_an_uninstalled_app_is_inactive(people: People, web: AsyncWebClient) -> None:
    await people.post("token", do="uninstall")

    assert await refusal(web.auth_test()) == "account_inactive"


async def test_two_people_talk_where_the_app_is_not(people: People, web: AsyncWebClient) -> None:
    direct = (await people.post("direct", **{"as": "alice", "with": "bob"}))["channel"]
    await people.say("psst", channel=direct)

    assert await people.read("bob", direct) == ["alice: psst"]
    assert await refusal(web.chat_postMessage(channel=direct, text="hello")) == "channel_not_found"


async def test_a_silent_connection_stays_open_and_never_answers(
    part: SlackPart, session: aiohttp.ClientSession, people: People
) -> None:
    headers = {"Authorization": f"Bearer {part.environment()['SLACK_APP_TOKEN']}"}
    async with session.post(f"{part.url}/api/apps.connections.open", headers=headers) as answer:
        socket = await session.ws_connect((await answer.json())["url"], autoping=False)
    await socket.receive_json()
    await socket.ping()
    pong = await socket.receive()
    await people.post("sockets", do="silence")
    await socket.ping()
    command = await people.say("/registry ping")

    assert (pong.type, command["error"]) == (aiohttp.WSMsgType.PONG, "operation_timeout")
    with pytest.raises(TimeoutError):
        await socket.receive(timeout=0.1)
    assert not socket.closed
