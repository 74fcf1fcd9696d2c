import asyncio
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_bolt.request.async_request import AsyncBoltRequest

from bot.slack.replies import Where
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
