"""A disk on which no file can grow for a moment, again and again while an operation runs: it ends as if undisturbed.

The kernel plays the disk, by a limit of the process on the size of its files. What is logged meanwhile is lost, too.
"""

import asyncio
import resource
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import psutil
import pytest

from sandbox.compose import Sandbox
from sandbox.faults import Fault, Faults, Part
from tests.crash.bots import BotProcess, start_bot
from tests.crash.killed import CHANCE, QUESTIONS, WRITES
from tests.crash.world import EDGE, World, settings

FULL = 0.3
"""Seconds for which nothing can be written."""


class Filler(Faults):
    """Fills the disk at the first request of each kind that writes in Azure or in a cluster, and from then on in Slack."""

    victim: BotProcess | None = None

    def __init__(self) -> None:
        super().__init__()
        self.struck: list[str] = []

    def take(self, part: Part, line: str) -> Fault | None:
        kind = CHANCE.sub("", f"{part} {line}")
        is_write = WRITES.search(line) and not QUESTIONS.search(line) and not EDGE.search(line)
        if self.victim and is_write and kind not in self.struck and (self.struck or part != "slack"):
            self.struck.append(kind)
            limit(self.victim, 0)
            asyncio.get_running_loop().call_later(FULL, limit, self.victim, resource.RLIM_INFINITY)
        return super().take(part, line)


def limit(process: BotProcess, size: int) -> None:
    """From now on no file of the process grows beyond so many bytes."""
    if process.lives:
        psutil.Process(process.pid).rlimit(psutil.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


@asynccontextmanager
async def place(folder: Path, filler: Filler) -> AsyncIterator[tuple[World, BotProcess]]:
    """The sandbox and a bot that listens."""
    (folder / "data").mkdir(parents=True)
    async with Sandbox(faults=filler) as box, aiohttp.ClientSession(box.url) as http:
        process = await start_bot(settings(box, folder), folder / "log")
        made = World(box, http)
        try:
            await made.connected()
            yield made, process
        finally:
            process.send(signal.SIGKILL)
            await process.ended()


async def deployment(folder: Path, filler: Filler, *, disturbed: bool) -> dict[str, Any]:
    """What there is after it."""
    async with place(folder, filler) as (made, process):
        filler.victim = process if disturbed else None
        outcome = await made.deployed(await made.deploy())
        assert process.lives
        return outcome


@pytest.mark.timeout(180)
async def test_a_disk_that_is_full_now_and_then_delays_an_operation_and_loses_nothing(tmp_path: Path) -> None:
    filler = Filler()
    calm, outcome = await asyncio.gather(
        deployment(tmp_path / "calm", Filler(), disturbed=False),
        deployment(tmp_path / "full", filler, disturbed=True),
    )

    assert len(filler.struck) > 10
    assert outcome == calm
