"""Which processes work on a database that several share: one lease each, by the server's clock alone.

A process renews its lease every few seconds. When it no longer does, another process deletes the lease and takes over
the work. By its own clock a process trusts its lease for less time than the server grants, so it stops writing before
anybody may take over: also one that was frozen, and wakes up in the middle of a step.

A renewal takes several turns of an event loop. On a busy machine, where a loop has much to do, these may take longer
than a lease lasts. So a thread with a loop and a connection of its own renews, as long as the process's loop goes on at
all.
"""

import asyncio
import os
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager, suppress
from threading import Event, Thread
from typing import NoReturn

import structlog
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.model.errors import DatabaseAway
from services.store.base import Access, Queries

LASTS = 9.0
"""Seconds from a renewal to the moment from which others may take over."""
MARGIN = 2.0
"""Seconds before that moment at which the process stops writing: what it has sent may be under way for so long."""
STARTING = 60.0
"""Seconds that the first lease lasts: a start blocks the event loop, and with it the renewals."""
LONGEST = 5.0
"""Seconds for one question; a connection that broke without a word would keep it waiting for minutes."""
BEAT = 3.0
"""Seconds between two renewals."""
STANDSTILL = 10.0
"""Seconds without a turn of the process's event loop after which it counts as hung, and is renewed no more."""
SIGN = 1.0
"""Seconds between two signs of life of that loop."""
log = structlog.get_logger("database")

_BEGIN = """
INSERT INTO executor_lease (executor_id, started_at, expires_at)
VALUES (:executor, clock_timestamp(), clock_timestamp() + make_interval(secs => :seconds))
"""
_RENEW = """
UPDATE executor_lease SET expires_at = clock_timestamp() + make_interval(secs => :seconds)
WHERE executor_id = :executor
"""
_IN_FORCE = (
    "SELECT executor_id FROM executor_lease WHERE expires_at >= clock_timestamp() ORDER BY started_at, executor_id"
)
_END = "UPDATE executor_lease SET expires_at = 'epoch' WHERE executor_id = :executor"
_TAKE = """
DELETE FROM executor_lease
WHERE executor_id <> :executor AND (expires_at = 'epoch' OR (:expired AND expires_at < clock_timestamp()))
RETURNING executor_id, expires_at = 'epoch' AS has_stopped
"""
_ALL = "SELECT executor_id FROM executor_lease"


