"""The operations on a connected registry, an operation's parts and the audit rows about it are found by indexes."""

import re

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

BATCH = 10_000
MENTION = re.compile(r"\bop-[0-9a-z]{1,29}")

audit = sa.table("audit", sa.column("id", sa.Integer()), sa.column("text", sa.Text()))
mentions = sa.table("audit_mentions", sa.column("operation", sa.String()), sa.column("audit", sa.Integer()))


def upgrade() -> None:
    """Make the indexes, and search the texts of all audit rows once."""
    op.create_index("ix_operations_target_created", "operations", ["target", "created"])
    has_parent = sa.text("parent <> ''")
    op.drop_index("ix_operations_parent", table_name="operations")
    op.create_index(
        "ix_operations_parent", "operations", ["parent"], sqlite_where=has_parent, postgresql_where=has_parent
    )
    op.create_table(
        "audit_mentions",
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("audit", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("operation", "audit", name=op.f("pk_audit_mentions")),
    )
    op.create_index("ix_audit_mentions_audit", "audit_mentions", ["audit"])
    op.add_column("audit_chain", sa.Column("searched", sa.Integer(), nullable=False, server_default="0"))
    connection, last = op.get_bind(), 0
    query = sa.select(audit).order_by(audit.c.id).limit(BATCH)
    while rows := connection.execute(query.where(audit.c.id > last)).all():
        named = [{"operation": name, "audit": row.id} for row in rows for name in {*MENTION.findall(row.text.lower())}]
        if named:
            connection.execute(sa.insert(mentions), named)
        last = rows[-1].id
    op.execute(sa.update(sa.table("audit_chain", sa.column("searched"))).values(searched=last))
