"""All passwords of 50 edges are rotated while these sync and nodes pull, by a bot that is killed again and again.

The sandbox is in this process, so that its counts can be read; the bot is in one of its own.
"""

import asyncio
import random
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
import psutil

from bench import stage
from bench.edges import LIVE, carried_out, cloud_registry, edge, files, world
from bench.report import Row
from bench.traffic import Counts, Edge, Traffic, ValidPassword, traffic
from sandbox.compose import Sandbox

EDGES, CHANNELS = 50, 8
IMAGE, WORKLOAD, NAMESPACE = "nginx:1.25", "nginx", "default"
"""An image that goes on running: its Pods are replaced as an operator's are."""
ROTATIONS = {
    "token rotate": "token rotate {edge} --site {edge}",
    "workload rotate": f"token rotate {{edge}} --site {{edge}} --workload {WORKLOAD}",
}
"""By kind of operation: what alice says for each edge, in this order, and bob approves."""
APPROVAL = {"name": "rotations", "commands": [*ROTATIONS], "approvers": ["edge-approvers"], "self_approval": False}
AT_ONCE = 10
"""Edges whose passwords are being rotated."""
LIFE = (6.0, 18.0)
"""Seconds from the bot's start to its next kill, from and to."""
PAUSES = (3.0, 0.4)
"""Seconds from one minute of the sandbox's clock to the next, and from one pull to the next."""
PATIENCE = 3600.0
SAY_AGAIN = 15.0
"""Seconds after which somebody whose command left no trace says it again."""
AFTERWARDS = 2
"""Minutes for which everything goes on with the new passwords alone."""


async def measure() -> Sequence[Row]:
    """Deploy registries and workloads, then let alice and bob rotate everything."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder, made = Path(name), world(EDGES, CHANNELS)
        settings = files(folder, made, repositories=[WORKLOAD], approvals=[APPROVAL])
        async with Sandbox(made) as sandbox, aiohttp.ClientSession(sandbox.url) as http:
            box = stage.Sandbox(sandbox.environment(), http, psutil.Process())
            async with stage.Bot(box, folder, settings) as bot:
                await box.connected()
                await carried_out(box, bot, EDGES, CHANNELS, "deploy {edge} --site {site}")
                workload = f"workload deploy {{edge}} --site {{site}} --image {IMAGE}"
                await carried_out(box, bot, EDGES, CHANNELS, workload, turns=True)
                return await _rotations(box, bot, sandbox)


async def _rotations(box: stage.Sandbox, bot: stage.Bot, sandbox: Sandbox) -> Sequence[Row]:
    rng = random.Random()  # noqa: S311 - each run kills elsewhere
    edges = [Edge(edge(at), cloud_registry(at), edge(at), [(NAMESPACE, WORKLOAD)]) for at in range(EDGES)]
    async with traffic(sandbox, edges, minutes=PAUSES[0], pulls=PAUSES[1]) as running:
        before, former = running.counts, await running.passwords()
        async with asyncio.TaskGroup() as group:
            killing = group.create_task(_kill(bot, rng))
            await _rotate_all(box, bot)
            killing.cancel()
        await _goes_on(running)
        counts, passwords = running.counts.since(before), await running.passwords()
    return _rows(counts, bot.starts - 1, former, passwords)


async def _kill(bot: stage.Bot, rng: random.Random) -> None:
    """For ever: a while after its start the bot is killed, and started again."""
    while True:
        await asyncio.sleep(rng.uniform(*LIFE))
        await bot.kill()
        await bot.start()


async def _rotate_all(box: stage.Sandbox, bot: stage.Bot) -> None:
    """Both rotations of each edge, one after the other, and of several edges at a time."""
    names = iter([edge(number) for number in range(EDGES)])

    async def rotate_some() -> None:
        for name in names:
            for kind in ROTATIONS:
                await _rotate(box, bot, kind, name)

    async with asyncio.timeout(PATIENCE), asyncio.TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.create_task(rotate_some())


async def _rotate(box: stage.Sandbox, bot: stage.Bot, kind: str, name: str) -> None:
    """Let alice give the command and bob approve it; return when the operation has succeeded.

    Neither of them knows whether the bot lives, so both repeat what has left no trace.
    """
    channel = f"bench-{int(name.removeprefix('edge')) % CHANNELS}"
    clock = asyncio.get_running_loop().time
    patient_until = clock()
    while (state := _state(bot, kind, name)) != "succeeded":
        if state not in {"", "waiting", *LIVE}:
            raise ValueError(f"{kind} {name} is {state}")
        await box.connected()
        with suppress(RuntimeError):  # the bot has not acknowledged it
            if state == "waiting":
                cards = await box.messages(channel)
                for card in (card for card in cards if f"{name} at {name}: waiting for approval" in card["text"]):
                    await box.click(card, "Approve", channel=channel)
            elif not state and clock() >= patient_until:
                patient_until = clock() + SAY_AGAIN
                await box.say(ROTATIONS[kind].format(edge=name), channel=channel)
        await asyncio.sleep(0.5)


def _state(bot: stage.Bot, kind: str, name: str) -> str:
    """Of the latest operation of this kind on a connected registry; empty where there is none."""
    query = "select state from operations where kind = ? and target = ? order by created desc"
    with closing(sqlite3.connect(bot.database)) as database:
        row = database.execute(query, (kind, name)).fetchone()
    return str(row[0]) if row else ""


async def _goes_on(running: Traffic) -> None:
    """Return when there have been some more minutes."""
    cycles = running.counts.cycles
    async with asyncio.timeout(PATIENCE):
        while running.counts.cycles < cycles + AFTERWARDS * EDGES:
            await asyncio.sleep(1)


def _rows(
    counts: Counts, kills: int, former: Sequence[ValidPassword], current: Sequence[ValidPassword]
) -> Sequence[Row]:
    tokens, newest = {one.token for one in former}, max(one.created for one in former)
    rotated = {one.token for one in current if one.in_use and one.created > newest}
    unused = len([one for one in current if not one.in_use])
    cycles, pulls = counts.cycles + len(counts.missed), counts.pulls + counts.failed.total()
    return [
        Row("tokens with a new password", f"{len(rotated)} of {len(tokens)}", "all", rotated == tokens),
        Row("kill -9 of the bot meanwhile", f"{kills}"),
        Row("sync cycles missed", f"{len(counts.missed)} of {cycles}", "0", not counts.missed),
        Row("pulls refused", f"{counts.refused} of {pulls}", "0", not counts.refused),
        Row("pulls that nodes repeated while a runtime started", f"{counts.failed.total() - counts.refused}"),
        Row("passwords that are valid and that nobody uses", f"{unused} of {len(current)}", "0", not unused),
    ]
