"""What the rooms of the store share."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import timedelta
from typing import Literal
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import exc
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import Table

from services.model.errors import DatabaseAway
from services.store.trouble import passing

log = structlog.get_logger("database")

UNLIKELY = timedelta(hours=2)
"""A lease or a next time that lies so far ahead was written by a clock that was wrong."""


_ACCESS: WeakKeyDictionary[AsyncEngine, "Access"] = WeakKeyDictionary()


class Access:
    """How this process gets at a database; one for each engine.

    `turn` is the writer's on SQLite, which lets those who wait try again at random: under load the unluckiest would
    try in vain.
    """

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self._trouble = {"read": "", "write": ""}
        """Why the last one had no answer. SQLite reads while another program writes, so they are two things."""

    @staticmethod
    def of(engine: AsyncEngine) -> "Access":
        """The one of this engine."""
        return _ACCESS.setdefault(engine, Access())

    @property
    def trouble(self) -> str:
        """Why the database does not answer; empty while it does, as far as it was asked."""
        return self._trouble["write"] or self._trouble["read"]

    @contextmanager
    def watched(self, what: Literal["read", "write"]) -> Iterator[None]:
        """Raises `DatabaseAway` for what passes by itself; one line in the log when it begins, one when it is over."""
        try:
            yield
        except (exc.DBAPIError, exc.TimeoutError) as error:
            reason = passing(error)
            if not reason:
                raise
            if not self._trouble[what]:
                log.warning("database_away", to=what, reason=reason)
            self._trouble[what] = reason
            raise DatabaseAway(reason) from error
        if self._trouble[what]:
            log.info("database_back", to=what, reason=self._trouble[what])
            self._trouble[what] = ""


class Queries:
    """A set of tables with the questions that are asked of them. All of them raise `DatabaseAway`."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine
        self._access = Access.of(engine)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[AsyncConnection]:
        with self._access.watched("read"):
            async with self._engine.connect() as connection:
                await connection.execution_options(reads=True)
                yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        """A transaction; on SQLite in turn with the others of this process. Not to be opened within another one."""
        with self._access.watched("write"):
            if self._engine.dialect.name != "sqlite":
                async with self._engine.begin() as connection:
                    yield connection
                return
            async with self._access.turn, self._engine.begin() as connection:
                yield connection

    def _insert_once(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """An insert that does nothing where the row is there already; `rowcount` tells."""
        # Without the option SQLAlchemy gives up the count of an insert, and psycopg's -1 would read as "was there".
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        return sqlite.insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
