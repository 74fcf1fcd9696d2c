"""Why a database can't be used, in a line that says what to do. No password and no text of the driver is in it."""

import os
import sqlite3
from pathlib import Path

import psycopg
from sqlalchemy import exc, make_url

RESTORE = "stop the bot and put both files of one backup back (docs/runbook.md, Damaged database)"
HEADER = 100
"""Bytes of a SQLite file's header: page size at 16, change counter at 24, pages at 28, version-valid-for at 92
(sqlite.org/fileformat2.html, section 1.3)."""
SQLITE_PASSING = {
    sqlite3.SQLITE_BUSY: "another program has locked it",
    sqlite3.SQLITE_LOCKED: "another program has locked it",
    sqlite3.SQLITE_FULL: "there is no room left on its disk",
    sqlite3.SQLITE_IOERR: "its disk does not answer",
    sqlite3.SQLITE_CANTOPEN: "its file can't be opened",
    sqlite3.SQLITE_READONLY: "its file can't be written",
    sqlite3.SQLITE_PROTOCOL: "another program has locked it",
}
"""What passes when somebody sees to it, by the primary result code."""
POSTGRESQL_PASSING = {
    "08": "the connection broke",
    "25006": "the server takes no writes now",
    "25P03": "this process stood still within a transaction, which the server has ended",
    "40": "another transaction was in the way",
    "53": "the server lacks resources",
    "55": "another transaction was in the way",
    "57": "the server is going down or starting",
    "58": "the server's disk does not answer",
}
"""The same by SQLSTATE, or its class (postgresql.org/docs/current/errcodes-appendix.html)."""


class UnusableDatabase(Exception):
    """The database can't be used as it is; the text says what to do."""


def unusable(error: BaseException, url: str) -> UnusableDatabase | None:
    """What an error of opening or reading a database means; None for anything that is no such error."""
    match error:
        case UnusableDatabase():
            return error
        case exc.ArgumentError():
            return UnusableDatabase("its address can't be read: it has the form postgresql://USER:PASSWORD@HOST/NAME")
    match error.orig if isinstance(error, exc.DBAPIError) else error:
        case psycopg.Error() as driver:
            return UnusableDatabase(_of_server(driver, url))
        case sqlite3.Error() as driver:
            return UnusableDatabase(_of_file(driver, url))
    return None


def passing(error: exc.DBAPIError | exc.TimeoutError | TimeoutError) -> str:
    """Why the database does not answer, where that passes without a change of the bot; empty for any other error."""
    if isinstance(error, exc.TimeoutError):
        return "all connections are in use"
    if isinstance(error, TimeoutError):
        return "the server does not answer"
    match error.orig:
        case sqlite3.Error() as driver:
            # Extended codes have the primary one in their low byte (sqlite.org/rescode.html).
            return SQLITE_PASSING.get(getattr(driver, "sqlite_errorcode", 0) & 0xFF, "")
        case psycopg.Error() as driver:
            state = driver.sqlstate or ""
            is_lost = not state and isinstance(driver, psycopg.OperationalError | psycopg.InterfaceError)
            return (
                "the server does not answer"
                if is_lost
                else POSTGRESQL_PASSING.get(state, POSTGRESQL_PASSING.get(state[:2], ""))
            )
    return ""


def check_files(url: str) -> None:
    """Raises `UnusableDatabase` for what can be seen of SQLite files without opening them. Makes nothing."""
    if not url.startswith("sqlite"):
        return
    path = Path(str(make_url(url).database))
    engine = path.with_name(f"{path.stem}-engine{path.suffix}")
    if not path.parent.is_dir():
        raise UnusableDatabase(f"there is no folder {path.parent}")
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise UnusableDatabase(f"the folder {path.parent} {_owner(path.parent)}")
    for file in (Path(f"{database}{suffix}") for database in (path, engine) for suffix in ("", "-wal", "-shm")):
        if file.exists() and not os.access(file, os.R_OK | os.W_OK):
            raise UnusableDatabase(f"{file} {_owner(file)}")
    if engine.exists() and engine.stat().st_size and path.exists() and not path.stat().st_size:
        raise UnusableDatabase(f"{path} is empty, and {engine.name} beside it is not: {RESTORE}")
    for file in (path, engine):
        if file.exists() and _is_cut(file):
            raise UnusableDatabase(f"{file} is damaged: {RESTORE}")


def _owner(path: Path) -> str:
    return (
        f"can't be written: it belongs to the user {path.stat().st_uid}, and the bot runs as {os.getuid()}; it has to"
        " belong to that user (chown), on a file system that is not read-only"
    )


def _is_cut(path: Path) -> bool:
    """Whether the file is no SQLite database, or shorter than its header says and nothing waits in its log."""
    with path.open("rb") as file:
        header = file.read(HEADER)
    if not header:
        return False
    if len(header) < HEADER or not header.startswith(b"SQLite format 3\0"):
        return True
    number = [int.from_bytes(header[at : at + 4], "big") for at in (24, 28, 92)]
    changes, pages, valid_for = number
    page = int.from_bytes(header[16:18], "big")
    log = Path(f"{path}-wal")
    if changes != valid_for or (log.exists() and log.stat().st_size):
        return False
    return path.stat().st_size < pages * (65536 if page == 1 else page)


def _of_file(error: sqlite3.Error, url: str) -> str:
    path = Path(str(make_url(url).database))
    text = str(error)
    if "readonly" in text or "unable to open" in text:
        return f"{path} can't be written: it and its folder have to belong to the bot's user ({os.getuid()})"
    if "locked" in text or "busy" in text:
        return f"{path} is locked by another program: end it (docs/runbook.md, The database is locked)"
    if "full" in text:
        return f"there is no room left for {path}: make room on its disk"
    if "malformed" in text or "not a database" in text or "no such" in text:
        return f"{path} is damaged: {RESTORE}"
    return f"{path} can't be used ({text.splitlines()[0] if text else type(error).__name__})"


def _of_server(error: psycopg.Error, url: str) -> str:
    """A refused connection carries no SQL state; what the server says of it stands in the text."""
    address = make_url(url)
    where = f"{address.host or address.query.get('host', 'the local socket')}:{address.port or 5432}"
    text = str(error)
    if "password authentication failed" in text or "no password supplied" in text:
        return f"the server at {where} refuses the user {address.username}: check the password in the address"
    if "does not exist" in text and "database" in text:
        return f"the server at {where} has no database {address.database}: create it"
    if "permission denied" in text:
        return f"the user {address.username} may not create tables in {address.database}: make it the owner"
    if isinstance(error, psycopg.OperationalError):
        return f"it does not answer at {where}: is the server up, and is the way to it open?"
    return f"the server at {where} refuses ({error.sqlstate or type(error).__name__})"
