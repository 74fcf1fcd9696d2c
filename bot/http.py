"""The bot's own HTTP server: health, readiness, metrics, and Slack's deliveries in HTTP mode."""

from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

Trouble = Callable[[], Awaitable[dict[str, str]]]
Metrics = Callable[[], Awaitable[bytes]]
METRICS_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""Prometheus' text format."""


class HttpServer:
    """Listens on one address; `port` 0 lets the system choose, `url` tells."""

    def __init__(
        self, host: str, port: int, routes: Iterable[web.RouteDef], trouble: Trouble, metrics: Metrics
    ) -> None:
        self._host, self._port = host, port
        self._trouble = trouble
        self._metrics = metrics
        self._app = web.Application()
        own = [
            web.get("/healthz", _alive),
            web.get("/readyz", self._ready),
            web.get("/metrics", self._measured),
        ]
        self._app.add_routes([*routes, *own])
        self._runner = web.AppRunner(self._app, access_log=None)
        self.url = ""

    async def start(self) -> None:
        """Raises OSError when the address is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"

    async def stop(self) -> None:
        """Finish the requests that are under way and stop."""
        await self._runner.cleanup()

    async def _ready(self, _request: web.Request) -> web.Response:
        trouble = {part: why for part, why in (await self._trouble()).items() if why}
        return web.json_response({"ready": not trouble, "trouble": trouble}, status=503 if trouble else 200)

    async def _measured(self, _request: web.Request) -> web.Response:
        return web.Response(body=await self._metrics(), headers={"Content-Type": METRICS_TYPE})


async def _alive(_request: web.Request) -> web.Response:
    return web.Response(text="ok")
