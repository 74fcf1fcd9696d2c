"""The connection to Slack, Socket Mode or HTTP, and Bolt, which hands each delivery to `bot.slack.listeners`."""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal

import aiohttp
import structlog
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import Installation, open_socket
from bot.slack.listeners import Listeners
from bot.slack.pace import PersonalPace
from bot.slack.payloads import USED, foreign, kind, malformed
from bot.slack.people import People
from bot.slack.replies import Replies
from bot.slack.signed import SignedDoor
from bot.slack.tasks import Tasks
from handlers.dispatch import Door
from handlers.kit.message import SUBMIT, SUGGEST
from services.model.clock import Clock
from services.model.errors import Throttled, Unreachable
from services.model.secret import Secret
from services.ports import Deliveries
from services.traces import OFF, Traces

PATH = "/slack/events"
"""Where Slack delivers everything in HTTP mode."""
_LONGEST_PAUSE = 30.0
"""Seconds between two attempts to open the first socket."""
PING_INTERVAL = 10.0
SILENCE = 60.0
"""Seconds without a frame or pong after which the socket is reopened, even if the SDK believes it is connected."""
_log = structlog.get_logger("slack")


@dataclass(frozen=True)
class Connection:
    """How Slack reaches the bot."""

    mode: Literal["socket", "http"]
    bot_token: Secret
    app_token: Secret | None = None
    signing_secret: Secret | None = None
    slash: str = "/registry"


