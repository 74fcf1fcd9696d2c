"""SQLAlchemy's adapter of aiosqlite, with one trip to the connection's thread for each statement.

The adapter makes four for each that answers rows: to open a cursor, to execute, to fetch and to close. On a bot with
much to do these trips, each of which hands over the interpreter twice, were a third of the processor time. Nor is the
thread waited for where a transaction only reads and begins, or ends without a commit: it works in order.
"""

import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from functools import partial
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
        async with self._adapt_connection._execute_mutex:  # noqa: SLF001 - as the method that this replaces
            # No public call of aiosqlite's has a statement's rows together with their names and number.
            run = self._connection._execute  # noqa: SLF001
            self._rows = await run(_executed, self._cursor, operation, () if parameters is None else parameters)

    async def _executemany_async(self, operation: Any, seq_of_parameters: Any) -> None:
        async with self._adapt_connection._execute_mutex:  # noqa: SLF001 - as the method that this replaces
            await self._connection._execute(self._cursor.executemany, operation, seq_of_parameters)  # noqa: SLF001


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ()
    _cursor_cls = _Cursor

    def begin_reading(self) -> None:
        """Begin a transaction that takes no lock before its first statement, so that nothing of it can fail."""
        self._post(partial(self._connection._conn.execute, "BEGIN"))  # noqa: SLF001 - as the adapter itself does

    def rollback(self) -> None:
        # SQLite itself rolls back where it can't be told to.
        if self._connection._connection:  # noqa: SLF001 - as the method that this replaces
            self._post(self._connection._conn.rollback)  # noqa: SLF001

    def _post(self, function: Callable[[], object]) -> None:
        self._connection._tx.put_nowait((None, function))  # noqa: SLF001 - as the adapter itself does


def _executed(cursor: sqlite3.Cursor, operation: str, parameters: Sequence[Any]) -> deque[Any]:
    cursor.execute(operation, parameters)
    return deque(cursor.fetchall() if cursor.description else ())
