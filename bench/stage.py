"""The sandbox and the bot as two processes, and the people who drive them from here."""

import asyncio
import json
import os
import shlex
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Self

import aiohttp
import psutil
import yaml

from services.policy.sites import PROVIDERS

ROOT = Path(__file__).parents[1]
PATIENCE = 180.0
"""Seconds after which a benchmark gives up waiting for anything that should happen at once."""
LOOK = 0.01
"""Seconds between two looks at something that is waited for; it limits how exact a figure is."""
FOREVER = aiohttp.ClientTimeout(total=None)
FLOOR = "floor"
"""Cluster and cloud registry for the same work without the bot, like berlin's and beside them."""


def world(*, channels: int = 1, registered: bool = True, floors: Sequence[str] = (FLOOR,)) -> dict[str, Any]:
    """The sandbox's default world with berlin once for the bot, and once for each deployment of the floor.

    `channels` is the number of channels that alice and bob are in (Slack's budget for posts is by channel), named
    bench-0, bench-1 and so on. `registered`: the resource providers are registered beforehand.
    """
    made: dict[str, Any] = yaml.safe_load((ROOT / "sandbox" / "world.yaml").read_text(encoding="utf-8"))
    azure, kube = made["azure"], made["kube"]
    if registered:
        azure["providers"] = dict.fromkeys(PROVIDERS, "Registered")
    registry, arc, cluster = azure["registries"][0], azure["connected_clusters"][0], kube["clusters"][0]
    azure["registries"] = [registry, *({**deepcopy(registry), "name": f"{name}acr"} for name in floors)]
    azure["connected_clusters"] = [arc, *({**arc, "name": f"{name}-arc", "kube": name} for name in floors)]
    kube["clusters"] = [cluster, *({**deepcopy(cluster), "name": name} for name in floors)]
    members = ["U0ALICE", "U0BOB", made["slack"]["app"]["bot_user"]]
    made["slack"]["channels"] = [
        {"id": f"C0BENCH{number}", "name": f"bench-{number}", "members": members} for number in range(channels)
    ]
    return made


@dataclass
class Sandbox:
    """A running sandbox and what people do there."""

    environment: Mapping[str, str]
    http: aiohttp.ClientSession
    process: psutil.Process

    async def get(self, path: str, **query: str) -> dict[str, Any]:
        """From the control API."""
        async with self.http.get(f"/sandbox/{path}", params=query) as answer:
            body: dict[str, Any] = await answer.json()
            return body

    async def post(self, path: str, **body: Any) -> dict[str, Any]:
        """To the control API; raises RuntimeError with its words when it refuses."""
        async with self.http.post(f"/sandbox/{path}", json=body) as answer:
            content: dict[str, Any] = await answer.json()
        if "error" in content or content.get("ok") is False:
            raise RuntimeError(f"{path} {body}: {content}")
        return content

    async def forget(self, path: str) -> None:
        """Empty one of the control API's lists."""
        async with self.http.delete(f"/sandbox/{path}"):
            return

    async def say(self, text: str, *, as_: str = "alice", channel: str = "bench-0") -> None:
        """Type a command; returns when the bot has acknowledged it."""
        await self.post("slack/say", **{"as": as_, "channel": channel, "text": f"/registry {text}"})

    async def messages(self, channel: str = "bench-0", as_: str = "bob") -> list[dict[str, Any]]:
        """A channel as somebody sees it."""
        messages: list[dict[str, Any]] = (await self.get("slack/messages", **{"as": as_, "channel": channel}))[
            "messages"
        ]
        return messages

    async def message(self, words: str, *, channel: str = "bench-0", as_: str = "bob", within: float = PATIENCE) -> Any:
        """The first message that says so, as soon as there is one."""
        async with asyncio.timeout(within):
            while True:
                for message in await self.messages(channel, as_):
                    if words in message["text"] and ("bot_id" in message or as_ == "alice"):
                        return message
                await asyncio.sleep(LOOK)

    @asynccontextmanager
    async def page(self, as_: str = "bob") -> AsyncIterator["Page"]:
        """Somebody's page, open: what arrives from now on is seen there."""
        async with self.http.get("/sandbox/slack/events", params={"as": as_}, timeout=FOREVER) as stream:
            yield Page(stream.content)

    async def click(self, card: Mapping[str, Any], label: str, *, as_: str = "bob", channel: str = "bench-0") -> None:
        """Press a button; returns when the bot has acknowledged it."""
        await self.post(
            "slack/click", **{"as": as_, "channel": channel, "ts": card["ts"], "text": label, "confirm": True}
        )

    async def connected(self, at_least: int = 1) -> None:
        """Return when the bot listens to Slack."""
        async with asyncio.timeout(PATIENCE):
            while (await self.get("slack/state"))["connections"] < at_least:
                await asyncio.sleep(LOOK)


@dataclass
class Page:
    """The events that a person's browser gets."""

    _stream: aiohttp.StreamReader

    async def shows(self, words: str, *, within: float = PATIENCE) -> None:
        """Return when a message or an edit that says so arrives."""
        async with asyncio.timeout(within):
            async for line in self._stream:
                if line.startswith(b"data: "):
                    event = json.loads(line.removeprefix(b"data: "))
                    if words in (event.get("message") or {}).get("text", ""):
                        return


