"""Who did what: rows that are only ever added, in a chain of hashes.

One row of `audit_chain` says where the chain ends and where it begins: `number` and `hash` of the last row, and those
of the last row that was cut off at the beginning (0 and empty while nothing was).
"""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, Select, Text, and_, cast, delete, func, insert, or_, select, union, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.model.audit import (
    AuditEntry,
    AuditRow,
    AuditSelection,
    ChainBreak,
    ChainEnd,
    ChainPart,
    ChainReport,
    content,
    hash_of,
    line,
)
from services.model.codec import Codec
from services.store.base import Queries, columns, value
from services.store.tables import audit, audit_chain, audit_mentions

BATCH = 1000
"""Rows that are read at once."""
MENTION = re.compile(r"\bop-[0-9a-z]{1,29}")
"""An operation's id in a text of lower case."""
EVERYTHING = AuditSelection()
_FIELDS = tuple(AuditRow.__dataclass_fields__)


class Audit(Queries):
    """`codec` knows the values in `facts`."""

    def __init__(self, engine: AsyncEngine, codec: Codec) -> None:
        super().__init__(engine)
        self._codec = codec

    async def record(self, row: AuditRow) -> None:
        """Write the row at the end of the chain, after whoever else is writing one."""
        values = columns(row) | {"facts": self._codec.encode(row.facts)}
        async with self._writing() as connection:
            # On PostgreSQL the lock on this row puts writers in turn; on SQLite the transaction itself does.
            end = (await connection.execute(select(audit_chain).with_for_update())).one()
            number = end.number + 1
            digest = hash_of(content({**values, "number": number, "previous": end.hash}))
            await connection.execute(insert(audit).values(**values, id=number, previous=end.hash, hash=digest))
            texts = [(number, row.text)]
            if end.searched < end.number:
                # A replica of a version without `audit_mentions` has written rows since.
                unsearched = select(audit.c.id, audit.c.text).where(audit.c.id > end.searched)
                texts = [(stored.id, stored.text) for stored in await connection.execute(unsearched)]
            mentions = [
                {"operation": operation, "audit": stored}
                for stored, searched in texts
                for operation in {*MENTION.findall(searched.lower())}
            ]
            if mentions:
                await connection.execute(insert(audit_mentions), mentions)
            await connection.execute(update(audit_chain).values(number=number, hash=digest, searched=number))

    async def newest(
        self, selection: AuditSelection = EVERYTHING, *, before: int | None = None, limit: int = BATCH
    ) -> tuple[AuditEntry, ...]:
        """The newest rows of a selection, newest first; only those before a number, where it is given."""
        query = _selected(select(audit), selection).order_by(audit.c.id.desc()).limit(limit)
        if before is not None:
            query = query.where(audit.c.id < before)
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(AuditEntry(row["id"], value(AuditRow, row), row["previous"], row["hash"]) for row in rows)

    async def count(self, selection: AuditSelection) -> int:
        """How many rows a selection has."""
        async with self._reading() as connection:
            query = _selected(select(func.count()).select_from(audit), selection)
            return int((await connection.execute(query)).scalar_one())

    async def lines(self, selection: AuditSelection = EVERYTHING) -> AsyncIterator[str]:
        """A selection as JSON Lines, oldest first, each with its hash."""
        async with self._unchanging() as connection:
            async for stored in _stored(connection, selection):
                yield line(_content(stored), stored.hash)

    async def verify(self) -> ChainReport:
        """Read the whole chain, up to the first row at which it breaks."""
        async with self._unchanging() as connection:
            ends = (await connection.execute(select(audit_chain))).one()
            start = ChainEnd(ends.cut_number, ends.cut_hash)
            number, digest, rows = start.number, start.hash, 0
            async for stored in _stored(connection, EVERYTHING):
                if reason := _break(stored, after=digest, end=ends.number):
                    return ChainReport(rows, number, digest, ChainBreak(stored.id, reason), start)
                number, digest, rows = stored.id, stored.hash, rows + 1
        broken = None if (number, digest) == (ends.number, ends.hash) else ChainBreak(number + 1, "end")
        return ChainReport(rows, number, digest, broken, start)

    async def beginning(self, before: datetime) -> ChainPart:
        """The first rows of the chain that are older than that time, at most `BATCH`, checked as `verify` does."""
        lines: list[str] = []
        async with self._unchanging() as connection:
            ends = (await connection.execute(select(audit_chain))).one()
            start = end = ChainEnd(ends.cut_number, ends.cut_hash)
            async for stored in _stored(connection, EVERYTHING):
                # Two processes may have written with clocks that differ: what counts is the place in the chain.
                if stored.at >= before or len(lines) == BATCH:
                    break
                if reason := _break(stored, after=end.hash, end=ends.number):
                    return ChainPart(start, end, tuple(lines), ChainBreak(stored.id, reason))
                lines.append(line(_content(stored), stored.hash))
                end = ChainEnd(stored.id, stored.hash)
        return ChainPart(start, end, tuple(lines))

    async def cut(self, part: ChainPart) -> bool:
        """Delete the rows of a part; False, and nothing is deleted, when another process has cut the chain since."""
        is_start = and_(audit_chain.c.cut_number == part.start.number, audit_chain.c.cut_hash == part.start.hash)
        moved = {"cut_number": part.end.number, "cut_hash": part.end.hash}
        async with self._writing() as connection:
            done = await connection.execute(update(audit_chain).where(is_start).values(moved))
            if done.rowcount:
                # The triggers let go what lies before the cut, and nothing else.
                await connection.execute(delete(audit).where(audit.c.id <= part.end.number))
                await connection.execute(delete(audit_mentions).where(audit_mentions.c.audit <= part.end.number))
        return done.rowcount == 1

    @asynccontextmanager
    async def _unchanging(self) -> AsyncIterator[AsyncConnection]:
        """Reads that see one state of the tables, whatever is written meanwhile."""
        options = {"isolation_level": "REPEATABLE READ"} if self._engine.dialect.name == "postgresql" else {}
        with self._access.watched("read"):
            async with self._engine.connect() as connection:
                await connection.execution_options(reads=True, **options)
                yield connection


