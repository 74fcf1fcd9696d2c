"""A database of each earlier version, with a row in each of its tables, is brought up to date and read."""

from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import JSON, Boolean, Column, DateTime, Integer, MetaData, create_engine, insert

from services.model.codec import Codec
from services.operations.procedures import PROCEDURES
from services.store import open_store
from services.store.store import MIGRATIONS, VERSIONS
from services.store.upgrade import migrations

REVISIONS = sorted(path.stem.partition("_")[0] for path in MIGRATIONS.glob("[0-9]*.py"))
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PLACE = {"$": "Place", "team": "T0CONTOSO", "channel": "C0EDGE"}
KNOWN = {
    "state": "failed",
    "kind": "deploy",
    "site": "berlin",
    "target": "edge01",
    "operation": "op-1",
    "id": "op-1",
    "subject": "op-1",
    "incident": "op-1",
    "watch": "op-1",
    "verdict": "approve",
    "scope": "site",
    "every": "0 9 * * *",
    "tz": "Europe/Berlin",
}


def filled(column: Column[Any]) -> object:
    """A value for a column: what the bot writes there, where the migrations read it."""
    match column.type:
        case Boolean():
            return False
        case Integer():
            return 1
        case DateTime():
            return NOW if column.type.timezone else NOW.replace(tzinfo=None)
        case JSON():
            return PLACE if column.name == "place" else {}
    return KNOWN.get(column.name, column.name)


@pytest.mark.parametrize("revision", REVISIONS[:-1])
async def test_a_database_of_each_earlier_version_keeps_its_rows(url: str, revision: str) -> None:
    driver = "postgresql+psycopg" if url.startswith("postgresql") else "sqlite"
    engine = create_engine(url.replace(url.partition(":")[0], driver, 1))
    with engine.begin() as connection:
        command.upgrade(migrations(connection), revision)
        tables = MetaData()
        tables.reflect(connection)
        for table in tables.sorted_tables:
            if table.name != VERSIONS and "hash" not in table.columns:  # rows of a chain are not made up
                needed = {column.name: filled(column) for column in table.columns if not column.nullable}
                connection.execute(insert(table).values(needed))
    engine.dispose()
    store = await open_store(url, Codec(PROCEDURES.values))

    operations = await store.operations.find()
    broken = (await store.audit.verify()).broken
    await store.close()
    assert [(operation.id, operation.kind, operation.state) for operation in operations] == [
        ("op-1", "deploy", "failed")
    ]
    assert broken is None
