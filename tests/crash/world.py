"""The world of a test with bots in processes of their own, and what is there in the end."""

import asyncio
import os
import re
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.compose import Sandbox

PATIENCE = 150
"""Seconds for all ends of processes during one operation and the starts after them, on a busy machine."""
EDGE = re.compile(r"/agent/|/connectedregistry/|/connected-registry|clusterconfig|apiextensions")
"""Written by the edge itself, which goes on whatever becomes of the bot."""
ROOT = Path(__file__).parents[2]
CHANCE = {
    "lastSyncTime",
    "lastActivityTime",
    "lastConnectivityTime",
    "instance",
    "loginServer",
    "throttle",
    "generation",
    "url",
    "pods",
}


def settings(box: Sandbox, folder: Path, **changes: str) -> dict[str, str]:
    """The environment of a bot's process in the sandbox."""
    config = ROOT / "config" / "sandbox"
    ours = {
        "REGISTRY_BOT_SITES": str(config / "sites.yaml"),
        "REGISTRY_BOT_ACCESS": str(config / "access.yaml"),
        "REGISTRY_BOT_DATA_DIR": str(folder / "data"),
        "REGISTRY_BOT_IDENTITY": "secret",
        "REGISTRY_BOT_HTTP_PORT": "0",
        "REGISTRY_BOT_POLL_INTERVAL": "0.1",
        "REGISTRY_BOT_COMMANDS_PER_MINUTE": "10000",
    }
    return {"PATH": os.environ["PATH"], "HOME": str(folder), **box.environment(), **ours, **changes}


class World:
    """The sandbox as people and clients see it."""

    def __init__(self, box: Sandbox, http: aiohttp.ClientSession) -> None:
        self.box, self.http = box, http

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        async with self.http.get(path, params=query) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        async with self.http.post(path, json=body) as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def connected(self) -> None:
        """Return when the bot listens to Slack."""
        async with asyncio.timeout(PATIENCE):
            while not (await self.get("/sandbox/slack/state", **{"as": "alice"}))["connections"]:
                await asyncio.sleep(0.02)

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

    async def outcome(self, card: dict[str, Any], title: str, last: str) -> dict[str, Any]:
        """What is there in the end, without what differs from run to run, as soon as the thread says `last`."""
        async with asyncio.timeout(PATIENCE):
            while last not in "".join(one["text"] for one in await self.messages(thread_ts=card["ts"])):
                await asyncio.sleep(0.05)
        thread = "\n".join(one["text"] for one in (await self.messages(thread_ts=card["ts"]))[1:])
        clusters = await self.get("/sandbox/kube/state")
        return {
            "azure": lasting(await self.get("/sandbox/azure/state")),
            "cluster": {key: value for key, value in clusters["berlin"].items() if key not in {"url", "pods"}},
            "cards": len([one for one in await self.messages() if title in one["text"]]),
            "thread": sorted(without_chance(line) for line in thread.splitlines() if line.strip()),
        }

    async def deploy(self) -> dict[str, Any]:
        """Let alice ask for a deployment and bob approve it; its card."""
        where = {"channel": "edge-ops"}
        line = "/registry deploy edge01 --site berlin"
        await self.post("/sandbox/slack/say", **{"as": "alice", "text": line}, **where)
        card = await self.card_says("Deploy edge01 to berlin: waiting for approval")
        click = {"as": "bob", "ts": card["ts"], "text": "Approve", "confirm": True}
        await self.post("/sandbox/slack/click", **click, **where)
        return card

    async def deployed(self, card: dict[str, Any]) -> dict[str, Any]:
        """What is there at the end of the deployment."""
        await self.card_says("Deploy edge01 to berlin: online, approved by bob")
        return await self.outcome(card, "Deploy edge01 to berlin", "online in")


def lasting(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: lasting(item) for key, item in value.items() if key not in CHANCE}
    return [lasting(item) for item in value] if isinstance(value, list | tuple) else value


def without_chance(line: str) -> str:
    """A thread line without times and ids; an import that was done before the kill is found done."""
    return re.sub(
        r"`[0-9a-f-]{36}`|\d+(\.\d+)? (s|min)( \d+ s)?|at once|existed already and was kept|  ·  ", "", line
    ).strip()
