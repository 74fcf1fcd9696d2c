"""Writes the databases of the version that is checked out in the current folder, in the middle of its work, as SQL.

    python /path/to/tests/upgrade/record.py

The bot and the sandbox of that version run as processes of their own; the bot ends by SIGKILL.
"""

import asyncio
import os
import sqlite3
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import aiohttp

HERE = Path(__file__).parent
DATABASES = ("bot", "bot-engine")
PATIENCE = 60
HOLD = 600
"""Seconds of the sandbox's clock for which a step of the running operation is held: longer than the bot lives."""


class World:
    """The sandbox and the bot, each a process, and people who speak to it."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http

    async def post(self, path: str, **body: Any) -> Any:
        async with self._http.post(path, json=body) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def get(self, path: str, **query: str) -> Any:
        async with self._http.get(path, params=query) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def connected(self) -> None:
        """Return when the bot listens to Slack."""
        async with asyncio.timeout(PATIENCE):
            while not (await self.get("/sandbox/slack/state", **{"as": "alice"}))["connections"]:
                await asyncio.sleep(0.05)

    async def say(self, words: str, *, person: str = "alice") -> None:
        await self.post("/sandbox/slack/say", **{"as": person, "channel": "edge-ops", "text": f"/registry {words}"})

    async def reads(self, words: str) -> None:
        """Return when a message in the channel says so."""
        until = monotonic() + PATIENCE
        while words not in (text := await self._channel()):
            if monotonic() > until:
                raise TimeoutError(f"{words!r} is not in the channel:\n{text}")
            await asyncio.sleep(0.05)

    async def _channel(self) -> str:
        read = await self.get("/sandbox/slack/read", **{"as": "alice", "channel": "edge-ops"})
        return "\n".join(read["lines"])


async def work(world: World) -> None:
    """What people asked of the old version until it was killed."""
    await world.say("deploy edge01 --site berlin")
    await world.reads("*Deploy edge01 to berlin*  ·  online")

    await world.say('watch berlin --every "0 9 * * 1-5" --tz Europe/Berlin --yes')
    await world.reads("This channel watches")
    await world.post("/sandbox/edge/berlin", link="down")
    await asyncio.sleep(3)  # a poll that sees it healthy: only what turns afterwards is an alert
    await world.post("/sandbox/clock", turn=3600)
    await world.reads("edge01 in contosoacr is offline")

    await world.post(
        "/sandbox/faults",
        part="azure",
        match="PUT .*/scopeMaps/",
        action="fail",
        status=403,
        code="AuthorizationFailed",
    )
    await world.say("deploy edge03 --site kiel")
    await world.reads("*Deploy edge03 to kiel*  ·  failed")

    await world.say("deploy edge04 --site bremen")
    await world.reads("*Deploy edge04 to bremen*  ·  waiting for approval")

    await world.post("/sandbox/faults", part="azure", match="PUT .*/scopeMaps/", action="delay", seconds=HOLD)
    await world.say("deploy edge02 --site hamburg")
    await world.reads("*Deploy edge02 to hamburg*  ·  running")
    await world.say("deploy edge02 --site hamburg", person="carol")
    await world.reads("*Deploy edge02 to hamburg*  ·  queued")


@asynccontextmanager
async def process(*words: str, environment: dict[str, str], log: Path) -> AsyncIterator[None]:
    """A module of the version in the current folder, until it is killed."""
    with log.open("wb") as lines:
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-m", *words, env={**os.environ, **environment}, stdout=lines, stderr=lines
        )
    try:
        yield
    finally:
        child.kill()
        await child.wait()


def environment_in(file: Path) -> dict[str, str]:
    """What the sandbox wrote for its clients; nothing before it runs."""
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    return {name: value for name, equals, value in (line.partition("=") for line in lines) if equals}


async def record(folder: Path) -> None:
    """Do the work in a folder, and write what is in the databases beside this file."""
    sandbox = ("sandbox", "--speed", "immediate", "--port", "0", "--folder", str(folder / "sandbox"))
    files = ("--world", str(HERE / "world.yaml"), "--manifest", "manifest.yml", "--env", str(folder / "env"))
    async with process(*sandbox, *files, environment={}, log=folder / "sandbox.log"):
        async with asyncio.timeout(PATIENCE):
            while not (given := environment_in(folder / "env")):
                await asyncio.sleep(0.05)
        ours = {
            "REGISTRY_BOT_SITES": str(HERE / "sites.yaml"),
            "REGISTRY_BOT_ACCESS": str(HERE / "access.yaml"),
            "REGISTRY_BOT_DATA_DIR": str(folder / "data"),
            "REGISTRY_BOT_IDENTITY": "secret",
            "REGISTRY_BOT_HTTP_PORT": "0",
            "REGISTRY_BOT_WATCH_INTERVAL": "1",
        }
        async with (
            aiohttp.ClientSession(given["SANDBOX_URL"]) as http,
            process("bot", "run", environment={**given, **ours}, log=folder / "bot.log"),
        ):
            world = World(http)
            await world.connected()
            await work(world)
            now = (await world.get("/sandbox/clock"))["now"]
    for name in DATABASES:
        with closing(sqlite3.connect(folder / "data" / f"{name}.db")) as database:
            (HERE / f"{name}.sql").write_text("\n".join([f"-- {now}", *database.iterdump(), ""]), encoding="utf-8")


def main() -> None:
    """Record in a folder that goes away, unless it fails: then the logs are shown."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        try:
            asyncio.run(record(folder))
        except BaseException:
            for log in folder.glob("*.log"):
                sys.stderr.write(log.read_text())
            raise


if __name__ == "__main__":
    main()
