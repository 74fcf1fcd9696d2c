"""What the bot remembers: operations, decisions, audit, leases, deliveries, messages in Slack.

SQLAlchemy Core on SQLite (one process) or PostgreSQL (any number). No secret is ever stored.
"""

from services.model.audit import AuditRow
from services.store.store import Schema, Store, open_store, read_audit, schema
from services.store.trouble import UnusableDatabase, unusable

__all__ = ["AuditRow", "Schema", "Store", "UnusableDatabase", "open_store", "read_audit", "schema", "unusable"]
