"""HTTP delivery: what Slack posts, signed, to an app's addresses."""

import json
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

import pytest
from aiohttp import ClientSession, web
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.signature import SignatureVerifier
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.clock import Clock
from sandbox.slack import SlackPart
from sandbox.tests.contract.slack.people import Json, MakePart, People


class Receiver:
    """An address that keeps the requests it gets and answers with what it is told to."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], str]] = []
        self.answers: list[web.Response] = []
        self.url = ""

    async def take(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.text()))
        return self.answers.pop(0) if self.answers else web.Response()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    server = web.Application()
    server.add_routes([web.post("/slack/events", receiver.take)])
    runner = web.AppRunner(server)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    receiver.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    yield receiver
    await runner.cleanup()


@pytest.fixture
async def part(make_part: MakePart, receiver: Receiver) -> SlackPart:
    return await make_part(request_url=receiver.url)


async def test_a_command_is_a_signed_form(receiver: Receiver, people: People) -> None:
    receiver.answers.append(web.json_response({"text": "pong"}))
    await people.say("/registry ping it")

    headers, body = receiver.requests[0]
    assert SignatureVerifier("sandbox-signing-secret").is_valid_request(body, headers)
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert parse_qs(body)["text"] == ["ping it"]
    assert (await people.read())[-1] == "Registry (only you): pong"


async def test_plain_words_answer_a_command_too(receiver: Receiver, people: People) -> None:
    receiver.answers.append(web.Response(text="pong"))
    await people.say("/registry ping")

    assert (await people.read())[-1] == "Registry (only you): pong"


async def test_an_error_status_fails_the_command(receiver: Receiver, people: People) -> None:
    receiver.answers.append(web.Response(status=404))

    assert (await people.say("/registry ping"))["error"] == "dispatch_failed"


async def test_a_click_is_a_form_with_a_payload(receiver: Receiver, people: People, web: AsyncWebClient) -> None:
    button = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}}
    ts = (await web.chat_postMessage(channel="C0EDGE", text="?", blocks=[{"type": "actions", "elements": [button]}]))[
        "ts"
    ]
    await people.click(channel="edge-ops", ts=ts, text="Go")

    payload: Json = json.loads(parse_qs(receiver.requests[0][1])["payload"][0])
    assert payload["type"] == "block_actions"


async def test_an_event_is_json_and_is_retried_with_headers(receiver: Receiver, people: People, clock: Clock) -> None:
    receiver.answers += [web.Response(status=500), web.Response(status=500)]
    async with people.session.get(f"{people.url}/events", params={"as": "alice"}) as events:
        await people.say("hello")
        await events.content.readline()
    while len(receiver.requests) < 2:
        await people.get("state", **{"as": "alice"})
    clock.turn(61)
    while len(receiver.requests) < 3:
        await people.get("state", **{"as": "alice"})

    retries = [headers.get("X-Slack-Retry-Num") for headers, _ in receiver.requests]
    assert retries == [None, "1", "2"]
    assert receiver.requests[1][0]["X-Slack-Retry-Reason"] == "http_error"
    assert len({json.loads(body)["event_id"] for _, body in receiver.requests}) == 1


async def test_an_app_may_ask_for_no_retry(receiver: Receiver, people: People, clock: Clock) -> None:
    receiver.answers.append(web.Response(status=500, headers={"X-Slack-No-Retry": "1"}))
    await people.say("hello")
    await people.say("again")
    while len(receiver.requests) < 2:
        await people.get("state", **{"as": "alice"})

    assert [headers.get("X-Slack-Retry-Num") for headers, _ in receiver.requests] == [None, None]


async def test_an_address_is_verified_by_its_challenge(receiver: Receiver, people: People) -> None:
    assert (await people.post("verify")) == {"ok": False}


async def test_bolt_over_http_answers_commands_and_the_challenge(make_part: MakePart, session: ClientSession) -> None:
    part = await make_part()
    env = part.environment()
    client = AsyncWebClient(token=env["SLACK_BOT_TOKEN"], base_url=env["SLACK_API_URL"])
    app = AsyncApp(client=client, signing_secret=env["SLACK_SIGNING_SECRET"])

    @app.command("/registry")
    async def registry(ack: AsyncAck) -> None:
        await ack("pong")

    runner = web.AppRunner(app.web_app())
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    people = People(part.url, session)
    await people.post("manifest", request_url=f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events")
    verified, answer = await people.post("verify"), await people.say("/registry ping")
    await runner.cleanup()

    assert verified == {"ok": True}
    assert answer["ok"] is True
    assert (await people.read())[-1] == "Registry (only you): pong"
