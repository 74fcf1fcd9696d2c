import asyncio
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.request.async_request import AsyncBoltRequest
from structlog.testing import capture_logs

from bot.manifest import manifest
from bot.slack.replies import Where
from handlers import COMMANDS
from handlers.kit import Message
from tests.contract.bolt.conftest import Bench
from tests.contract.bolt.workspace import Workspace

SLASH: dict[str, Any] = {
    "team_id": "T0CONTOSO",
    "channel_id": "C0EDGE",
    "user_id": "U0ALICE",
    "api_app_id": "A0REGISTRY",
    "command": "/registry",
    "text": "show edge01",
    "trigger_id": "1.2.3",
}


async def deliver(bench: Bench, **changed: str) -> int:
    request = AsyncBoltRequest(mode="socket_mode", body=SLASH | changed)
    answer = await bench.bot.app.async_dispatch(request)
    await bench.bot.idle()
    return int(answer.status)


async def test_a_delivery_that_comes_twice_is_run_once(bench: Bench) -> None:
    await deliver(bench)
    await deliver(bench)

    assert len(bench.rows.rows) == 1


async def test_another_workspace_s_command_is_not_run(bench: Bench) -> None:
    assert await deliver(bench, team_id="T0FABRIKAM") == 200

    assert bench.rows.rows == []


async def test_another_app_s_command_is_not_run(bench: Bench) -> None:
    await deliver(bench, api_app_id="A0OTHER")

    assert bench.rows.rows == []


async def test_a_command_is_acknowledged_before_it_is_done(bench: Bench) -> None:
    asked = asyncio.create_task(bench.part_say("/registry slow"))
    acknowledged = await asked

    assert acknowledged["ok"]
    assert bench.bot.busy == 1
    bench.gate.set()


async def test_shutdown_waits_for_what_is_under_way(bench: Bench, slack: Workspace) -> None:
    await bench.part_say("/registry slow")

    stopping = asyncio.create_task(bench.bot.stop())
    bench.gate.set()
    await stopping

    assert "At last" in await slack.read()


async def test_the_bot_knows_whether_slack_can_reach_it(bench: Bench) -> None:
    before = await bench.bot.trouble()
    await bench.bot.stop()

    assert (before, await bench.bot.trouble()) == ("", "not listening")


async def test_http_mode_runs_what_slack_signed(http_bench: Bench) -> None:
    await http_bench.workspace.say("/registry show edge01")

    assert "Shown edge01" in await http_bench.workspace.read()


async def test_http_mode_refuses_what_nobody_signed(http_bench: Bench) -> None:
    headers = {"X-Slack-Request-Timestamp": "1700000000", "X-Slack-Signature": "v0=00"}
    async with (
        aiohttp.ClientSession() as session,
        session.post(http_bench.listens, data=SLASH, headers=headers) as answer,
    ):
        assert answer.status == 401

    assert http_bench.rows.rows == []


@pytest.mark.parametrize("body", [b"payload=%7Bbad", b"{", b"[]", b"\xff\xfe", b""])
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "application/json"])
async def test_http_mode_does_not_read_what_nobody_signed(http_bench: Bench, body: bytes, kind: str) -> None:
    headers = {"X-Slack-Request-Timestamp": "1700000000", "X-Slack-Signature": "v0=00", "Content-Type": kind}
    async with (
        aiohttp.ClientSession() as session,
        session.post(http_bench.listens, data=body, headers=headers) as answer,
    ):
        assert answer.status == 401


async def test_http_mode_runs_forms_with_errors_beside_their_fields(http_bench: Bench) -> None:
    await http_bench.workspace.say("/registry deploy")

    wrong = await http_bench.workspace.fill({"name": "edge 09", "site": "berlin"})

    assert "name" in wrong["errors"]


