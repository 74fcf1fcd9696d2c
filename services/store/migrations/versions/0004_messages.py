"""One table for the messages of operations, incidents and summaries, in place of one each."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

NOBODY = datetime(1970, 1, 1, tzinfo=UTC)
BATCH = 1000

messages = sa.table(
    "messages",
    *(sa.column(name, sa.String()) for name in ("kind", "subject", "team", "channel", "ts", "pending", "holder")),
    sa.column("shown", sa.Integer()),
    sa.column("position", sa.Integer()),
    sa.column("reported", sa.JSON(none_as_null=True)),
    sa.column("until", sa.DateTime(timezone=True)),
)


def upgrade() -> None:
    """Make the table, carry every message over, and take the old columns away."""
    op.create_table(
        "messages",
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("team", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("ts", sa.String(length=32), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("reported", sa.JSON(), nullable=True),
        sa.Column("pending", sa.String(length=128), nullable=False),
        sa.Column("edited", sa.DateTime(timezone=True), nullable=True),
        sa.Column("holder", sa.String(length=64), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "subject", "team", "channel", name=op.f("pk_messages")),
    )
    for rows in (_cards(), _alerts(), _summaries()):
        while batch := list(islice(rows, BATCH)):
            op.get_bind().execute(sa.insert(messages), [row | {"holder": "", "until": NOBODY} for row in batch])
    op.drop_table("cards")
    op.drop_table("alerts")
    with op.batch_alter_table("summaries") as table:
        for column in ("holder", "until", "posting", "ts"):
            table.drop_column(column)


def _cards() -> Iterator[dict[str, Any]]:
    operations = sa.table("operations", sa.column("id"), sa.column("place", sa.JSON()))
    cards = sa.table("cards", *map(sa.column, ("operation", "ts", "shown", "told", "posting")))
    query = sa.select(cards, operations.c.place).join(operations, operations.c.id == cards.c.operation)
    for row in op.get_bind().execute(query).mappings():
        yield {
            "kind": "operation",
            "subject": row["operation"],
            "team": row["place"]["team"],
            "channel": row["place"]["channel"],
            "ts": row["ts"],
            "shown": row["shown"],
            "position": row["told"],
            "reported": None,
            "pending": row["posting"],
        }


def _alerts() -> Iterator[dict[str, Any]]:
    names = ("incident", "team", "channel", "ts", "shown", "told", "posting")
    alerts = sa.table("alerts", *map(sa.column, names), sa.column("before", sa.JSON()))
    for row in op.get_bind().execute(sa.select(alerts)).mappings():
        yield {
            "kind": "incident",
            "subject": row["incident"],
            "team": row["team"],
            "channel": row["channel"],
            "ts": row["ts"],
            # Without a message the numbers meant that the channel could not be reached: it is tried again.
            "shown": row["shown"] if row["ts"] else -1,
            "position": row["told"] if row["ts"] else -1,
            "reported": row["before"],
            "pending": row["posting"],
        }


def _summaries() -> Iterator[dict[str, Any]]:
    watches = sa.table("watches", *map(sa.column, ("id", "team", "channel")))
    summaries = sa.table(
        "summaries",
        *map(sa.column, ("watch", "ts")),
        sa.column("due", sa.DateTime(timezone=True)),
        sa.column("posting", sa.Boolean()),
    )
    query = sa.select(summaries, watches.c.team, watches.c.channel).join(watches, watches.c.id == summaries.c.watch)
    for row in op.get_bind().execute(query.where(sa.or_(summaries.c.ts != "", summaries.c.posting))).mappings():
        # SQLite keeps no zone; all times are in UTC.
        due = row["due"] if row["due"].tzinfo else row["due"].replace(tzinfo=UTC)
        subject = f"{row['watch']}:{int(due.timestamp())}"
        yield {
            "kind": "summary",
            "subject": subject,
            "team": row["team"],
            "channel": row["channel"],
            "ts": row["ts"],
            "shown": 0 if row["ts"] else -1,
            "position": 1 if row["ts"] else -1,
            "reported": None,
            "pending": subject if row["posting"] else "",
        }
