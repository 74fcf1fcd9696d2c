"""A database of an earlier version is brought up to date with everything in it."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, create_engine, text

from services.model.audit import AuditRow
from services.model.codec import Codec
from services.model.health import HealthReason
from services.model.incident import Incident
from services.model.message import Channel, LiveMessage, Subject
from services.operations.procedures import PROCEDURES
from services.store import open_store
from services.store.upgrade import migrations

DUE = datetime(2026, 3, 2, 9, tzinfo=UTC)
PLACE = {"$": "Place", "team": "T0CONTOSO", "channel": "C0EDGE"}
EDGE, OTHER = Channel("T0CONTOSO", "C0EDGE"), Channel("T0CONTOSO", "C0OTHER")
INCIDENT = {
    "$": "Incident",
    "id": "al-1",
    "kind": "registry",
    "subject": "acr/edge01",
    "severity": "warning",
    "opened": {"$": "time", "at": DUE.isoformat()},
    "state": "offline",
    "reason": "contact.missed",
}


def insert(connection: Connection, table: str, **values: Any) -> None:
    """A row as an earlier version wrote it."""
    names, marks = ", ".join(f'"{name}"' for name in values), ", ".join(f":{name}" for name in values)
    row = {name: json.dumps(value) if isinstance(value, dict | list) else value for name, value in values.items()}
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), row)  # noqa: S608 - words of this test


def earlier_version(url: str) -> None:
    """A database as the first version left it, with a card, alerts and summaries."""
    driver = "postgresql+psycopg" if url.startswith("postgresql") else "sqlite"
    engine = create_engine(url.replace(url.partition(":")[0], driver, 1))
    with engine.begin() as connection:
        command.upgrade(migrations(connection), "0002")
        operation = {"key": "k", "kind": "deploy", "target": "edge01", "site": "berlin", "environment": "development"}
        operation |= {"cluster": "arc", "requester": "U0ALICE", "requester_name": "alice", "state": "failed"}
        insert(
            connection,
            "operations",
            id="op-1",
            **operation,
            place=PLACE,
            params={},
            dry_run=False,
            round=1,
            attempt=1,
            cancelling="",
            created=DUE,
            revision=7,
        )
        insert(connection, "cards", operation="op-1", ts="1.0", shown=7, told=4, posting="op-1:5")
        row = {"channel": "C0EDGE", "operation": "", "outcome": "done", "rule": "", "facts": {}, "at": DUE}
        typed = {"name": "bob", "site": "hamburg", "milliseconds": 36.0}
        insert(connection, "audit", **row | {"kind": "command", "person": "U0BOB", "text": "ping", "facts": typed})
        insert(connection, "audit", **row | {"kind": "decision", "person": "bot", "text": "operation expire op-1"})
        write = {"kind": "write", "person": "U0ALICE", "text": "Scope map edge01", "operation": "op-1"}
        insert(connection, "audit", **row | write)
        incident = {"acr": "acr", "kind": "registry", "subject": "acr/edge01", "severity": "warning", "opened": DUE}
        incident |= {"state": "offline", "reason": "contact.missed", "facts": {}, "children": [], "flaps": 0}
        insert(connection, "incidents", id="al-1", **incident, acknowledged_by="", revision=3)
        alert = {"incident": "al-1", "team": "T0CONTOSO", "shown": 3, "told": 3, "posting": "", "holder": ""}
        insert(connection, "alerts", **alert, channel="C0EDGE", ts="2.0", until=DUE, before=INCIDENT)
        insert(connection, "alerts", **alert, channel="C0OTHER", ts="", until=DUE)
        watch = {"team": "T0CONTOSO", "channel": "C0EDGE", "place": PLACE, "scope": "all", "subject": "", "tz": "UTC"}
        insert(connection, "watches", id="w-1", **watch, every="0 9 * * *", alerts="on", by="U0ALICE", created=DUE)
        slot = {"watch": "w-1", "holder": "", "until": DUE}
        insert(connection, "summaries", **slot, due=DUE, posting=False, ts="3.0", posted=DUE)
        insert(connection, "summaries", **slot, due=DUE.replace(day=3), posting=True, ts="")
        insert(connection, "summaries", **slot, due=DUE.replace(day=4), posting=False, ts="")
    engine.dispose()


@pytest.fixture
def migrated(url: str) -> str:
    earlier_version(url)
    return url


async def test_messages_of_every_kind_are_carried_over(migrated: str) -> None:
    store = await open_store(migrated, Codec(PROCEDURES.values))
    card = await store.messages.of(Subject("operation", "op-1"))
    alerts = await store.messages.of(Subject("incident", "al-1"))
    due = int(DUE.timestamp())
    summaries = [await store.messages.of(Subject("summary", f"w-1:{due + day * 86400}")) for day in range(3)]
    async with store.engine.connect() as connection:
        cards = (await connection.execute(text("SELECT id, shown FROM operations"))).all()
    slots = [await store.summaries.last("w-1", DUE), await store.summaries.last("w-1", DUE.replace(day=5))]
    await store.close()

    assert cards == [("op-1", 7)]
    assert card == (LiveMessage(Subject("operation", "op-1"), EDGE, "1.0", 7, 4, pending="op-1:5"),)
    incident = Incident("al-1", "registry", "acr/edge01", "warning", DUE, "offline", HealthReason.CONTACT_MISSED)
    assert sorted(alerts, key=lambda alert: alert.channel.id) == [
        LiveMessage(Subject("incident", "al-1"), EDGE, "2.0", 3, 3, reported=incident),
        LiveMessage(Subject("incident", "al-1"), OTHER),
    ]
    assert [[(each.ts, each.shown, each.pending) for each in messages] for messages in summaries] == [
        [("3.0", 0, "")],
        [("", -1, f"w-1:{due + 86400}")],
        [],
    ]
    assert [(slot.due.day, slot.posted) for slot in slots if slot] == [(2, DUE), (4, None)]


async def test_audit_rows_get_their_names_and_sites_and_are_chained(migrated: str) -> None:
    store = await open_store(migrated, Codec(PROCEDURES.values))
    rows = [entry.row for entry in await store.audit.newest()]
    await store.audit.record(AuditRow("command", "U0ALICE", "done"))
    report = await store.audit.verify()
    await store.close()

    assert [(row.name, row.site) for row in rows] == [("alice", "berlin"), ("bot", ""), ("bob", "hamburg")]
    assert (report.rows, report.number, report.broken) == (4, 4, None)
