"""The board: live messages. Each shows one subject in one channel, is posted once and edited to the latest revision.

What a message shows, and up to where its thread is complete, is stored (`services.store.messages`). After a crash the
same message is therefore continued: what is not shown is found at the start, and every few seconds afterwards. Progress
may skip states, but the last one always arrives. When there are several processes, the one that holds a message's lease
writes to it. A post whose reply was lost is searched for by its mark before it is repeated. What Slack refuses for now
is retried when it may work (`obstacles`); a message that Slack can't show is shortened.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Protocol

import structlog

from bot.messages.obstacles import Obstacles
from bot.messages.posting import OVERHEARD, Posting
from bot.messages.queue import Queue
from bot.slack.client import CLOSED
from handlers.kit.blocks import section
from handlers.kit.language import Language, language_of, reading
from handlers.kit.message import File, Message
from handlers.views.errors import closed_channel
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
from services.traces import OFF, Traces

LEASE = timedelta(seconds=20)
"""For how long a process may write to a message before another one assumes that it died; each post renews it.

Longer than the client waits for Slack's answer, so that no live process loses a message in the middle of a call."""
SWEEP = 15.0
"""Seconds between two searches for changes that no process has shown, such as those of a process that died."""
RECENT = timedelta(days=1)
"""How far back these searches go; the one at the start has no limit."""
AT_ONCE = 8
"""Messages that are written at the same time."""
URGENT = 6
"""Edits reserved for ends and questions while other edits only show progress."""
BETWEEN_EDITS = 1.0
AWAY = 2.0
"""Seconds between two attempts while the bot's own database does not answer."""
BRIEF, LONG = 30.0, 300.0
"""Longest pauses between two attempts, in seconds: when Slack is unreachable or refuses the bot; for one channel."""
GONE = frozenset({"message_not_found", "thread_not_found", "edit_window_closed", "cant_update_message"})
"""A message with one of these errors can't be edited or answered any more."""
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
"""Slack can't show a message that it refuses with one of these errors."""
log = structlog.get_logger("messages")


@dataclass(frozen=True)
class ThreadReply:
    """A reply in a message's thread. `position` is up to where the thread is complete afterwards.

    Without text and file only the position moves. `loud` shows the reply in the channel too. `reported` is the incident
    that the reply reports.
    """

    position: int
    text: str = ""
    file: File | None = None
    loud: bool = False
    reported: Incident | None = None


@dataclass(frozen=True)
class View:
    """A subject as it is now. `render` is called with whether plan blocks may be used."""

    revision: int
    channels: tuple[Channel, ...]
    """Where to show it."""
    render: Callable[[bool], Awaitable[Message]]
    replies: Callable[[LiveMessage], Awaitable[tuple[ThreadReply, ...]]]
    """The replies that are missing from a message's thread, in order."""
    first_position: int
    """The position of a new message's thread."""
    readers: Mapping[Channel, str] = field(default_factory=dict)
    """Whose language it is in there, a person by Slack id; English where nobody is named."""
    reported: Incident | None = None
    comes_back: bool = True
    """Whether the message is posted again after somebody deleted it."""
    complete: Callable[[], Awaitable[None]] | None = None
    """Called when a channel shows everything."""


class Kind(Protocol):
    """A kind of subject that the board shows: operations, incidents or summaries."""

    name: SubjectKind
    """The `kind` of its subjects."""
    event_type: str
    """In the metadata of its messages, to find those whose reply was lost."""

    async def view(self, subject: str) -> View | None:
        """A subject as it is now; None when there is nothing to show."""

    async def is_urgent(self, subject: str) -> bool:
        """Whether an edit takes precedence over those that only show progress."""

    async def behind(self, since: datetime | None) -> Iterable[str]:
        """Subjects whose latest state may not be shown; with `since` only those that changed after it."""


