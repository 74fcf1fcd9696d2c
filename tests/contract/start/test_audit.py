"""`python -m bot audit` reads the configured database, also while a bot works on it."""

import asyncio
import json
import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import create_engine

from bot.__main__ import main
from services.model.audit import AuditRow
from services.store import open_store
from services.store.store import migrations
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
