"""`make replicas`: PostgreSQL and some replicas, with the sandbox's addresses in the environment, until interrupted.

Each replica's log is shown with its number, and one that ends is started again, as a service manager would. Kill, stop
and freeze them by the process ids that are shown.
"""

import asyncio
import os
import signal
import sys
import tempfile
from pathlib import Path

from bench.postgres import NoServerError, server

COUNT = 3
PAUSE = 1.0
"""Seconds before a replica that has ended is started again."""
GRACE = 40.0
"""Seconds that the replicas get to end, as for a service manager (`TimeoutStopSec`)."""


def main() -> int:
    """Run as many replicas as the first argument says, three without one."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        try:
            with server(Path(folder)) as url:
                sys.stdout.write(f"PostgreSQL   {url}\n")
                asyncio.run(_serve(url, count))
        except NoServerError as missing:
            sys.stderr.write(f"replicas: {missing}\n")
            return 1
    return 0


async def _serve(url: str, count: int) -> None:
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    environment = {**os.environ, "REGISTRY_BOT_DATABASE_URL": url, "REGISTRY_BOT_HTTP_PORT": "0"}
    replicas = [asyncio.create_task(_keep(number, environment, interrupted)) for number in range(1, count + 1)]
    await interrupted.wait()
    await asyncio.gather(*replicas)


async def _keep(number: int, environment: dict[str, str], interrupted: asyncio.Event) -> None:
    """Start one again whenever it ends, until the interruption, which it gets too: it is in this process's group."""
    stopping = asyncio.create_task(interrupted.wait())
    while not interrupted.is_set():
        command = (sys.executable, "-m", "bot", "run")
        process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
        sys.stdout.write(f"replica {number}    process {process.pid}\n")
        ended = asyncio.create_task(_follow(number, process))
        await asyncio.wait({ended, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.wait({ended}, timeout=GRACE)
        if not ended.done():
            process.kill()
        code = await ended
        sys.stdout.write(f"replica {number}    process {process.pid} ended with {code}\n")
        await asyncio.wait({stopping}, timeout=PAUSE)


async def _follow(number: int, process: asyncio.subprocess.Process) -> int:
    """Show its log until it ends; its exit code."""
    assert process.stderr is not None  # noqa: S101 - it was asked for
    async for line in process.stderr:
        sys.stdout.write(f"{number} │ {line.decode('utf-8', 'replace')}")
    return await process.wait()


if __name__ == "__main__":
    sys.exit(main())
