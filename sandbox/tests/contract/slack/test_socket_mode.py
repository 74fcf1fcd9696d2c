"""Socket Mode itself: connections, envelopes, acknowledgements, retries."""

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.clock import Clock
from sandbox.slack import SlackPart, Timing
from sandbox.tests.contract.slack.people import MakePart, People

Socket = aiohttp.ClientWebSocketResponse


async def dial(part: SlackPart, session: aiohttp.ClientSession) -> Socket:
    """A bare connection whose hello is still to be read."""
    headers = {"Authorization": "Bearer xapp-sandbox-app-token"}
    async with session.post(f"{part.url}/api/apps.connections.open", headers=headers) as answer:
        return await session.ws_connect((await answer.json())["url"])


@pytest.fixture
async def socket(part: SlackPart, session: aiohttp.ClientSession) -> AsyncIterator[Socket]:
    socket = await dial(part, session)
    await socket.receive_json()
    yield socket
    await socket.close()


async def test_a_connection_begins_with_hello(part: SlackPart, session: aiohttp.ClientSession) -> None:
    sockets = [await dial(part, session) for _ in range(2)]
    hello = [await socket.receive_json() for socket in sockets][-1]

    assert (hello["type"], hello["num_connections"]) == ("hello", 2)
    assert hello["connection_info"] == {"app_id": "A0REGISTRY"}


async def test_an_address_takes_one_connection(part: SlackPart, session: aiohttp.ClientSession) -> None:
    headers = {"Authorization": "Bearer xapp-sandbox-app-token"}
    async with session.post(f"{part.url}/api/apps.connections.open", headers=headers) as answer:
        url = (await answer.json())["url"]
    await session.ws_connect(url)

    with pytest.raises(aiohttp.WSServerHandshakeError):
        await session.ws_connect(url)


async def test_there_are_ten_connections_at_most(part: SlackPart, session: aiohttp.ClientSession) -> None:
    sockets = [await dial(part, session) for _ in range(11)]

    assert (await sockets[-1].receive_json())["reason"] == "too_many_websockets"


async def test_each_envelope_goes_to_one_of_the_connections(
    part: SlackPart, session: aiohttp.ClientSession, people: People
) -> None:
    received: list[str] = []
    sockets = [await dial(part, session) for _ in range(3)]

    async def acknowledge(socket: Socket) -> None:
        async for frame in socket:
            if (envelope_id := json.loads(frame.data).get("envelope_id")) is not None:
                received.append(envelope_id)
                await socket.send_json({"envelope_id": envelope_id})

    readers = [asyncio.create_task(acknowledge(socket)) for socket in sockets]
    await sockets[0].ping()
    while (await people.get("state", **{"as": "alice"}))["connections"] < 3:
        pass
    answers = [await people.say("/registry ping") for _ in range(5)]
    for reader in readers:
        reader.cancel()

    assert [answer["ok"] for answer in answers] == [True] * 5
    assert len(set(received)) == len(received) == 5


async def test_an_acknowledgement_may_come_on_another_connection(
    part: SlackPart, session: aiohttp.ClientSession, socket: Socket, people: People
) -> None:
    saying = asyncio.create_task(people.say("/registry ping"))
    envelope = await socket.receive_json()
    await socket.close()
    second = await dial(part, session)
    await second.send_json({"envelope_id": envelope["envelope_id"], "payload": {"text": "pong"}})

    assert (await saying)["ok"] is True
    assert (await people.read())[-1] == "Registry (only you): pong"


async def test_an_envelope_says_whether_its_acknowledgement_may_answer(
    socket: Socket, people: People, web: AsyncWebClient
) -> None:
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    await web.chat_postMessage(channel="C0EDGE", text="x", blocks=[{"type": "actions", "elements": [button]}])
    command = asyncio.create_task(people.say("/registry ping"))
    envelopes = [await socket.receive_json()]
    click = asyncio.create_task(people.click(channel="edge-ops", text="Go"))
    envelopes.append(await socket.receive_json())
    for envelope in envelopes:
        await socket.send_json({"envelope_id": envelope["envelope_id"]})
    await asyncio.gather(command, click)

    assert [envelope["accepts_response_payload"] for envelope in envelopes] == [True, False]


async def test_the_time_that_an_acknowledgement_took_is_kept(socket: Socket, people: People) -> None:
    saying = asyncio.create_task(people.say("/registry ping"))
    await socket.send_json({"envelope_id": (await socket.receive_json())["envelope_id"]})
    await saying
    [record] = (await people.get("acknowledgements"))["acknowledgements"]

    assert (record["type"], record["seconds"] > 0) == ("slash_commands", True)


