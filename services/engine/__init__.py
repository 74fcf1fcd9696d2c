"""The durable engine: what has begun goes on after any crash (DBOS, in this process, on SQLite or PostgreSQL)."""

from services.engine.engine import Engine, Occupied, Work, open_engine

__all__ = ["Engine", "Occupied", "Work", "open_engine"]
