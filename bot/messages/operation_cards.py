"""Operations on the board: a card in the channel where one was asked for, and a line in its thread for each event."""

from datetime import datetime
from functools import partial

from bot.messages.board import ThreadReply, View
from handlers.kit.blocks import MESSAGE_TEXT
from handlers.kit.message import Message
from handlers.views import operation as views
from services.model.message import Channel, LiveMessage, SubjectKind
from services.model.operation import Operation
from services.store import Store


class OperationCards:
    """Shows operations; a `board.Kind`."""

    name: SubjectKind = "operation"
    event_type = "registry_operation"

    def __init__(self, store: Store) -> None:
        self._store = store

    async def view(self, subject: str) -> View | None:
        """The operation as it is now."""
        operation = await self._store.operations.get(subject)
        if operation is None or operation.shown_by_parent:
            return None

        channel = Channel(operation.place.team, operation.place.channel)

        async def render(plan_blocks: bool) -> Message:
            return views.card(operation, plan_blocks=plan_blocks)

        return View(
            revision=operation.revision,
            channels=(channel,),
            readers={channel: operation.requester},
            render=render,
            replies=partial(self._replies, operation),
            first_position=0,
        )

    async def is_urgent(self, subject: str) -> bool:
        """Ends and questions are."""
        return await self._store.operations.state(subject) not in {"running", "planning"}

    async def behind(self, since: datetime | None) -> tuple[str, ...]:
        """Operations whose card or thread is incomplete."""
        return await self._store.messages.operations_behind(since)

    async def _replies(self, operation: Operation, message: LiveMessage) -> tuple[ThreadReply, ...]:
        """One reply for all new events that fit into it; those that the channel sees too get a separate one."""
        events = await self._store.operations.events(operation.id, max(message.position, 0))
        if not events:
            return ()
        # Read after the events, so that it contains everything that they report.
        latest = await self._store.operations.get(operation.id) or operation
        replies: list[ThreadReply] = []
        for event in events:
            line, loud = views.thread_line(latest, event), views.is_loud(latest, event)
            last = replies[-1] if replies else None
            if last and last.loud == loud and len(last.text) + len(line) < MESSAGE_TEXT:
                replies[-1] = ThreadReply(event.id, "\n".join(filter(None, (last.text, line))), loud=loud)
            else:
                replies.append(ThreadReply(event.id, line, loud=loud))
        return tuple(replies)
