import asyncio
import logging
from functools import partial

import pytest
from aiohttp import web

from sandbox.hangups import hangups


async def test_a_client_that_leaves_before_its_answer_begins_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    requested, answered = asyncio.Event(), asyncio.Event()

    @hangups
    async def answer(_part: None, request: web.Request) -> web.StreamResponse:
        requested.set()
        while request.transport is not None:
            await asyncio.sleep(0)
        try:
            stream = web.StreamResponse()
            await stream.prepare(request)
            return stream
        finally:
            answered.set()

    app = web.Application()
    app.router.add_get("/", partial(answer, None))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    _, writer = await asyncio.open_connection(*runner.addresses[0])
    writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
    await requested.wait()

    writer.close()
    await writer.wait_closed()
    async with asyncio.timeout(60):
        await answered.wait()
    await runner.cleanup()

    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]
