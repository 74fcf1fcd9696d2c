"""A process that works with the engine and dies when told to: `worker.py DATABASE LOG [DIE_AT]`."""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from services.operations.engine import open_engine
from services.operations.occupation import Occupied


class Diary:
    """Work of three steps that writes down what is done, and ends its process without a word at one of them.

    At `pause_at` it sets `paused` and, when `inside`, never comes back: the process is stopped in that step.
    """

    def __init__(self, log: Path, die_at: str, *, pause_at: str = "", inside: bool = False) -> None:
        self._log = log
        self._die_at = die_at
        self._pause_at, self._inside = pause_at, inside
        self.paused = asyncio.Event()
        self.ended = asyncio.Event()

    async def _done(self, line: str) -> None:
        with self._log.open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        if line == self._die_at:
            os.kill(os.getpid(), signal.SIGKILL)
        if line == self._pause_at:
            self.paused.set()
            await asyncio.Event().wait() if self._inside else None

    async def prepare(self, operation: str) -> Mapping[str, Any]:
        await self._done(f"{operation} prepare")
        return {}

    async def granted(self, _around: str = "") -> Mapping[str, Any]:
        """Everything that was prepared."""
        lines = self._log.read_text(encoding="utf-8").splitlines() if self._log.exists() else []
        prepared = dict.fromkeys(line.split()[0] for line in lines if line.endswith(" prepare"))
        return {"runs": [{"operation": operation, "attempt": 1} for operation in prepared]}

    async def waits(self, _operation: str) -> bool:
        """Nothing has children here."""
        return False

    async def confirm(self, operation: str, attempt: int) -> Mapping[str, Any]:
        await self._done(f"{operation} confirm {attempt}")
        return {"steps": [0, 2, 3]}

    async def begin(self, operation: str, index: int) -> Mapping[str, Any]:
        await self._done(f"{operation} begin {index}")
        return {"state": "going" if index == 2 else "done", "token": "followed"}

    async def wait(self, operation: str, index: int, token: Mapping[str, Any]) -> Mapping[str, Any]:
        await self._done(f"{operation} wait {index} {token['token']}")
        return {"state": "done"}

    async def end(self, operation: str, outcome: Mapping[str, Any]) -> None:
        await self._done(f"{operation} end {outcome['state']}")
        self.ended.set()


async def main(database: str, log: str, die_at: str = "") -> None:
    diary = Diary(Path(log), die_at)
    try:
        engine = await open_engine(f"sqlite:///{database}", diary, poll=0.02)
    except Occupied as occupied:
        sys.stdout.write(f"{occupied}\n")
        return
    await engine.prepare("op-one")
    async with asyncio.timeout(60):
        await diary.ended.wait()
    await engine.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
