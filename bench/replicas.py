"""Three replicas on one PostgreSQL: how soon another one goes on when the replica that runs a deployment ends."""

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from bench.postgres import server
from bench.report import Row, spread
from bench.stage import LOOK, PATIENCE, Bot, Sandbox, sandbox, world

COUNT = 3
KILLS, STOPS, FREEZES = 8, 5, 5
GOAL = 15.0
HELD = "PUT .*/connectedRegistries/"
"""The request in whose middle the replicas end."""
LEASE_LOST = 3
"""Exit code of a replica that wakes after its lease."""


@dataclass
class Replicas:
    """The bots that share a database."""

    box: Sandbox
    database: str
    folder: Path
    bots: list[Bot]
    settings: Mapping[str, str]

    async def start(self) -> None:
        """One more."""
        folder = self.folder / f"replica-{len(list(self.folder.glob('replica-*')))}"
        folder.mkdir()
        bot = Bot(self.box, folder, {"REGISTRY_BOT_DATABASE_URL": self.database, **self.settings})
        await bot.start()
        self.bots.append(bot)

    async def runner(self, *, but: int = 0) -> Bot:
        """The replica that runs the deployment, as soon as it is not that process."""
        pids = {bot.process.pid: bot for bot in self.bots}
        query = "select executor_id from dbos.workflow_status where status = 'PENDING' and name = 'run.v2'"
        async with asyncio.timeout(PATIENCE), await psycopg.AsyncConnection.connect(self.database) as connection:
            await connection.set_autocommit(True)
            while True:
                for (executor,) in await (await connection.execute(query)).fetchall():
                    pid = int(executor.split("-")[-2])
                    if pid in pids and pid != but:
                        return pids[pid]
                await asyncio.sleep(LOOK)

    async def ended(self, number: signal.Signals) -> tuple[float, int]:
        """Send the running replica this signal: seconds until another one has the run, and the exit code."""
        bot = await self.runner()
        process, began = bot.process, time.perf_counter()
        process.send_signal(number)
        await self.runner(but=process.pid)
        took = time.perf_counter() - began
        if number is signal.SIGSTOP:
            process.send_signal(signal.SIGCONT)
        code = await bot.exit_code()
        self.bots.remove(bot)
        await self.start()
        return took, code


async def measure() -> Sequence[Row]:
    """The deployment is held at one request, so that its replicas end in the middle of the same step."""
    async with replicas() as running:
        box = running.box
        await box.post("faults", part="azure", match=HELD, action="delay", seconds=10_000, times=None)
        await box.say("deploy edge0001 --site berlin")
        await box.click(await box.message("waiting for approval"), "Approve")
        ends = [signal.SIGKILL] * KILLS + [signal.SIGTERM] * STOPS + [signal.SIGSTOP] * FREEZES
        times: dict[signal.Signals, list[float]] = {}
        codes: dict[signal.Signals, set[int]] = {}
        for number in ends:
            took, code = await running.ended(number)
            times.setdefault(number, []).append(took)
            codes.setdefault(number, set()).add(code)
        await box.forget("faults")
        await box.post("clock", turn=10_000)
        await box.message("online, approved by bob")
        cards = [message for message in await box.messages() if "Deploy edge0001" in message["text"]]
    killed, stopped, frozen = (times[number] for number in dict.fromkeys(ends))
    codes_of_frozen = codes[signal.SIGSTOP]
    return [
        Row("kill -9 to the run in another replica", spread(killed, "s"), f"< {GOAL:g} s", max(killed) < GOAL),
        Row("SIGTERM to the run in another replica", spread(stopped, "s"), f"< {GOAL:g} s", max(stopped) < GOAL),
        Row("SIGSTOP to the run in another replica", spread(frozen, "s"), f"< {GOAL:g} s", max(frozen) < GOAL),
        Row(
            "replicas that ended when they woke", f"exit codes {codes_of_frozen}", "3", codes_of_frozen == {LEASE_LOST}
        ),
        Row("cards of the deployment after all that", f"{len(cards)}", "1", len(cards) == 1),
    ]


@asynccontextmanager
async def replicas(
    settings: Mapping[str, str] | None = None, *, channels: int = 1, made: dict[str, Any] | None = None
) -> AsyncIterator[Replicas]:
    """Three of them beside a sandbox with the world `made`, or with the usual one, ready."""
    with (
        TemporaryDirectory(prefix="pg-") as data,
        TemporaryDirectory(prefix="bench-") as name,
        server(Path(data)) as url,
    ):
        async with AsyncExitStack() as stack:
            box = await stack.enter_async_context(sandbox(Path(name), made or world(channels=channels)))
            running = Replicas(box, url, Path(name), [], settings or {})
            for _ in range(COUNT):
                await running.start()
            try:
                yield running
            finally:
                for bot in running.bots:
                    await bot.kill()