class ExecutorLease(Queries):
    """The lease of this process; implements `services.model.fence.Fence`.

    Before `begin`, and on SQLite for ever, there is none, and the process may write.
    """

    def __init__(self, engine: AsyncEngine, access: Access, renewing: Callable[[], AsyncEngine]) -> None:
        """`renewing` opens the connections of the thread that renews: they belong to its loop."""
        super().__init__(engine)
        self._access = access
        self._open_renewing = renewing
        self.executor = f"{socket.gethostname()[:40]}-{os.getpid()}-{secrets.token_hex(4)}"
        """The name of this process, which no other one ever has."""
        self.replicas: tuple[str, ...] = (self.executor,)
        """The processes whose leases are in force, the oldest first, as of the last renewal."""
        self.taken = 0
        """How many leases this process has ended of others that no longer renewed theirs."""
        self._lost: Callable[[], NoReturn] | None = None
        self._renewed = self._steady_since = 0.0
        self._trusted_until = 0.0
        self._turned = 0.0
        """When the process's loop last gave a sign of life."""
        self._signs: asyncio.Task[None] | None = None
        self._thread: Thread | None = None
        self._ending = Event()

    @property
    def is_shared(self) -> bool:
        """Whether several processes may work on this database."""
        return self._engine.dialect.name != "sqlite"

    @property
    def is_leader(self) -> bool:
        """Whether this process does what one of them does for all; for a moment after a gap, two may think so."""
        return self.replicas[0] == self.executor

    @property
    def age(self) -> float:
        """Seconds since the last renewal; 0 where there is no lease."""
        return 0.0 if self._lost is None else _now() - self._renewed

    async def begin(self, lost: Callable[[], NoReturn]) -> None:
        """Take the lease; `lost` ends the process once another one has taken over its work."""
        sent = _now()
        async with self._asking() as connection:
            await connection.execute(text(_BEGIN), {"executor": self.executor, "seconds": STARTING})
        self._lost, self._steady_since = lost, sent
        self._trust(sent, STARTING)

    def keep(self, beat: float = BEAT, standstill: float = STANDSTILL) -> None:
        """Begin to renew every `beat` seconds, unless the running loop has stood still for `standstill` seconds."""
        self._turned = _now()

        async def give_signs() -> None:
            while True:
                await asyncio.sleep(SIGN)
                self._turned = _now()

        self._signs = asyncio.create_task(give_signs())
        self._thread = Thread(target=asyncio.run, args=(self._keep(beat, standstill),), name="lease", daemon=True)
        self._thread.start()

    async def keep_no_longer(self) -> None:
        """End the thread. The lease runs out unless `end` ends it."""
        if self._signs is None or self._thread is None:
            return
        self._signs.cancel()
        self._ending.set()
        await asyncio.to_thread(self._thread.join)

    async def _keep(self, beat: float, standstill: float) -> None:
        """In the thread. What a loop that stands still should do is left to other processes."""
        engine, stands = self._open_renewing(), False
        while not self._ending.is_set():
            stood, stands = stands, _now() - self._turned >= standstill
            if stands and not stood:
                log.warning("event_loop_stands", seconds=round(_now() - self._turned, 1))
            try:
                if not stands:
                    await self._renew(engine)
            except DatabaseAway:
                log.debug("lease_not_renewed")
            except Exception:
                log.exception("lease_not_renewed")
            # This thread's loop has nothing else to do.
            self._ending.wait(beat)
        await engine.dispose()

    async def check(self) -> None:
        """See `Fence`."""
        if self._lost is not None and _now() >= self._trusted_until:
            await self.renew()

    async def renew(self) -> None:
        """See `Fence`. A lease that has run out, but that nobody has taken, is in force again."""
        await self._renew(self._engine)

    async def _renew(self, engine: AsyncEngine) -> None:
        if self._lost is None:
            return
        sent = _now()
        try:
            async with self._asking(engine) as connection:
                renewal = {"executor": self.executor, "seconds": LASTS}
                is_ours = (await connection.execute(text(_RENEW), renewal)).rowcount == 1
                replicas = tuple(await connection.scalars(text(_IN_FORCE)))
        except DatabaseAway:
            self._steady_since = _now()
            raise
        if not is_ours:
            self._lost()
        if sent - self._renewed >= LASTS:
            self._steady_since = sent
        self.replicas = replicas
        self._trust(sent, LASTS)

    async def take(self) -> tuple[str, ...]:
        """End the leases of processes that have stopped, and of those that no longer renew theirs.

        Their names: their work is the caller's to take over. Nobody is thought to be dead who may merely have met the
        same trouble as this process: it has to have renewed its own lease for as long as one lasts.
        """
        is_steady = _now() - self._steady_since >= LASTS
        async with self._asking() as connection:
            ended = (await connection.execute(text(_TAKE), {"executor": self.executor, "expired": is_steady})).all()
        self.taken += sum(not lease.has_stopped for lease in ended)
        return tuple(lease.executor_id for lease in ended)

    async def without(self, executors: Collection[str]) -> tuple[str, ...]:
        """Those of these processes that have no lease, so that nobody will ever miss them."""
        async with self._asking() as connection:
            leased = set(await connection.scalars(text(_ALL)))
        return tuple(sorted(set(executors) - leased))

    async def end(self) -> None:
        """Let others take over at once; where the server is away, as soon as the lease has run out."""
        if self._lost is not None:
            with suppress(DatabaseAway):
                async with self._asking() as connection:
                    await connection.execute(text(_END), {"executor": self.executor})

    async def close(self) -> None:
        """Give the connections back."""
        await self._engine.dispose()

    def _trust(self, sent: float, seconds: float) -> None:
        self._renewed, self._trusted_until = sent, sent + seconds - MARGIN

    @asynccontextmanager
    async def _asking(self, engine: AsyncEngine | None = None) -> AsyncIterator[AsyncConnection]:
        """A transaction that no fence holds up."""
        with self._access.watched("write"):
            async with asyncio.timeout(LONGEST), (engine or self._engine).begin() as connection:
                yield connection


def _now() -> float:
    """The same in all threads."""
    return time.monotonic()
