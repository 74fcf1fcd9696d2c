"""Which message in Slack shows which subject, how much of it, and which process may write to it."""

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, Text, and_, cast, delete, or_, select, update

from services.model.message import Channel, LiveMessage, Subject, SubjectKind
from services.model.operation import LIVE
from services.store.base import Queries
from services.store.tables import events, messages, operations

NOBODY = datetime(1970, 1, 1, tzinfo=UTC)
"""End of a lease that nobody holds."""


class Messages(Queries):
    """One row for each subject and channel. `holder` and `until` are a lease: only its holder posts and edits."""

    async def of(self, subject: Subject) -> tuple[LiveMessage, ...]:
        """A subject's messages in all channels."""
        return await self.of_all(subject.kind, [subject.id])

    async def of_all(self, kind: SubjectKind, subjects: Collection[str]) -> tuple[LiveMessage, ...]:
        """The messages of several subjects of one kind in all channels."""
        about = and_(messages.c.kind == kind, messages.c.subject.in_(subjects))
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
        dry runs have no card. What has changed and is shown is marked, so that the next call passes it over.
        """
        changed = operations.c.shown < operations.c.revision
        newer = select(events.c.id).where(events.c.operation == messages.c.subject, events.c.id > messages.c.position)
        complete = (
            select(messages.c.subject)
            .where(messages.c.kind == "operation", messages.c.subject == operations.c.id)
            .where(messages.c.shown >= operations.c.revision, ~newer.exists())
        )
        has_card = or_(operations.c.parent == "", cast(operations.c.approval_request, Text) != "null")
        is_late = and_(has_card, operations.c.dry_run.is_(False), ~complete.exists())
        query = select(operations.c.id, operations.c.state, operations.c.created, is_late.label("is_late"))
        async with self._reading() as connection:
            rows = (await connection.execute(query.where(changed).order_by(operations.c.created))).all()
        if not all(row.is_late for row in rows):
            # Nobody is waited for, or two replicas that mark and change the same operations would block each other.
            # What changes meanwhile is compared again the next time.
            shown = select(operations.c.id).where(changed, ~is_late).with_for_update(of=operations, skip_locked=True)
            mark = update(operations).where(operations.c.id.in_(shown)).values(shown=operations.c.revision)
            async with self._writing() as connection:
                await connection.execute(mark)
        return tuple(
            row.id for row in rows if row.is_late and (since is None or row.state in LIVE or row.created >= since)
        )


def _key(message: LiveMessage) -> dict[str, str]:
    subject, channel = message.subject, message.channel
    return {"kind": subject.kind, "subject": subject.id, "team": channel.team, "channel": channel.id}


def _same(message: LiveMessage) -> ColumnElement[bool]:
    return and_(*(messages.c[name] == value for name, value in _key(message).items()))


def _message(row: RowMapping) -> LiveMessage:
    state: dict[str, Any] = {name: row[name] for name in ("ts", "shown", "position", "reported", "pending", "edited")}
    return LiveMessage(Subject(row["kind"], row["subject"]), Channel(row["team"], row["channel"]), **state)
