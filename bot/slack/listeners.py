"""What the bot does with each delivery from Slack: acknowledge it, hand it to the door, send the answer.

Slack waits three seconds for an acknowledgement. A command or click is therefore acknowledged before anything is looked
up, a form after at most two seconds, and a request for options within two and a half. `Tasks` owns the work that
remains and waits for it at shutdown.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, field, replace

import structlog
from slack_bolt.context.ack.async_ack import AsyncAck

from bot.slack.client import Installation
from bot.slack.pace import PersonalPace
from bot.slack.payloads import Body, changed_channel, home_channel, said, team_of
from bot.slack.people import People
from bot.slack.replies import Replies, Where
from bot.slack.tasks import Tasks
from handlers.dispatch import Door, Reply
from handlers.home import HOME
from handlers.kit.language import language_of, reading
from handlers.kit.message import Message, Modal, option, submission, view
from handlers.kit.request import Request
from handlers.views import errors as views
from services.model.attachment import Attachment
from services.model.clock import Clock
from services.model.errors import DomainError
from services.ports import Deliveries
from services.traces import Traces

_FORM_WAIT = 2.0
_OPTIONS_WAIT = 2.3
_log = structlog.get_logger("slack")


class Listeners:
    """One method for each kind of delivery, called by Bolt with the payloads that passed its middleware.

    `slash` is the slash command's name for clicks and forms; `reachable` is called with the id of a channel that the
    bot has joined.
    """

    def __init__(
        self,
        *,
        slash: str,
        installation: Installation,
        people: People,
        door: Door,
        deliveries: Deliveries,
        clock: Clock,
        replies: Replies,
        tasks: Tasks,
        pace: PersonalPace,
        reachable: Callable[[str], None],
        traces: Traces,
    ) -> None:
        self._slash = slash
        self._ours = installation
        self._people = people
        self._door = door
        self._deliveries = deliveries
        self._clock = clock
        self._replies = replies
        self._tasks = tasks
        self._pace = pace
        self._reachable = reachable
        self._traces = traces

    async def event(self, event: Body) -> None:
        """Mentions and direct messages are commands; Home is filled when it is opened, a changed channel is tried."""
        if channel := changed_channel(event, self._ours.bot_user):
            self._people.channel_changed(channel)
            self._reachable(channel)
        elif event.get("type") == "app_home_opened" and event.get("tab") == "home":
            if self._refusal(event["user"]) is None:
                self._tasks.start(self._publish_home(event["user"], event.get("channel", "")))
        elif message := said(event, self._ours.bot_user):
            where = Where(message.channel, message.person, thread_ts=message.thread_ts)
            if refusal := self._refusal(message.person):
                self._tasks.start(self._try_to_send(refusal, where))
                return
            # A mention in the direct conversation is delivered as both events: the message's own address makes it one.
            key = f"{message.channel}:{message.ts}"
            line = _Line(message.text, key, slash=self._slash, opens_forms=False)
            self._tasks.start(self._answer(line, where, team=message.team))

    def _refusal(self, person: str) -> Message | None:
        """What somebody reads instead of an answer, without room or after too many commands; None to go on."""
        with self._reading(person):
            if not self._tasks.has_room:
                return views.busy()
            wait = self._pace.take(person)
            return views.too_fast(self._pace.per_minute, wait) if wait else None

    def _reading(self, person: str) -> AbstractContextManager[None]:
        """Within it, sentences are in the language of somebody who was answered before; nothing is asked for it."""
        return reading(language_of(self._people.last_locale(person)))

    async def _publish_home(self, person: str, channel: str) -> None:
        """Fill somebody's Home tab with the answer to the command `home`, run in their direct conversation."""
        reference = secrets.token_hex(4)
        line = _Line(HOME, reference, slash=self._slash, clicked=True, opens_forms=False)
        with structlog.contextvars.bound_contextvars(reference=reference), self._traces.command():
            try:
                request = await self._request(line, Where(channel, person), reference, team="")
                reply = await self._door.dispatch(request)
                if isinstance(reply.message, Message):
                    await self._replies.publish(reply.message, person, channel)
            except DomainError as error:
                _log.warning("home_not_published", error=str(error))
            except Exception:  # noqa: BLE001 - the tab stays as it was; the log has the reason
                _log.exception("fault")

    # --- commands and clicks ----------------------------------------------------------------------------------------

    async def command(self, ack: AsyncAck, body: Body) -> None:
        """A typed slash command."""
        if refusal := self._refusal(body["user_id"]):
            await ack(text=refusal.text)
            return
        await ack()
        where = Where(body["channel_id"], body["user_id"], response_url=body.get("response_url", ""))
        line = _Line(body.get("text") or "", body["trigger_id"], slash=body["command"])
        name = body.get("channel_name", "")
        self._tasks.start(self._answer(line, where, team=body["team_id"], channel_name=name))

    async def click(self, ack: AsyncAck, body: Body) -> None:
        """A click on a button, whose value is a command; other elements are only acknowledged."""
        await ack()
        action = body["actions"][0]
        if action["type"] != "button" or not action["action_id"].startswith("run:"):
            return
        refusal = self._refusal(body["user"]["id"])
        if home := home_channel(body):
            if refusal:
                self._tasks.start(self._try_to_send(refusal, Where(home, body["user"]["id"])))
            else:
                self._tasks.start(self._answer_home(action["value"], body, home))
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
        if refusal:
            self._tasks.start(self._try_to_send(refusal, where))
            return
        line = _Line(action["value"], body["trigger_id"], slash=self._slash, clicked=True)
        self._tasks.start(self._answer(line, where, team=team_of(body)))

    async def _answer_home(self, text: str, body: Body, channel: str) -> None:
        """Run a button of the Home tab in the person's direct conversation, then show Home as it is by then."""
        person = body["user"]["id"]
        if text != HOME:
            line = _Line(text, body["trigger_id"], slash=self._slash, clicked=True)
            await self._answer(line, Where(channel, person), team=team_of(body))
        await self._publish_home(person, channel)

    async def _answer(self, line: "_Line", where: Where, *, team: str, channel_name: str = "") -> None:
        reference = secrets.token_hex(4)
        with structlog.contextvars.bound_contextvars(reference=reference), self._traces.command():
            reply = self._dispatch(line, where, reference, team=team, channel_name=channel_name)
            await self._send(reply, line, where, reference)

    async def _send(self, reply: Awaitable[Reply | None], line: "_Line", where: Where, reference: str) -> None:
        """Send what a command answers, or why it answers nothing."""
        try:
            answer = await reply
            with self._reading(where.person):
                match answer.message if answer else None:
                    case Modal() as modal if line.opens_forms:
                        await self._replies.open(modal, line.trigger_id, where)
                    case Message() as message:
                        await self._replies.send(message, where)
        except DomainError as error:
            _log.warning("delivery_not_answered", error=str(error))
            with self._reading(where.person):
                await self._try_to_send(Message(views.explanation(error)), where)
        except Exception:  # noqa: BLE001 - a person waits for an answer, even after a fault
            _log.exception("fault")
            with self._reading(where.person):
                await self._try_to_send(views.ours(reference), where)

    async def _try_to_send(self, message: Message, where: Where) -> None:
        with suppress(DomainError):
            await self._replies.send(message, where)

    async def _dispatch(
        self, line: "_Line", where: Where, reference: str, *, team: str, channel_name: str = ""
    ) -> Reply | None:
        """Run a command through the door; None for a delivery that Slack repeats."""
        if not await self._deliveries.first(line.key):
            _log.info("delivery_repeated")
            return None
        request = await self._request(line, where, reference, team=team, channel_name=channel_name)
        return await self._door.dispatch(request)

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
            attachments=line.attachments,
        )

    # --- forms ------------------------------------------------------------------------------------------------------

    async def form(self, ack: AsyncAck, body: Body) -> None:
        """A submitted form: its answer, if it comes in time, is shown in the form, and nothing filled in is lost."""
        filled = submission(body["view"])
        if refusal := self._refusal(body["user"]["id"]):
            # The form stays open with everything that was filled in.
            await ack(response_action="errors", errors={filled.parameters[0]: refusal.text})
            return
        where = Where(filled.channel, body["user"]["id"], thread_ts=filled.thread_ts, message_ts=filled.message_ts)
        trigger = body.get("trigger_id") or f"{body['view']['id']}:{body['view'].get('hash', '')}"
        line = _Line(
            filled.text,
            trigger,
            slash=self._slash,
            clicked=True,
            opens_forms=False,
            attachments=filled.attachments,
        )
        reference = secrets.token_hex(4)

        async def dispatch() -> Reply | None:
            try:
                with self._traces.command():
                    return await self._dispatch(line, where, reference, team=team_of(body))
            except DomainError as error:
                _log.warning("delivery_not_answered", error=str(error))
                with self._reading(where.person):
                    return Reply(Message(views.explanation(error)), problem=views.plain(error))

        async def late() -> Reply | None:
            """The form is closed by now, so a problem comes with what was filled in."""
            reply = await running
            if reply is None or not reply.problem or not isinstance(reply.message, Message):
                return reply
            with self._reading(where.person):
                return replace(reply, message=views.with_line(reply.message, f"{self._slash} {filled.text}"))

        with structlog.contextvars.bound_contextvars(reference=reference):
            running = self._tasks.start(dispatch())
        await asyncio.wait({running}, timeout=_FORM_WAIT)
        answer = running.result() if running.done() and not running.exception() else None
        if answer and answer.problem and filled.parameters:
            # The form stays open with everything that was filled in, whatever the problem is.
            field = answer.parameter if answer.parameter in filled.parameters else filled.parameters[0]
            await ack(response_action="errors", errors={field: answer.problem})
            return
        if answer and isinstance(answer.message, Modal):
            await ack(response_action="update", view=view(answer.message, channel=filled.channel))
            return
        await ack()
        self._tasks.start(self._send(late(), line, where, reference))

    async def options(self, ack: AsyncAck, body: Body) -> None:
        """The names to choose from in a form's field while somebody types."""
        form = submission({"state": {"values": {}}, **body["view"]})
        line = _Line("", "", slash=self._slash, clicked=True)
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
    attachments: Mapping[str, Attachment] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """Identifies the delivery. A trigger can open forms, so only its digest is stored."""
        return hashlib.sha256(self.trigger_id.encode()).hexdigest()
