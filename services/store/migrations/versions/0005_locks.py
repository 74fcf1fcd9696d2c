"""Operations lock a list of things, and may be part of another one.

What an older version has queued or is running comes by that version's own queue, one operation a cluster. It locks its
cluster here too, so that nothing which is queued from now on comes past it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Lists of locks in the place of the one cluster."""
    op.add_column("operations", sa.Column("locks", sa.JSON(), nullable=False, server_default="[]"))
    op.add_column("operations", sa.Column("parent", sa.String(length=32), nullable=False, server_default=""))
    array = "json_build_array" if op.get_bind().dialect.name == "postgresql" else "json_array"
    op.execute(sa.text(f"UPDATE operations SET locks = {array}(cluster)"))  # noqa: S608 - one of two words
    op.create_table(
        "locks",
        sa.Column("resource", sa.Text(), nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("turn", sa.Integer(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["operation"], ["operations.id"], name=op.f("fk_locks_operation"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("resource", "operation", name=op.f("pk_locks")),
    )
    op.create_index("ix_locks_operation", "locks", ["operation"])
    op.execute(
        "INSERT INTO locks (resource, operation, turn, held)"
        " SELECT cluster, id, 0, state = 'running' FROM operations WHERE state IN ('queued', 'running')"
    )
    op.drop_index("ix_operations_cluster", table_name="operations")
    op.drop_column("operations", "cluster")
    op.create_index("ix_operations_ended_at", "operations", ["ended_at"])
    op.create_index("ix_operations_parent", "operations", ["parent"])
