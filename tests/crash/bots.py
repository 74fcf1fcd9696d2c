"""Bots in processes of their own, which can be stopped, frozen and killed.

Each is forked from one process that has imported the bot: to import it takes a processor a second or two, and these
tests start a hundred. Nothing of a bot runs before the fork.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from multiprocessing import get_context
from multiprocessing.context import ForkServerProcess
from pathlib import Path

ROOT = Path(__file__).parents[2]
FORKS = get_context("forkserver")
FORKS.set_forkserver_preload(["__main__", "bot.__main__", "bot.start", __name__])


class BotProcess:
    """One process; `start_bot` makes it."""

    def __init__(self, process: ForkServerProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """Its number, also after its end."""
        assert self._process.pid is not None
        return self._process.pid

    @property
    def lives(self) -> bool:
        """Whether it has not ended."""
        return self._process.exitcode is None

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, unless it has ended."""
        if self.lives:
            os.kill(self.pid, number)

    async def ended(self) -> int:
        """Its exit code, once it has ended; minus the number of the signal that killed it."""
        while (code := self._process.exitcode) is None:
            await asyncio.sleep(0.02)
        return code


async def start_bot(environment: Mapping[str, str], log: Path) -> BotProcess:
    """`python -m bot run` with this environment and no other; `log` gets what it prints."""
    process = FORKS.Process(target=_run, args=(dict(environment), log), daemon=True)
    await asyncio.to_thread(process.start)
    return BotProcess(process)


def _run(environment: dict[str, str], log: Path) -> None:
    os.chdir(ROOT)
    os.environ.clear()
    os.environ.update(environment)
    with log.open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    from bot.__main__ import main  # noqa: PLC0415 - imported before the fork, and by nobody else

    sys.exit(main(["run"]))