class Topic:
    """One kind's side of the board, as services see it (`services.ports.MessageBoard`)."""

    def __init__(self, kind: Kind, queue: Queue) -> None:
        self._kind = kind
        self._queue = queue

    def changed(self, subject: str) -> None:
        """There is something new to show."""
        self._queue.changed(Subject(self._kind.name, subject))

    def progressed(self, subject: str) -> None:
        """There is something new to show that nobody waits for."""
        self._queue.progressed(Subject(self._kind.name, subject))


class _LeaseLost(Exception):
    """Another process holds the message's lease, and shows the subject."""


class Board:
    """Shows subjects of the registered kinds.

    In seconds, `pause` is the wait before a second attempt, and `between_edits` the least time between two edits of one
    message that only show progress. `locale` says in which one Slack speaks to a person, by id; empty where it can't.
    """

    def __init__(
        self,
        posting: Posting,
        store: Store,
        clock: Clock,
        locale: Callable[[str], Awaitable[str]],
        *,
        traces: Traces = OFF,
        pause: float = 1.0,
        between_edits: float = BETWEEN_EDITS,
    ) -> None:
        self._posting = posting
        self._messages = store.messages
        self._workspaces = store.workspaces
        self._deliveries = store.deliveries
        self._clock = clock
        self._locale = locale
        self._traces = traces
        self._pause = pause
        self._between_edits = between_edits
        self._kinds: dict[SubjectKind, Kind] = {}
        self._holder = store.lease.executor
        self._queue = Queue(self._bring_up)
        self._obstacles = Obstacles(self._queue.changed, pause=pause)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._urgent_edits = asyncio.Lock()
        self._sweeper: asyncio.Task[None] | None = None

    # --- life -------------------------------------------------------------------------------------------------------

    def add(self, kind: Kind) -> Topic:
        """Register a kind of subject."""
        self._kinds[kind.name] = kind
        return Topic(kind, self._queue)

    async def start(self) -> None:
        """Show everything that the last process could not show, and everything from now on."""
        await self.sweep(None)
        self._queue.start()

        async def sweep_regularly() -> None:
            while True:
                await asyncio.sleep(SWEEP)
                try:
                    await self.sweep_recent()
                except DatabaseAway:
                    continue
                except Exception:
                    log.exception("messages_not_swept")

        self._sweeper = asyncio.create_task(sweep_regularly())

    async def stop(self, deadline: float = 5) -> None:
        """Show what is waiting, for at most `deadline` seconds; the next start shows the remainder."""
        if self._sweeper is not None:
            self._sweeper.cancel()
            await asyncio.gather(self._sweeper, return_exceptions=True)
        missing = await self._queue.stop(deadline)
        if missing:
            log.warning("messages_left", subjects=missing)
        self._obstacles.close()

    def changed(self, subject: Subject) -> None:
        """There is something new to show. Calls are cheap, and repeated ones are merged."""
        self._queue.changed(subject)

    def reachable(self, channel: Channel) -> None:
        """The bot was invited to a channel, or a post succeeded there: retry what was refused."""
        self._obstacles.wake(None, channel)

    async def sweep_recent(self) -> None:
        """The same for what changed within a day."""
        await self.sweep(self._clock.now() - RECENT)

    async def sweep(self, since: datetime | None) -> None:
        """Queue everything whose latest state is not shown; with `since` only recent changes."""
        for kind in self._kinds.values():
            for subject in await kind.behind(since):
                self.changed(Subject(kind.name, subject))

    @property
    def waiting(self) -> int:
        """The number of subjects whose last state is not shown yet, except in channels that the bot can't reach."""
        return len(self._queue) + len(self._obstacles)

    @property
    def lag(self) -> float:
        """For how many seconds the subject that has waited longest has not been shown as it is; 0 for none."""
        return self._queue.lag

    @property
    def trouble(self) -> str:
        """Why Slack refuses all messages now; empty when it accepts them, or the problem has only just begun."""
        obstacle = self._obstacles.general
        return f"Slack refuses messages: {obstacle.code}" if obstacle and obstacle.failures > 1 else ""

    # --- one subject ------------------------------------------------------------------------------------------------

    async def _bring_up(self, subject: Subject) -> None:
        """Show a subject's latest state in all its channels. Never raises."""
        if subject.kind == "operation":
            with self._traces.about(subject.id):
                await self._show_everywhere(subject)
        else:
            await self._show_everywhere(subject)

    async def _show_everywhere(self, subject: Subject) -> None:
        try:
            async with self._turns:
                due = await self._due(subject)
            await asyncio.gather(*map(self._bring_up_in, due))
            if not due:
                self._obstacles.passed(subject)
        except DatabaseAway:
            self._queue.later(subject, AWAY)
        except Exception as error:
            # A defect. It may be temporary.
            if not self._obstacles.stands(subject):
                log.exception("message_not_shown", **{subject.kind: subject.id})
            self._obstacles.met(subject, subject, type(error).__name__, longest=LONG)
        self._obstacles.left(subject)

    async def _due(self, subject: Subject) -> list["_Due"]:
        """The messages of a subject that do not show everything; those that show what no longer exists are dropped.

        Nothing of the view is returned: a thousand subjects may wait for Slack, and each is read again when its turn
        comes.
        """
        view = await self._kinds[subject.kind].view(subject.id)
        stored = {message.channel: message for message in await self._messages.of(subject)}
        channels = view.channels if view else ()
        for unwanted in stored.keys() - set(channels):
            await self._messages.drop(stored[unwanted])
        if view is None:
            return []
        due: list[_Due] = []
        for channel in channels:
            message = stored.get(channel, LiveMessage(subject, channel))
            outdated = message.shown < view.revision
            if outdated or message.pending or view.complete is not None or await view.replies(message):
                due.append(_Due(message, is_edit=bool(message.ts) and outdated))
        return due

    async def _bring_up_in(self, due: "_Due") -> None:
        """Show a subject's latest state in one channel, as soon as Slack's limits allow it."""
        subject, channel = due.message.subject, due.message.channel
        if self._obstacles.stop(subject, None, channel, subject):
            return
        # Wait here, before taking the lease and a turn that others need.
        if due.is_edit:
            await self._reserve_edit(due)
        else:
            await self._posting.posts(channel).ready()
        try:
            async with self._turns:
                await self._write_to(due)
        except _LeaseLost:
            self._queue.later(subject, self._pause)
        except Throttled:
            # Its budget stays closed for as long as Slack says; the next attempt waits for it.
            self._queue.later(subject, 0)
        except Foreign as error:
            if error.code in CLOSED or error.code == OVERHEARD:
                self._obstacles.met(channel, subject, error.code, longest=LONG)
                await self._notify_reader(due.message, error)
            elif isinstance(error, Unreachable | NotAuthenticated | NotAllowed):
                self._obstacles.met(None, subject, error.code, longest=BRIEF)
            else:
                self._obstacles.met(subject, subject, error.code, longest=LONG)

    async def _notify_reader(self, message: LiveMessage, refusal: Foreign) -> None:
        """Write to whoever a message is for that it can't be shown, once a channel: nobody else would notice."""
        subject, channel = message.subject, message.channel
        view = await self._kinds[subject.kind].view(subject.id)
        reader = view.readers.get(channel, "") if view else ""
        mark = f"closed:{channel.id}:{reader}"
        if view is None or not reader or not await self._deliveries.first(mark):
            return
        with reading(await self._language(view, channel)):
            notice = closed_channel(channel.id, overheard=refusal.code == OVERHEARD)
        event_type = self._kinds[subject.kind].event_type
        try:
            await self._posting.post(Channel(channel.team, reader), notice, kind=event_type, mark=mark)
        except Foreign as error:
            log.warning("reader_not_notified", channel=channel.id, person=reader, error=error.code)

    async def _reserve_edit(self, due: "_Due") -> None:
        """Wait until an edit is within the budget, and take it; progress waits longer than ends and questions."""
        subject, budget = due.message.subject, self._posting.updates
        urgent = await self._kinds[subject.kind].is_urgent(subject.id)
        if due.message.edited is not None and not urgent:
            since = (self._clock.now() - due.message.edited).total_seconds()
            pause = min(max(self._between_edits - since, 0), self._between_edits)
            urgent = await self._becomes_urgent(subject, pause)
        while not urgent and (wait := budget.wait(keep=URGENT)) > 0:
            urgent = await self._becomes_urgent(subject, min(wait, 1))
        if not urgent:
            budget.take()
            return
        # In turn: a thousand may wait, and all of them would wake up for the same edit.
        async with self._urgent_edits:
            await budget.taken()

    async def _becomes_urgent(self, subject: Subject, seconds: float) -> bool:
        """Wait, but return True as soon as the subject ends or asks a question, which is shown at once."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (remaining := until - loop.time()) > 0:
            if not await self._queue.changes_within(subject, remaining):
                return False
            if await self._kinds[subject.kind].is_urgent(subject.id):
                return True
        return False

    # --- one message, claimed ---------------------------------------------------------------------------------------

    async def _write_to(self, due: "_Due") -> None:
        """Claim a message and post or edit it; raises `_LeaseLost` while another process has it."""
        message, subject, channel = due.message, due.message.subject, due.message.channel
        if self._obstacles.stop(subject, None, channel, subject):
            return  # another subject met the obstacle while this one waited for its turn
        now = self._clock.now()
        stored = await self._messages.claim(message, self._holder, now, now + LEASE)
        if stored is None:
            raise _LeaseLost
        claim = _Claim(stored, edit_is_reserved=due.is_edit)
        try:
            await self._show(claim)
        finally:
            await self._messages.release(message, self._holder, **claim.changes)
        self._obstacles.passed(None, channel, subject)

    async def _show(self, claim: "_Claim") -> None:
        subject, channel = claim.message.subject, claim.message.channel
        view = await self._kinds[subject.kind].view(subject.id)
        if view is None or channel not in view.channels:
            return
        try:
            if not claim.message.ts:
                await self._post(claim, view)
            if claim.message.shown < view.revision:
                if not claim.edit_is_reserved:
                    # Another process has posted it meanwhile, or the subject has moved on. The edit waits like any.
                    self._queue.later(subject, 0)
                    return
                update = partial(self._posting.update, channel, claim.message.ts)
                await self._send_fitting(channel, view, update)
                claim.note(shown=view.revision, edited=self._clock.now())
            await self._reply(claim, view)
        except (Absent, Refused) as error:
            if error.code not in GONE or not claim.message.ts:
                raise
            # Somebody deleted the message: it is posted again, or everything counts as shown.
            if view.comes_back:
                claim.note(ts="", shown=-1, position=-1, pending="")
                self.changed(subject)
            else:
                replies = await view.replies(claim.message)
                position = replies[-1].position if replies else claim.message.position
                claim.note(shown=view.revision, position=position, pending="")
        if view.complete is not None:
            await view.complete()

    async def _post(self, claim: "_Claim", view: View) -> None:
        """Post the message, or find the one whose reply was lost, which is then edited."""
        message = claim.message
        fresh: dict[str, Any] = {"position": view.first_position, "reported": view.reported, "pending": ""}
        if message.pending and (lost := await self._find(message, message.pending)):
            claim.note(ts=lost, shown=-1, **fresh)
            return
        mark = f"{message.subject.id}:message"
        await self._store_pending(claim, mark)
        event_type = self._kinds[message.subject.kind].event_type
        post = partial(self._posting.post, message.channel, kind=event_type, mark=mark)
        ts = await self._send_fitting(message.channel, view, post)
        claim.note(ts=ts, shown=view.revision, edited=self._clock.now(), **fresh)
        log.info("message_posted", **{message.subject.kind: message.subject.id}, channel=message.channel.id)

    async def _reply(self, claim: "_Claim", view: View) -> None:
        """Post the replies that are missing from the thread."""
        message = claim.message
        if message.pending:
            if await self._find(message, message.pending, thread=message.ts):
                claim.note(position=int(message.pending.rpartition(":")[2]), reported=view.reported)
            claim.note(pending="")
        with reading(await self._language(view, message.channel)):
            replies = await view.replies(claim.message)
        for reply in replies:
            mark = f"{message.subject.id}:{reply.position}"
            if reply.text:
                await self._store_pending(claim, mark)
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
            claim.note(position=reply.position, reported=reply.reported, pending="")

    async def _upload(self, message: LiveMessage, file: File) -> None:
        """Share a file. The message is complete without it, so an upload is only retried when Slack throttles it."""
        try:
            await self._posting.upload(message.channel, file, thread=message.ts)
        except Throttled:
            raise
        except Foreign as error:
            log.warning("file_not_shared", file=file.name, error=error.code or type(error).__name__)

    async def _store_pending(self, claim: "_Claim", mark: str) -> None:
        """Store the mark of the next post and renew the lease; raises `_LeaseLost` when another process took it."""
        claim.note(pending=mark)
        until = self._clock.now() + LEASE
        if not await self._messages.write(claim.message, self._holder, until, **claim.changes):
            raise _LeaseLost
        claim.changes.clear()

    async def _find(self, message: LiveMessage, mark: str, *, thread: str = "") -> str:
        event_type = self._kinds[message.subject.kind].event_type
        return await self._posting.find(message.channel, mark, kind=event_type, thread=thread)

    async def post_once(self, view: View, channel: Channel, *, event_type: str, mark: str) -> None:
        """Post a view as it is now, without updating it later; raises `services.model.errors`."""
        post = partial(self._posting.post, channel, kind=event_type, mark=mark)
        message = LiveMessage(Subject("summary", mark), channel, await self._send_fitting(channel, view, post))
        with reading(await self._language(view, channel)):
            replies = await view.replies(message)
        for reply in replies:
            if reply.file:
                await self._upload(message, reply.file)

    # --- languages --------------------------------------------------------------------------------------------------

    async def _rendered(self, view: View, channel: Channel, plan_blocks: bool) -> Message:
        with reading(await self._language(view, channel)):
            return await view.render(plan_blocks)

    async def _language(self, view: View, channel: Channel) -> Language:
        reader = view.readers.get(channel, "")
        return language_of(await self._locale(reader)) if reader else "en"

    # --- what fits --------------------------------------------------------------------------------------------------

    async def _send_fitting(self, channel: Channel, view: View, send: Callable[[Message], Awaitable[str]]) -> str:
        """Send the fullest form of a view that Slack accepts; returns the message's ts.

        Some workspaces refuse plan blocks; that is stored, so that they are tried only once.
        """
        plan_blocks = await self._workspaces.plan_blocks(channel.team)
        full = await self._rendered(view, channel, plan_blocks)
        headline = replace(full, blocks=(section(full.text), *full.buttons), attachments=())
        forms = [full, headline, replace(full, blocks=(), attachments=(), text=full.text[:1000])]
        without_plan = None
        if plan_blocks and any(block["type"] == "plan" for block in full.blocks):
            without_plan = await self._rendered(view, channel, False)
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


@dataclass(frozen=True)
class _Due:
    """A message, as it was read, that does not show everything."""

    message: LiveMessage
    is_edit: bool


class _Claim:
    """A message that this process holds the lease of; `changes` are not stored yet."""

    def __init__(self, message: LiveMessage, *, edit_is_reserved: bool) -> None:
        self.message = message
        self.edit_is_reserved = edit_is_reserved
        self.changes: dict[str, Any] = {}

    def note(self, **changes: Any) -> None:
        """Change the message; the change is stored with the next post, or when the lease is released."""
        self.message = replace(self.message, **changes)
        self.changes |= changes
