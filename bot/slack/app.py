"""Slack's listeners: acknowledge, hand the request to the door, send the answer. The same for Socket Mode and HTTP.

Slack waits three seconds for an acknowledgement. A command or click is therefore acknowledged before anything is looked
up, a form after at most two seconds, and a request for options within two and a half. `Work` owns the tasks that remain
and waits for them at shutdown.
"""

import asyncio
import hashlib
import logging
import re
import secrets
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
from slack_bolt.context.ack.async_ack import AsyncAck
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.client import Installation, open_socket
from bot.slack.payloads import USED, Body, foreign, kind, malformed, team_of
from bot.slack.people import People
from bot.slack.replies import Replies, Where
from bot.slack.signed import SignedDoor
from bot.slack.tasks import Work
from handlers.dispatch import Door, Reply
from handlers.kit.message import SUBMIT, SUGGEST, Message, Modal, Submission, option, submission, view
from handlers.kit.request import Request
from handlers.views import errors as views
from services.model.clock import Clock
from services.model.errors import DomainError, Refused, Throttled, Unreachable
from services.model.secret import Secret
from services.ports import Deliveries

PATH = "/slack/events"
"""Where Slack delivers everything in HTTP mode."""
_FORM_WAIT = 2.0
_OPTIONS_WAIT = 2.3
_LONGEST_PAUSE = 30.0
"""Seconds between two attempts to open the first socket."""
_PING_INTERVAL = 10
_SILENCE = 60
"""Seconds without a frame or pong after which the socket is reopened, even if the SDK believes it is connected."""
_FORM_TOO_LATE = frozenset({"trigger_expired", "expired_trigger_id", "trigger_exchanged", "exchanged_trigger_id"})
"""Slack documents the first word of each pair; public reports show the second in its answers."""
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

    `reachable` is called with a channel's id when the bot becomes able to post there.
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
        at_once: int = 1000,
    ) -> None:
        self._connection = connection
        self._client = client
        self._ours = installation
        self._people = people
        self._door = door
        self._deliveries = deliveries
        self._clock = clock
        self._reachable = reachable
        self._work = Work(most=at_once)
        assert isinstance(client.session, aiohttp.ClientSession)  # noqa: S101 - `open_client` gave it one
        self.replies = Replies(client, client.session, people, reachable)
        self.app = self._bolt()
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
            self._socket = AsyncSocketModeHandler(self.app, token, ping_interval=_PING_INTERVAL)
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
        cancelled = await self._work.drain(deadline)
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
        return len(self._work)

    async def idle(self) -> None:
        """Wait until no delivery is in progress."""
        await self._work.idle()

    def _silent(self, socket: AsyncSocketModeHandler) -> bool:
        pong = socket.client.last_ping_pong_time
        since_pong = time.time() - pong if pong else float("inf")
        return min(time.monotonic() - self._last_frame, since_pong) > _SILENCE

    async def _keep_connected(self, socket: AsyncSocketModeHandler) -> None:
        """Reopen a silent socket. The SDK monitors it too, but may believe it is connected when nothing arrives."""
        while True:
            await asyncio.sleep(_PING_INTERVAL)
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

    def _bolt(self) -> AsyncApp:
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
        app.command(re.compile(".*"))(self._on_command)
        app.action(re.compile(".*"))(self._on_click)
        app.view(SUBMIT)(self._on_form)
        app.options(SUGGEST)(self._on_options)
        app.event(re.compile(".*"))(self._on_event)
        app.error(log_fault)
        return app

    async def _on_event(self, event: Body) -> None:
        """Once the bot has joined a channel it can post there; other events are only acknowledged."""
        if event.get("type") == "member_joined_channel" and event.get("user") == self._ours.bot_user:
            self._people.membership_changed(event["channel"])
            self._reachable(event["channel"])

    # --- commands and clicks ----------------------------------------------------------------------------------------

    async def _on_command(self, ack: AsyncAck, body: Body) -> None:
        if not self._work.has_room:
            await ack(text=views.busy().text)
            return
        await ack()
        where = Where(body["channel_id"], body["user_id"], response_url=body.get("response_url", ""))
        line = _Line(body.get("text") or "", body["trigger_id"], slash=body["command"])
        name = body.get("channel_name", "")
        self._work.start(self._answer(line, where, team=body["team_id"], channel_name=name))

    async def _on_click(self, ack: AsyncAck, body: Body) -> None:
        await ack()
        action = body["actions"][0]
        if action["type"] != "button" or not action["action_id"].startswith("run:"):
            return
        container = body.get("container", {})
        message, thread = container.get("message_ts", ""), container.get("thread_ts", "")
        where = Where(
            container.get("channel_id") or body.get("channel", {}).get("id", ""),
            body["user"]["id"],
            response_url=body.get("response_url", ""),
            # A thread's first message is in the channel, and so is the answer to a click on it.
            thread_ts=thread if thread != message else "",
            message_ts=message,
        )
        if not self._work.has_room:
            self._work.start(self._try_to_send(views.busy(), where))
            return
        line = _Line(action["value"], body["trigger_id"], slash=self._connection.slash, clicked=True)
        self._work.start(self._answer(line, where, team=team_of(body)))

    async def _answer(self, line: "_Line", where: Where, *, team: str, channel_name: str = "") -> None:
        reference = secrets.token_hex(4)
        with structlog.contextvars.bound_contextvars(reference=reference):
            try:
                if not await self._deliveries.first(line.key):
                    _log.info("delivery_repeated")
                    return
                request = await self._request(line, where, reference, team=team, channel_name=channel_name)
                await self._send(await self._door.dispatch(request), request, where)
            except DomainError as error:
                _log.warning("delivery_not_answered", error=str(error))
                await self._try_to_send(Message(views.explanation(error)), where)
            except Exception:  # noqa: BLE001 - a person waits for an answer, even after a fault
                _log.exception("fault")
                await self._try_to_send(views.ours(reference), where)

    async def _try_to_send(self, message: Message, where: Where) -> None:
        with suppress(DomainError):
            await self.replies.send(message, where)

    async def _send(self, answer: Reply, request: Request, where: Where) -> None:
        if answer.message is None:
            return
        if isinstance(answer.message, Message):
            await self.replies.send(answer.message, where)
            return
        try:
            await self.replies.open(answer.message, request.trigger_id, where)
        except Refused as error:
            if error.code not in _FORM_TOO_LATE:
                raise
            await self.replies.send(views.form_too_late(), where)

    async def _request(
        self, line: "_Line", where: Where, reference: str, *, team: str, channel_name: str = ""
    ) -> Request:
        person, place = await asyncio.gather(
            self._people.person(where.person, team), self._people.place(where.channel, channel_name)
        )
        return Request(
            person=person,
            place=place,
            text=line.text,
            key=line.key,
            trigger_id=line.trigger_id if line.opens_forms else "",
            said_by_click=line.clicked,
            now=self._clock.now(),
            slash=line.slash,
            message_ts=where.message_ts,
            thread_ts=where.thread_ts,
            reference=reference,
        )

    # --- forms ------------------------------------------------------------------------------------------------------

    async def _on_form(self, ack: AsyncAck, body: Body) -> None:
        filled = submission(body["view"])
        if not self._work.has_room:
            # The form stays open with everything that was filled in.
            await ack(response_action="errors", errors={filled.parameters[0]: views.busy().text})
            return
        where = Where(filled.channel, body["user"]["id"], thread_ts=filled.thread_ts, message_ts=filled.message_ts)
        running = self._work.start(self._dispatch_form(filled, where, body))
        await asyncio.wait({running}, timeout=_FORM_WAIT)
        answer = running.result() if running.done() and not running.exception() else None
        if answer and answer.parameter in filled.parameters:
            await ack(response_action="errors", errors={answer.parameter: answer.problem})
            return
        if answer and isinstance(answer.message, Modal):
            await ack(response_action="update", view=view(answer.message, channel=filled.channel))
            return
        await ack()
        self._work.start(self._send_form_answer(running, where))

    async def _dispatch_form(self, filled: Submission, where: Where, body: Body) -> Reply | None:
        form = body["view"]
        trigger = body.get("trigger_id") or f"{form['id']}:{form.get('hash', '')}"
        line = _Line(filled.text, trigger, slash=self._connection.slash, clicked=True, opens_forms=False)
        reference = secrets.token_hex(4)
        with structlog.contextvars.bound_contextvars(reference=reference):
            if not await self._deliveries.first(line.key):
                return None
            request = await self._request(line, where, reference, team=team_of(body))
            return await self._door.dispatch(request)

    async def _send_form_answer(self, running: "asyncio.Task[Reply | None]", where: Where) -> None:
        try:
            answer = await running
        except DomainError as error:
            await self._try_to_send(Message(views.explanation(error)), where)
            return
        if answer and isinstance(answer.message, Message):
            await self.replies.send(answer.message, where)

    async def _on_options(self, ack: AsyncAck, body: Body) -> None:
        form = submission({"state": {"values": {}}, **body["view"]})
        line = _Line("", "", slash=self._connection.slash, clicked=True)
        names: tuple[str, ...] = ()
        try:
            async with asyncio.timeout(_OPTIONS_WAIT):
                where = Where(form.channel, body["user"]["id"])
                request = await self._request(line, where, "", team=team_of(body))
                names = await self._door.suggest(request, form.runs, body["block_id"], body.get("value") or "")
        except (TimeoutError, DomainError) as error:
            _log.warning("suggestions_missing", error=type(error).__name__)
        await ack(options=[option(name) for name in names[:100]])


@dataclass(frozen=True)
class _Line:
    text: str
    trigger_id: str
    slash: str
    clicked: bool = False
    opens_forms: bool = True

    @property
    def key(self) -> str:
        """Identifies the delivery. A trigger can open forms, so only its digest is stored."""
        return hashlib.sha256(self.trigger_id.encode()).hexdigest()


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
        if wrong := foreign(body, self._ours):
            _log.warning("delivery_refused", reason=wrong, kind=kind(body))
            return BoltResponse(status=200, body="")
        if kind(body) not in USED:
            return BoltResponse(status=200, body="")
        if missing := malformed(body):
            _log.warning("delivery_refused", reason=f"no {missing}", kind=kind(body))
            return BoltResponse(status=400, body="")
        return await next()
