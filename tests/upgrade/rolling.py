"""A replica of an older version and one of this version on one PostgreSQL: what either began is finished.

    .venv/bin/python -m tests.upgrade.rolling ../older

The folder has an older version checked out that shares its database by leases. It runs on this version's packages.
"""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.postgres import server
from tests.crash.bots import BotProcess
from tests.crash.replicas import HOLD, Replica, ReplicatedWorld, replicated
from tests.crash.world import settings

SITES = {"edge01": "berlin", "edge02": "hamburg"}


class OlderProcess(BotProcess):
    """A bot of another folder's code."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._other = process

    @property
    def pid(self) -> int:
        return self._other.pid

    @property
    def lives(self) -> bool:
        return self._other.returncode is None

    async def ended(self) -> int:
        return await self._other.wait()


async def start_older(world: ReplicatedWorld, older: Path) -> Replica:
    """Start a replica of the older version, and return when it is ready."""
    log = world.folder / "log-older"
    environment: Mapping[str, str] = settings(
        world.box,
        world.folder,
        REGISTRY_BOT_MODE="http",
        REGISTRY_BOT_DATABASE_URL=world.database,
        SLACK_SIGNING_SECRET=world.box.environment()["SLACK_SIGNING_SECRET"],
    )
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "run", cwd=older, env=environment, stdout=file, stderr=file
        )
    replica = Replica(OlderProcess(process), log)
    await world.until(lambda: replica.ready)
    world.replicas.append(replica)
    return replica


async def ask(world: ReplicatedWorld, name: str) -> dict[str, Any]:
    """Let alice ask for a deployment; its card, once it waits for approval."""
    text = f"/registry deploy {name} --site {SITES[name]}"
    await world.post("/sandbox/slack/say", **{"as": "alice", "channel": "edge-ops", "text": text})
    return await world.card_says(f"Deploy {name} to {SITES[name]}: waiting for approval")


async def approve(world: ReplicatedWorld, card: Mapping[str, Any]) -> None:
    click = {"as": "bob", "channel": "edge-ops", "ts": card["ts"], "text": "Approve", "confirm": True}
    await world.post("/sandbox/slack/click", **click)


async def online(world: ReplicatedWorld, name: str) -> None:
    """Return when its card says so; prints how many cards and lines it has."""
    title = f"Deploy {name} to {SITES[name]}"
    card = await world.card_says(f"{title}: online")
    outcome = await world.outcome(card, title, "online in")
    lines = outcome["thread"]
    print(f"{card['text']}; cards {outcome['cards']}; lines twice {len(lines) - len(set(lines))}")


async def roll(older: Path, address: str, folder: Path) -> None:
    """One deployment runs and another waits when this version arrives; the second runs when the older one leaves."""
    async with replicated(folder, address) as world:
        old = await start_older(world, older)
        world.hold("PUT .*/scopeMaps/")
        await approve(world, await ask(world, "edge01"))
        await world.requested("PUT .*/scopeMaps/")
        waiting = await ask(world, "edge02")

        await world.start(1)  # brings the tables up to date beneath the older one
        print("this version is ready, and the older one lives:", old.process.lives)
        await world.post("/sandbox/clock", turn=HOLD)
        await online(world, "edge01")

        world.hold("PUT .*/tokens/")
        await approve(world, waiting)
        await world.requested("PUT .*/tokens/", times=2)
        print("the second one began on", (await world.runner()).log.name)
        old.process.send(signal.SIGTERM)
        print("it goes on on", (await world.runner(but=[old])).log.name)
        await world.post("/sandbox/clock", turn=HOLD)
        await online(world, "edge02")
        print("the older one ended with", await old.process.ended())
        for replica in world.replicas:
            print(replica.log.name, "errors:", [event for event in replica.events if event.get("level") == "error"])


def main() -> None:
    """Run it on a server of its own."""
    with (
        tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as database,
        tempfile.TemporaryDirectory(prefix="rolling-") as folder,
        server(Path(database)) as address,
    ):
        asyncio.run(roll(Path(sys.argv[1]).resolve(), address, Path(folder)))


if __name__ == "__main__":
    os.environ.setdefault("PYTHONDONTWRITEBYTECODE", "1")
    main()
