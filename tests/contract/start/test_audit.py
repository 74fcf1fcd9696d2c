"""`python -m bot audit` reads the configured database, also while a bot works on it."""

import asyncio
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from bot import audit_archive
from bot.__main__ import main
from services.model.audit import AuditRow, ChainEnd
from services.store import open_store
from services.store.upgrade import migrations
from tests.golden.values import NOW

ROW = AuditRow("command", "U0ALICE", "done", name="Alice", site="berlin", at=NOW)


@pytest.fixture
def database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the settings say that the database is; it is not there yet."""
    for name in os.environ:
        if name.startswith(("REGISTRY_BOT_", "SLACK_", "AZURE_")):
            monkeypatch.delenv(name)
    path = tmp_path / "bot.db"
    tokens = {"SLACK_BOT_TOKEN": "xoxb-1", "SLACK_APP_TOKEN": "xapp-1"}
    for name, value in (tokens | {"REGISTRY_BOT_DATA_DIR": str(tmp_path)}).items():
        monkeypatch.setenv(name, value)
    return path


@pytest.fixture
def written(database: Path) -> Path:
    """The database with three rows."""

    async def write() -> None:
        store = await open_store(f"sqlite:///{database}")
        for name, site in (("Alice", "berlin"), ("Bob", "hamburg"), ("Alice", "hamburg")):
            await store.audit.record(replace(ROW, name=name, site=site))
        await store.close()

    asyncio.run(write())
    return database


def test_an_intact_audit_is_said_to_be_in_one_line_with_its_last_hash(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", "export"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])

    assert main(["audit", "verify"]) == 0
    assert capsys.readouterr().out == (f"The audit is intact: 3 rows, the last one 3 with the hash {last['hash']}.\n")


def test_the_first_broken_row_is_named(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with closing(sqlite3.connect(written)) as connection:
        connection.executescript("DROP TRIGGER audit_update; UPDATE audit SET name = 'Carol' WHERE id >= 2")

    assert main(["audit", "verify"]) == 1
    assert capsys.readouterr().out == (
        "The audit is broken: row 2 is not as it was written; 1 row before it is intact.\n"
    )


@pytest.fixture
def archive(written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The archive's only file: it has the first two rows, which are no longer in the database."""
    folder = tmp_path / "archive"
    folder.mkdir()
    monkeypatch.setenv("REGISTRY_BOT_AUDIT_ARCHIVE", str(folder))

    async def cut() -> Path:
        store = await open_store(f"sqlite:///{written}")
        part = await store.audit.beginning(NOW + timedelta(days=1))
        part = replace(part, lines=part.lines[:2], end=ChainEnd(2, json.loads(part.lines[1])["hash"]))
        path = audit_archive.write(part, folder)
        await store.audit.cut(part)
        await store.close()
        return path

    return asyncio.run(cut())


def test_archive_and_database_are_checked_as_one_chain(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify"]) == 0
    archived, stored = capsys.readouterr().out.splitlines()
    assert archived == "The archive is intact: 2 rows, from 1 to 2."
    assert stored.startswith("The audit is intact: 1 row behind row 2, the last one 3 with the hash ")


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (slice(1), "The archive is broken: it ends with row 1, and the database goes on behind row 2."),
        (slice(0), "The archive is empty: it lacks the 2 rows before those in the database."),
        (slice(1, None), "The archive is intact: 1 row, from 2 to 2. Rows before 2 are elsewhere."),
        (slice(None, None, -1), "The archive is intact: 1 row, from 2 to 2. Rows before 2 are elsewhere."),
    ],
)
def test_rows_that_the_archive_lacks_are_missed(
    archive: Path, capsys: pytest.CaptureFixture[str], lines: slice, sentence: str
) -> None:
    archive.write_text("".join(archive.read_text().splitlines(keepends=True)[lines]))

    main(["audit", "verify"])
    assert capsys.readouterr().out.splitlines()[0] == sentence


def test_a_line_of_the_archive_that_was_changed_is_named(archive: Path, capsys: pytest.CaptureFixture[str]) -> None:
    archive.write_text(archive.read_text().replace("Bob", "Eve"))

    assert main(["audit", "verify"]) == 1
    assert capsys.readouterr().out.splitlines()[0] == (
        "The archive is broken: line 2 of audit-0000000001-0000000002.jsonl is not as it was written."
    )


def test_rows_are_exported_by_person_site_and_time(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["audit", "export", "--by", "alice", "--site", "hamburg", "--since", f"{NOW:%Y-%m-%d}"])

    [line] = capsys.readouterr().out.splitlines()
    assert json.loads(line)["number"] == 3


def test_a_database_that_is_not_there_is_not_made(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "verify"]) == 1
    assert "no bot was started with these settings" in capsys.readouterr().err
    assert not database.exists()


def test_an_older_database_is_left_as_it_is(database: Path, capsys: pytest.CaptureFixture[str]) -> None:
    engine = create_engine(f"sqlite:///{database}")
    with engine.begin() as connection:
        command.upgrade(migrations(connection), "0005")
    engine.dispose()

    assert main(["audit", "verify"]) == 1
    assert "stop the bot and run python -m bot migrate" in capsys.readouterr().err


def test_a_moment_that_can_not_be_read_is_refused(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["audit", "export", "--since", "yesterday"])

    assert "how long ago, such as 7d" in capsys.readouterr().err
