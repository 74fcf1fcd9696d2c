"""What the bot remembers: operations, decisions, audit, leases, seen deliveries, posted cards.

SQLAlchemy Core on SQLite (one process) or PostgreSQL (any number). No secret is ever stored.
"""

from services.model.audit import AuditRow
from services.store.cards import Card
from services.store.store import Store, UnusableDatabase, open_store

__all__ = ["AuditRow", "Card", "Store", "UnusableDatabase", "open_store"]
