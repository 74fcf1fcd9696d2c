"""Audit rows are chained by their hashes, name person and site, and can only be added.

A migration that makes the table `audit` again (on SQLite `batch_alter_table` does) has to make the triggers again.
"""

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

BATCH = 1000
COPIED = ("kind", "person", "channel", "text", "operation", "outcome", "rule")
NEW = (("name", 255), ("site", 64), ("previous", 64), ("hash", 64))

audit = sa.table(
    "audit",
    sa.column("id", sa.Integer()),
    sa.column("at", sa.DateTime(timezone=True)),
    *(sa.column(name, sa.Text()) for name in (*COPIED, "facts", *(name for name, _ in NEW))),
)
operations = sa.table("operations", *map(sa.column, ("id", "site", "requester", "requester_name")))

SQLITE = (
    """
    CREATE TRIGGER audit_update BEFORE UPDATE ON audit
    BEGIN SELECT RAISE(ABORT, 'rows of the table audit are never changed'); END
    """,
    """
    CREATE TRIGGER audit_delete BEFORE DELETE ON audit WHEN OLD.id > (SELECT cut_number FROM audit_chain)
    BEGIN SELECT RAISE(ABORT, 'rows of the table audit are never deleted'); END
    """,
    # INSERT OR REPLACE deletes a row without asking the trigger above.
    """
    CREATE TRIGGER audit_insert BEFORE INSERT ON audit WHEN NEW.id <= (SELECT number FROM audit_chain)
    BEGIN SELECT RAISE(ABORT, 'rows of the table audit are never replaced'); END
    """,
)
POSTGRESQL = (
    "ALTER TABLE audit ALTER COLUMN id DROP DEFAULT",
    "DROP SEQUENCE IF EXISTS audit_id_seq",
    """
    CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        IF TG_OP = 'DELETE' THEN
            IF OLD.id <= (SELECT cut_number FROM audit_chain) THEN
                RETURN OLD;
            END IF;
        END IF;
        RAISE EXCEPTION 'rows of the table audit are never changed or deleted';
    END $$
    """,
    "CREATE TRIGGER audit_rows BEFORE UPDATE OR DELETE ON audit FOR EACH ROW EXECUTE FUNCTION audit_refuse()",
    "CREATE TRIGGER audit_table BEFORE TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
)


def upgrade() -> None:
    """Add the columns, chain what is there in the order of its ids, and close the table to changes."""
    for name, length in NEW:
        op.add_column("audit", sa.Column(name, sa.String(length=length), nullable=False, server_default=""))
    op.create_index("ix_audit_site", "audit", ["site"])
    number, digest = chain()
    op.create_table(
        "audit_chain",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("cut_number", sa.Integer(), nullable=False),
        sa.Column("cut_hash", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_chain")),
    )
    names = ("id", "number", "hash", "cut_number", "cut_hash")
    ends = dict(zip(names, (1, number, digest, 0, ""), strict=True))
    op.get_bind().execute(sa.insert(sa.table("audit_chain", *map(sa.column, names))).values(ends))
    for statement in POSTGRESQL if op.get_bind().dialect.name == "postgresql" else SQLITE:
        op.execute(statement)


def chain() -> tuple[int, str]:
    """Fill the new columns of all rows; the last one's number and hash."""
    connection, number, previous = op.get_bind(), 0, ""
    columns = [column for column in audit.c if column.name not in ("facts", "name", "site", "previous", "hash")]
    query = (
        sa.select(
            *columns, sa.cast(audit.c.facts, sa.Text()).label("facts"), *(c for c in operations.c if c.name != "id")
        )
        .join_from(audit, operations, operations.c.id == audit.c.operation, isouter=True)
        .order_by(audit.c.id)
        .limit(BATCH)
    )
    change = sa.update(audit).where(audit.c.id == sa.bindparam("row"))
    change = change.values({name: sa.bindparam(f"new_{name}") for name, _ in NEW})
    while rows := connection.execute(query.where(audit.c.id > number)).mappings().all():
        changes = []
        for row in rows:
            facts = json.loads(row["facts"])
            name, site = facts.get("name") or _name(row), row["site"] or facts.get("site") or ""
            values = {column: row[column] for column in COPIED} | {"name": name, "site": site, "facts": facts}
            number = row["id"]
            digest = _hash({**values, "number": number, "at": _utc(row["at"]), "previous": previous})
            new = {"new_name": name, "new_site": site, "new_previous": previous, "new_hash": digest}
            changes.append({"row": number, **new})
            previous = digest
        connection.execute(change, changes)
    return number, previous


def _name(row: Mapping[Any, Any]) -> str:
    if row["person"] == row["requester"]:
        return str(row["requester_name"])
    return "bot" if row["person"] == "bot" else ""


def _utc(at: datetime) -> str:
    # SQLite keeps no zone; all times are in UTC.
    aware = at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return aware.isoformat(timespec="microseconds")


def _hash(values: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
