"""Bots that are killed at what they write, and started again."""

import asyncio
import contextlib
import re
import signal
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.compose import Sandbox
from sandbox.faults import Fault, Faults, Part
from tests.crash.bots import BotProcess, start_bot
from tests.crash.world import EDGE, PATIENCE, World, settings

WRITES = re.compile(r"^(PUT|PATCH|POST|DELETE) |^chat\.")
QUESTIONS = re.compile(r"selfsubjectaccessreviews|/oauth2/|dryRun|/checkNameAvailability", re.IGNORECASE)
"""Sent by POST, but nothing is written."""
WAITED_FOR = re.compile(r"/extensionconfigs")
"""The edge's own writes at which the bot is killed, too: it waits while the agents install, change and uninstall.

At each of the many others it would be killed once more in the same wait.
"""
CHANCE = re.compile(r"op-\w+-|[0-9a-f-]{36}|(?<=edge)\d{3}\b|(?<=registry-bot-images-)[0-9a-f]+")
"""What tells requests of one kind apart: ids, and the numbers of edges."""
CLICK_AGAIN = 5
"""Seconds after which a person who sees nothing happen clicks once more."""


class Killer(Faults):
    """Kills the bot at its first request of each kind that writes anywhere, with the request done or dropped."""

    def __init__(self, *, done: bool, writes: re.Pattern[str] = WRITES) -> None:
        super().__init__()
        self.done, self.writes = done, writes
        self.victim: BotProcess | None = None
        self.struck: list[str] = []
        self.kills = 0
        self.rests = False
        """Whether it strikes nobody, whatever is written."""

    def take(self, part: Part, line: str) -> Fault | None:
        kind = CHANCE.sub("", f"{part} {line}")
        is_write = self.writes.search(line) and not QUESTIONS.search(line)
        is_awaited = not EDGE.search(line) or WAITED_FOR.search(line)
        if not is_write or not is_awaited or not self.strike(kind):
            return super().take(part, line)
        return None if self.done or EDGE.search(line) else Fault(part, ".", "drop")

    def strike(self, kind: str) -> bool:
        """Kill the bot if it lives and was not killed for this yet; whether it was."""
        if self.rests or self.victim is None or kind in self.struck:
            return False
        self.struck.append(kind)
        self.kills += 1
        self.victim.send(signal.SIGKILL)
        self.victim = None
        return True

    def forget(self, *kinds: str) -> None:
        """Kill again at the first request of these kinds."""
        self.struck = [line for line in self.struck if not any(re.search(kind, line) for kind in kinds)]


class KilledWorld(World):
    """With a bot that is started again whenever it dies."""

    def __init__(
        self, box: Sandbox, killer: Faults, folder: Path, http: aiohttp.ClientSession, changes: Mapping[str, str]
    ) -> None:
        super().__init__(box, http)
        self.killer, self.folder, self.changes = killer, folder, changes
        self.process: BotProcess | None = None
        self.starts = 0

    async def start(self) -> None:
        """A new bot on the old database."""
        self.starts += 1
        self.process = await start_bot(
            settings(self.box, self.folder, **self.changes), self.folder / f"log-{self.starts}"
        )

    async def connected(self) -> None:
        """Return when the bot listens to Slack."""
        async with asyncio.timeout(PATIENCE):
            while not (await self.get("/sandbox/slack/state", **{"as": "alice"}))["connections"]:
                await asyncio.sleep(0.05)

    async def keep_alive(self) -> None:
        """Start it again for ever."""
        while True:
            assert self.process is not None
            await self.process.ended()
            await self.start()
            if isinstance(self.killer, Killer):
                self.killer.victim = self.process


@asynccontextmanager
async def world(
    folder: Path, faults: Faults, *, content: dict[str, Any] | None = None, changes: Mapping[str, str] | None = None
) -> AsyncIterator[KilledWorld]:
    """With a bot that listens; `content` in the place of the sandbox's default world, `changes` of the settings."""
    async with Sandbox(content, faults=faults) as box, aiohttp.ClientSession(box.url) as http:
        made = KilledWorld(box, faults, folder, http, changes or {})
        await made.start()
        await made.connected()
        alive = asyncio.create_task(made.keep_alive())
        try:
            yield made
        finally:
            alive.cancel()
            if made.process:
                made.process.send(signal.SIGKILL)
                await made.process.ended()


async def carried_out(made: KilledWorld, line: str, title: str, success: str) -> dict[str, Any]:
    await say(made, line)
    if isinstance(made.killer, Killer):
        made.killer.victim = made.process
    card = await approved(made, title, success)
    return await made.outcome(card, title, f"{success} in")


async def say(made: KilledWorld, line: str) -> None:
    await made.connected()
    await made.post("/sandbox/slack/say", **{"as": "alice", "channel": "edge-ops", "text": f"/registry {line}"})


async def approved(made: KilledWorld, title: str, end: str) -> dict[str, Any]:
    """The card, when bob has approved the operation and it has come to this end."""
    await made.card_says(f"{title}: waiting for approval")
    # The bot may die of a click before it has taken it in: then it is clicked again after the next start.
    while "waiting for approval" in (card := await made.card_says(title))["text"]:
        await made.connected()
        starts = made.starts
        await made.post(
            "/sandbox/slack/click",
            **{"as": "bob", "channel": "edge-ops", "ts": card["ts"], "text": "Approve", "confirm": True},
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLICK_AGAIN):
                while made.starts == starts and card["text"] == (await made.card_says(title))["text"]:
                    await asyncio.sleep(0.05)
    return await made.card_says(f"{title}: {end}, approved by bob")
