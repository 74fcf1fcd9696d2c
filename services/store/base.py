"""What the rooms of the store share."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from weakref import WeakKeyDictionary

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import Table

_TURNS: WeakKeyDictionary[AsyncEngine, asyncio.Lock] = WeakKeyDictionary()
"""SQLite has one writer, and lets those who wait try again at random: under load the unluckiest would try in vain."""

UNLIKELY = timedelta(hours=2)
"""A lease or a next time that lies so far ahead was written by a clock that was wrong."""


class Queries:
    """A set of tables with the questions that are asked of them."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._turn = _TURNS.setdefault(engine, asyncio.Lock())

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        async with self._engine.connect() as connection:
            await connection.execution_options(reads=True)
            yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; on SQLite in turn with the others of this process. Not to be opened within another one."""
        if self._engine.dialect.name != "sqlite":
            async with self._engine.begin() as connection:
                yield connection
            return
        async with self._turn, self._engine.begin() as connection:
            yield connection

    def _insert_once(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """An insert that does nothing where the row is there already; `rowcount` tells."""
        # Without the option SQLAlchemy gives up the count of an insert, and psycopg's -1 would read as "was there".
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        return sqlite.insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
