"""On what the bot of a conversation runs.

`sqlite`: one process, Socket Mode. `postgresql`: the same on PostgreSQL. `replicas`: three processes on PostgreSQL that
Slack reaches by HTTP, through a proxy that gives each delivery to the next of them.
"""

import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

import aiohttp
import psycopg

from bench.postgres import programs
from bot.slack.app import Connection
from bot.wiring import Blueprint, Bot, open_bot
from services.model.secret import Secret
from services.operations.engine import open_engine
from services.store import open_store
from tests.flows.replicas import Replica, RoundRobin, replicas, round_robin

Place = Literal["sqlite", "postgresql", "replicas"]
PLACES: tuple[Place, ...] = ("sqlite", "postgresql", "replicas")
OTHERS = 2
"""Replicas beside the one in the test's own process."""
TEMPLATE = "used"
"""A database on which a bot was started before: at the first start the engine takes up to a second for its queue."""
_FILES: dict[str, bytes] = {}
"""The same on SQLite."""


@dataclass(frozen=True)
class Hosting:
    """One of the places, with the address of the PostgreSQL server that it needs."""

    place: Place
    server: str = ""

    @asynccontextmanager
    async def database(self, folder: Path) -> AsyncIterator[str]:
        """The address of one for a test alone, with this version's tables."""
        if not self.server:
            if not _FILES:
                with TemporaryDirectory() as first:
                    await _use(f"sqlite:///{first}/bot.db")
                    _FILES.update(_contents(Path(first)))
            for name, content in _FILES.items():
                (folder / name).write_bytes(content)
            yield f"sqlite:///{folder / 'bot.db'}"
            return
        name = f"bot{os.urandom(4).hex()}"
        async with await psycopg.AsyncConnection.connect(self.server, autocommit=True) as connection:
            cursor = await connection.execute("select 1 from pg_database where datname = %s", [TEMPLATE])
            if await cursor.fetchone() is None:
                await connection.execute(f"create database {TEMPLATE}")
                await _use(_database(self.server, TEMPLATE))
            await connection.execute(f"create database {name} template {TEMPLATE}")
        yield _database(self.server, name)
        # By a connection of its own: a test may have stopped the server meanwhile.
        async with await psycopg.AsyncConnection.connect(self.server, autocommit=True) as connection:
            await connection.execute(f"drop database {name} with (force)")

    @asynccontextmanager
    async def reached_by(
        self, http: aiohttp.ClientSession, signing_secret: str, plan: Blueprint
    ) -> AsyncIterator[tuple[Blueprint, RoundRobin | None]]:
        """The blueprint with the mode in which Slack reaches the bot here; and the proxy, which Slack then knows."""
        if self.place != "replicas":
            yield plan, None
            return
        async with round_robin() as proxy:
            async with http.post("/sandbox/slack/manifest", json={"request_url": proxy.url}) as answer:
                assert answer.ok
            connection = Connection("http", plan.connection.bot_token, signing_secret=Secret(signing_secret))
            yield replace(plan, connection=connection), proxy


CURRENT: list[Hosting] = [Hosting("sqlite")]
"""The one of the test that runs, alone in the list: most conversations don't say where they take place."""


async def open_bots(
    plan: Blueprint, proxy: RoundRobin | None, folder: Path, life: AsyncExitStack
) -> tuple[Bot, list[Replica]]:
    """The bot in this process, and where there is a proxy those beside it; they stop with `life`, these first."""
    bot = await life.enter_async_context(open_bot(plan))
    if proxy is None:
        return bot, []
    others = await life.enter_async_context(replicas(plan, OTHERS, folder))
    proxy.replicas[:] = [bot.http.url, *(replica.url for replica in others)]
    life.callback(proxy.replicas.clear)
    return bot, others


def dump(database_url: str) -> bytes:
    """Everything in a database of PostgreSQL, as text."""
    command: list[str | Path] = [programs() / "pg_dump", "--dbname", database_url]
    return subprocess.run(command, check=True, capture_output=True).stdout


def _contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _database(server: str, name: str) -> str:
    return server.replace("/postgres?", f"/{name}?")


async def _use(url: str) -> None:
    await (await open_store(url)).close()
    nothing: Any = None  # is ever asked of it
    await (await open_engine(url, nothing)).close()
