"""kill -9 at every write that the bot makes anywhere: nothing is lost, nothing is doubled."""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from sandbox.compose import Sandbox
from sandbox.faults import Fault, Faults, Part

WRITES = re.compile(r"^(PUT|PATCH|POST|DELETE) |^chat\.")
QUESTIONS = re.compile(r"selfsubjectaccessreviews|/oauth2/|dryRun", re.IGNORECASE)
"""Sent by POST, but nothing is written."""
EDGE = re.compile(r"/agent/|/connectedregistry/|/connected-registry|clusterconfig|apiextensions")
"""Written by the edge itself: the bot dies in the middle of what it waits for, and the edge goes on."""
PATIENCE = 150
"""Seconds for all kills of one operation and the starts after them, on a busy machine."""
CLICK_AGAIN = 5
"""Seconds after which a person who sees nothing happen clicks once more: the bot may have died of the first click."""
ROOT = Path(__file__).parents[2]


class Killer(Faults):
    """Kills the bot at the first request of each kind that writes anywhere, with the request done or dropped."""

    def __init__(self, *, done: bool) -> None:
        super().__init__()
        self.done = done
        self.victim: asyncio.subprocess.Process | None = None
        self.struck: list[str] = []

    def take(self, part: Part, line: str) -> Fault | None:
        kind = re.sub(r"op-\w+-|[0-9a-f-]{36}", "", f"{part} {line}")
        if self.victim is None or not WRITES.search(line) or QUESTIONS.search(line) or kind in self.struck:
            return super().take(part, line)
        self.struck.append(kind)
        os.kill(self.victim.pid, signal.SIGKILL)
        self.victim = None
        return None if self.done or EDGE.search(line) else Fault(part, ".", "drop")


class World:
    """The sandbox, and a bot beside it that is started again whenever it dies."""

    def __init__(self, box: Sandbox, killer: Faults, folder: Path, http: aiohttp.ClientSession) -> None:
        self.box, self.killer, self.folder, self.http = box, killer, folder, http
        self.process: asyncio.subprocess.Process | None = None
        self.starts = 0

    def _environment(self) -> dict[str, str]:
        config = ROOT / "config" / "sandbox"
        ours = {
            "REGISTRY_BOT_SITES": str(config / "sites.yaml"),
            "REGISTRY_BOT_ACCESS": str(config / "access.yaml"),
            "REGISTRY_BOT_DATA_DIR": str(self.folder / "data"),
            "REGISTRY_BOT_IDENTITY": "secret",
            "REGISTRY_BOT_HTTP_PORT": "0",
            "REGISTRY_BOT_POLL_INTERVAL": "0.1",
        }
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.box.environment(), **ours}

    async def start(self) -> None:
        """A new bot on the old database."""
        self.starts += 1
        with (self.folder / f"log-{self.starts}").open("wb") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=ROOT, env=self._environment(), stderr=log, stdout=log
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
            await self.process.wait()
            await self.start()
            if isinstance(self.killer, Killer):
                self.killer.victim = self.process

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        async with self.http.get(path, params=query) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        async with self.http.post(path, json=body) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def messages(self, **query: str) -> list[dict[str, Any]]:
        found = await self.get("/sandbox/slack/messages", **{"as": "bob", "channel": "edge-ops"}, **query)
        return [one for one in found["messages"] if "bot_id" in one]

    async def card_says(self, words: str) -> dict[str, Any]:
        """The card, as soon as it says so."""
        async with asyncio.timeout(PATIENCE):
            while True:
                for message in await self.messages():
                    if words in message["text"] and message.get("thread_ts", message["ts"]) == message["ts"]:
                        return message
                await asyncio.sleep(0.05)


@asynccontextmanager
async def world(folder: Path, faults: Faults) -> AsyncIterator[World]:
    async with Sandbox(faults=faults) as box, aiohttp.ClientSession(box.url) as http:
        made = World(box, faults, folder, http)
        await made.start()
        await made.connected()
        alive = asyncio.create_task(made.keep_alive())
        try:
            yield made
        finally:
            alive.cancel()
            if made.process and made.process.returncode is None:
                made.process.kill()
                await made.process.wait()


async def _deployed(made: World) -> dict[str, Any]:
    """Deploy with an approval, and tell what is there afterwards."""
    return await _carried_out(made, "deploy edge01 --site berlin", "Deploy edge01 to berlin", "online")


