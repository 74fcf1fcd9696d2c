"""Where load is put on: one process on SQLite, and three replicas on one PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.replicas import replicas
from bench.stage import LOOK, Bot, Sandbox, stage
from services.model.operation import ENDED
from services.store import Store, open_store

SQLITE, POSTGRESQL = "SQLite, 1 process", "PostgreSQL, 3 replicas"
PLACES = (SQLITE, POSTGRESQL)
MIB = 2**20
LINEAR = 2.6
"""How often a figure may become when the work doubles: twice, and what a busy machine makes of that."""


@dataclass
class Place:
    """Bots beside a sandbox, and a look into their database that goes around them."""

    name: str
    box: Sandbox
    bots: Sequence[Bot]
    store: Store

    @property
    def resident(self) -> float:
        """Memory of the largest process in MiB."""
        return max(bot.process.memory_info().rss for bot in self.bots) / MIB

    @property
    def processor(self) -> float:
        """Seconds of processor time that all processes have taken."""
        times = [bot.process.cpu_times() for bot in self.bots]
        return sum(time.user + time.system for time in times)

    async def share(self, seconds: float) -> float:
        """Per cent of one core that all processes take, over so many seconds."""
        before = self.processor
        await asyncio.sleep(seconds)
        return (self.processor - before) / seconds * 100

    async def ended(self, count: int, within: float) -> int:
        """Return when so many operations have ended: how many succeeded. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while True:
                states = await self.store.operations.counts()
                if sum(number for state, number in states.items() if state in ENDED) >= count:
                    return states.get("succeeded", 0)
                await asyncio.sleep(LOOK * 10)


@asynccontextmanager
async def place(name: str, made: dict[str, Any], settings: Mapping[str, str] | None = None) -> AsyncIterator[Place]:
    """The bots of one of the `PLACES` beside a sandbox with this world, ready."""
    async with AsyncExitStack() as stack:
        if name == SQLITE:
            box, bot = await stack.enter_async_context(stage(made, settings=settings))
            bots, url = [bot], f"sqlite:///{bot.database}"
        else:
            running = await stack.enter_async_context(replicas(settings, made=made))
            box, bots, url = running.box, running.bots, running.database
        store = await open_store(url)
        stack.push_async_callback(store.close)
        await box.connected(len(bots))
        yield Place(name, box, bots, store)


def times(before: float, after: float) -> str:
    """How often the second figure is the first."""
    return f"{after / max(before, 1e-9):.1f} times"
