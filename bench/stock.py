"""A database full of operations: 5,000 that wait for approval, and 50,000 that have ended.

One of each is made by real commands. The others are its copies, written into the tables: with steps, events, decisions,
card and audit rows, and for each a moment of its own. Planning so many for real would take hours and measure the same.
"""

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import String, Text, bindparam, cast, func, insert, literal, select, text, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bench.memory import SETTLE
from bench.places import MIB, Place, place, twice
from bench.rate import answers
from bench.report import Row
from bench.stage import Sandbox, world
from services.model.audit import content, hash_of
from services.store import Store
from services.store.tables import audit, audit_chain, decisions, events, messages, operations, steps

WAITING, FINISHED = (2_500, 5_000), (25_000, 50_000)
FIRST = 1_000_000
"""Number in the id of the first copy."""
APART = timedelta(minutes=7)
"""Between two copies."""
ASKED = 5
"""How often each command is typed."""
COMMANDS = ("operation list", "audit")
READY, ANSWER = 5.0, 1.0
"""Seconds."""
BATCH = 1_000


@dataclass(frozen=True)
class Figures:
    """With one number of operations in the database; seconds, MiB, and per cent of one core."""

    start: float
    listed: float
    audited: float
    resident: float
    idle: float
    size: float


async def measure(on: str) -> Sequence[Row]:
    """Both kinds."""
    return [*await _waiting(on), *await _finished(on)]


async def _waiting(on: str) -> list[Row]:
    async with place(on, world()) as there:
        await there.box.say("deploy edge0001 --site berlin")
        card = await there.box.message("waiting for approval")
        figures = await _filled(there, WAITING)
        began = time.perf_counter()
        await there.box.click(card, "Approve")
        await there.box.message("Deploy edge0001 to berlin: online")
        deployed = time.perf_counter() - began
    title = f"approval to online, beside {WAITING[-1]:,} that wait"
    return [*_rows("waiting", WAITING, figures), Row(title, f"{deployed:.2f} s")]


async def _finished(on: str) -> list[Row]:
    async with place(on, world()) as there:
        await there.box.say("deploy edge0001 --site berlin")
        await there.box.click(await there.box.message("waiting for approval"), "Approve")
        await there.box.message("Deploy edge0001 to berlin: online")
        await asyncio.sleep(SETTLE)  # the last lines of its thread
        figures = await _filled(there, FINISHED)
        report = await there.store.audit.verify()
    if report.broken:
        raise RuntimeError(f"the copied audit rows are no chain: {report.broken}")
    return _rows("finished", FINISHED, figures)


def _rows(kind: str, sizes: tuple[int, int], figures: tuple[Figures, Figures]) -> list[Row]:
    rows = []
    for size, each in zip(sizes, figures, strict=True):
        what = f"{size:,} {kind}"
        answers = max(each.listed, each.audited)
        rows += [
            Row(f"{what}: start to ready", f"{each.start:.2f} s", f"< {READY:g} s", each.start < READY),
            Row(
                f"{what}: operation list; audit",
                f"{each.listed:.3f} s; {each.audited:.3f} s",
                f"< {ANSWER:g} s",
                answers < ANSWER,
            ),
            Row(
                f"{what}: memory; processor, idle; database",
                f"{each.resident:.0f} MiB; {each.idle:.1f} %; {each.size:.0f} MiB",
            ),
        ]
    small, large = figures
    growth = twice(kind, processor=(small.idle, large.idle), database=(small.size, large.size))
    return [*rows, growth]


async def _filled(there: Place, sizes: tuple[int, int]) -> tuple[Figures, Figures]:
    """The figures with each number of copies of the only operation."""
    [source] = await there.store.operations.find(target="edge0001", limit=1)
    figures, first = [], FIRST
    for size in sizes:
        for bot in there.bots:
            await bot.kill()
        await _copy(there.store, source.id, first, FIRST + size)
        first = FIRST + size
        # Replicas start one after the other, each beside those before it.
        starts = [await bot.start() for bot in there.bots]
        await there.box.connected(len(there.bots))
        await asyncio.sleep(SETTLE)
        listed, audited = [await _answered(there.box, command) for command in COMMANDS]
        size_in_bytes = await _size(there.store)
        idle = await there.share(10)
        figures.append(Figures(statistics.median(starts), listed, audited, there.resident, idle, size_in_bytes / MIB))
    return figures[0], figures[1]


