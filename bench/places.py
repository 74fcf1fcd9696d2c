"""Where load is put on: one process on SQLite, and three replicas on one PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any

from bench.replicas import replicas
from bench.report import Row
from bench.stage import LOOK, Bot, Sandbox, stage
from services.model.operation import ENDED
from services.store import Store, open_store

PLACES = {"sqlite": "SQLite, 1 process", "postgresql": "PostgreSQL, 3 replicas"}
"""As the command line and the table name them."""
MIB = 2**20
LINEAR = 2.6
"""How often a figure may become when the work doubles: twice, and what a busy machine makes of that."""


@dataclass
class Place:
    """Bots beside a sandbox, and a look into their database that goes around them."""

    box: Sandbox
    bots: Sequence[Bot]
    store: Store

    @property
    def resident(self) -> float:
        """Memory of the largest process in MiB."""
        return max(bot.living.memory_info().rss for bot in self.bots) / MIB

    @property
    def processor(self) -> float:
        """Seconds of processor time that all processes have taken."""
        return sum(self.processors)

    @property
    def processors(self) -> list[float]:
        """Seconds of processor time of each process."""
        times = [bot.living.cpu_times() for bot in self.bots]
        return [time.user + time.system for time in times]

    async def share(self, seconds: float) -> float:
        """Per cent of one core that all processes take, over so many seconds."""
        before = self.processor
        await asyncio.sleep(seconds)
        return (self.processor - before) / seconds * 100

    async def counted(self, counter: str, label: str = "") -> int:
        """The sum of a counter over all processes, of `/metrics`; with `label` only where it has this label."""
        pages = [await bot.page("/metrics") for bot in self.bots]
        lines = [line for page in pages for line in page.splitlines() if line.startswith(f"registry_bot_{counter}{{")]
        return sum(int(float(line.rpartition(" ")[2])) for line in lines if label in line)

    async def ended(self, count: int, within: float) -> int:
        """Return when so many operations have ended: how many succeeded. Raises TimeoutError."""
        async with asyncio.timeout(within):
            while True:
                states = await self.store.operations.counts()
                if sum(number for state, number in states.items() if state in ENDED) >= count:
                    return states.get("succeeded", 0)
                await asyncio.sleep(LOOK * 10)


@asynccontextmanager
async def place(on: str, made: dict[str, Any], settings: Mapping[str, str] | None = None) -> AsyncIterator[Place]:
    """The bots of one of the `PLACES` beside a sandbox with this world, ready."""
    async with AsyncExitStack() as stack:
        if on == "sqlite":
            box, bot = await stack.enter_async_context(stage(made, settings=settings))
            bots, url = [bot], f"sqlite:///{bot.database}"
        else:
            running = await stack.enter_async_context(replicas(settings, made=made))
            box, bots, url = running.box, running.bots, running.database
        store = await open_store(url)
        stack.push_async_callback(store.close)
        await box.connected(len(bots))
        yield Place(box, bots, store)


def twice(what: str, **figures: tuple[float, float]) -> Row:
    """How often each figure is what it was with half of the work."""
    times = {name: after / max(before, 1e-9) for name, (before, after) in figures.items()}
    grown = "; ".join(f"{name} {growth:.1f} times" for name, growth in times.items())
    return Row(f"twice as many {what}", grown, f"< {LINEAR:g} times", max(times.values()) < LINEAR)
