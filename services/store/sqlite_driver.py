"""SQLAlchemy's adapter of aiosqlite, with one trip to the connection's thread for each statement.

The adapter makes four for each that answers rows: to open a cursor, to execute, to fetch and to close. On a bot with
much to do these trips, each of which hands over the interpreter twice, were a third of the processor time. A
transaction begins together with its first statement, and where it ends without a commit nobody waits for that: the
thread works in order.
"""

import sqlite3
from collections import deque
from collections.abc import Sequence
from typing import Any

import aiosqlite
from sqlalchemy.dialects.sqlite.aiosqlite import (
    AsyncAdapt_aiosqlite_connection,
    AsyncAdapt_aiosqlite_cursor,
    AsyncAdapt_aiosqlite_dbapi,
)


class SqliteDriver(AsyncAdapt_aiosqlite_dbapi):
    """The `module` of an engine for files: its connections may be touched from more than one thread."""

    def __init__(self) -> None:
        super().__init__(aiosqlite, sqlite3)

    def connect(self, *arguments: Any, **options: Any) -> "_Connection":
        """As the adapter does; the connection is of this module's class."""
        return _Connection(self, super().connect(*arguments, **options).driver_connection)


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """A cursor of the standard library, which only ever works in the connection's thread.

    It is not closed: it ends with the last reference to it. Closing it from here would fail where the statement still
    runs, since whoever waited for it was cancelled.
    """

    __slots__ = ()

    def _make_new_cursor(self, connection: Any) -> Any:
        return connection._conn.cursor()  # noqa: SLF001 - as the adapter itself does

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    async def _async_soft_close(self) -> None:
        return

    def close(self) -> None:
        self._rows.clear()

    async def _execute_async(self, operation: Any, parameters: Any) -> None:
        adapted: Any = self._adapt_connection
        async with adapted._execute_mutex:  # noqa: SLF001 - as the method that this replaces
            # No public call of aiosqlite's has a statement's rows together with their names and number.
            run, begin = self._connection._execute, adapted.take_begin()  # noqa: SLF001
            self._rows = await run(_executed, self._cursor, begin, operation, () if parameters is None else parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        adapted: Any = self._adapt_connection
        async with adapted._execute_mutex:  # noqa: SLF001 - as the method that this replaces
            run, begin = self._connection._execute, adapted.take_begin()  # noqa: SLF001
            await run(_executed_many, self._cursor, begin, operation, seq_of_parameters)


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ("_begin",)
    _cursor_cls = _Cursor

    def __init__(self, dbapi: AsyncAdapt_aiosqlite_dbapi, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self._begin = ""

    def begin_with(self, statement: str) -> None:
        """Begin a transaction by this statement, just before the next one, which fails where it does."""
        self._begin = statement

    def take_begin(self) -> str:
        """The statement of a transaction that has not begun; empty where there is none."""
        begin, self._begin = self._begin, ""
        return begin

    def commit(self) -> None:
        self._begin = ""
        super().commit()

    def rollback(self) -> None:
        self._begin = ""
        # SQLite itself rolls back where it can't be told to.
        if self._connection._connection:  # noqa: SLF001 - as the method that this replaces
            rollback = self._connection._conn.rollback  # noqa: SLF001
            self._connection._tx.put_nowait((None, rollback))  # noqa: SLF001 - as the adapter itself does


def _executed(cursor: sqlite3.Cursor, begin: str, operation: str, parameters: Sequence[Any]) -> deque[Any]:
    if begin:
        cursor.execute(begin)
    cursor.execute(operation, parameters)
    return deque(cursor.fetchall() if cursor.description else ())


def _executed_many(cursor: sqlite3.Cursor, begin: str, operation: str, parameters: Sequence[Any]) -> None:
    if begin:
        cursor.execute(begin)
    cursor.executemany(operation, parameters)
