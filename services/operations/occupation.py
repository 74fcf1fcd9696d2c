"""Who may work on one database: on SQLite one process, on PostgreSQL any number that know of each other's leases.

Processes of versions without leases would take over live work at their start: they and the others keep each other out.
"""

import fcntl
import os
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psycopg
from sqlalchemy import make_url

LOCK = 7_255_310
"""Number of the advisory lock; any that nobody else uses in this database."""


class Occupied(Exception):
    """A process that can't share it works on this database; the text says what to do."""


class Occupation(Protocol):
    """A database on which this process may work. Its methods block."""

    def check(self) -> None:
        """Raises `Occupied` when this process may no longer. A server that is away is asked the next time."""

    def end(self) -> None:
        """Let others have it; the end of the process does the same."""


def occupy(url: str) -> Occupation:
    """Take the database, or raise `Occupied`; `url` as for the store. Blocks."""
    return FileOccupation(Path(str(make_url(url).database))) if url.startswith("sqlite") else ServerOccupation(url)


class FileOccupation:
    """A lock on a file beside the database. The kernel holds it for as long as the process lives."""

    def __init__(self, database: Path) -> None:
        database.parent.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(database.with_name(database.name + ".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(self._lock)
            raise Occupied(
                f"another bot works on {database}: stop it, or give this one a folder of its own"
                " (REGISTRY_BOT_DATA_DIR)"
            ) from None

    def check(self) -> None:
        """Such a lock is never lost."""

    def end(self) -> None:
        """Unlock it."""
        os.close(self._lock)


class ServerOccupation:
    """A share of an advisory lock of PostgreSQL, which versions without leases take for themselves alone.

    It belongs to a session: the server gives it up when the connection breaks.
    """

    def __init__(self, url: str) -> None:
        self._address = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._connection = self._take()

    def _take(self) -> psycopg.Connection:
        connection = psycopg.connect(self._address, autocommit=True)
        row = connection.execute("select pg_try_advisory_lock_shared(%s)", (LOCK,)).fetchone()
        if row is None or not row[0]:
            connection.close()
            raise Occupied(
                "a bot of an older version, which can't share it, works on this database: stop it, then start this one"
            )
        return connection

    def check(self) -> None:
        """Take it again after the connection broke, unless a process that can't share it was faster."""
        try:
            self._connection.execute("select 1")
        except psycopg.OperationalError:
            self._connection.close()
            with suppress(psycopg.OperationalError):
                self._connection = self._take()

    def end(self) -> None:
        """Unlock it."""
        self._connection.close()
