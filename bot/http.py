"""The bot's HTTP server: Slack's deliveries in HTTP mode, and the operator pages for health, readiness and metrics.

Anybody who reaches the port can open connections. A deadline for the headers and a limit on their number keep them
from using up the file descriptors that the bot needs for Slack, Azure and its database.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog
from aiohttp import web

Trouble = Callable[[], Awaitable[dict[str, str]]]
MetricsPage = Callable[[], Awaitable[bytes]]
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""
HEADERS_DEADLINE = 5.0
"""Seconds from the opening of a connection to the end of its first request's headers."""
KEEPALIVE = 30.0
"""Seconds that an idle connection stays open."""
MOST_CONNECTIONS = 200
CLOSING = 5.0
"""Seconds that running requests get to finish when the server stops."""
log = structlog.get_logger("http")


class HttpServer:
    """Listens on `host:port`. Port 0 lets the system choose; `url` then has the chosen port.

    With `pages`, the operator pages have that address to themselves and `host:port` serves Slack's routes only.
    """

    def __init__(
        self,
        host: str,
        port: int,
        routes: Iterable[web.RouteDef],
        trouble: Trouble,
        metrics: MetricsPage,
        *,
        pages: tuple[str, int] | None = None,
    ) -> None:
        slack_routes, page_routes = list(routes), operator_pages(trouble, metrics)
        if pages is None:
            self._listeners = [_Listener(host, port, [*slack_routes, *page_routes])]
        else:
            self._listeners = [_Listener(*pages, page_routes)]
            if slack_routes:
                self._listeners.append(_Listener(host, port, slack_routes))
        self.url = ""
        """Of the operator pages."""

    async def start(self) -> None:
        """Raises OSError when an address is taken."""
        for listener in self._listeners:
            await listener.start()
        self.url = self._listeners[0].url

    async def stop(self) -> None:
        """Finish running requests and stop."""
        for listener in self._listeners:
            await listener.stop()


def operator_pages(trouble: Trouble, metrics: MetricsPage) -> list[web.RouteDef]:
    """`/healthz` answers while the process lives, `/readyz` with 503 and the reasons while something is wrong."""

    async def health(_request: web.Request) -> web.Response:
        return web.Response(text="ok")

    async def readiness(_request: web.Request) -> web.Response:
        reasons = {part: reason for part, reason in (await trouble()).items() if reason}
        return web.json_response({"ready": not reasons, "trouble": reasons}, status=503 if reasons else 200)

    async def metrics_page(_request: web.Request) -> web.Response:
        return web.Response(body=await metrics(), headers={"Content-Type": METRICS_TYPE})

    return [web.get("/healthz", health), web.get("/readyz", readiness), web.get("/metrics", metrics_page)]


# --- connections ----------------------------------------------------------------------------------------------------


class _Listener:
    """One address with a limited number of connections."""

    def __init__(self, host: str, port: int, routes: Iterable[web.RouteDef]) -> None:
        self._host, self._port = host, port
        app = web.Application(middlewares=[_note_headers])
        app.add_routes(routes)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=KEEPALIVE, shutdown_timeout=CLOSING)
        self._server: asyncio.Server | None = None
        self._connections: dict[_Connection, None] = {}
        """The open ones, oldest first."""
        self._was_full = False
        self.url = ""

    async def start(self) -> None:
        await self._runner.setup()
        make = self._runner.server
        assert make is not None  # noqa: S101 - `setup` has made it
        self._server = await asyncio.get_running_loop().create_server(
            lambda: _Connection(make(), self), self._host, self._port
        )
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()
        for connection in list(self._connections):
            connection.abort()

    def opened(self, connection: "_Connection") -> None:
        """Over the limit, the oldest connection without a request is closed, or the new one if there is none."""
        self._connections[connection] = None
        is_full = len(self._connections) > MOST_CONNECTIONS
        if is_full and not self._was_full:
            log.warning("connections_full", most=MOST_CONNECTIONS, url=self.url)
        self._was_full = is_full
        if is_full:
            next((candidate for candidate in self._connections if candidate.is_silent), connection).abort()

    def closed(self, connection: "_Connection") -> None:
        self._connections.pop(connection, None)


class _Connection(asyncio.Protocol):
    """Wraps aiohttp's protocol, which would wait for the first request for ever."""

    def __init__(self, inner: asyncio.Protocol, listener: _Listener) -> None:
        self._inner = inner
        self._listener = listener
        self._transport: asyncio.BaseTransport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.is_silent = True
        """True until the first request arrives."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._deadline = asyncio.get_running_loop().call_later(HEADERS_DEADLINE, self.abort)
        self._inner.connection_made(transport)
        self._listener.opened(self)

    def headers_received(self) -> None:
        """A request has begun; from now on aiohttp's own deadlines apply."""
        self.is_silent = False
        if self._deadline is not None:
            self._deadline.cancel()

    def abort(self) -> None:
        """Close without an answer."""
        if isinstance(self._transport, asyncio.Transport):
            self._transport.abort()

    def connection_lost(self, error: Exception | None) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._listener.closed(self)
        self._inner.connection_lost(error)

    def data_received(self, data: bytes) -> None:
        self._inner.data_received(data)

    def eof_received(self) -> bool | None:
        return self._inner.eof_received()

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


@web.middleware
async def _note_headers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    protocol = request.transport.get_protocol() if request.transport is not None else None
    if isinstance(protocol, _Connection):
        protocol.headers_received()
    return await handler(request)
