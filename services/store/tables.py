"""The tables. Alembic's migrations in `migrations/` make them; a test holds both equal."""

from datetime import UTC, datetime

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    DateTime,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)


class Moment(TypeDecorator[datetime]):
    """An aware time, kept in UTC; SQLite has no zones."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, D102
        return value.astimezone(UTC) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002, D102
        return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value


Value = JSON
"""A value as JSON, as the `Codec` has it that the store was opened with."""

NONE_SHOWN = "-1"
"""The revision that is `shown` of a subject which nobody has compared with its messages yet.

Only a comparison raises it, and every change raises `revision`, also one by a replica of a version without the mark.
"""


def _unshown(name: str, order: str) -> Index:
    """The subjects that have changed since they were last compared with their messages: few, however large a table."""
    return Index(name, order, sqlite_where=text("shown < revision"), postgresql_where=text("shown < revision"))


metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

operations = Table(
    "operations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("key", String(255), nullable=False, unique=True),
    Column("kind", String(32), nullable=False),
    Column("target", String(64), nullable=False),
    Column("site", String(64), nullable=False),
    Column("environment", String(64), nullable=False),
    Column("locks", Value, nullable=False),
    Column("parent", String(32), nullable=False),
    Column("requester", String(32), nullable=False),
    Column("requester_name", String(255), nullable=False),
    Column("place", Value, nullable=False),
    Column("params", Value, key="options", nullable=False),
    Column("state", String(16), nullable=False),
    Column("dry_run", Boolean, nullable=False),
    Column("plan", Value),
    Column("approved", Value),
    Column("round", Integer, nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("asked", Value, key="approval_request"),
    Column("expires", Moment),
    Column("remind", Moment),
    Column("ended", Value, key="outcome"),
    Column("cancelling", String(255), nullable=False),
    Column("created", Moment, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("revision", Integer, nullable=False),
    Column("shown", Integer, nullable=False, server_default=NONE_SHOWN),
    Index("ix_operations_state", "state"),
    Index("ix_operations_ended_at", "ended_at"),
    Index("ix_operations_parent", "parent", sqlite_where=text("parent <> ''"), postgresql_where=text("parent <> ''")),
    Index("ix_operations_created", "created"),
    Index("ix_operations_target_created", "target", "created"),
    _unshown("ix_operations_unshown", "created"),
)

steps = Table(
    "steps",
    metadata,
    Column("operation", ForeignKey("operations.id", ondelete="CASCADE"), primary_key=True),
    Column("index", Integer, primary_key=True),
    Column("state", String(16), nullable=False),
    Column("started", Moment),
    Column("finished", Moment),
    Column("correlation_id", String(255), nullable=False),
    Column("output", Value, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("operation", ForeignKey("operations.id", ondelete="CASCADE"), primary_key=True),
    Column("round", Integer, primary_key=True),
    Column("person", String(32), primary_key=True),
    Column("name", String(255), nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", Moment, nullable=False),
)

events = Table(
    "events",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("operation", ForeignKey("operations.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("key", String(64), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("step", Integer),
    Column("facts", Value, nullable=False),
    Column("at", Moment, nullable=False),
    UniqueConstraint("operation", "key"),
)

locks = Table(
    "locks",
    metadata,
    Column("resource", Text, primary_key=True),
    Column("operation", ForeignKey("operations.id", ondelete="CASCADE"), primary_key=True, index=True),
    Column("turn", Integer, nullable=False),
    Column("held", Boolean, nullable=False),
)

leases = Table(
    "leases",
    metadata,
    Column("cluster", Text, primary_key=True),
    Column("address", String(64), primary_key=True),
    Column("operation", ForeignKey("operations.id", ondelete="CASCADE"), nullable=False, index=True),
)

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("at", Moment, nullable=False, index=True),
    Column("kind", String(16), nullable=False),
    Column("person", String(64), nullable=False),
    Column("name", String(255), nullable=False),
    Column("site", String(64), nullable=False, index=True),
    Column("channel", String(32), nullable=False),
    Column("text", Text, nullable=False),
    Column("operation", String(32), nullable=False, index=True),
    Column("outcome", String(64), nullable=False),
    Column("rule", Text, nullable=False),
    Column("facts", Value, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)
"""Rows are only added: triggers that the migration 0006 makes refuse everything else."""

audit_chain = Table(
    "audit_chain",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, nullable=False),
    Column("hash", String(64), nullable=False),
    Column("cut_number", Integer, nullable=False),
    Column("cut_hash", String(64), nullable=False),
    Column("searched", Integer, nullable=False, server_default="0"),
)
"""One row: where the chain of `audit` ends, behind which row it begins, up to which `audit_mentions` is complete."""

audit_mentions = Table(
    "audit_mentions",
    metadata,
    Column("operation", String(32), primary_key=True),
    Column("audit", Integer, primary_key=True, autoincrement=False, index=True),
)
"""The operations that the texts of audit rows name: commands about one are no rows of its own."""

deliveries = Table(
    "deliveries",
    metadata,
    Column("key", String(255), primary_key=True),
    Column("at", Moment, nullable=False, index=True),
)

workspaces = Table(
    "workspaces",
    metadata,
    Column("team", String(32), primary_key=True),
    Column("plan_blocks", Boolean, nullable=False),
    Column("learnt", Moment, nullable=False),
)

messages = Table(
    "messages",
    metadata,
    Column("kind", String(16), primary_key=True),
    Column("subject", String(64), primary_key=True),
    Column("team", String(32), primary_key=True),
    Column("channel", String(32), primary_key=True),
    Column("ts", String(32), nullable=False),
    Column("shown", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    Column("reported", Value),
    Column("pending", String(128), nullable=False),
    Column("edited", Moment),
    Column("holder", String(64), nullable=False),
    Column("until", Moment, nullable=False),
)

executor_lease = Table(
    "executor_lease",
    metadata,
    Column("executor_id", String(64), primary_key=True),
    Column("started_at", Moment, nullable=False),
    Column("expires_at", Moment, nullable=False),
)
"""Written and read by the server's clock, in `services.store.executor_lease`; empty on SQLite."""

