"""The audit's chain: rows are added by whoever writes, changed by nobody, and what was tampered with is named."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.model.audit import AuditRow, AuditSelection, ChainBreak
from services.model.codec import Codec
from services.operations.procedures import PROCEDURES
from services.store import Store, open_store
from tests.golden.values import NOW

ROW = AuditRow("command", "U0ALICE", "done", name="Alice", site="berlin", facts={"at": NOW}, at=NOW)
Damage = Callable[..., Awaitable[None]]


@pytest.fixture
async def written(store: Store) -> Store:
    """A store with five rows."""
    for number in range(1, 6):
        await store.audit.record(replace(ROW, text=f"deploy edge0{number}", at=NOW + timedelta(minutes=number)))
    return store


@pytest.fixture
async def second(url: str, store: Store) -> AsyncIterator[Store]:
    """Another process's store on the same database."""
    opened = await open_store(url, Codec(PROCEDURES.values))
    yield opened
    await opened.close()


@pytest.fixture
def damage(written: Store) -> Damage:
    """Do something to the database that only its owner can: the triggers are off meanwhile."""

    async def damaging(*statements: str) -> None:
        is_file = written.engine.dialect.name == "sqlite"
        off = [f"DROP TRIGGER audit_{what}" for what in ("update", "delete", "insert")]
        async with written.engine.begin() as connection:
            for statement in (*(off if is_file else ["ALTER TABLE audit DISABLE TRIGGER ALL"]), *statements):
                await connection.execute(text(statement))

    return damaging


async def test_rows_come_back_newest_first_and_in_pages(written: Store) -> None:
    newest = await written.audit.newest(limit=2)
    older = await written.audit.newest(limit=2, before=newest[-1].number)

    assert [entry.row.text for entry in newest] == ["deploy edge05", "deploy edge04"]
    assert [entry.number for entry in older] == [3, 2]
    assert older[0].row == replace(ROW, text="deploy edge03", at=NOW + timedelta(minutes=3))


async def test_a_selection_goes_by_time_person_site_and_operation(written: Store) -> None:
    await written.audit.record(replace(ROW, person="U0BOB", name="Bob", text="operation approve op-1", at=NOW))
    await written.audit.record(replace(ROW, person="bot", name="bot", operation="op-1", site="", at=NOW))

    async def numbers(**selected: object) -> list[int]:
        return [entry.number for entry in await written.audit.newest(AuditSelection(**selected))]  # type: ignore[arg-type]

    assert await numbers(since=NOW + timedelta(minutes=4)) == [5, 4]
    assert await numbers(by="bob") == await numbers(by="U0BOB") == [6]
    assert await numbers(sites={"berlin"}, by="bot") == []
    assert await numbers(operation="op-1") == [7, 6]
    assert await written.audit.count(AuditSelection(operation="op-1")) == 2


async def test_what_an_older_version_has_written_since_is_found_by_its_text(written: Store) -> None:
    async def about_the_operation() -> int:
        return await written.audit.count(AuditSelection(operation="OP-1"))

    await written.audit.record(replace(ROW, text="operation approve op-1 shop-2"))
    await written.audit.record(replace(ROW, text="operation retry op-1"))
    async with written.engine.begin() as connection:
        await connection.execute(text("DELETE FROM audit_mentions"))
        await connection.execute(text("UPDATE audit_chain SET searched = 5"))
    before = await about_the_operation()
    await written.audit.record(replace(ROW, text="operation show op-10"))

    assert (before, await about_the_operation()) == (2, 2)


async def test_each_exported_line_holds_the_hash_of_the_line_without_it(written: Store) -> None:
    lines = [line async for line in written.audit.lines()]

    hashes = [json.loads(line)["hash"] for line in lines]
    without = [line.replace(f',"hash":"{digest}"', "") for line, digest in zip(lines, hashes, strict=True)]
    assert [hashlib.sha256(line.encode()).hexdigest() for line in without] == hashes
    assert [json.loads(line)["previous"] for line in lines] == ["", *hashes[:-1]]


async def test_two_processes_write_one_chain(store: Store, second: Store) -> None:
    writers = [store, second] * 10
    await asyncio.gather(*(writer.audit.record(ROW) for writer in writers))

    report = await store.audit.verify()
    assert (report.rows, report.number, report.broken) == (20, 20, None)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET text = 'nothing' WHERE id = 3",
        "DELETE FROM audit WHERE id = 3",
        "DELETE FROM audit WHERE id = 5",
        "UPDATE audit SET hash = ''",
    ],
)
async def test_the_database_refuses_to_change_or_delete_rows(written: Store, statement: str) -> None:
    with pytest.raises(DBAPIError, match="rows of the table audit are never"):
        async with written.engine.begin() as connection:
            await connection.execute(text(statement))

    assert (await written.audit.verify()).broken is None


async def test_the_database_refuses_its_own_way_around_such_a_refusal(written: Store) -> None:
    ways = {"sqlite": "REPLACE INTO audit SELECT * FROM audit WHERE id = 3", "postgresql": "TRUNCATE audit"}
    with pytest.raises(DBAPIError, match="rows of the table audit are never"):
        async with written.engine.begin() as connection:
            await connection.execute(text(ways[written.engine.dialect.name]))

    assert (await written.audit.verify()).broken is None


@pytest.mark.parametrize(
    ("statement", "broken"),
    [
        ("UPDATE audit SET text = 'nothing' WHERE id = 3", ChainBreak(3, "content")),
        ("""UPDATE audit SET facts = '{"at": 1}' WHERE id = 4""", ChainBreak(4, "content")),
        ("DELETE FROM audit WHERE id = 2", ChainBreak(3, "link")),
        ("DELETE FROM audit WHERE id = 1", ChainBreak(2, "link")),
        ("DELETE FROM audit WHERE id >= 4", ChainBreak(4, "end")),
        ("UPDATE audit SET id = 9 WHERE id = 5", ChainBreak(9, "end")),
    ],
)
async def test_what_was_tampered_with_is_named(
    written: Store, damage: Damage, statement: str, broken: ChainBreak
) -> None:
    await damage(statement)

    assert (await written.audit.verify()).broken == broken


async def test_a_beginning_that_is_cut_off_and_what_stays_are_one_chain(written: Store) -> None:
    everything = [line async for line in written.audit.lines()]
    part = await written.audit.beginning(NOW + timedelta(minutes=4))

    assert await written.audit.cut(part)
    assert [*part.lines, *[line async for line in written.audit.lines()]] == everything
    report = await written.audit.verify()
    assert (report.rows, report.number, report.start, report.broken) == (2, 5, part.end, None)
    await written.audit.record(ROW)
    assert (await written.audit.verify()).rows == 3


async def test_of_two_processes_that_cut_the_same_beginning_one_does(written: Store, second: Store) -> None:
    part, longer = [await written.audit.beginning(NOW + timedelta(minutes=minutes)) for minutes in (4, 5)]
    cuts = await asyncio.gather(written.audit.cut(part), second.audit.cut(longer))

    assert cuts.count(True) == 1
    assert (await written.audit.verify()).broken is None


async def test_a_beginning_ends_before_the_row_at_which_it_breaks(written: Store, damage: Damage) -> None:
    await damage("UPDATE audit SET text = 'nothing' WHERE id = 3")

    part = await written.audit.beginning(NOW + timedelta(days=1))
    assert (part.end.number, part.broken) == (2, ChainBreak(3, "content"))