async def _answered(box: Sandbox, command: str) -> float:
    """Seconds from the typed command to its answer; the median."""
    seconds = []
    async with answers(box, 1) as queues:
        for _ in range(ASKED):
            began = time.perf_counter()
            await box.say(command)
            await queues[0].get()
            seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


async def _size(store: Store) -> int:
    query = "select pg_database_size(current_database())"
    if store.engine.dialect.name == "sqlite":
        query = "select page_count * page_size from pragma_page_count(), pragma_page_size()"
    async with store.engine.connect() as connection:
        return int((await connection.execute(text(query))).scalar_one())


# --- copies ---------------------------------------------------------------------------------------------------------


async def _copy(store: Store, source: str, first: int, end: int) -> None:
    """Write copies of an operation with these numbers, and of everything that belongs to it."""
    numbers = select(literal(first).label("n")).cte("numbers", recursive=True)
    numbers = numbers.union_all(select(numbers.c.n + 1).where(numbers.c.n < end - 1))
    name = literal("op-").concat(cast(numbers.c.n, String))
    owners = [operations.c.id, steps.c.operation, decisions.c.operation, events.c.operation, messages.c.subject]
    async with store.engine.begin() as connection:
        for owner in owners:
            table = owner.table
            written = [column for column in table.c if column is not events.c.id]
            values = [name if column is owner or column is operations.c.key else column for column in written]
            rows = select(*values).select_from(table.join(numbers, true())).where(owner == source)
            await connection.execute(insert(table).from_select(written, rows))
        # Their threads have shown all their events.
        newest = select(func.max(events.c.id)).scalar_subquery()
        await connection.execute(update(messages).where(messages.c.subject != source).values(position=newest))
        await _spread(connection, source, first, end)
        await _audited(connection, source, first, end)
        if store.engine.dialect.name == "postgresql":
            await connection.execute(text("analyze"))


async def _spread(connection: AsyncConnection, source: str, first: int, end: int) -> None:
    """Give each copy moments of its own, the later copies the earlier ones."""
    original = (await connection.execute(select(operations).where(operations.c.id == source))).one()
    moments = ("created", "started_at", "ended_at")
    changes = [
        {"copy": f"op-{number}"}
        | {
            f"new_{name}": value and value - APART * (number - FIRST + 1)
            for name in moments
            for value in [getattr(original, name)]
        }
        for number in range(first, end)
    ]
    query = update(operations).where(operations.c.id == bindparam("copy"))
    await connection.execute(query.values({name: bindparam(f"new_{name}") for name in moments}), changes)


async def _audited(connection: AsyncConnection, source: str, first: int, end: int) -> None:
    """Go on with the chain of the audit: the rows of the operation again for each copy."""
    # The hash covers the facts as they are stored, not the values that they are read as.
    query = select(audit, cast(audit.c.facts, Text).label("stored")).where(audit.c.operation == source)
    originals = [dict(row) for row in (await connection.execute(query.order_by(audit.c.id))).mappings()]
    chain = (await connection.execute(select(audit_chain))).one()
    number, previous, batch = chain.number, chain.hash, list[dict[str, Any]]()
    for copy in range(first, end):
        for original in originals:
            number += 1
            values = {key: value for key, value in original.items() if key not in {"id", "hash", "stored"}}
            values |= {"operation": f"op-{copy}", "previous": previous}
            previous = hash_of(content({**values, "facts": json.loads(original["stored"]), "number": number}))
            batch.append(values | {"id": number, "hash": previous})
        if len(batch) >= BATCH or copy == end - 1:
            await connection.execute(insert(audit), batch)
            batch.clear()
    await connection.execute(update(audit_chain).values(number=number, hash=previous, searched=number))
