"""Which message in Slack shows which subject, how much of it, and which process may write to it."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Text, and_, cast, delete, or_, select, update

from services.model.message import Channel, LiveMessage, Subject
from services.model.operation import LIVE
from services.store.base import Queries
from services.store.tables import events, incidents, messages, operations

NOBODY = datetime(1970, 1, 1, tzinfo=UTC)
"""End of a lease that nobody holds."""


class Messages(Queries):
    """One row for each subject and channel. `holder` and `until` are a lease: only its holder posts and edits."""

    async def of(self, subject: Subject) -> tuple[LiveMessage, ...]:
        """A subject's messages in all channels."""
        about = and_(messages.c.kind == subject.kind, messages.c.subject == subject.id)
        async with self._reading() as connection:
            return tuple(map(_message, (await connection.execute(select(messages).where(about))).mappings()))

    async def claim(self, message: LiveMessage, holder: str, now: datetime, until: datetime) -> LiveMessage | None:
        """Take the lease until then and return the message as it is stored; None while another process holds it."""
        same = _same(message)
        # A lease that ends later than one that is taken now was taken by a clock that has been set back since.
        free = or_(messages.c.holder.in_(["", holder]), messages.c.until <= now, messages.c.until > until)
        async with self._writing() as connection:
            lease = update(messages).where(same, free).values(holder=holder, until=until)
            claimed = (await connection.execute(lease)).rowcount
            row = (await connection.execute(select(messages).where(same))).mappings().first()
            if row is None:
                fresh = _key(message) | {"ts": "", "shown": -1, "position": -1, "pending": ""}
                insert = self._insert_once(messages).values(**fresh, holder=holder, until=until)
                # Two processes may insert at the same moment; the one whose row was first has the lease.
                return message if (await connection.execute(insert)).rowcount else None
        return _message(row) if claimed else None

    async def write(self, message: LiveMessage, holder: str, until: datetime, **changes: object) -> bool:
        """Change the named columns and prolong the lease; False, and nothing is written, when it was lost."""
        mine = update(messages).where(_same(message), messages.c.holder == holder)
        async with self._writing() as connection:
            return (await connection.execute(mine.values(until=until, **changes))).rowcount == 1

    async def release(self, message: LiveMessage, holder: str, **changes: object) -> None:
        """Change the named columns and give the lease back."""
        mine = update(messages).where(_same(message), messages.c.holder == holder)
        async with self._writing() as connection:
            await connection.execute(mine.values(holder="", until=NOBODY, **changes))

    async def release_all(self, holders: Collection[str] | None = None) -> None:
        """Give back all leases of holders that are dead.

        Without `holders` those of everybody: only for a process that has the database to itself.
        """
        leased = messages.c.holder != "" if holders is None else messages.c.holder.in_(holders)
        async with self._writing() as connection:
            await connection.execute(update(messages).where(leased).values(holder="", until=NOBODY))

    async def drop(self, message: LiveMessage) -> None:
        """Forget a message that was never posted."""
        async with self._writing() as connection:
            await connection.execute(delete(messages).where(_same(message), messages.c.ts == ""))

    async def forget_summaries(self, before: datetime) -> int:
        """Drop the rows of summaries that were posted before that time; returns how many there were."""
        old = and_(messages.c.kind == "summary", messages.c.edited < before)
        async with self._writing() as connection:
            return (await connection.execute(delete(messages).where(old))).rowcount

    # --- what is not shown yet --------------------------------------------------------------------------------------

    async def queued_behind(self, among: Collection[str] | None = None) -> tuple[str, ...]:
        """Queued operations whose card shows an older state: it may say for whom they no longer wait."""
        card = and_(messages.c.kind == "operation", messages.c.subject == operations.c.id)
        older = select(messages.c.subject).where(card, messages.c.shown < operations.c.revision)
        # Not a join: SQLite might begin with all cards that were ever posted.
        query = select(operations.c.id).where(operations.c.state == "queued", older.exists())
        if among is not None:
            query = query.where(operations.c.id.in_(among))
        async with self._reading() as connection:
            return tuple(await connection.scalars(query))

    async def operations_behind(self, since: datetime | None = None) -> tuple[str, ...]:
        """Operations whose card or thread does not show their last state, oldest first.

        With `since`, only those that still live or were created after it. Parts of others and
        dry runs have no card.
        """
        card = and_(messages.c.kind == "operation", messages.c.subject == operations.c.id)
        newer = select(events.c.id).where(events.c.operation == operations.c.id, events.c.id > messages.c.position)
        late = or_(messages.c.subject.is_(None), messages.c.shown < operations.c.revision, newer.exists())
        has_card = or_(operations.c.parent == "", cast(operations.c.approval_request, Text) != "null")
        query = select(operations.c.id).outerjoin(messages, card).where(late, has_card, operations.c.dry_run.is_(False))
        query = query.order_by(operations.c.created)
        if since is not None:
            live = select(operations.c.id).where(operations.c.state.in_(LIVE))
            recent = select(operations.c.id).where(operations.c.created >= since)
            # Not an "or": SQLite might read all operations in the order that is asked for, the few of the day last.
            query = query.where(operations.c.id.in_(live.union(recent)))
        async with self._reading() as connection:
            return tuple(await connection.scalars(query))

    async def incidents_behind(self, since: datetime | None = None) -> tuple[str, ...]:
        """Incidents that some message does not show as they are, and open ones (changed after `since`), oldest first.

        An open one may lack a message in some channel, which only the watches know.
        """
        is_open = incidents.c.resolved.is_(None)
        behind = or_(messages.c.shown < incidents.c.revision, messages.c.position < incidents.c.revision)
        late = (
            select(messages.c.subject)
            .where(messages.c.kind == "incident", messages.c.subject == incidents.c.id, behind)
            # The end of what a channel never saw is not posted there.
            .where(or_(messages.c.ts != "", is_open))
        )
        recent: ColumnElement[bool] = is_open if since is None else and_(is_open, incidents.c.changed >= since)
        query = select(incidents.c.id).where(or_(recent, late.exists())).order_by(incidents.c.opened)
        async with self._reading() as connection:
            return tuple(await connection.scalars(query))


def _key(message: LiveMessage) -> dict[str, str]:
    subject, channel = message.subject, message.channel
    return {"kind": subject.kind, "subject": subject.id, "team": channel.team, "channel": channel.id}


def _same(message: LiveMessage) -> ColumnElement[bool]:
    return and_(*(messages.c[name] == value for name, value in _key(message).items()))


def _message(row: RowMapping) -> LiveMessage:
    state: dict[str, Any] = {name: row[name] for name in ("ts", "shown", "position", "reported", "pending", "edited")}
    return LiveMessage(Subject(row["kind"], row["subject"]), Channel(row["team"], row["channel"]), **state)
