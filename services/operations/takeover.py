"""Several processes on one database: each renews its lease, and takes over the work of those that no longer do.

Taking over is safe to do twice and to be interrupted. The lease goes first: its process is fenced off before its work
goes on elsewhere. Whoever dies between the two leaves work that belongs to nobody with a lease; that is looked for at
every start and regularly.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection

import structlog

from services.model.errors import DatabaseAway
from services.operations.engine import Engine
from services.store.executor_lease import ExecutorLease

LOOK = 3.0
"""Seconds between two looks for processes that are gone."""
ORPHANS = 5
"""Looks from one for work of processes without a lease to the next."""
log = structlog.get_logger("operations")


class TakeOver:
    """`follow` is called with the names of processes after their workflows were taken over."""

    def __init__(
        self, lease: ExecutorLease, engine: Engine, follow: Callable[[Collection[str]], Awaitable[None]]
    ) -> None:
        self._lease = lease
        self._engine = engine
        self._follow = follow
        self._looks = 0
        self._looking: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to renew the lease and to look. Apart, since a take-over may last longer than a lease."""
        self._lease.keep()
        self._looking = asyncio.create_task(self._look_regularly())

    async def stop(self) -> None:
        """Do neither any longer."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
        await self._lease.keep_no_longer()

    async def _look_regularly(self) -> None:
        while True:
            try:
                await self._look()
            except DatabaseAway:
                log.debug("lost_processes_not_looked_for")
            except Exception:
                log.exception("takeover_failed")
            await asyncio.sleep(LOOK)

    async def _look(self) -> None:
        gone = set(await self._lease.take())
        if self._looks % ORPHANS == 0:
            gone |= set(await self._lease.without(await self._engine.interrupted()))
        self._looks += 1
        if not gone:
            return
        workflows = await self._engine.recover(gone)
        log.warning("work_taken_over", executors=sorted(gone), workflows=workflows)
        await self._follow(gone)
