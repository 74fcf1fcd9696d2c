"""Opening and closing the database, and bringing its tables up to date."""

import asyncio
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, create_engine, event, func, inspect, make_url, select, text
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from services.model.clock import Clock, MachineClock
from services.model.codec import Codec
from services.store.audit import Audit
from services.store.base import Access
from services.store.deliveries import Deliveries
from services.store.executor_lease import LASTS, ExecutorLease
from services.store.incidents import Incidents
from services.store.leases import Leases
from services.store.locks import Locks
from services.store.messages import Messages
from services.store.operations import Operations
from services.store.sightings import Sightings
from services.store.sqlite_driver import SqliteDriver
from services.store.summaries import Summaries
from services.store.trouble import UnusableDatabase, check_files, unusable
from services.store.watches import Watches
from services.store.workspaces import Workspaces

OLDEST_SQLITE = (3, 42)
"""On Python 3.12 and later the durable engine uses `unixepoch('subsec')`, which older SQLite libraries lack."""
VERSIONS = "bot_schema"
"""The table in which Alembic keeps the revision."""
MIGRATIONS = Path(__file__).parent / "migrations" / "versions"
MIGRATING = 7_255_311
"""Number of the advisory lock under which PostgreSQL's tables are brought up to date."""
LARGE, LARGE_KEPT = 2_000, 16
"""Characters from which a JSON column is large, and how many of those are kept as they were read."""
Schema = Literal["none", "older", "current"]
"""Whose tables a database has: nobody's yet, an older version's, this version's."""
CONNECT = 10
"""Seconds for a connection to a server."""
CONNECTIONS = 15
"""That a process has at most. They stay open, since work comes in peaks, and opening one costs much."""
BUSY = 3
"""Seconds for which a writer waits for another one on SQLite."""


@dataclass(frozen=True)
class Store:
    """All tables, by what they are for."""

    engine: AsyncEngine
    operations: Operations
    locks: Locks
    messages: Messages
    audit: Audit
    leases: Leases
    deliveries: Deliveries
    workspaces: Workspaces
    watches: Watches
    sightings: Sightings
    incidents: Incidents
    summaries: Summaries
    lease: ExecutorLease

    @property
    def trouble(self) -> str:
        """Why the database did not answer when it was last asked; empty while it answers."""
        reason = Access.of(self.engine).trouble
        return f"the database does not answer: {reason}" if reason else ""

    async def close(self) -> None:
        """Give all connections back."""
        await self.engine.dispose()
        await self.lease.close()


async def open_store(url: str, codec: Codec | None = None, clock: Clock | None = None) -> Store:
    """Bring the tables up to date and open them.

    `url` is an SQLAlchemy address, `sqlite:///FILE` or `postgresql://…`; the driver is chosen here. `codec` knows the
    values that are to be stored, without it those of the model. Raises `UnusableDatabase`.
    """
    check_sqlite(url)
    await asyncio.to_thread(migrate, url)
    codec = codec or Codec()
    engine = _engine(url, codec)
    if engine.dialect.name != "sqlite":
        _end_idle_transactions(engine)
    # Connections of its own: renewals must not wait for those that work.
    lease = ExecutorLease(_engine(url, codec), access := Access.of(engine), partial(_engine, url, codec))
    access.fence = lease
    locks = Locks(engine)
    return Store(
        engine,
        Operations(engine, locks, clock or MachineClock()),
        locks,
        Messages(engine),
        Audit(engine, codec),
        Leases(engine),
        Deliveries(engine),
        Workspaces(engine),
        Watches(engine),
        Sightings(engine),
        Incidents(engine),
        Summaries(engine),
        lease,
    )


@asynccontextmanager
async def read_audit(url: str) -> AsyncIterator[Audit]:
    """The audit of a database as it is, also while a bot works on it; nothing is made or brought up to date.

    Raises `UnusableDatabase`.
    """
    await asyncio.to_thread(_check_current, url)
    codec = Codec()
    engine = _engine(url, codec)
    try:
        yield Audit(engine, codec)
    finally:
        await engine.dispose()


def _check_current(url: str) -> None:
    """Raises `UnusableDatabase` unless the tables are there, and are those of this version."""
    state = schema(url)
    if state == "none":
        place = make_url(url).database if url.startswith("sqlite") else "table in it"
        raise UnusableDatabase(f"there is no {place}: no bot was started with these settings")
    if state == "older":
        raise UnusableDatabase("its tables are those of an older version: stop the bot and run python -m bot migrate")


def _loads(codec: Codec) -> Callable[[str | bytes], Any]:
    """Reads a JSON column. Large ones are plans, which don't change, and a run reads its own some sixty times."""
    large = lru_cache(LARGE_KEPT)(codec.loads)
    return lambda text: large(text) if len(text) > LARGE else codec.loads(text)


