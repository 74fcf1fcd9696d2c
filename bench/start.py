"""From the process's start to ready, on an empty database and on a used one; and from a kill to running again."""

import asyncio
import re
import statistics
import time
from collections.abc import Sequence

from bench.report import Row, spread
from bench.stage import LOOK, PATIENCE, Sandbox, stage, world

FIRST, AGAIN, KILLS = 3, 5, 3
READY, RUNNING = 5.0, 30.0
STEPS = re.compile("importImage|operationResults|operationStatuses")
"""Requests that only the steps of a deployment make."""


async def measure() -> Sequence[Row]:
    """`/readyz` says ready when Slack can reach the bot and everything behind it is open."""
    first = [await _first() for _ in range(FIRST)]
    again = await _again()
    killed = [await _killed() for _ in range(KILLS)]
    return [
        Row("start to ready, empty database", spread(first, "s"), f"< {READY:g} s", statistics.median(first) < READY),
        Row("start to ready, used database", spread(again, "s"), f"< {READY:g} s", statistics.median(again) < READY),
        Row(
            "kill -9 in a deployment to its next change", spread(killed, "s"), f"< {RUNNING:g} s", max(killed) < RUNNING
        ),
    ]


async def _first() -> float:
    async with stage(world()) as (_box, bot):
        return bot.started_in


async def _again() -> list[float]:
    async with stage(world()) as (_box, bot):
        times = []
        for _ in range(AGAIN):
            await bot.kill()
            times.append(await bot.start())
        return times


async def _killed() -> float:
    """Seconds from the kill (and start at once, as a service manager does) until the deployment goes on.

    It goes on when the bot asks Azure about it again; at the end it has to be online, or there is no figure.
    """
    async with stage(world(), speed="people") as (box, bot):
        await box.say("deploy edge0001 --site berlin")
        card = await box.message("waiting for approval")
        await box.click(card, "Approve")
        await _is_under_way(box)
        async with box.page() as page:
            began = time.perf_counter()
            await bot.kill()
            await box.forget("azure/requests")
            await bot.start()
            await _is_under_way(box)
            took = time.perf_counter() - began
            await page.shows("online, approved by bob")
        return took


async def _is_under_way(box: Sandbox) -> None:
    """Return when the bot asks Azure how what it began is doing, or begins the next thing."""
    async with asyncio.timeout(PATIENCE):
        while not any(STEPS.search(one["path"]) for one in (await box.get("azure/requests"))["requests"]):
            await asyncio.sleep(LOOK)
