"""What nobody works with any more goes when its time is over, and the audit goes on in files."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from bot import audit_archive
from services.model.retention import Retention
from tests.flows.conversation import Conversation


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    return folder


@pytest.fixture
async def aged(registry: Conversation, archive: Path) -> Conversation:
    """A finished deployment and a request that waits, 500 days ago; everything is kept for 400 days."""
    registry.blueprint = replace(registry.blueprint, retention=Retention(audit=timedelta(days=400), archive=archive))
    await registry.restart()
    await registry.say("deploy edge01 --site berlin")
    await registry.say("deploy edge02 --site hamburg")
    registry.time.ahead += timedelta(days=500)
    await registry.bot.old_rows.delete()
    registry.said.clear()
    return registry


def files(folder: Path) -> list[tuple[str, int]]:
    """Names and modes."""
    return [(path.name, path.stat().st_mode & 0o777) for path in folder.iterdir()]


async def test_a_finished_operation_is_gone_and_a_request_that_waits_is_not(aged: Conversation) -> None:
    operations = await aged.bot.store.operations.find()

    assert [(operation.target, operation.state) for operation in operations] == [("edge02", "waiting")]
    await aged.click("Show details", as_="alice", card="edge01")
    await aged.say("deploy edge01 --site berlin")

    assert await aged.transcript() == snapshot("""\
alice  [Show details]
bot    (only alice) There is no operation `op-1`. `/registry operation list` shows the newest operations.
alice  /registry deploy edge01 --site berlin
bot    Deploy edge01 to berlin: online\
""")


async def test_the_audit_goes_on_where_its_archive_ends(aged: Conversation, archive: Path) -> None:
    await aged.say("check berlin")

    report = await aged.bot.store.audit.verify()
    assert (report.broken, report.rows) == (None, 1)
    verdict = audit_archive.verify(archive, report.start)
    assert (verdict.sentence, verdict.broken) == snapshot(("The archive is intact: 12 rows, from 1 to 12.", False))
    assert files(archive) == [("audit-0000000001-0000000012.jsonl", 0o600)]


@pytest.mark.only_on("sqlite")
async def test_a_tampered_row_never_leaves_the_database(registry: Conversation, archive: Path) -> None:
    await registry.say("check berlin")
    async with registry.bot.store.engine.begin() as connection:
        await connection.exec_driver_sql("DROP TRIGGER audit_update")
        await connection.exec_driver_sql("UPDATE audit SET name = 'mallory'")
    registry.blueprint = replace(registry.blueprint, retention=Retention(audit=timedelta(days=400), archive=archive))
    await registry.restart()
    registry.time.ahead += timedelta(days=500)
    await registry.bot.old_rows.delete()

    broken = (await registry.bot.store.audit.verify()).broken
    assert broken is not None
    assert (broken.number, files(archive)) == (1, [])
