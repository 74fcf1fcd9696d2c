"""The board: messages that live. Each shows one subject in one channel: posted once, edited to the latest revision.

What a message shows and how far its thread has come is stored (`services.store.messages`), so that after any crash the
same message goes on: what was not shown is found again at the start, and now and then in between. Progress may skip
states, the last one always arrives. Of several processes the one that holds a message's lease writes to it. A post
whose reply was lost is looked for by its mark before it is made again. What Slack refuses for now is tried again when
it may work (`obstacles`); what it can't show is shown shorter.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

import structlog

from bot.messages.obstacles import Obstacles
from bot.messages.posting import Posting
from bot.messages.queue import Queue
from handlers.kit.blocks import section
from handlers.kit.message import Message
from services.model.clock import Clock
from services.model.errors import (
    Absent,
    DatabaseAway,
    Foreign,
    NotAllowed,
    NotAuthenticated,
    Refused,
    Throttled,
    Unreachable,
)
from services.model.incident import Incident
from services.model.message import Channel, LiveMessage, Subject, SubjectKind
from services.store import Store

LEASE = timedelta(seconds=20)
"""For how long a process may write to a message before another one takes it to be dead; each post prolongs it.

Longer than the client waits for an answer of Slack, so that no live process loses a message in the middle of a call."""
SWEEP = 15.0
"""Seconds between two looks for what no process has shown, such as one that died had in hand."""
RECENT = timedelta(days=1)
"""Those looks are about what is not older; the one at the start is about everything."""
AT_ONCE = 8
"""Messages that are written at the same moment."""
URGENT = 6
"""Edits kept back for ends and questions while others only show progress."""
BETWEEN_EDITS = 1.0
"""Seconds between two edits of one message that only show progress."""
AWAY = 2.0
"""Seconds between two tries while the bot's own database does not answer."""
BRIEF, LONG = 30.0, 300.0
"""Longest pauses between two tries in seconds: where Slack is out of reach or refuses the bot, and in a channel."""
GONE = frozenset({"message_not_found", "thread_not_found", "edit_window_closed", "cant_update_message", "is_inactive"})
"""A message with one of these errors can't be edited or answered any more."""
CLOSED = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "no_permission"})
"""The bot can't post in a channel that answers so; it can again when it is invited, or the channel is opened."""
UNFIT = frozenset(
    {
        "invalid_blocks",
        "invalid_blocks_format",
        "invalid_attachments",
        "attachment_payload_limit_exceeded",
        "too_many_attachments",
        "msg_too_long",
        "msg_blocks_too_long",
    }
)
"""Slack can't show a message that it answers so."""
log = structlog.get_logger("messages")


@dataclass(frozen=True)
class File:
    """A text file for a message's thread."""

    name: str
    title: str
    content: str


@dataclass(frozen=True)
class Reply:
    """What a message's thread has to hear. `position` is where the thread stands afterwards.

    With neither text nor file only the position moves. `loud` shows it in the channel too. `reported` is the incident
    that the reply reports.
    """

    position: int
    text: str = ""
    file: File | None = None
    loud: bool = False
    reported: Incident | None = None


@dataclass(frozen=True)
class View:
    """A subject as it is now. `render` takes whether plan blocks may be used."""

    revision: int
    channels: tuple[Channel, ...]
    """Where it has to be shown."""
    render: Callable[[bool], Awaitable[Message]]
    replies: Callable[[LiveMessage], Awaitable[tuple[Reply, ...]]]
    """What the thread of a message lacks, in order."""
    first_position: int
    """Where the thread of a fresh message stands."""
    reported: Incident | None = None
    urgent: bool = True
    """Whether an edit goes before those that only show progress."""
    comes_back: bool = True
    """Whether a message that somebody deleted is posted again."""
    complete: Callable[[], Awaitable[None]] | None = None
    """Called when a channel shows everything."""


class Kind(Protocol):
    """What the board shows: operations, incidents or summaries."""

    name: SubjectKind
    """The `kind` of its subjects."""
    event_type: str
    """In the metadata of its messages, by which lost ones are found."""

    async def view(self, subject: str) -> View | None:
        """How a subject is now; None when there is nothing to show of it."""

    async def behind(self, since: datetime | None) -> Iterable[str]:
        """Subjects that may not be shown as they are; all, or only those of which something is newer than `since`."""


class Topic:
    """One kind's side of the board, as services see it (`services.ports.MessageBoard`)."""

    def __init__(self, kind: Kind, changed: Callable[[Subject], None]) -> None:
        self._kind = kind
        self._changed = changed

    def changed(self, subject: str) -> None:
        """There is something new to show."""
        self._changed(Subject(self._kind.name, subject))


