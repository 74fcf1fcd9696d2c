"""Further bots on the database of a conversation's own one, each in a process, and a proxy before all of them.

The durable engine is one a process, so only one bot can live in a test's process. The processes are forked from a
server that has imported the bot already: they start in a tenth of a second, and no thread of the test is copied.
"""

import asyncio
import multiprocessing
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection as Pipe
from multiprocessing.process import BaseProcess
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from bot import logs
from bot.slack.app import PATH
from bot.wiring import Blueprint, open_bot
from sandbox.testing import loopback
from services.model.secret import Secret
from services.operations.procedure import Procedures

PATIENCE = 60
"""Seconds for a replica to start, to answer or to end."""
_SERVER = multiprocessing.get_context("forkserver")
_SERVER.set_forkserver_preload([__name__])


class Time:
    """What the bots take for now, for what the calendar decides: one moment for all replicas of a conversation."""

    def __init__(self, ahead: timedelta = timedelta()) -> None:
        self._seconds = _SERVER.RawValue("d", ahead.total_seconds())

    @property
    def ahead(self) -> timedelta:
        """By how much it is later than on this machine's clock."""
        return timedelta(seconds=self._seconds.value)

    @ahead.setter
    def ahead(self, ahead: timedelta) -> None:
        self._seconds.value = ahead.total_seconds()

    def now(self) -> datetime:
        """The current moment."""
        return datetime.now(UTC) + self.ahead


@dataclass
class Replica:
    """A bot in a process of its own."""

    process: BaseProcess
    pipe: Pipe
    url: str = ""

    async def receive(self) -> Any:
        """What it answers; raises `EOFError` when it has ended, and its log says why."""
        readable, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self.pipe.fileno(), readable.set)
        try:
            async with asyncio.timeout(PATIENCE):
                await readable.wait()
        finally:
            loop.remove_reader(self.pipe.fileno())
        return self.pipe.recv()

    async def is_busy(self) -> bool:
        """Whether it works on a delivery, or has not shown everything that changed."""
        self.pipe.send("busy?")
        return bool(await self.receive())

    async def stop(self) -> None:
        """Let it end as at SIGTERM."""
        self.pipe.close()
        ended, loop = asyncio.Event(), asyncio.get_running_loop()
        loop.add_reader(self.process.sentinel, ended.set)
        try:
            async with asyncio.timeout(PATIENCE):
                await ended.wait()
        finally:
            loop.remove_reader(self.process.sentinel)
            self.process.kill()
        self.process.join()


@asynccontextmanager
async def replicas(plan: Blueprint, count: int, folder: Path) -> AsyncIterator[list[Replica]]:
    """That many bots, ready; each has its log in the folder. They stop at the end, all at once."""
    # In a thread: the first one waits until the server has imported the bot, and the bot of the test must not stand still.
    started = [await asyncio.to_thread(_start, plan, folder) for _ in range(count)]
    try:
        for replica in started:
            replica.url = await replica.receive()
        yield started
    finally:
        await asyncio.gather(*(replica.stop() for replica in started))


def _start(plan: Blueprint, folder: Path) -> Replica:
    log = folder / f"bot-replica-{len(list(folder.glob('bot-replica-*')))}.log"
    log.touch()
    ours, theirs = _SERVER.Pipe()
    process = _SERVER.Process(target=_live, args=(plan, theirs, log), daemon=True)
    process.start()
    theirs.close()
    return Replica(process, ours)


def _live(plan: Blueprint, pipe: Pipe, log: Path) -> None:
    """A replica's process, from its start to its end."""
    loopback.install()
    with log.open("wb") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    logs.set_up("json", "debug")
    asyncio.run(_serve(plan, pipe))


async def _serve(plan: Blueprint, pipe: Pipe) -> None:
    """Run the bot until the other end of the pipe is closed, also by the end of the test's process."""
    closed = asyncio.Event()
    async with open_bot(plan) as bot:

        def answer() -> None:
            try:
                pipe.recv()
            except EOFError:
                loop.remove_reader(pipe.fileno())
                closed.set()
            else:
                pipe.send(bot.slack.busy or bot.board.waiting)

        loop = asyncio.get_running_loop()
        loop.add_reader(pipe.fileno(), answer)
        pipe.send(bot.http.url)
        await closed.wait()


# --- what a blueprint may hold on its way into a process ------------------------------------------------------------


def _procedures(module: str) -> Procedures:
    procedures: Procedures = __import__(module, fromlist=["PROCEDURES"]).PROCEDURES
    return procedures


def _by_module(procedures: Procedures) -> tuple[Any, ...]:
    """The steps of procedures are closures, so the other process imports them."""
    modules = list(sys.modules.items())
    return _procedures, (next(name for name, module in modules if getattr(module, "PROCEDURES", None) is procedures),)


ForkingPickler.register(Procedures, _by_module)
# A secret refuses to be written anywhere; between the processes of a test it goes through memory alone.
ForkingPickler.register(Secret, lambda secret: (Secret, (secret.reveal(),)))


# --- the proxy ------------------------------------------------------------------------------------------------------


@dataclass
class RoundRobin:
    """Gives each delivery of Slack to the next replica, as a load balancer does."""

    http: aiohttp.ClientSession
    replicas: list[str] = field(default_factory=list)
    """Addresses of those that listen."""
    url: str = ""
    """Of the proxy's own route."""
    _turn: int = 0

    async def deliver(self, request: web.Request) -> web.Response:
        """Pass one on; 503 where no replica listens."""
        body, headers = await request.read(), {key: request.headers[key] for key in request.headers if key != "Host"}
        if not self.replicas:
            return web.Response(status=503)
        self._turn += 1
        replica = self.replicas[self._turn % len(self.replicas)]
        async with self.http.post(f"{replica}{PATH}", data=body, headers=headers) as answer:
            return web.Response(status=answer.status, body=await answer.read(), content_type=answer.content_type)


@asynccontextmanager
async def round_robin() -> AsyncIterator[RoundRobin]:
    """A proxy that listens, without replicas yet."""
    async with aiohttp.ClientSession() as http:
        proxy = RoundRobin(http)
        app = web.Application()
        app.add_routes([web.post(PATH, proxy.deliver)])
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            proxy.url = f"http://127.0.0.1:{runner.addresses[0][1]}{PATH}"
            yield proxy
        finally:
            await runner.cleanup()
