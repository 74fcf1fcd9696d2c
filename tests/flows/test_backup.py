"""Backups as the README describes them: made beside the running bot, put back while it is stopped."""

import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bench.postgres import programs
from tests.flows.conversation import Conversation


def backup(talk: Conversation) -> Callable[[], None]:
    """Back up the bot's database; what is returned puts the backup back."""
    url = talk.blueprint.database_url
    return _of_server(url, talk.database.parent) if url.startswith("postgresql") else _of_files(talk.database)


def _of_files(database: Path) -> Callable[[], None]:
    """`.backup` of both files."""
    files = [database, database.with_name("bot-engine.db")]
    for file in files:
        with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(file.with_suffix(".bak"))) as target:
            source.backup(target)

    def restore() -> None:
        for file in files:
            for suffix in ("-wal", "-shm"):
                Path(f"{file}{suffix}").unlink(missing_ok=True)
            file.write_bytes(file.with_suffix(".bak").read_bytes())

    return restore


def _of_server(url: str, folder: Path) -> Callable[[], None]:
    """`pg_dump`, which takes one snapshot of the bot's tables and the engine's."""
    file = folder / "bot.sql"
    dump: list[str | Path] = [programs() / "pg_dump", "--clean", "--if-exists", "--dbname", url, "--file", file]
    subprocess.run(dump, check=True, capture_output=True)

    def restore() -> None:
        load: list[str | Path] = [
            programs() / "psql",
            "--single-transaction",
            "--set",
            "ON_ERROR_STOP=1",
            "--dbname",
            url,
            "--file",
            file,
        ]
        subprocess.run(load, check=True, capture_output=True)

    return restore


@pytest.mark.only_on("sqlite", "postgresql")
async def test_what_ran_after_a_backup_is_not_done_a_second_time(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    restore = backup(registry)
    await registry.click("Approve", as_="bob")
    await registry.restart(restore)
    operation = await registry.operation("edge01")
    await registry.say(f"operation approve {operation.id}", as_="bob")
    await registry.click("Approve", as_="bob")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bot    Deploy edge01 to hamburg: online, approved by bob
       (the bot is started again)
bob    /registry operation approve op-1
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bot    Deploy edge01 to hamburg: online, approved by bob\
""")
    assert (await registry.operation("edge01")).state == "succeeded"
    assert len(await registry.requests("POST .*/generateCredentials")) == 1
    assert len(await registry.requests("PUT .*/extensions/edge01")) == 1
    assert (await registry.bot.store.audit.verify()).broken is None
