"""The bot's own HTTP server: Slack's deliveries in HTTP mode, and the operators' pages: health, readiness, metrics.

Whoever reaches the port may open connections; a deadline for the headers and a bound on their number keep those from
taking the files that the bot needs for Slack, Azure and its database.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog
from aiohttp import web

Trouble = Callable[[], Awaitable[dict[str, str]]]
Metrics = Callable[[], Awaitable[bytes]]
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""
HEADERS_DEADLINE = 5.0
"""Seconds from the opening of a connection to the end of its first request's headers."""
KEEPALIVE = 30.0
"""Seconds that a connection is kept without a request."""
MOST_CONNECTIONS = 200
CLOSING = 5.0
"""Seconds that requests under way get at the end."""
log = structlog.get_logger("http")


class HttpServer:
    """Listens on `host:port`; port 0 lets the system choose, `url` has the one it chose.

    With `pages` the operators' pages are there, on an address of their own, and Slack's routes alone on the first.
    """

    def __init__(
        self,
        host: str,
        port: int,
        routes: Iterable[web.RouteDef],
        trouble: Trouble,
        metrics: Metrics,
        *,
        pages: tuple[str, int] | None = None,
    ) -> None:
        self._trouble = trouble
        self._metrics = metrics
        slack_routes = list(routes)
        own = [
            web.get("/healthz", _alive),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._measured),
        ]
        if pages is None:
            self._listeners = [_Listener(host, port, [*slack_routes, *own])]
        else:
            self._listeners = [_Listener(*pages, own)]
            if slack_routes:
                self._listeners.append(_Listener(host, port, slack_routes))
        self.url = ""
        """Of the operators' pages."""

    async def start(self) -> None:
        """Raises OSError when an address is taken."""
        for listener in self._listeners:
            await listener.start()
        self.url = self._listeners[0].url

    async def stop(self) -> None:
        """Finish the requests that are under way and stop."""
        for listener in self._listeners:
            await listener.stop()

    async def _ready(self, _request: web.Request) -> web.Response:
        trouble = {part: why for part, why in (await self._trouble()).items() if why}
        return web.json_response({"ready": not trouble, "trouble": trouble}, status=503 if trouble else 200)

    async def _measured(self, _request: web.Request) -> web.Response:
        return web.Response(body=await self._metrics(), headers={"Content-Type": METRICS_TYPE})


async def _alive(_request: web.Request) -> web.Response:
    return web.Response(text="ok")


# --- connections ----------------------------------------------------------------------------------------------------


class _Listener:
    """One address, with its connections bounded."""

    def __init__(self, host: str, port: int, routes: Iterable[web.RouteDef]) -> None:
        self._host, self._port = host, port
        app = web.Application(middlewares=[_headers_came])
        app.add_routes(routes)
        self._runner = web.AppRunner(app, access_log=None, keepalive_timeout=KEEPALIVE, shutdown_timeout=CLOSING)
        self._server: asyncio.Server | None = None
        self._connections: dict[_Connection, None] = {}
        """Those open, the oldest first."""
        self._was_full = False
        self.url = ""

    async def start(self) -> None:
        await self._runner.setup()
        self._server = await asyncio.get_running_loop().create_server(self._connection, self._host, self._port)
        host, port = self._server.sockets[0].getsockname()[:2]
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._runner.cleanup()
        for connection in list(self._connections):
            connection.abort()

    def _connection(self) -> "_Connection":
        make = self._runner.server
        assert make is not None  # noqa: S101 - `setup` has made it
        return _Connection(make(), self)

    def opened(self, connection: "_Connection") -> None:
        """Where there are too many, one that has not asked anything yet makes room, else the new one goes."""
        self._connections[connection] = None
        is_full = len(self._connections) > MOST_CONNECTIONS
        if is_full and not self._was_full:
            log.warning("connections_full", most=MOST_CONNECTIONS, url=self.url)
        self._was_full = is_full
        if is_full:
            next((each for each in self._connections if each.is_silent), connection).abort()

    def closed(self, connection: "_Connection") -> None:
        self._connections.pop(connection, None)


class _Connection(asyncio.Protocol):
    """Stands before aiohttp's protocol, which waits for the first request for ever."""

    def __init__(self, inner: asyncio.Protocol, listener: _Listener) -> None:
        self._inner = inner
        self._listener = listener
        self._transport: asyncio.BaseTransport | None = None
        self._deadline: asyncio.TimerHandle | None = None
        self.is_silent = True
        """Whether no request has come yet."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._deadline = asyncio.get_running_loop().call_later(HEADERS_DEADLINE, self.abort)
        self._inner.connection_made(transport)
        self._listener.opened(self)

    def headers_came(self) -> None:
        """A request has begun: from here on its own deadlines hold."""
        self.is_silent = False
        if self._deadline is not None:
            self._deadline.cancel()

    def abort(self) -> None:
        """Close without a word."""
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
async def _headers_came(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    protocol = request.transport.get_protocol() if request.transport is not None else None
    if isinstance(protocol, _Connection):
        protocol.headers_came()
    return await handler(request)
