"""What the modules of the store share: transactions, inserts, and values to and from rows."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import Field, fields
from datetime import timedelta
from typing import Any, ClassVar, Literal, Protocol, TypeVar
from weakref import WeakKeyDictionary

import structlog
from sqlalchemy import Column, ColumnElement, delete, exc, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine
from sqlalchemy.schema import Table

from services.model.errors import DatabaseAway
from services.model.fence import UNFENCED, Fence
from services.store.trouble import passing

log = structlog.get_logger("database")

UNLIKELY = timedelta(hours=2)
"""A lease or a next time that lies so far ahead was written by a clock that was wrong."""


class _Dataclass(Protocol):
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]


T = TypeVar("T", bound=_Dataclass)


def value(kind: type[T], row: Mapping[Any, Any]) -> T:
    """The value whose fields are columns of a row by the same names."""
    return kind(**{field.name: row[field.name] for field in fields(kind)})


def columns(instance: _Dataclass, *, but: str = "") -> dict[str, Any]:
    """A value's fields by their names, which are those of their columns, except `but`, which has others."""
    return {field.name: getattr(instance, field.name) for field in fields(instance) if field.name != but}


_ACCESS: WeakKeyDictionary[AsyncEngine, "Access"] = WeakKeyDictionary()


class Access:
    """The way of this process to a database; one for each engine.

    `turn` is the writer's on SQLite, which lets those who wait try again at random: under load the unluckiest would
    try in vain. `fence` is checked before each write.
    """

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        self.fence: Fence = UNFENCED
        self._trouble = {"read": "", "write": ""}
        """Why the last one got no answer. SQLite can still be read while another program writes to it."""

    @staticmethod
    def of(engine: AsyncEngine) -> "Access":
        """The access of this engine."""
        return _ACCESS.setdefault(engine, Access())

    @property
    def trouble(self) -> str:
        """Why the database did not answer the last time; empty when it did."""
        return self._trouble["write"] or self._trouble["read"]

    @contextmanager
    def watched(self, access: Literal["read", "write"]) -> Iterator[None]:
        """Raises `DatabaseAway` for trouble that passes by itself; logs its beginning and its end."""
        try:
            yield
        except (exc.DBAPIError, exc.TimeoutError, TimeoutError) as error:
            reason = passing(error)
            if not reason:
                raise
            if not self._trouble[access]:
                log.warning("database_away", to=access, reason=reason)
            self._trouble[access] = reason
            raise DatabaseAway(reason) from error
        if self._trouble[access]:
            log.info("database_back", to=access, reason=self._trouble[access])
            self._trouble[access] = ""


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
        await self._access.fence.check()
        with self._access.watched("write"):
            if self._engine.dialect.name != "sqlite":
                async with self._engine.begin() as connection:
                    yield connection
                return
            async with self._access.turn, self._engine.begin() as connection:
                yield connection

    async def _delete_some(self, key: Column[Any], *which: ColumnElement[bool], limit: int) -> int:
        """Delete up to `limit` rows of the table of `key`; returns how many it deleted."""
        rows = select(key).where(*which).order_by(key).limit(limit).with_for_update(skip_locked=True)
        async with self._writing() as connection:
            keys = (await connection.scalars(rows)).all()
            await connection.execute(delete(key.table).where(key.in_(keys)))
        return len(keys)

    def _insert_once(self, table: Table) -> postgresql.Insert | sqlite.Insert:
        """An insert that does nothing where the row exists already; `rowcount` says whether it was written."""
        # Without the option SQLAlchemy gives up the count of an insert, and psycopg's -1 would read as "it existed".
        if self._engine.dialect.name == "postgresql":
            return postgresql.insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
        return sqlite.insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)