async def test_a_private_answer_goes_through_the_proxy_of_the_environment(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    async def proxy(request: web.Request) -> web.Response:
        asked.append(f"{request.host}{request.path}")
        return web.Response(text="ok")

    listening = web.Application()
    listening.router.add_post("/{path:.*}", proxy)
    async with TestServer(listening) as server:
        monkeypatch.setenv("http_proxy", str(server.make_url("/")))
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        url = "http://hooks.slack.test/commands/1"
        await bench.bot.replies.send(Message("hello"), Where("C0EDGE", "U0ALICE", response_url=url))

    assert asked == ["hooks.slack.test/commands/1"]


# --- HTTP mode, attacked --------------------------------------------------------------------------------------------

FORM, JSON = "application/x-www-form-urlencoded", "application/json"
FORM_BODY = urlencode(SLASH).encode()


def signed(bench: Bench, body: bytes, kind: str, **changes: str) -> dict[str, str]:
    """Headers as Slack makes them, but for what a test changes."""
    moment = str(int(time.time()))
    secret = bench.part.environment()["SLACK_SIGNING_SECRET"]
    signature = hmac.new(secret.encode(), b"v0:" + moment.encode() + b":" + body, hashlib.sha256).hexdigest()
    headers = {"X-Slack-Request-Timestamp": moment, "X-Slack-Signature": f"v0={signature}", "Content-Type": kind}
    return headers | changes


async def posted(bench: Bench, body: bytes, headers: dict[str, str]) -> int:
    async with aiohttp.ClientSession() as session, session.post(bench.listens, data=body, headers=headers) as answer:
        return answer.status


@pytest.mark.parametrize(
    "changes",
    [
        {"X-Slack-Signature": "v0=\u00e9"},
        {"X-Slack-Request-Timestamp": "9" * 5000},
        {"X-Slack-Request-Timestamp": "\u0663"},
    ],
    ids=["signature", "digits", "other digits"],
)
async def test_signatures_and_times_of_any_form_are_refused(http_bench: Bench, changes: dict[str, str]) -> None:
    assert await posted(http_bench, FORM_BODY, signed(http_bench, FORM_BODY, FORM, **changes)) == 401


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (FORM_BODY, "text/plain"),
        (FORM_BODY, "application/json"),
        (b"payload=%7Bbad", FORM),
        (b"[]", JSON),
        (b"payload=%5B%5D", FORM),
        (b"[" * 5000, JSON),
        (b"command=/registry&text=help&user_id=U0ALICE", FORM),
        (b'{"type":"block_actions","user":{"id":"U0ALICE"},"actions":[],"trigger_id":"1"}', JSON),
        (b'{"type":"view_submission","user":{"id":"U0ALICE"}}', JSON),
    ],
)  # fmt: skip
async def test_what_is_signed_and_cannot_be_read_is_refused_with_one_line_without_it(
    http_bench: Bench, body: bytes, kind: str
) -> None:
    with capture_logs() as logs:
        statuses = {await posted(http_bench, body, signed(http_bench, body, kind)) for _ in range(2)}

    assert statuses == {400}
    assert {line["event"] for line in logs} == {"delivery_refused"}
    assert "U0ALICE" not in str(logs)


async def test_an_unknown_character_set_is_read_as_utf_8(http_bench: Bench) -> None:
    kind = f"{FORM}; charset=klingon"

    assert await posted(http_bench, FORM_BODY, signed(http_bench, FORM_BODY, kind)) == 200


@pytest.mark.parametrize(
    "kind", ["workflow_step_edit", "interactive_message", "dialog_submission", "view_closed", "new"]
)
async def test_payloads_of_other_kinds_are_acknowledged(http_bench: Bench, kind: str) -> None:
    body = json.dumps({"type": kind, "user": {"id": "U0ALICE"}, "callback_id": "x"}).encode()

    assert await posted(http_bench, body, signed(http_bench, body, JSON)) == 200


async def test_many_refused_signatures_make_one_log_line(http_bench: Bench) -> None:
    headers = {"X-Slack-Request-Timestamp": "1700000000", "X-Slack-Signature": "v0=00", "Content-Type": FORM}
    with capture_logs() as logs:
        for _ in range(5):
            await posted(http_bench, FORM_BODY, headers)

    assert [(line["event"], line["reason"]) for line in logs] == [("delivery_refused", "signature")]


async def test_when_the_bot_is_invited_it_knows_that_it_can_post() -> None:
    bench = Bench()
    async with bench.stack:
        await bench.open(manifest=manifest(COMMANDS))
        await bench.workspace.do("join", channel="not-invited", user=bench.part.workspace.app.bot_user)
        async with asyncio.timeout(60):
            while not bench.reachable:
                await asyncio.sleep(0.01)

    assert bench.reachable == ["C0QUIET"]


async def test_when_the_bot_is_removed_from_a_channel_it_begins_no_change_there() -> None:
    bench = Bench()
    async with bench.stack:
        await bench.open(manifest=manifest(COMMANDS))
        await bench.workspace.say("/registry show edge01")
        await bench.workspace.do("leave", channel="edge-ops", user=bench.part.workspace.app.bot_user)
        async with asyncio.timeout(60):
            while not bench.reachable:
                await asyncio.sleep(0.01)
        await bench.workspace.say("/registry deploy edge01 --site berlin")

        assert "The bot is not in this channel" in await bench.workspace.read()