# --- watching -------------------------------------------------------------------------------------------------------

watches = Table(
    "watches",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("team", String(32), nullable=False),
    Column("channel", String(32), nullable=False),
    Column("place", Value, nullable=False),
    Column("scope", String(8), nullable=False),
    Column("subject", String(64), nullable=False),
    Column("every", String(255), nullable=False),
    Column("tz", String(64), nullable=False),
    Column("alerts", String(16), nullable=False),
    Column("by", String(32), nullable=False),
    Column("created", Moment, nullable=False),
    UniqueConstraint("team", "channel", "scope", "subject"),
)

summaries = Table(
    "summaries",
    metadata,
    Column("watch", ForeignKey("watches.id", ondelete="CASCADE"), primary_key=True),
    Column("due", Moment, primary_key=True),
    Column("posted", Moment),
)

polls = Table(
    "polls",
    metadata,
    Column("acr", Text, primary_key=True),
    Column("due", Moment, nullable=False),
    Column("succeeded", Moment),
    Column("failing", Moment),
    Column("failures", Integer, nullable=False),
    Column("error", String(64), nullable=False),
)

sightings = Table(
    "sightings",
    metadata,
    Column("acr", Text, primary_key=True),
    Column("name", String(64), primary_key=True),
    Column("seen", Value, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("since", Moment, nullable=False),
    Column("activated", Boolean, nullable=False),
)

memos = Table(
    "memos",
    metadata,
    Column("acr", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("memo", Value, nullable=False),
)

transitions = Table(
    "transitions",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("acr", Text, nullable=False),
    Column("name", String(64), nullable=False),
    Column("at", Moment, nullable=False, index=True),
    Column("before", String(16), nullable=False),
    Column("after", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("facts", Value, nullable=False),
    Index("ix_transitions_acr_name_at", "acr", "name", "at"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("acr", Text, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("subject", Text, nullable=False),
    Column("severity", String(16), nullable=False),
    Column("opened", Moment, nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String(64), nullable=False),
    Column("facts", Value, nullable=False),
    Column("children", Value, nullable=False),
    Column("resolved", Moment),
    Column("acknowledged_by", String(255), nullable=False),
    Column("acknowledged_at", Moment),
    Column("snoozed_until", Moment),
    Column("flaps", Integer, nullable=False),
    Column("changed", Moment),
    Column("revision", Integer, nullable=False),
    Column("shown", Integer, nullable=False, server_default=NONE_SHOWN),
    Index("ix_incidents_opened", "opened"),
    _unshown("ix_incidents_unshown", "opened"),
    # Two processes that see the same trouble open one incident.
    Index(
        "uq_incidents_open",
        "acr",
        "subject",
        unique=True,
        sqlite_where=text("resolved IS NULL"),
        postgresql_where=text("resolved IS NULL"),
    ),
)