class SlackBot:
    """The bot in Slack. In Socket Mode `start` begins to listen; in HTTP mode Slack calls the `routes`.

    `reachable` is called with a channel's id when the bot becomes able to post there. `per_minute` limits one
    person's commands in all `replicas` together. `ping_interval` and `silence` are in seconds.
    """

    def __init__(
        self,
        connection: Connection,
        client: AsyncWebClient,
        *,
        installation: Installation,
        people: People,
        door: Door,
        deliveries: Deliveries,
        clock: Clock,
        reachable: Callable[[str], None],
        per_minute: int,
        replicas: Callable[[], int] = lambda: 1,
        traces: Traces = OFF,
        at_once: int = 1000,
        ping_interval: float = PING_INTERVAL,
        silence: float = SILENCE,
    ) -> None:
        self._connection = connection
        self._client = client
        self._ping_interval = ping_interval
        self._silence = silence
        self._ours = installation
        self._tasks = Tasks(most=at_once)
        assert isinstance(client.session, aiohttp.ClientSession)  # noqa: S101 - `open_client` gave it one
        self.replies = Replies(client, client.session, people, reachable)
        listeners = Listeners(
            slash=connection.slash,
            installation=installation,
            people=people,
            door=door,
            deliveries=deliveries,
            clock=clock,
            replies=self.replies,
            tasks=self._tasks,
            pace=PersonalPace(per_minute, time.monotonic, replicas),
            reachable=reachable,
            traces=traces,
        )
        self.app = self._bolt(listeners)
        self._socket: AsyncSocketModeHandler | None = None
        self._watch: asyncio.Task[None] | None = None
        self._last_frame = 0.0
        self._listening = False

    # --- life -------------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Begin to accept deliveries from Slack."""
        if self._connection.mode == "socket":
            assert self._connection.app_token is not None  # noqa: S101 - the settings demand it in this mode
            token = self._connection.app_token.reveal()
            self._socket = AsyncSocketModeHandler(self.app, token, ping_interval=self._ping_interval)
            self._socket.client.proxy = self._client.proxy

            async def note_frame(_message: Any) -> None:
                self._last_frame = time.monotonic()

            self._socket.client.on_message_listeners.append(note_frame)
            # Requested here, because the SDK would retry for ever even if Slack rejects the token.
            self._socket.client.wss_uri = await self._socket_address(self._connection.app_token)
            await self._socket.connect_async()  # type: ignore[no-untyped-call]  # slack-bolt has no type there
            self._last_frame = time.monotonic()
            self._watch = asyncio.create_task(self._keep_connected(self._socket))
        self._listening = True

    async def _socket_address(self, token: Secret) -> str:
        """Retries while Slack is unreachable; raises `services.model.errors` for a wrong token or a missing scope."""
        pause = 1.0
        while True:
            try:
                return await open_socket(self._client, token)
            except (Throttled, Unreachable) as error:
                _log.warning("socket_not_opened", error=error.code, seconds=pause)
            await asyncio.sleep(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    async def stop(self, deadline: timedelta = timedelta(seconds=20)) -> None:
        """Accept nothing more, finish running deliveries, and disconnect."""
        self._listening = False
        if self._watch:
            self._watch.cancel()
            with suppress(asyncio.CancelledError):
                await self._watch
        if self._socket:
            self._socket.client.auto_reconnect_enabled = self._socket.client.default_auto_reconnect_enabled = False
            await self._socket.client.disconnect()  # type: ignore[no-untyped-call]  # likewise
        cancelled = await self._tasks.drain(deadline)
        if cancelled:
            _log.warning("deliveries_cancelled", tasks=cancelled)
        if self._socket:
            await self._socket.close_async()  # type: ignore[no-untyped-call]  # slack-bolt has no type there

    async def trouble(self) -> str:
        """Why Slack can't reach the bot at the moment; empty when it can."""
        if not self._listening:
            return "not listening"
        if self._socket is None:
            return ""
        # A coroutine: without `await` its result would always be true.
        if not await self._socket.client.is_connected():
            return "no open socket"
        return "the socket is silent" if self._silent(self._socket) else ""

    @property
    def busy(self) -> int:
        """The number of deliveries in progress."""
        return len(self._tasks)

    async def idle(self) -> None:
        """Wait until no delivery is in progress."""
        await self._tasks.idle()

    def _silent(self, socket: AsyncSocketModeHandler) -> bool:
        pong = socket.client.last_ping_pong_time
        since_pong = time.time() - pong if pong else float("inf")
        return min(time.monotonic() - self._last_frame, since_pong) > self._silence

    async def _keep_connected(self, socket: AsyncSocketModeHandler) -> None:
        """Reopen a silent socket. The SDK monitors it too, but may believe it is connected when nothing arrives."""
        while True:
            await asyncio.sleep(self._ping_interval)
            if self._silent(socket):
                _log.warning("socket_silent")
                self._last_frame = time.monotonic()
                try:
                    await socket.client.connect_to_new_endpoint(force=True)
                except Exception as error:  # noqa: BLE001 - the next round retries
                    _log.warning("socket_not_opened", error=type(error).__name__)

    # --- HTTP -------------------------------------------------------------------------------------------------------

    def routes(self) -> list[web.RouteDef]:
        """The route that Slack calls in HTTP mode; none in Socket Mode."""
        secret = self._connection.signing_secret
        if self._connection.mode != "http" or secret is None:
            return []
        door = SignedDoor(secret, self.app.async_dispatch)

        async def deliver(request: web.Request) -> web.Response:
            return await door.deliver(request) if self._listening else web.Response(status=503)

        return [web.post(PATH, deliver)]

    # --- Bolt -------------------------------------------------------------------------------------------------------

    def _bolt(self, listeners: Listeners) -> AsyncApp:
        installation = AuthorizeResult(
            enterprise_id=self._ours.enterprise or None,
            team_id=self._ours.team,
            bot_id=self._ours.bot_id,
            bot_user_id=self._ours.bot_user,
            bot_token=self._connection.bot_token.reveal(),
        )

        # Without asking Slack on each delivery. A function, since Bolt can't call a method here.
        async def authorize() -> AuthorizeResult:
            return installation

        async def log_fault(error: Exception) -> None:
            _log.error("fault", exc_info=error)

        secret = self._connection.signing_secret
        # Below ERROR Bolt logs whole payloads with their signatures; all its loggers take the level of this one.
        logger = logging.getLogger("slack_bolt")
        logger.setLevel(logging.ERROR)
        app = AsyncApp(
            name="registry-bot",  # without a name Bolt searches the stack for one, reading every module's source
            logger=logger,
            client=self._client,
            authorize=authorize,
            signing_secret=secret.reveal() if secret else "socket mode has none",
            request_verification_enabled=self._connection.mode == "http",
        )
        app.use(_Gate(self._ours))
        app.command(re.compile(".*"))(listeners.command)
        app.action(re.compile(".*"))(listeners.click)
        app.view(SUBMIT)(listeners.form)
        app.options(SUGGEST)(listeners.options)
        app.event(re.compile(".*"))(listeners.event)
        app.error(log_fault)
        return app


class _Gate(AsyncMiddleware):
    """Refuses payloads that are for another installation or incomplete; Bolt trusts any that is signed.

    Payloads that the bot does not use are acknowledged, because Slack would count them as failures otherwise. A class,
    since Bolt fills in the arguments of a function from the payload, and raises where one is missing.
    """

    def __init__(self, ours: Installation) -> None:
        self._ours = ours

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt gives arguments by name
        next: Callable[[], Awaitable[BoltResponse]],  # noqa: A002 - likewise
    ) -> BoltResponse | None:
        """Answer here, or pass the payload on to the listeners."""
        body = req.body
        missing = malformed(body)
        if wrong := "" if missing else foreign(body, self._ours):
            _log.warning("delivery_refused", reason=wrong, kind=kind(body))
            return BoltResponse(status=200, body="")
        if kind(body) not in USED:
            return BoltResponse(status=200, body="")
        if missing:
            _log.warning("delivery_refused", reason=f"no {missing}", kind=kind(body))
            return BoltResponse(status=400, body="")
        return await next()