def _selected(query: Select[Any], selection: AuditSelection) -> Select[Any]:
    conditions: list[ColumnElement[bool]] = []
    if selection.since is not None:
        conditions.append(audit.c.at >= selection.since)
    if selection.by:
        # SQLite lowers ASCII letters only; a name with others is compared as it is too.
        names = or_(audit.c.name == selection.by, func.lower(audit.c.name) == selection.by.lower())
        conditions.append(or_(audit.c.person == selection.by, names))
    if selection.sites is not None:
        conditions.append(audit.c.site.in_(selection.sites))
    if selection.operation:
        named = selection.operation.lower()
        unsearched = audit.c.id > select(audit_chain.c.searched).scalar_subquery()
        # Not an "or", for which all rows would be read.
        rows = union(
            select(audit.c.id).where(audit.c.operation == named),
            select(audit_mentions.c.audit).where(audit_mentions.c.operation == named),
            select(audit.c.id).where(unsearched, audit.c.text.contains(named, autoescape=True)),
        )
        conditions.append(audit.c.id.in_(rows))
    return query.where(*conditions)


async def _stored(connection: AsyncConnection, selection: AuditSelection) -> AsyncIterator[Row[Any]]:
    """Rows as they are stored, oldest first: `facts` as text, since a value of a class that is gone loses its tag."""
    others = [column for column in audit.c if column is not audit.c.facts]
    query = _selected(select(*others, cast(audit.c.facts, Text).label("facts")), selection)
    last = 0
    while batch := (await connection.execute(query.where(audit.c.id > last).order_by(audit.c.id).limit(BATCH))).all():
        for stored in batch:
            yield stored
        last = batch[-1].id


def _content(stored: Row[Any]) -> str:
    facts = stored.facts
    with suppress(ValueError):  # a text that is no JSON was not written by the bot, and matches no hash
        facts = json.loads(facts)
    values = {name: getattr(stored, name) for name in _FIELDS}
    return content({**values, "facts": facts, "number": stored.id, "previous": stored.previous})


def _break(stored: Row[Any], *, after: str, end: int) -> Literal["content", "link", "end"] | None:
    """What is wrong with a row that should follow the row with the hash `after`, and stand before the chain's end."""
    if stored.id > end:
        return "end"
    if hash_of(_content(stored)) != stored.hash:
        return "content"
    return None if stored.previous == after else "link"
