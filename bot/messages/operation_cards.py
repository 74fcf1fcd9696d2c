"""Operations changed → their cards and threads in Slack, within Slack's budget.

What was shown is in the database (`services.store.cards`), so that after any crash the same card goes on: a change that
was not shown is found again at the start. Progress may skip states, the last one always arrives. Slack has no key that
makes a post happen once, so a post whose reply was lost is looked for in the channel by its metadata before it is made
again.
"""

import asyncio
from itertools import takewhile

import structlog

from bot.messages.posting import GONE, Posting
from bot.messages.queue import CatchUp
from handlers.kit.message import Message
from handlers.views import operation as views
from services.model.errors import Absent, Refused
from services.model.operation import Event, Operation
from services.store import Card, Store

EVENT_TYPE = "registry_operation"
URGENT = 6
"""Edits kept back for ends and questions while others only show progress."""
PER_CARD = 1.0
"""Seconds between two edits of one card that only show progress."""
log = structlog.get_logger("notifier")


class Notifier:
    """`changed` may be called from anywhere in the loop, as often as one likes."""

    def __init__(self, posting: Posting, store: Store) -> None:
        self._posting = posting
        self._store = store
        self._catch_up = CatchUp(self._bring_up)
        self._shown_at: dict[str, float] = {}

    async def start(self) -> None:
        """Show what was not shown when the last process ended, and everything from now on."""
        for operation in await self._store.cards.behind():
            self.changed(operation)
        self._catch_up.start()

    async def stop(self, deadline: float = 5) -> None:
        """Show what is left, as far as the time (seconds) allows; the next start shows the rest."""
        await self._catch_up.stop(deadline)

    def changed(self, operation: str) -> None:
        """There is something new to show."""
        self._catch_up.changed(operation)

    @property
    def waiting(self) -> int:
        """Operations whose last state is not shown yet."""
        return self._catch_up.waiting

    async def _bring_up(self, operation: str) -> None:
        found, card = await self._store.operations.get(operation), await self._store.cards.get(operation)
        if found is None:
            return
        if not card.ts:
            card = await self._post_card(found, card)
        elif card.shown < found.revision:
            card = await self._update_card(found, card)
        events = await self._store.operations.events(operation, card.told)
        if card.ts and events:
            # Read after the events: what they tell of is in it.
            await self._tell_thread(await self._store.operations.get(operation) or found, card, events)

    # --- the card ---------------------------------------------------------------------------------------------------

    async def _post_card(self, operation: Operation, card: Card) -> Card:
        mark = f"{operation.id}:card"
        ts = await self._found(operation.place.channel, mark) if card.posting else ""
        if not ts:
            await self._store.cards.save(operation.id, posting=mark)
            ts = await self._post(operation, await self._card(operation), mark)
            await self._store.cards.save(operation.id, ts=ts, shown=operation.revision, posting="")
            return Card(operation.id, ts, operation.revision, card.told)
        await self._store.cards.save(operation.id, ts=ts, posting="")
        self.changed(operation.id)
        return Card(operation.id, ts, card.shown, card.told)

    async def _update_card(self, operation: Operation, card: Card) -> Card:
        """The card as it is afterwards; one that somebody deleted is posted anew, its thread with it."""
        await self._room_for_update(operation)
        latest = await self._store.operations.get(operation.id)
        operation = latest or operation
        self._shown_at[operation.id] = asyncio.get_running_loop().time()
        try:
            await self._posting.update(operation.place.channel, card.ts, await self._card(operation))
        except Refused as error:
            if error.code == "invalid_blocks" and await self._without_plan_blocks(operation):
                return await self._update_card(operation, card)
            if error.code not in GONE:
                raise
            return await self._gone(operation)
        except Absent:
            return await self._gone(operation)
        await self._store.cards.save(operation.id, shown=operation.revision)
        if not operation.live:
            self._shown_at.pop(operation.id, None)
        return card

    async def _gone(self, operation: Operation) -> Card:
        await self._store.cards.save(operation.id, ts="", shown=-1, told=0)
        self.changed(operation.id)
        return Card(operation.id)

    async def _room_for_update(self, operation: Operation) -> None:
        urgent = operation.state not in {"running", "planning"}
        if not urgent:
            since = asyncio.get_running_loop().time() - self._shown_at.get(operation.id, 0)
            if since < PER_CARD:
                await self._unless_ended(operation.id, PER_CARD - since)
        while (wait := self._posting.updates.wait(keep=0 if urgent else URGENT)) > 0:
            await self._unless_ended(operation.id, min(wait, 1))
            latest = await self._store.operations.get(operation.id)
            urgent = urgent or (latest is not None and latest.state != "running")

    async def _unless_ended(self, operation: str, seconds: float) -> None:
        """Wait, but no longer than until the operation has ended or asks something: that is shown at once."""
        loop = asyncio.get_running_loop()
        until = loop.time() + seconds
        while (left := until - loop.time()) > 0:
            await asyncio.sleep(min(left, 0.05))
            if self._catch_up.take(operation):
                latest = await self._store.operations.get(operation)
                if latest is not None and latest.state not in {"running", "planning"}:
                    return

    async def _card(self, operation: Operation) -> Message:
        return views.card(operation, plan_blocks=await self._store.workspaces.plan_blocks(operation.place.team))

    async def _without_plan_blocks(self, operation: Operation) -> bool:
        """Remember that this workspace refuses plan blocks; False when that was known, so something else is wrong."""
        team = operation.place.team
        if not await self._store.workspaces.plan_blocks(team):
            return False
        log.warning("plan_blocks_refused", team=team)
        await self._store.workspaces.remember_plan_blocks(team, False)
        return True

    # --- the thread -------------------------------------------------------------------------------------------------

    async def _tell_thread(self, operation: Operation, card: Card, waiting: tuple[Event, ...]) -> None:
        """One message for all that happened meanwhile; what the channel hears too stands in one of its own."""
        events = tuple(takewhile(lambda one: views.is_loud(one) == views.is_loud(waiting[0]), waiting))
        if len(events) < len(waiting):
            self.changed(operation.id)
        last = events[-1].id
        mark = f"{operation.id}:{last}"
        lines = [line for event in events if (line := views.thread_line(operation, event))]
        if lines and not (card.posting and await self._found(operation.place.channel, card.posting, thread=card.ts)):
            await self._store.cards.save(operation.id, posting=mark)
            await self._post(operation, Message("\n".join(lines)), mark, thread=card.ts, loud=views.is_loud(events[0]))
        elif card.posting:
            last = int(card.posting.rpartition(":")[2])
            self.changed(operation.id)
        await self._store.cards.save(operation.id, told=last, posting="")

    # --- Slack ------------------------------------------------------------------------------------------------------

    async def _post(
        self, operation: Operation, message: Message, mark: str, *, thread: str = "", loud: bool = False
    ) -> str:
        channel = operation.place.channel
        try:
            return await self._posting.post(channel, message, kind=EVENT_TYPE, mark=mark, thread=thread, loud=loud)
        except Refused as error:
            if error.code == "invalid_blocks" and not thread and await self._without_plan_blocks(operation):
                return await self._post(operation, await self._card(operation), mark)
            raise

    async def _found(self, channel: str, mark: str, *, thread: str = "") -> str:
        return await self._posting.find(channel, mark, kind=EVENT_TYPE, thread=thread)
