"""The Slack part: one server for the workspace, its Web API, Socket Mode and page."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.slack import answers, uploads
from sandbox.slack.app import app_from
from sandbox.slack.callbacks import Callbacks
from sandbox.slack.control import Control
from sandbox.slack.delivery import Delivery
from sandbox.slack.limits import Limits, Rates
from sandbox.slack.sockets import Sockets
from sandbox.slack.values import Json, Timing
from sandbox.slack.webapi import WebApi
from sandbox.slack.workspace import Workspace
from sandbox.speed import IMMEDIATE, Speed

PAGE = Path(__file__).parent / "page"
LARGEST_BODY = 64 * 1024 * 1024


class SlackPart:
    """A Slack workspace on the loopback interface, in memory.

    `world` is the whole world or its `slack` section. `request_url` turns Socket Mode off and sends everything there.
    `manifest` registers commands, events, scopes and addresses; without one every command is the app's. `rates` is
    `real` at the speed of people and `generous` at the immediate one unless given.
    """

    def __init__(
        self,
        world: dict[str, Any],
        *,
        clock: Clock,
        speed: Speed,
        faults: Faults,
        host: str = "127.0.0.1",
        port: int = 0,
        request_url: str | None = None,
        manifest: Json | None = None,
        plan_blocks: bool = True,
        rates: Rates | None = None,
        timing: Timing | None = None,
    ) -> None:
        section = world.get("slack", world)
        app = app_from(section["app"])
        app = app.with_manifest(manifest) if manifest else app
        app = app.with_request_url(request_url) if request_url else app
        self.workspace = Workspace(section, app, clock, timing or Timing())
        self.workspace.plan_blocks = plan_blocks
        self.url = ""
        self._host, self._port = host, port
        self._sockets, self._callbacks = Sockets(self.workspace), Callbacks(self.workspace)
        self._delivery = Delivery(self.workspace, self._sockets, self._callbacks)
        self._limits = Limits(clock, rates or ("generous" if speed is IMMEDIATE else "real"))
        self._api = WebApi(self.workspace, clock=clock, limits=self._limits, faults=faults)
        self._control = Control(self._delivery, self._limits)
        self._tasks: set[asyncio.Task[Any]] = set()
        self._runner: web.AppRunner | None = None
        self._routes: list[web.RouteDef] = []
        self.workspace.on_event, self.workspace.keep = self._delivery.tell, self._keep

    def add_routes(self, routes: list[web.RouteDef]) -> None:
        """Serve more routes on this part's port; call it before `start`."""
        self._routes += routes

    def control_routes(self) -> list[web.RouteDef]:
        """The control API, under /sandbox/slack."""
        return self._control.routes()

    def environment(self) -> dict[str, str]:
        """What an app needs to reach this workspace, as environment variables."""
        app = self.workspace.app
        return {
            "SANDBOX_URL": self.url,
            "SLACK_API_URL": f"{self.url}/api/",
            "SLACK_BOT_TOKEN": app.bot_token,
            "SLACK_APP_TOKEN": app.app_token,
            "SLACK_SIGNING_SECRET": app.signing_secret,
        }

    async def start(self) -> None:
        """Listen; `url` is known afterwards."""
        server = web.Application(client_max_size=LARGEST_BODY)
        server.add_routes([*self._api.routes(), *self._sockets.routes(), *answers.routes(self.workspace)])
        server.add_routes([*uploads.routes(self.workspace), *self.control_routes(), *self._routes])
        server.add_routes([web.get("/", _index), web.get("/page/{name}", _page_file)])
        self._runner = web.AppRunner(server, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()
        port = self._runner.addresses[0][1]
        self.url = self.workspace.base_url = f"http://{self._host}:{port}"

    async def stop(self) -> None:
        """Close all connections and stop listening."""
        self.workspace.feed.close()
        await self._sockets.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._callbacks.close()
        if self._runner is not None:
            await self._runner.cleanup()

    def _keep(self, coroutine: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _index(_request: web.Request) -> web.StreamResponse:
    return _file("index.html")


async def _page_file(request: web.Request) -> web.StreamResponse:
    return _file(request.match_info["name"])


def _file(name: str) -> web.StreamResponse:
    # A route segment holds no slash, so the name stays inside the folder; a name with dots alone is no file.
    path = PAGE / name
    if not path.is_file():
        return web.Response(status=404, text=f"The page has no file {name}.")
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})
