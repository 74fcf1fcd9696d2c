"""Memory of the bot: idle, and with a thousand operations that wait for approval, all asked for by real commands."""

import asyncio
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from subprocess import PIPE

import psutil

from bench.report import Row, spread
from bench.stage import LOOK, PATIENCE, Bot, Sandbox, stage, world

OPERATIONS, CHANNELS = 1000, 100
"""Slack takes about one post a second and channel, so their cards are spread over many."""
AT_ONCE = 12
"""Commands whose planning may be under way at once: what a large team types, not a storm."""
IDLE, MORE = 120, 50
MIB = 2**20
PACKAGES = (
    "slack_bolt.async_app",
    "slack_bolt.adapter.socket_mode.aiohttp",
    "azure.identity.aio",
    "azure.mgmt.containerregistry.aio",
    "azure.mgmt.kubernetesconfiguration.aio",
    "kubernetes.aio.client",
    "apscheduler.schedulers.asyncio",
    "dbos",
    "sqlalchemy.ext.asyncio",
    "aiosqlite",
)
"""The clients of Slack, Azure and Kubernetes, the scheduler, and the durable engine with its database."""
SETTLE, WATCHED = 3.0, 10.0
"""Seconds to come to rest, and for which processor time is counted."""


async def measure() -> Sequence[Row]:
    """Resident memory and processor time, before and while they wait, and the time until a command is answered."""
    async with stage(world(channels=CHANNELS)) as (box, bot):
        await asyncio.sleep(SETTLE)
        first = _resident(bot)
        # Only a start that migrates the database loads Alembic.
        await bot.kill()
        await bot.start()
        await asyncio.sleep(SETTLE)
        idle, idle_load = _resident(bot), await _load(bot)
        await _warm(box)
        warm = _resident(bot)
        began = time.perf_counter()
        await _ask(box, bot)
        seconds = time.perf_counter() - began
        await asyncio.sleep(SETTLE)
        full, load = _resident(bot), await _load(bot)
        answers = [await _answered(box) for _ in range(10)]
        await bot.kill()
        again = await bot.start()
        await asyncio.sleep(SETTLE)
        restarted = _resident(bot)
    growth = full - idle
    packages = _imported()
    return [
        Row("memory, idle", f"{idle:.0f} MiB", f"< {IDLE} MiB", idle < IDLE),
        Row("the packages alone, imported into an empty process", f"{packages:.0f} MiB"),
        Row("memory after the start that made the tables", f"{first:.0f} MiB"),
        Row("memory after the first deployment was planned", f"{warm:.0f} MiB"),
        Row(f"memory with {OPERATIONS:,} operations waiting", f"{full:.0f} MiB"),
        Row("above idle", f"{growth:.0f} MiB", f"< {MORE} MiB", growth < MORE),
        Row("processor time of one core, idle", f"{idle_load:.1f} %"),
        Row("the same while they wait", f"{load:.1f} %"),
        Row("a command answered while they wait", spread(answers, "s", 3)),
        Row(f"asking for and planning {OPERATIONS:,} operations", f"{seconds:.0f} s"),
        Row(f"restart with {OPERATIONS:,} operations waiting, to ready", f"{again:.2f} s", "< 5 s", again < 5),  # noqa: PLR2004 - said beside it
        Row("memory after that restart", f"{restarted:.0f} MiB"),
    ]


async def _ask(box: Sandbox, bot: Bot) -> None:
    """Ask for all of them and wait until all wait."""
    for number in range(OPERATIONS):
        await box.say(f"deploy edge{number:04d} --site berlin", channel=f"bench-{number % CHANNELS}")
        await _until_waiting(bot, number - AT_ONCE)
    await _until_waiting(bot, OPERATIONS)


async def _until_waiting(bot: Bot, count: int) -> None:
    """Return when so many wait; raises RuntimeError with the states of all when they don't come to it."""
    try:
        async with asyncio.timeout(PATIENCE):
            while (states := _states(bot)).get("waiting", 0) < count:
                await asyncio.sleep(LOOK)
    except TimeoutError:
        raise RuntimeError(f"{count} operations should wait, and there are: {states}") from None


async def _warm(box: Sandbox) -> None:
    """One dry run: what the first use of every client loads is no operation's share."""
    async with box.page("alice") as page:
        await box.say("deploy warm0001 --site berlin --dry-run")
        await page.shows("dry run")
    await asyncio.sleep(SETTLE)


async def _answered(box: Sandbox) -> float:
    """Seconds from the typed command to its answer."""
    async with box.page("alice") as page:
        began = time.perf_counter()
        await box.say("operation list")
        await page.shows("operations, newest first")
        return time.perf_counter() - began


def _states(bot: Bot) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{bot.database}?mode=ro", uri=True)) as database:
        return dict(database.execute("select state, count(*) from operations where not dry_run group by state"))


def _resident(bot: Bot) -> float:
    return float(bot.process.memory_info().rss) / MIB


def _imported() -> float:
    """Resident memory of a process that has imported the packages and does nothing, in MiB."""
    code = f"import sys, {', '.join(PACKAGES)}; print(flush=True); sys.stdin.read()"
    with psutil.Popen([sys.executable, "-c", code], stdin=PIPE, stdout=PIPE) as process:
        process.stdout.readline()
        return float(process.memory_info().rss) / MIB


async def _load(bot: Bot) -> float:
    """Per cent of one core."""
    process = bot.process
    before = process.cpu_times()
    await asyncio.sleep(WATCHED)
    after = process.cpu_times()
    return (after.user + after.system - before.user - before.system) / WATCHED * 100
