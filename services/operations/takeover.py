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

BEAT = 3.0
"""Seconds between two renewals, and between two looks for processes that are gone."""
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
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    def start(self) -> None:
        """Begin to renew the lease and to look. Apart, since a take-over may last longer than a lease."""
        self._tasks = tuple(asyncio.create_task(_repeat(work)) for work in (self._lease.renew, self._look))

    async def stop(self) -> None:
        """Do neither any longer."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

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


async def _repeat(work: Callable[[], Awaitable[None]]) -> None:
    while True:
        try:
            await work()
        except DatabaseAway:
            log.debug("lease_not_renewed")
        except Exception:
            log.exception("takeover_failed")
        await asyncio.sleep(BEAT)