class _LeaseLost(Exception):
    """Another process has the message in hand, and shows it."""


class Board:
    """Shows subjects of the registered kinds. `pause` (seconds) comes before the second try of anything."""

    def __init__(self, posting: Posting, store: Store, clock: Clock, *, pause: float = 1.0) -> None:
        self._posting = posting
        self._messages = store.messages
        self._workspaces = store.workspaces
        self._clock = clock
        self._pause = pause
        self._kinds: dict[SubjectKind, Kind] = {}
        self._holder = secrets.token_hex(8)
        self._queue = Queue(self._bring_up)
        self._obstacles = Obstacles(self._queue.changed, pause=pause)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._sweeper: asyncio.Task[None] | None = None

    # --- life -------------------------------------------------------------------------------------------------------

    def add(self, kind: Kind) -> Topic:
        """Show this kind of subject too."""
        self._kinds[kind.name] = kind
        return Topic(kind, self.changed)

    async def start(self) -> None:
        """Show what was not shown when the last process ended, and everything from now on."""
        await self.sweep(None)
        self._queue.start()
        self._sweeper = asyncio.create_task(self._sweep_for_ever())

    async def stop(self, deadline: float = 5) -> None:
        """Show what is left, as far as the time (seconds) allows; the next start shows the rest."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        missing = await self._queue.stop(deadline)
        if missing:
            log.warning("messages_left", subjects=missing)
        self._obstacles.close()

    def changed(self, subject: Subject) -> None:
        """There is something new to show. May be called as often as one likes."""
        self._queue.changed(subject)

    def reachable(self, channel: Channel) -> None:
        """The bot was invited to a channel, or something could be posted there: try again what was refused."""
        self._obstacles.wake(None, channel)

    async def sweep(self, since: datetime | None) -> None:
        """Look for what is not shown."""
        for kind in self._kinds.values():
            for subject in await kind.behind(since):
                self.changed(Subject(kind.name, subject))

    async def _sweep_for_ever(self) -> None:
        while True:
            await asyncio.sleep(SWEEP)
            try:
                await self.sweep(self._clock.now() - RECENT)
            except DatabaseAway:
                continue
            except Exception:
                log.exception("messages_not_swept")

    @property
    def waiting(self) -> int:
        """Subjects whose last state is not shown yet, without those in channels that the bot can't reach."""
        return len(self._queue) + len(self._obstacles)

    @property
    def trouble(self) -> str:
        """Why Slack takes no message of the bot at the moment; empty when it does, or the reason passes in seconds."""
        obstacle = self._obstacles.general
        return f"Slack refuses messages: {obstacle.code}" if obstacle and obstacle.failures > 1 else ""

    # --- one subject ------------------------------------------------------------------------------------------------

    async def _bring_up(self, subject: Subject) -> None:
        """Show a subject in all its channels. Never raises."""
        try:
            async with self._turns:
                view = await self._kinds[subject.kind].view(subject.id)
                stored = {message.channel: message for message in await self._messages.of(subject)}
                channels = view.channels if view else ()
                for unwanted in stored.keys() - set(channels):
                    await self._messages.drop(stored[unwanted])
            if view is not None:
                messages = (stored.get(channel, LiveMessage(subject, channel)) for channel in channels)
                await asyncio.gather(*(self._bring_up_in(message, view) for message in messages))
            if view is None or not channels:
                self._obstacles.passed(subject)
        except DatabaseAway:
            self._queue.later(subject, AWAY)
        except Exception as error:
            # A defect may pass too, with what it came from.
            if not self._obstacles.stands(subject):
                log.exception("message_not_shown", **{subject.kind: subject.id})
            self._obstacles.met(subject, subject, type(error).__name__, longest=LONG)
        self._obstacles.left(subject)

    async def _bring_up_in(self, message: LiveMessage, view: View) -> None:
        """Show a subject in one channel."""
        subject, channel = message.subject, message.channel
        lacks_edit = message.shown < view.revision
        unfinished = lacks_edit or message.pending or view.complete is not None
        if not unfinished and not await view.replies(message):
            self._obstacles.passed(subject)
            return
        if self._obstacles.stop(subject, None, channel, subject):
            return
        # Waited for here, where nothing is held that others need.
        if message.ts and lacks_edit:
            await self._room_to_edit(message, view)
        else:
            await self._posting.posts(channel).ready()
        try:
            async with self._turns:
                await self._write_to(message)
        except _LeaseLost:
            self._queue.later(subject, self._pause)
        except Throttled:
            # Its budget is closed for as long as Slack says, and is waited for when the subject comes again.
            self._queue.later(subject, 0)
        except Foreign as error:
            self._refused(subject, channel, error)

    def _refused(self, subject: Subject, channel: Channel, error: Foreign) -> None:
        if error.code in CLOSED:
            self._obstacles.met(channel, subject, error.code, longest=LONG)
        elif isinstance(error, Unreachable | NotAuthenticated | NotAllowed):
            self._obstacles.met(None, subject, error.code, longest=BRIEF)
        else:
            self._obstacles.met(subject, subject, error.code, longest=LONG)

    async def _room_to_edit(self, message: LiveMessage, view: View) -> None:
        """Wait until an edit is within the budget; progress waits longer than ends and questions do."""
        urgent = view.urgent
        if message.edited is not None and not urgent:
            since = (self._clock.now() - message.edited).total_seconds()
            urgent = await self._becomes_urgent(message.subject, min(max(BETWEEN_EDITS - since, 0), BETWEEN_EDITS))
        while (wait := self._posting.updates.wait(keep=0 if urgent else URGENT)) > 0:
            if urgent:
                await asyncio.sleep(wait)
            else:
                urgent = await self._becomes_urgent(message.subject, min(wait, 1))

    async def _becomes_urgent(self, subject: Subject, seconds: float) -> bool:
        """Wait so long, but no longer than until the subject ends or asks something: that is shown at once."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (remaining := until - loop.time()) > 0:
            if not await self._queue.changes_within(subject, remaining):
                return False
            view = await self._kinds[subject.kind].view(subject.id)
            if view is None or view.urgent:
                return True
        return False

    # --- one message, in hand ---------------------------------------------------------------------------------------

    @asynccontextmanager
    async def _held(self, message: LiveMessage) -> AsyncIterator["_Held | None"]:
        """The message as it is stored, while this process alone may write to it; None while another one does."""
        now = self._clock.now()
        stored = await self._messages.claim(message, self._holder, now, now + LEASE)
        if stored is None:
            yield None
            return
        in_hand = _Held(stored)
        try:
            yield in_hand
        finally:
            await self._messages.release(message, self._holder, **in_hand.changes)

    async def _write_to(self, message: LiveMessage) -> None:
        """Post or edit a message, unless another process does."""
        subject, channel = message.subject, message.channel
        if self._obstacles.stop(subject, None, channel, subject):
            return  # others have met it while this one waited for its turn
        async with self._held(message) as in_hand:
            if in_hand is None:
                raise _LeaseLost
            await self._show(in_hand)
        self._obstacles.passed(None, channel, subject)

    async def _show(self, in_hand: "_Held") -> None:
        subject, channel = in_hand.message.subject, in_hand.message.channel
        view = await self._kinds[subject.kind].view(subject.id)
        if view is None or channel not in view.channels:
            return
        try:
            if not in_hand.message.ts:
                await self._post(in_hand, view)
            if in_hand.message.shown < view.revision:
                await self._edit(in_hand, view)
            await self._reply(in_hand, view)
        except (Absent, Refused) as error:
            if error.code not in GONE or not in_hand.message.ts:
                raise
            await self._gone(in_hand, view)
        if view.complete is not None:
            await view.complete()

    async def _post(self, in_hand: "_Held", view: View) -> None:
        """The first message, or the one that was posted before its reply was lost: that one is edited next."""
        message = in_hand.message
        fresh: dict[str, Any] = {"position": view.first_position, "reported": view.reported, "pending": ""}
        if message.pending and (lost := await self._find(message, message.pending)):
            in_hand.note(ts=lost, shown=-1, **fresh)
            return
        mark = f"{message.subject.id}:message"
        await self._write(in_hand, pending=mark)
        event_type = self._kinds[message.subject.kind].event_type

        async def post(content: Message) -> str:
            return await self._posting.post(message.channel, content, kind=event_type, mark=mark)

        ts = await self._fitting(message.channel, view, post)
        in_hand.note(ts=ts, shown=view.revision, edited=self._clock.now(), **fresh)
        log.info("message_posted", **{message.subject.kind: message.subject.id}, channel=message.channel.id)

    async def _edit(self, in_hand: "_Held", view: View) -> None:
        message = in_hand.message

        async def edit(content: Message) -> str:
            await self._posting.update(message.channel, message.ts, content)
            return message.ts

        await self._fitting(message.channel, view, edit)
        in_hand.note(shown=view.revision, edited=self._clock.now())

    async def _gone(self, in_hand: "_Held", view: View) -> None:
        """Somebody deleted the message."""
        if view.comes_back:
            in_hand.note(ts="", shown=-1, position=-1, pending="")
            self.changed(in_hand.message.subject)
            return
        replies = await view.replies(in_hand.message)
        in_hand.note(
            shown=view.revision, position=replies[-1].position if replies else in_hand.message.position, pending=""
        )

    async def _reply(self, in_hand: "_Held", view: View) -> None:
        """What the thread has not heard yet."""
        message = in_hand.message
        if message.pending:
            if await self._find(message, message.pending, thread=message.ts):
                in_hand.note(position=int(message.pending.rpartition(":")[2]), reported=view.reported)
            in_hand.note(pending="")
        for reply in await view.replies(in_hand.message):
            mark = f"{message.subject.id}:{reply.position}"
            if reply.text:
                await self._write(in_hand, pending=mark)
                await self._posting.post(
                    message.channel,
                    Message(reply.text),
                    kind=self._kinds[message.subject.kind].event_type,
                    mark=mark,
                    thread=message.ts,
                    loud=reply.loud,
                )
            if reply.file:
                await self._upload(message, reply.file)
            in_hand.note(position=reply.position, reported=reply.reported, pending="")

    async def _upload(self, message: LiveMessage, file: File) -> None:
        """A file adds to its message, which is right without it: only when Slack has no time it is tried again."""
        try:
            await self._posting.upload(message.channel, file.name, file.content, title=file.title, thread=message.ts)
        except Throttled:
            raise
        except Foreign as error:
            log.warning("file_not_shared", file=file.name, error=error.code or type(error).__name__)

    async def _write(self, in_hand: "_Held", **changes: object) -> None:
        """Store before something is posted; raises `_LeaseLost` when another process has the message by now."""
        in_hand.note(**changes)
        until = self._clock.now() + LEASE
        if not await self._messages.write(in_hand.message, self._holder, until, **in_hand.changes):
            raise _LeaseLost
        in_hand.changes.clear()

    async def _find(self, message: LiveMessage, mark: str, *, thread: str = "") -> str:
        event_type = self._kinds[message.subject.kind].event_type
        return await self._posting.find(message.channel, mark, kind=event_type, thread=thread)

    async def post_once(self, view: View, channel: Channel, *, event_type: str, mark: str) -> None:
        """Post a view as it is now, as a message that does not live; raises `services.model.errors`."""

        async def post(content: Message) -> str:
            return await self._posting.post(channel, content, kind=event_type, mark=mark)

        message = LiveMessage(Subject("summary", mark), channel, await self._fitting(channel, view, post))
        for reply in await view.replies(message):
            if reply.file:
                await self._upload(message, reply.file)

    # --- what fits --------------------------------------------------------------------------------------------------

    async def _fitting(self, channel: Channel, view: View, send: Callable[[Message], Awaitable[str]]) -> str:
        """Send the fullest form of a view that Slack takes; returns the message's ts.

        Some workspaces refuse plan blocks; that is remembered, so that it is tried once.
        """
        plan_blocks = await self._workspaces.plan_blocks(channel.team)
        full = await view.render(plan_blocks)
        forms = [full, _short(full), replace(full, blocks=(), attachments=(), text=full.text[:1000])]
        without_plan = None
        if plan_blocks and any(block["type"] == "plan" for block in full.blocks):
            without_plan = await view.render(False)
            forms.insert(1, without_plan)
        refusals: list[Refused] = []
        for form in forms:
            try:
                ts = await send(form)
            except Refused as error:
                if error.code not in UNFIT:
                    raise
                refusals.append(error)
                continue
            if form is without_plan:
                log.warning("plan_blocks_refused", team=channel.team)
                await self._workspaces.remember_plan_blocks(channel.team, False)
            elif form is not full:
                log.warning("message_shortened", channel=channel.id, error=refusals[0].code)
            return ts
        raise refusals[0]


def _short(message: Message) -> Message:
    """The headline and the buttons."""
    attached = [block for each in message.attachments for block in each.get("blocks", ())]
    buttons = [block for block in (*message.blocks, *attached) if block["type"] == "actions"]
    return replace(message, blocks=(section(message.text), *buttons), attachments=())


class _Held:
    """A message in hand, with what has become of it; `changes` are those not stored yet."""

    def __init__(self, message: LiveMessage) -> None:
        self.message = message
        self.changes: dict[str, Any] = {}

    def note(self, **changes: Any) -> None:
        """Remember what is true now; it is stored with the next write, or when the message is given back."""
        self.message = replace(self.message, **changes)
        self.changes |= changes
