"""Programs of the control plane as processes: started with a log file each, ended in reverse."""

import asyncio
import contextlib
import signal
import socket
from pathlib import Path

GRACE = 5.0
"""Seconds that a program has to end on its own."""
LAST_LINES = 12


class StartError(Exception):
    """A program didn't become ready; the text has the end of its log."""


class Process:
    """One program that runs until it is stopped. Its output goes to `folder/NAME.log`."""

    def __init__(self, program: Path, arguments: list[str], folder: Path, name: str = "") -> None:
        self.name = name or program.name
        self._command = [str(program), *arguments]
        self._log = folder / f"{self.name}.log"
        self._process: asyncio.subprocess.Process | None = None

    @property
    def pid(self) -> int:
        """Its process id; 0 while it isn't running."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    async def start(self) -> None:
        """Start it in its own session, so that Ctrl-C in the terminal reaches it only through `stop`."""
        self._log.parent.mkdir(parents=True, exist_ok=True)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )

    async def stop(self) -> None:
        """Ask it to end, and kill it if it doesn't."""
        await self._end(signal.SIGTERM)

    async def kill(self) -> None:
        """Kill it, as when a machine loses power."""
        await self._end(signal.SIGKILL)

    def check(self) -> None:
        """Raise `StartError` if it has ended on its own."""
        if self._process is None or self._process.returncode is not None:
            raise StartError(f"{self.name} has ended.\n{self.last_words()}")

    def last_words(self) -> str:
        """The end of its log."""
        try:
            lines = self._log.read_text(errors="replace").splitlines()
        except OSError:
            return ""
        return "\n".join(lines[-LAST_LINES:])

    async def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(how)
        try:
            async with asyncio.timeout(GRACE):
                await self._process.wait()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


def free_port(host: str) -> int:
    """A free port; these programs can't inherit a socket."""
    with socket.socket() as listener:
        listener.bind((host, 0))
        return int(listener.getsockname()[1])