def _engine(url: str, codec: Codec) -> AsyncEngine:
    engine = create_async_engine(
        _with_driver(url, asynchronous=True),
        # Psycopg keeps functions by their code: bare ones of a second codec would be taken for those of the first.
        json_serializer=partial(codec.dumps),
        json_deserializer=partial(_loads(codec)),
        **_options(url),
        **({"module": SqliteDriver()} if url.startswith("sqlite") else {}),
    )
    if engine.dialect.name != "sqlite":
        return engine

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling is off, so that `begin` decides when one begins.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", f"busy_timeout={BUSY * 1000}"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.sync_engine, "begin")
    def begin(connection: Any) -> None:
        driver: Any = connection.connection.dbapi_connection
        # A transaction that reads first and writes later could not be made a writer while another one writes.
        driver.begin_with("BEGIN" if connection.get_execution_options().get("reads") else "BEGIN IMMEDIATE")

    return engine


def _end_idle_transactions(engine: AsyncEngine) -> None:
    """Let the server end a session that stands still within a transaction for as long as a lease lasts.

    A process that was frozen there would keep its locks, and the processes that take over would wait for them.
    """

    @event.listens_for(engine.sync_engine, "connect")
    def limit(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{LASTS:g}s'")
        cursor.close()
        connection.commit()


def migrate(url: str) -> None:
    """Run the migrations that the database lacks. Blocks; safe to run again and by several processes in turn.

    Raises `UnusableDatabase`.
    """
    check_files(url)
    if url.startswith("sqlite"):
        # Made with this mode before SQLite would make it readable for others; the files beside it inherit it.
        Path(str(make_url(url).database)).touch(mode=0o600)
    with _translated(url), _connected(url) as connection, connection.begin():
        if not url.startswith("sqlite"):
            # Processes that start at the same time take turns.
            connection.execute(select(func.pg_advisory_xact_lock(MIGRATING)))
        if _schema(connection) != "current":
            from services.store.upgrade import upgrade  # noqa: PLC0415 - Alembic is large, and most starts need none

            upgrade(connection)


def schema(url: str) -> Schema:
    """Whose tables the database has, without making or changing anything. Blocks.

    Raises `UnusableDatabase`, also for tables of a newer version.
    """
    check_sqlite(url)
    check_files(url)
    if url.startswith("sqlite") and not Path(str(make_url(url).database)).exists():
        return "none"
    with _translated(url), _connected(url) as connection:
        return _schema(connection)


def _schema(connection: Connection) -> Schema:
    if not inspect(connection).has_table(VERSIONS):
        return "none"
    applied = connection.scalar(text(f"SELECT version_num FROM {VERSIONS}"))  # noqa: S608 - a name of ours
    if applied is None:
        return "none"
    # A migration's file is named by its revision.
    revisions = sorted(path.stem.partition("_")[0] for path in MIGRATIONS.glob("[0-9]*.py"))
    if applied not in revisions:
        raise UnusableDatabase(
            "it was written by a newer version of the bot: install that version, or restore the backup from before the"
            " upgrade"
        )
    return "current" if applied == revisions[-1] else "older"


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = create_engine(_with_driver(url, asynchronous=False), **_options(url))
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@contextmanager
def _translated(url: str) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        trouble = unusable(error, url)
        if trouble is None:
            raise
        raise trouble from error


def check_sqlite(url: str) -> None:
    """Raises `UnusableDatabase` where this Python's SQLite library is too old for the durable engine."""
    if not url.startswith("sqlite") or sys.version_info < (3, 12) or sqlite3.sqlite_version_info >= OLDEST_SQLITE:
        return
    raise UnusableDatabase(
        f"Python {sys.version_info.major}.{sys.version_info.minor} needs SQLite 3.42 or newer, and this one has"
        f" {sqlite3.sqlite_version}: run the bot with Python 3.11, with a Python built against a newer SQLite,"
        " or on PostgreSQL (REGISTRY_BOT_DATABASE_URL=postgresql://…)"
    )


def _with_driver(url: str, *, asynchronous: bool) -> URL:
    parsed = make_url(url)
    if parsed.get_backend_name() == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    return parsed.set(drivername="sqlite+aiosqlite" if asynchronous else "sqlite")


def _options(url: str) -> dict[str, Any]:
    if url.startswith("sqlite"):
        return {"pool_size": CONNECTIONS, "max_overflow": 0}
    connecting = {"connect_timeout": CONNECT}
    return {"pool_size": CONNECTIONS, "max_overflow": 0, "pool_pre_ping": True, "connect_args": connecting}
