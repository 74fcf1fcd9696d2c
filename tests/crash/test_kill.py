"""kill -9 at every write that the bot makes anywhere: nothing is lost, nothing is doubled."""

import asyncio
import contextlib
import json
import re
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import pytest_asyncio

from sandbox.compose import Sandbox
from sandbox.faults import Fault, Faults, Part
from tests.crash.bots import BotProcess, start_bot
from tests.crash.world import EDGE, PATIENCE, World, settings

WRITES = re.compile(r"^(PUT|PATCH|POST|DELETE) |^chat\.")
QUESTIONS = re.compile(r"selfsubjectaccessreviews|/oauth2/|dryRun", re.IGNORECASE)
"""Sent by POST, but nothing is written."""
WAITED_FOR = re.compile(r"/extensionconfigs")
"""The edge's own writes at which the bot is killed, too: it waits while the agents install, change and uninstall.

At each of the many others it would be killed once more in the same wait.
"""
CLICK_AGAIN = 5
"""Seconds after which a person who sees nothing happen clicks once more."""


class Killer(Faults):
    """Kills the bot at its first request of each kind that writes anywhere, with the request done or dropped."""

    def __init__(self, *, done: bool) -> None:
        super().__init__()
        self.done = done
        self.victim: BotProcess | None = None
        self.struck: list[str] = []

    def take(self, part: Part, line: str) -> Fault | None:
        kind = re.sub(r"op-\w+-|[0-9a-f-]{36}", "", f"{part} {line}")
        is_write = WRITES.search(line) and not QUESTIONS.search(line)
        is_awaited = not EDGE.search(line) or WAITED_FOR.search(line)
        if self.victim is None or not is_write or not is_awaited or kind in self.struck:
            return super().take(part, line)
        self.struck.append(kind)
        self.victim.send(signal.SIGKILL)
        self.victim = None
        return None if self.done or EDGE.search(line) else Fault(part, ".", "drop")

    def forget(self, *kinds: str) -> None:
        """Kill again at the first request of these kinds."""
        self.struck = [line for line in self.struck if not any(re.search(kind, line) for kind in kinds)]


class KilledWorld(World):
    """With a bot that is started again whenever it dies."""

    def __init__(self, box: Sandbox, killer: Faults, folder: Path, http: aiohttp.ClientSession) -> None:
        super().__init__(box, http)
        self.killer, self.folder = killer, folder
        self.process: BotProcess | None = None
        self.starts = 0

    async def start(self) -> None:
        """A new bot on the old database."""
        self.starts += 1
        self.process = await start_bot(settings(self.box, self.folder), self.folder / f"log-{self.starts}")

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
async def world(folder: Path, faults: Faults) -> AsyncIterator[KilledWorld]:
    async with Sandbox(faults=faults) as box, aiohttp.ClientSession(box.url) as http:
        made = KilledWorld(box, faults, folder, http)
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


async def _deployed(made: KilledWorld) -> dict[str, Any]:
    """Deploy with an approval, and tell what is there afterwards."""
    return await _carried_out(made, "deploy edge01 --site berlin", "Deploy edge01 to berlin", "online")


async def _updated(made: KilledWorld) -> dict[str, Any]:
    """Change its settings and its client tokens, likewise."""
    line = "update edge01 --site berlin --gc off --notification hello-world:push --add-client-token edge01"
    return await _carried_out(made, line, "Update edge01 at berlin", "updated")


async def _rotated(made: KilledWorld) -> dict[str, Any]:
    """Rotate its sync token, likewise: a password is made and given to the extension again, so both are killed again."""
    if isinstance(made.killer, Killer):
        made.killer.forget("generateCredentials", "PATCH .*extensions/")

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


async def _extension_changed(made: KilledWorld) -> dict[str, Any]:
    """Change its extension, likewise."""
    line = "extension update edge01 --site berlin --trust-distribution off"
    return await _carried_out(made, line, "Update the extension of edge01 at berlin", "updated")


async def _rolled_back(made: KilledWorld) -> dict[str, Any]:
    """Create one below it, which Azure refuses, and take back, likewise, what that has made."""
    if isinstance(made.killer, Killer):
        made.killer.victim = None
    made.killer.add(Fault("azure", "PUT .*/connectedRegistries/line1", times=None, status=400, code="BadRequest"))
    await _say(made, "create line1 --site berlin --parent edge01")
    card = await _approved(made, "Create line1 for berlin", "failed")
    made.killer.clear()
    [operation] = set(re.findall(r"op-[a-z0-9]{7}", json.dumps(card)))
    return await _carried_out(made, f"operation rollback {operation}", "Roll back line1 at berlin", "rolled back")


async def _removed(made: KilledWorld) -> dict[str, Any]:
    """Remove it again, likewise."""
    line = "remove edge01 --site berlin --confirm edge01"
    return await _carried_out(made, line, "Remove edge01 from berlin", "removed")


Act = Callable[[KilledWorld], Awaitable[dict[str, Any]]]


async def _carried_out(made: KilledWorld, line: str, title: str, success: str) -> dict[str, Any]:
    await _say(made, line)
    if isinstance(made.killer, Killer):
        made.killer.victim = made.process
    card = await _approved(made, title, success)
    return await made.outcome(card, title, f"{success} in")


async def _say(made: KilledWorld, line: str) -> None:
    await made.connected()
    await made.post("/sandbox/slack/say", **{"as": "alice", "channel": "edge-ops", "text": f"/registry {line}"})


async def _approved(made: KilledWorld, title: str, end: str) -> dict[str, Any]:
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


ACTS = (_deployed, _extension_changed, _rolled_back, _rotated, _updated, _removed)
DROPPED = (_deployed, _extension_changed, _rolled_back, _removed)
"""Acts whose every request is dropped, too: what is there after each does not depend on those that are left out."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[Act, dict[str, Any]]:
    """What is there after each act while nothing was killed."""
    async with world(tmp_path_factory.mktemp("undisturbed"), Faults()) as calm:
        return {act: await act(calm) for act in ACTS}


@pytest.mark.timeout(420)
@pytest.mark.parametrize(("done", "acts"), [(True, ACTS), (False, DROPPED)], ids=["request done", "request dropped"])
async def test_killed_at_every_write_the_world_ends_as_if_undisturbed(
    tmp_path: Path, undisturbed: dict[Act, dict[str, Any]], done: bool, acts: tuple[Act, ...]
) -> None:
    killer = Killer(done=done)
    async with world(tmp_path, killer) as wild:
        outcome = {act: await act(wild) for act in acts}

    assert outcome == {act: undisturbed[act] for act in acts}
    assert len(killer.struck) > 10, killer.struck
