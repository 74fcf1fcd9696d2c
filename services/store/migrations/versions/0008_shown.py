"""What has changed since it was last compared with its messages is found without reading everything that is stored."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Add the mark, and set it for what is shown already; on a used database that is nearly everything."""
    for table, order in (("operations", "created"), ("incidents", "opened")):
        op.add_column(table, sa.Column("shown", sa.Integer(), nullable=False, server_default="-1"))
        where = sa.text("shown < revision")
        op.create_index(f"ix_{table}_unshown", table, [order], sqlite_where=where, postgresql_where=where)
    # An event comes with a revision of its operation. Parts of others and dry runs are compared by the first sweep.
    op.execute(
        "UPDATE operations SET shown = revision WHERE EXISTS ("
        "SELECT 1 FROM messages WHERE kind = 'operation' AND subject = operations.id"
        " AND messages.shown >= operations.revision AND NOT EXISTS ("
        "SELECT 1 FROM events WHERE operation = operations.id AND events.id > messages.position))"
    )
    op.execute(
        "UPDATE incidents SET shown = revision WHERE resolved IS NOT NULL AND NOT EXISTS ("
        "SELECT 1 FROM messages WHERE kind = 'incident' AND subject = incidents.id AND ts <> ''"
        " AND (messages.shown < incidents.revision OR messages.position < incidents.revision))"
    )