@asynccontextmanager
async def sandbox(folder: Path, made: dict[str, Any], *, speed: str = "immediate") -> AsyncIterator[Sandbox]:
    """Start it with this world, and end it."""
    file, env = folder / "world.yaml", folder / "sandbox.env"
    file.write_text(yaml.safe_dump(made), encoding="utf-8")
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--speed", speed, "--manifest", "manifest.yml"]
    command += ["--folder", str(folder / "sandbox"), "--world", str(file), "--env", str(env)]
    with (folder / "sandbox.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=log, stderr=log)
    try:
        async with asyncio.timeout(PATIENCE):
            while not env.exists():
                if process.returncode is not None:
                    raise RuntimeError((folder / "sandbox.log").read_text(encoding="utf-8"))
                await asyncio.sleep(LOOK)
        lines = (line.partition("=") for line in env.read_text(encoding="utf-8").splitlines())
        values = {key: "".join(shlex.split(value)) for key, _, value in lines}
        limit = aiohttp.TCPConnector(limit=0)
        async with aiohttp.ClientSession(values["SANDBOX_URL"], connector=limit) as http:
            yield Sandbox(values, http, psutil.Process(process.pid))
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@dataclass
class Bot:
    """A bot process beside a sandbox. `start` again after `kill` makes another one on the same database."""

    box: Sandbox
    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    started_in: float = 0
    """Seconds that the last start took to ready."""
    _running: asyncio.subprocess.Process | None = None
    _log: Path = Path()
    starts: int = 0
    """How often it was started."""

    async def start(self) -> float:
        """Start it and wait until `/readyz` says ready; the seconds that took."""
        self.starts += 1
        began = time.perf_counter()
        self._log = self.folder / f"bot-{self.starts}.log"
        with self._log.open("wb") as log:
            self._running = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "bot", "run", cwd=ROOT, env=self._environment(), stdout=log, stderr=log
            )
        async with asyncio.timeout(PATIENCE):
            while not await self._ready():
                if self._running.returncode is not None:
                    raise RuntimeError(self._log.read_text(encoding="utf-8"))
                await asyncio.sleep(LOOK)
        self.started_in = time.perf_counter() - began
        return self.started_in

    async def kill(self) -> None:
        """As `kill -9` does."""
        if self._running and self._running.returncode is None:
            self._running.kill()
            await self._running.wait()

    async def exit_code(self) -> int:
        """Of the process, as soon as it has ended."""
        assert self._running  # noqa: S101 - asked of one that was started
        return await self._running.wait()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.kill()

    @property
    def process(self) -> psutil.Process:
        """For its memory and processor time."""
        assert self._running  # noqa: S101 - asked of a running one
        return psutil.Process(self._running.pid)

    @property
    def living(self) -> psutil.Process:
        """The same; raises RuntimeError with the end of its log when it has ended by itself."""
        if self._running and self._running.returncode is not None:
            last = self._log.read_text(encoding="utf-8").splitlines()[-3:]
            raise RuntimeError(f"the bot ended with exit code {self._running.returncode}: {' '.join(last)}")
        return self.process

    @property
    def database(self) -> Path:
        """The file with the operations."""
        return self.folder / "data" / "bot.db"

    async def page(self, path: str) -> str:
        """One of the operator pages."""
        async with self.box.http.get(f"{self._address()}{path}") as answer:
            return await answer.text()

    async def _ready(self) -> bool:
        try:
            async with self.box.http.get(f"{self._address()}/readyz") as answer:
                return answer.status == 200  # noqa: PLR2004 - HTTP's
        except (aiohttp.ClientError, LookupError):
            return False

    def _address(self) -> str:
        """Where its pages are; it chooses a free port and logs it. Raises `LookupError` before that."""
        for line in self._log.read_text(encoding="utf-8").splitlines():
            if '"event": "ready"' in line and line.endswith("}"):
                return str(json.loads(line)["http"])
        raise LookupError("it is not ready")

    def _environment(self) -> dict[str, str]:
        config = ROOT / "config" / "sandbox"
        own = {
            "REGISTRY_BOT_SITES": str(config / "sites.yaml"),
            "REGISTRY_BOT_ACCESS": str(config / "access.yaml"),
            "REGISTRY_BOT_DATA_DIR": str(self.folder / "data"),
            "REGISTRY_BOT_IDENTITY": "secret",
            "REGISTRY_BOT_HTTP_PORT": "0",
            "REGISTRY_BOT_COMMANDS_PER_MINUTE": "1000000",
        }
        return {"PATH": os.environ["PATH"], "HOME": str(self.folder), **self.box.environment, **own, **self.settings}


@asynccontextmanager
async def stage(
    made: dict[str, Any], *, speed: str = "immediate", settings: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[Sandbox, Bot]]:
    """A sandbox with this world and a bot in it, ready."""
    with TemporaryDirectory(prefix="bench-") as name:
        async with sandbox(Path(name), made, speed=speed) as box, Bot(box, Path(name), settings or {}) as bot:
            yield box, bot
