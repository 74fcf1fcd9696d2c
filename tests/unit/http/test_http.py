"""The bot's HTTP server: who only holds connections is let go, and operators' pages stand apart when they should."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from bot import http
from bot.http import HttpServer

Open = Callable[..., Any]


async def healthy() -> dict[str, str]:
    return {}


async def no_figures() -> bytes:
    return b"nothing\n"


async def slack(request: web.Request) -> web.Response:
    return web.Response(text=await request.text())


@pytest.fixture
async def opened() -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def open_server(**options: Any) -> HttpServer:
            server = HttpServer("127.0.0.1", 0, [web.post("/slack/events", slack)], healthy, no_figures, **options)
            await server.start()
            stack.push_async_callback(server.stop)
            return server

        yield open_server


Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Connect = Callable[[HttpServer], Awaitable[Streams]]


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    async with AsyncExitStack() as stack:

        async def open_connection(server: HttpServer) -> Streams:
            streams = await asyncio.open_connection("127.0.0.1", int(server.url.rpartition(":")[2]))
            stack.callback(streams[1].close)
            return streams

        yield open_connection


async def closed(streams: Streams) -> None:
    """Return when the other side has closed it."""
    async with asyncio.timeout(60):
        with suppress(ConnectionError):
            await streams[0].read()


async def status(url: str, method: str = "GET") -> int:
    async with aiohttp.ClientSession() as session, session.request(method, url, data=b"x") as answer:
        return answer.status


async def test_a_connection_that_asks_nothing_is_closed(
    opened: Open, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "HEADERS_DEADLINE", 0.05)
    server = await opened()

    silent = await connect(server)

    await closed(silent)
    assert await status(f"{server.url}/healthz") == 200


async def test_of_too_many_connections_the_oldest_silent_one_makes_room(
    opened: Open, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "MOST_CONNECTIONS", 3)
    server = await opened()
    silent = [await connect(server) for _ in range(3)]

    assert await status(f"{server.url}/healthz") == 200
    await closed(silent[0])
    silent[2][1].write(b"GET /healthz HTTP/1.1\r\nHost: bot\r\n\r\n")
    assert await silent[2][0].readline() == b"HTTP/1.1 200 OK\r\n"


async def test_operators_pages_stand_on_slack_s_address_unless_they_have_their_own(opened: Open) -> None:
    server = await opened()
    assert [await status(f"{server.url}/healthz"), await status(f"{server.url}/slack/events", "POST")] == [200, 200]

    apart = await opened(pages=("127.0.0.1", 0))
    address = apart._listeners[1].url
    assert [await status(f"{apart.url}/metrics"), await status(f"{apart.url}/slack/events", "POST")] == [200, 404]
    assert [await status(f"{address}/metrics"), await status(f"{address}/slack/events", "POST")] == [404, 200]