async def test_pings_are_answered(socket: Socket) -> None:
    await socket.ping(b"here")
    await socket.send_str("not an acknowledgement")

    assert socket.closed is False


async def test_a_refresh_warns_and_then_closes(
    make_part: MakePart, session: aiohttp.ClientSession, people: People
) -> None:
    part = await make_part(timing=Timing(refresh_warning=0))
    people.url = f"{part.url}/sandbox/slack"
    socket = await dial(part, session)
    await socket.receive_json()
    await people.post("sockets", do="refresh")

    frames = [await socket.receive_json(), await socket.receive_json()]
    assert [frame["reason"] for frame in frames] == ["warning", "refresh_requested"]
    assert (await socket.receive()).type is aiohttp.WSMsgType.CLOSE


async def test_a_disabled_link_is_told(socket: Socket, people: People) -> None:
    await people.post("sockets", do="link_disabled")

    assert (await socket.receive_json())["reason"] == "link_disabled"


async def test_bolt_comes_back_after_a_refresh(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People
) -> None:
    @app.command("/registry")
    async def registry(ack: AsyncAck) -> None:
        await ack("pong")

    async with people.session.get(f"{people.url}/events", params={"as": "alice"}) as events:
        await people.post("sockets", do="refresh")
        # The number of connections changes when the new one opens and when the old one closes.
        await _states(events, 2)

    assert (await people.say("/registry ping"))["ok"] is True


async def _states(events: aiohttp.ClientResponse, number: int) -> None:
    async for line in events.content:
        number -= b'"state"' in line
        if number == 0:
            return


async def test_an_event_is_sent_again_until_it_is_acknowledged(
    part: SlackPart, socket: Socket, people: People, clock: Clock
) -> None:
    clock.stop()
    await people.say("hello")
    first = await socket.receive_json()
    second = await socket.receive_json()
    await socket.send_json({"envelope_id": second["envelope_id"]})

    assert first["payload"]["event"]["text"] == "hello"
    assert (first["retry_attempt"], second["retry_attempt"]) == (0, 1)
    assert second["retry_reason"] == "timeout"
    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert first["accepts_response_payload"] is False


async def test_an_event_lost_with_its_connection_is_sent_on_the_next(
    part: SlackPart, session: aiohttp.ClientSession, socket: Socket, people: People
) -> None:
    await people.say("hello")
    first = await socket.receive_json()
    next_socket = await dial(part, session)
    await next_socket.receive_json()
    await socket.close()
    second = await next_socket.receive_json()

    assert first["payload"]["event_id"] == second["payload"]["event_id"]
    assert (second["retry_attempt"], second["retry_reason"]) == (1, "connection_failed")


async def test_a_mention_is_its_own_event(socket: Socket, people: People) -> None:
    await people.say("hey @Registry, all well?")
    types = set()
    for _ in range(2):
        envelope = await socket.receive_json()
        await socket.send_json({"envelope_id": envelope["envelope_id"]})
        types.add(envelope["payload"]["event"]["type"])

    assert types == {"message", "app_mention"}


async def test_cut_connections_leave_commands_failing_at_once(socket: Socket, people: People) -> None:
    await people.post("sockets", do="cut")
    await socket.receive()

    assert (await people.say("/registry ping"))["error"] == "dispatch_failed"


async def test_own_messages_and_edits_come_to_apps_that_subscribed(
    make_part: MakePart, session: aiohttp.ClientSession
) -> None:
    manifest = {
        "display_information": {"name": "Registry"},
        "settings": {"socket_mode_enabled": True, "event_subscriptions": {"bot_events": ["message.channels"]}},
    }
    part = await make_part(manifest=manifest)
    socket = await dial(part, session)
    await socket.receive_json()
    web = AsyncWebClient(token="xoxb-sandbox-bot-token", base_url=f"{part.url}/api/")
    ts = (await web.chat_postMessage(channel="C0EDGE", text="one"))["ts"]
    await web.chat_update(channel="C0EDGE", ts=ts, text="two")
    events = [(await socket.receive_json())["payload"]["event"] for _ in range(2)]

    assert events[0]["bot_id"] == "B0REGISTRY"
    assert (events[1]["subtype"], events[1]["message"]["text"]) == ("message_changed", "two")