async def _updated(made: World) -> dict[str, Any]:
    """Change its settings and its client tokens, likewise."""
    line = "update edge01 --site berlin --gc off --notification hello-world:push --add-client-token edge01"
    return await _carried_out(made, line, "Update edge01 at berlin", "updated")


async def _rotated(made: World) -> dict[str, Any]:
    """Rotate its sync token, likewise: passwords are made once more, so that is killed once more."""
    if isinstance(made.killer, Killer):
        made.killer.struck = [kind for kind in made.killer.struck if "generateCredentials" not in kind]

    async def let_the_edge_make_contact() -> None:
        while True:
            await asyncio.sleep(1)
            await made.post("/sandbox/clock", turn=60)

    contacts = asyncio.create_task(let_the_edge_make_contact())
    try:
        title = "Rotate the sync token of edge01 at berlin"
        return await _carried_out(made, "token rotate edge01 --site berlin", title, "rotated")
    finally:
        contacts.cancel()


async def _removed(made: World) -> dict[str, Any]:
    """Remove it again, likewise."""
    line = "remove edge01 --site berlin --confirm edge01"
    return await _carried_out(made, line, "Remove edge01 from berlin", "removed")


Act = Callable[[World], Awaitable[dict[str, Any]]]


async def _carried_out(made: World, line: str, title: str, success: str) -> dict[str, Any]:
    await made.connected()
    await made.post("/sandbox/slack/say", **{"as": "alice", "channel": "edge-ops", "text": f"/registry {line}"})
    if isinstance(made.killer, Killer):
        made.killer.victim = made.process
    await made.card_says(f"{title}: waiting for approval")
    while "waiting for approval" in (card := await made.card_says(title))["text"]:
        await made.connected()
        await made.post(
            "/sandbox/slack/click",
            **{"as": "bob", "channel": "edge-ops", "ts": card["ts"], "text": "Approve", "confirm": True},
        )
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLICK_AGAIN):
                while card["text"] == (await made.card_says(title))["text"]:
                    await asyncio.sleep(0.05)
    card = await made.card_says(f"{title}: {success}, approved by bob")
    return await _told(made, card, title, f"{success} in")


CHANCE = {
    "lastSyncTime",
    "lastActivityTime",
    "lastConnectivityTime",
    "instance",
    "loginServer",
    "throttle",
    "generation",
}


def _lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _lasting(item) for key, item in value.items() if key not in CHANCE}
    return [_lasting(item) for item in value] if isinstance(value, list) else value


async def _told(made: World, card: dict[str, Any], title: str, last: str) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE):
        while last not in "".join(one["text"] for one in await made.messages(thread_ts=card["ts"])):
            await asyncio.sleep(0.05)
    thread = "\n".join(one["text"] for one in (await made.messages(thread_ts=card["ts"]))[1:])
    clusters = await made.get("/sandbox/kube/state")
    return {
        "azure": _lasting(await made.get("/sandbox/azure/state")),
        "cluster": {key: value for key, value in clusters["berlin"].items() if key not in {"url", "pods"}},
        "cards": len([one for one in await made.messages() if title in one["text"]]),
        "thread": sorted(_without_chance(line) for line in thread.splitlines() if line.strip()),
    }


def _without_chance(line: str) -> str:
    """A thread line without times and ids; an import that was done before the kill is found done."""
    return re.sub(
        r"`[0-9a-f-]{36}`|\d+(\.\d+)? (s|min)( \d+ s)?|at once|existed already and was kept|  ·  ", "", line
    ).strip()


ACTS = (_deployed, _rotated, _updated, _removed)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[Act, dict[str, Any]]:
    """What is there after each act while nothing was killed."""
    async with world(tmp_path_factory.mktemp("undisturbed"), Faults()) as calm:
        return {act: await act(calm) for act in ACTS}


@pytest.mark.timeout(420)
@pytest.mark.parametrize(
    ("done", "acts"), [(True, ACTS), (False, (_deployed, _removed))], ids=["request done", "request dropped"]
)
async def test_killed_at_every_write_the_world_ends_as_if_undisturbed(
    tmp_path: Path, undisturbed: dict[Act, dict[str, Any]], done: bool, acts: tuple[Act, ...]
) -> None:
    killer = Killer(done=done)
    async with world(tmp_path, killer) as wild:
        outcome = {act: await act(wild) for act in acts}

    assert outcome == {act: undisturbed[act] for act in acts}
    assert len(killer.struck) > 10, killer.struck
