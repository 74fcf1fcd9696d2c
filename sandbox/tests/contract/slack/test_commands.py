"""Slash commands over Socket Mode."""

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.slack import SlackPart
from sandbox.tests.contract.slack.people import Json, MakePart, People


async def test_a_command_is_answered_in_the_channel(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People
) -> None:
    payloads: list[Json] = []

    @app.command("/registry")
    async def registry(ack: AsyncAck, command: Json, client: AsyncWebClient) -> None:
        payloads.append(command)
        await client.chat_postMessage(channel=command["channel_id"], text=f"you said {command['text']}")
        await ack()

    answer = await people.say("/registry show edge01")

    assert answer["ok"] is True
    assert payloads[0]["channel_name"] == "edge-ops"
    assert payloads[0]["user_id"] == "U0ALICE"
    assert payloads[0]["is_enterprise_install"] == "false"
    assert await people.read() == ["alice: /registry show edge01", "Registry: you said show edge01"]
    assert await people.read(as_="bob") == ["Registry: you said show edge01"]


async def test_words_in_the_acknowledgement_are_for_one_person(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People
) -> None:
    @app.command("/registry")
    async def registry(ack: AsyncAck) -> None:
        await ack("only for you")

    await people.say("/registry ping")

    assert await people.read() == ["alice: /registry ping", "Registry (only you): only for you"]
    assert await people.read(as_="bob") == []


async def test_an_answer_in_the_channel_shows_the_command_too(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People
) -> None:
    @app.command("/registry")
    async def registry(ack: AsyncAck) -> None:
        await ack(text="for all", response_type="in_channel")

    await people.say("/registry ping")

    assert await people.read(as_="bob") == ["alice: /registry ping", "Registry: for all"]


async def test_an_app_that_does_not_acknowledge_times_out(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People
) -> None:
    answer = await people.say("/registry ping")

    assert answer["error"] == "operation_timeout"
    assert answer["message"] == '/registry failed with the error "operation_timeout"'


async def test_a_command_without_an_app_fails_at_once(people: People) -> None:
    assert (await people.say("/registry ping"))["error"] == "dispatch_failed"


async def test_a_command_in_a_thread_is_refused(people: People) -> None:
    root = await people.say("hello")

    assert (await people.say("/registry ping", thread_ts=root["ts"]))["error"] == "invalid_command"


async def test_people_of_another_workspace_have_no_commands(people: People) -> None:
    assert (await people.say("/registry ping", as_="eve", channel="shared-fabrikam"))["error"] == "invalid_command"


async def test_people_who_are_not_in_the_channel_can_not_speak_there(people: People) -> None:
    assert (await people.say("/registry ping", as_="carol", channel="not-invited"))["error"] == "not_in_channel"


async def test_a_manifest_limits_the_commands(make_part: MakePart, people: People) -> None:
    manifest = {"display_information": {"name": "Edge"}, "features": {"slash_commands": [{"command": "/edge"}]}}
    people.url = f"{(await make_part(manifest=manifest)).url}/sandbox/slack"

    assert (await people.say("/registry ping"))["error"] == "invalid_command"
    assert (await people.get("state", **{"as": "alice"}))["app"]["commands"][0]["command"] == "/edge"


async def test_a_response_url_works_five_times(
    app: AsyncApp, connected: AsyncSocketModeHandler, people: People, part: SlackPart
) -> None:
    statuses: list[int] = []

    @app.command("/registry")
    async def registry(ack: AsyncAck, respond: AsyncRespond) -> None:
        statuses.extend([(await respond(f"answer {number}")).status_code for number in range(6)])
        await ack()

    await people.say("/registry ping")

    assert statuses == [200, 200, 200, 200, 200, 404]
    assert (await people.read())[-1] == "Registry (only you): answer 4"
