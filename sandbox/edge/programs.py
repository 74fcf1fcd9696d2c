"""Containers that really run: Python programs in Pods that end, as children of the sandbox.

Such a program is code that somebody with the cluster's credentials wrote, as in any cluster. It gets none of the
sandbox's environment, an empty folder, and a proxy to the cluster's connected registries.
"""

import asyncio
import itertools
import json
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from sandbox.edge import pods

Object = dict[str, Any]
LONGEST = 60.0
"""Seconds after which a program is killed."""
KILLED = 137
INTERPRETER = Path(__file__).with_name("interpreter.py")
AT_ONCE = 16
"""Programs that run at a time: the nodes of all edges are this one machine."""
INLINE = (["-I", "-c"], ["-c"])
"""How an interpreter is told that the next word is the program."""


def is_python(image: str) -> bool:
    """Whether an image is one of Python, such as `mcr.microsoft.com/azurelinux/distroless/python:3.12`."""
    return pods.image(image).repository.rpartition("/")[2] == "python"


def arguments(pod: Object) -> list[str]:
    """What the interpreter of a Pod's first container is given; empty where the Pod has no program that really runs."""
    container = pod["spec"]["containers"][0]
    words = [*(container.get("command") or ()), *(container.get("args") or ())]
    is_program = is_python(container["image"]) and bool(words) and words[0].rpartition("/")[2].startswith("python")
    return words[1:] if is_program and pod["spec"].get("restartPolicy", "Always") != "Always" else []


class Programs:
    """Runs the programs of all edges of a sandbox. Those that stand in the command line share a loaded interpreter."""

    def __init__(self) -> None:
        self._bound = asyncio.Semaphore(AT_ONCE)
        self._starting = asyncio.Lock()
        self._interpreter: asyncio.subprocess.Process | None = None
        self._listening: asyncio.Task[None] | None = None
        self._ends: dict[int, asyncio.Future[int]] = {}
        self._numbers = itertools.count()

    async def run(self, words: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str]:
        """The exit code and the log of a program; `words` are what the interpreter is given."""
        async with self._bound:
            with tempfile.TemporaryDirectory(prefix="sandbox-container-") as name:
                folder, log = Path(name) / "folder", Path(name) / "log"
                folder.mkdir()
                log.touch()
                flags = next((flags for flags in INLINE if list(words[: len(flags)]) == flags), None)
                try:
                    async with asyncio.timeout(LONGEST):
                        if flags is not None and len(words) > len(flags):
                            code = await self._forked(words[len(flags) :], environment, folder, log)
                        else:
                            code = await _started(words, environment, folder, log)
                except TimeoutError:
                    return KILLED, ""
                return code, log.read_text(encoding="utf-8", errors="replace")

    async def close(self) -> None:
        """End the interpreter, and whatever still runs."""
        if self._interpreter is not None and self._interpreter.stdin is not None:
            self._interpreter.stdin.close()
            await self._interpreter.wait()
        if self._listening is not None:
            await self._listening

    async def _forked(self, words: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> int:
        process = await self._loaded()
        assert process.stdin is not None  # noqa: S101 - it is a pipe
        number = next(self._numbers)
        order = {
            "id": number,
            "words": list(words),
            "environment": dict(environment),
            "folder": str(folder),
            "log": str(log),
        }
        end = self._ends[number] = asyncio.get_running_loop().create_future()
        try:
            process.stdin.write(f"{json.dumps(order)}\n".encode())
            await process.stdin.drain()
            code: int = await end
            return code
        finally:
            del self._ends[number]
            if not end.done() or end.cancelled():
                process.stdin.write(f"{json.dumps({'kill': number})}\n".encode())

    async def _loaded(self) -> asyncio.subprocess.Process:
        async with self._starting:
            if self._interpreter is None:
                self._interpreter = await asyncio.create_subprocess_exec(
                    sys.executable,
                    "-I",
                    str(INTERPRETER),
                    env={},
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                )
                self._listening = asyncio.create_task(self._listen(self._interpreter))
            return self._interpreter

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        async for line in process.stdout:
            answer = json.loads(line)
            end = self._ends.get(answer["id"])
            if end is not None and not end.done():
                code = int(answer["code"])
                end.set_result(128 - code if code < 0 else code)
        for end in self._ends.values():
            if not end.done():
                end.set_result(KILLED)


async def _started(words: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> int:
    """The exit code of a program that has an interpreter of its own."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *words,
            cwd=folder,
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=asyncio.subprocess.STDOUT,
        )
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()
