"""Bots that are killed at what they write and after each step, and started again."""

import asyncio
import contextlib
import json
import re
import signal
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
from kubernetes.aio import client, config

from sandbox.compose import Sandbox
from sandbox.faults import Fault, Faults, Part
from services.model.codec import Codec
from services.operations.procedures import PROCEDURES
from services.store import Store, open_store
from tests.crash.bots import BotProcess, start_bot
from tests.crash.world import EDGE, PATIENCE, World, settings
from tests.flows import canary
from tests.flows.conversation import site
from tests.flows.hosting import Hosting

WRITES = re.compile(r"^(PUT|PATCH|POST|DELETE) |^chat\.")
QUESTIONS = re.compile(r"selfsubjectaccessreviews|/oauth2/|dryRun|/checkNameAvailability", re.IGNORECASE)
"""Sent by POST, but nothing is written."""
WAITED_FOR = re.compile(r"/extensionconfigs")
"""The edge's own writes at which the bot is killed, too: it waits while the agents install, change and uninstall.

At each of the many others it would be killed once more in the same wait.
"""
CHANCE = re.compile(r"op-\w+-|[0-9a-f-]{36}|(?<=edge)\d{3}\b|(?<=registry-bot-images-)[0-9a-f]+")
"""What tells requests of one kind apart: ids, and the numbers of edges."""
LOOK = 0.02
"""Seconds between two looks."""
COMPLETE = """select id, "index", kind from operations join steps on operation = id where steps.state = 'complete'"""


class Killer(Faults):
    """Kills its victim in the middle of steps and between them.

    In the middle: at its first request of each kind that writes anywhere, which is done, and whose answer is lost.
    Between them: at its first request, to whomever, after the database has the end of another step; it is not done.
    """

    victim: BotProcess | None = None
    """Whoever runs; nobody is killed while this is None."""

    def __init__(self, folder: Path, *, writes: re.Pattern[str] = WRITES) -> None:
        super().__init__()
        self.writes = writes
        self.struck: list[str] = []
        """At what it has killed: requests, and ends of steps."""
        self.kills = 0
        self._spent = set[str]()
        """At what it kills no more."""
        self._ends = set[tuple[str, int]]()
        self._database = folder / "data" / "bot.db"

    def hunt(self, victim: BotProcess | None, again: str) -> None:
        """Kill this one and those that are started after it, for what happens from now on; once more at `again`."""
        self.victim = victim
        self._new_ends()
        self._spent = {kind for kind in self._spent if not re.search(again, kind)}

    def take(self, part: Part, line: str) -> Fault | None:
        is_of_the_edge = EDGE.search(line)
        if self.victim and not is_of_the_edge and self._strike(*self._new_ends()):
            return Fault(part, ".", "drop")
        is_write = self.writes.search(line) and not QUESTIONS.search(line)
        if is_write and (not is_of_the_edge or WAITED_FOR.search(line)):
            self._strike(CHANCE.sub("", f"{part} {line}"))
        return super().take(part, line)

    def _new_ends(self) -> list[str]:
        """The steps that have ended since the last request."""
        with contextlib.closing(sqlite3.connect(self._database)) as database:
            rows = [row for row in database.execute(COMPLETE) if row[:2] not in self._ends]
        self._ends |= {(operation, index) for operation, index, _ in rows}
        return [step_end(kind, index) for _, index, kind in rows]

    def _strike(self, *kinds: str) -> bool:
        """Kill the victim if it lives and was not killed at all of this yet; whether it was."""
        new = {kind: None for kind in kinds if kind not in self._spent}
        if self.victim is None or not new:
            return False
        self.struck += new
        self._spent |= new.keys()
        self.kills += 1
        self.victim.send(signal.SIGKILL)
        self.victim = None
        return True


def step_end(kind: str, index: int) -> str:
    """What `Killer.struck` calls a kill between this step and the next one."""
    return f"after step {index} of {kind}"


class KilledWorld(World):
    """With a bot that is started again whenever it dies."""

    store: Store
    """On the bot's database, to read."""

    def __init__(
        self, box: Sandbox, killer: Killer, folder: Path, http: aiohttp.ClientSession, changes: Mapping[str, str]
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

    async def all_restarted(self) -> None:
        """Return when the bot has been started again after each of its ends."""
        async with asyncio.timeout(PATIENCE):
            while self.starts <= self.killer.kills:
                await asyncio.sleep(LOOK)

    async def keep_alive(self) -> None:
        """Start it again for ever."""
        while True:
            assert self.process is not None
            await self.process.ended()
            await self.start()
            self.killer.victim = self.process

    @asynccontextmanager
    async def kubectl(self) -> AsyncIterator[Any]:
        """Berlin's cluster, as its administrator sees it."""
        load: Any = config.new_client_from_config
        async with await load(self.box.environment()["KUBECONFIG"], "berlin-admin") as api:
            yield client.CoreV1Api(api)

    async def leases(self) -> frozenset[str]:
        """Addresses in berlin that operations have spoken for."""
        return await self.store.leases.of_others(site("berlin").cluster_ref.id.lower(), "")

    async def cards(self, operation: str) -> list[dict[str, Any]]:
        """The cards of an operation: one, if all is well."""
        cards = [card for card in await self.messages() if card.get("thread_ts", card["ts"]) == card["ts"]]
        return [card for card in cards if operation in json.dumps(card)]

    async def texts(self) -> dict[str, bytes]:
        """Logs, databases and messages."""
        logs = {path.name: path.read_bytes() for path in self.folder.glob("log-*")}
        messages = await self.messages()
        threads = [await self.messages(thread_ts=message["ts"]) for message in messages]
        return {**logs, **canary.files(self.folder / "data"), "messages": json.dumps([messages, threads]).encode()}


@asynccontextmanager
async def world(
    killer: Killer, folder: Path, *, content: dict[str, Any] | None = None, changes: Mapping[str, str] | None = None
) -> AsyncIterator[KilledWorld]:
    """With a bot that listens; `content` in the place of the sandbox's default world, `changes` of the settings."""
    (folder / "data").mkdir()
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(Sandbox(content, faults=killer))
        http = await stack.enter_async_context(aiohttp.ClientSession(box.url))
        database = await stack.enter_async_context(Hosting("sqlite").database(folder / "data"))
        made = KilledWorld(box, killer, folder, http, changes or {})
        await made.start()
        await made.connected()
        made.store = await open_store(database, Codec(PROCEDURES.values))
        stack.push_async_callback(made.store.close)
        alive = asyncio.create_task(made.keep_alive())
        try:
            yield made
        finally:
            alive.cancel()
            if made.process:
                made.process.send(signal.SIGKILL)
                await made.process.ended()


async def say(made: KilledWorld, line: str) -> None:
    await made.connected()
    await made.post("/sandbox/slack/say", **{"as": "alice", "channel": "edge-ops", "text": f"/registry {line}"})
