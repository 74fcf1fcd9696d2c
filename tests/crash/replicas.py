"""Several bots in processes of their own on one PostgreSQL, and a door that gives each delivery of Slack to all of them."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
from aiohttp import web

from sandbox.compose import Sandbox
from sandbox.faults import Fault, Faults, Part
from tests.crash.bots import BotProcess, start_bot
from tests.crash.world import EDGE, PATIENCE, World, settings

EVENTS = "/slack/events"
HOLD = 45
"""Seconds of the sandbox's clock for which a request is held."""


class Recorder(Faults):
    """Notes every request to the stand-ins."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def take(self, part: Part, line: str) -> Fault | None:
        self.lines.append(f"{part} {line}")
        return super().take(part, line)


@dataclass
class Replica:
    """One process and its log."""

    process: BotProcess
    log: Path

    @property
    def ready(self) -> str:
        """Where it listens; empty while it starts."""
        return next((str(event["http"]) for event in self.events if event["event"] == "ready"), "")

    @property
    def events(self) -> list[dict[str, Any]]:
        """What it has logged."""
        text = self.log.read_text("utf-8") if self.log.exists() else ""
        return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


@dataclass
class ReplicatedWorld(World):
    """The sandbox with several bots."""

    box: Sandbox
    http: aiohttp.ClientSession
    recorder: Recorder
    folder: Path
    database: str
    replicas: list[Replica] = field(default_factory=list)

    async def start(self, count: int) -> None:
        """That many more replicas, started at the same moment."""
        count_before = len(self.replicas)
        started = [await self._start(self.folder / f"log-{count_before + at}") for at in range(count)]
        await self.until(lambda: all(replica.ready for replica in started))
        self.replicas += started

    async def _start(self, log: Path) -> Replica:
        changes = {
            "REGISTRY_BOT_MODE": "http",
            "REGISTRY_BOT_DATABASE_URL": self.database,
            "SLACK_SIGNING_SECRET": self.box.environment()["SLACK_SIGNING_SECRET"],
        }
        return Replica(await start_bot(settings(self.box, self.folder, **changes), log), log)

    async def deliver(self, request: web.Request) -> web.Response:
        """Give a delivery to every replica at once; the first answer counts."""
        body, headers = await request.read(), {key: request.headers[key] for key in request.headers if key != "Host"}

        async def pass_on(replica: Replica) -> web.Response:
            async with self.http.post(f"{replica.ready}{EVENTS}", data=body, headers=headers) as answer:
                return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)

        tasks = [asyncio.create_task(pass_on(replica)) for replica in self.replicas if replica.process.lives]
        for answer in asyncio.as_completed(tasks):
            with suppress(aiohttp.ClientError):
                return await answer
        return web.Response(status=503)

    async def until(self, condition: Any) -> None:
        """Return when it holds."""
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await asyncio.sleep(0.02)

    def hold(self, line: str) -> None:
        """Let the next ARM request of this kind wait until the sandbox's clock is turned."""
        self.recorder.add(Fault("azure", line, "delay", seconds=HOLD))

    async def requested(self, line: str, times: int = 1) -> None:
        """Return when ARM got a request of this kind, so many times."""
        await self.until(lambda: len(self.requests(line)) >= times)

    def requests(self, line: str) -> list[str]:
        """What the stand-ins were asked of this kind."""
        return [request for request in self.recorder.lines if re.search(line, request)]

    @property
    def writes(self) -> list[str]:
        """What was written to Azure and to the clusters, but for what the edge writes itself."""
        return [
            request for request in self.requests("^(azure|kube) (PUT|PATCH|POST|DELETE) ") if not EDGE.search(request)
        ]

    async def runner(self, *, but: Iterable[Replica] = ()) -> Replica:
        """The replica that runs the operation, as soon as it is none of those."""
        others = {replica.process.pid: replica for replica in self.replicas if replica not in but}
        async with asyncio.timeout(PATIENCE), await psycopg.AsyncConnection.connect(self.database) as connection:
            while True:
                cursor = await connection.execute(
                    "select executor_id from dbos.workflow_status where status = 'PENDING' and name = 'run.v2'"
                )
                pids = [int(str(executor).split("-")[-2]) for (executor,) in await cursor.fetchall()]
                await connection.commit()
                if pids and pids[0] in others:
                    return others[pids[0]]
                await asyncio.sleep(0.02)


@asynccontextmanager
async def replicated(folder: Path, server: str) -> AsyncIterator[ReplicatedWorld]:
    """A world without a bot yet, on an empty database of the server."""
    name = f"bot{os.urandom(4).hex()}"
    async with await psycopg.AsyncConnection.connect(server, autocommit=True) as connection:
        await connection.execute(f"create database {name}")
    recorder = Recorder()
    async with AsyncExitStack() as stack:
        app = web.Application()
        runner = web.AppRunner(app)
        box = Sandbox(faults=recorder)
        await stack.enter_async_context(box)
        http = await stack.enter_async_context(aiohttp.ClientSession(box.url))
        world = ReplicatedWorld(box, http, recorder, folder, server.replace("/postgres?", f"/{name}?"))
        app.add_routes([web.post(EVENTS, world.deliver)])
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await world.post("/sandbox/slack/manifest", request_url=f"http://127.0.0.1:{runner.addresses[0][1]}{EVENTS}")
        try:
            yield world
        finally:
            for replica in world.replicas:
                replica.process.send(signal.SIGKILL)
                await replica.process.ended()
