"""How long Slack waits for the acknowledgement of a slash command; it gives up after three seconds.

Taken inside the sandbox, from an envelope's sending to its acknowledgement's arrival. The commands are acted on too:
each reads Azure and answers.
"""

import asyncio
from collections.abc import Sequence

from bench.report import Row, percentile
from bench.stage import Sandbox, stage, world

COMMAND = "list"
"""Reads the list of connected registries from Azure for every site."""
WARM_UP, ALONE, AT_ONCE, ROUNDS = 20, 200, 100, 10
P50, P99 = 100, 1000
MEDIAN, LAST = 50, 99


async def measure() -> Sequence[Row]:
    """One after the other, and many people at once."""
    async with stage(world()) as (box, _bot):
        await _taken(box, WARM_UP, 1)
        await _taken(box, AT_ONCE, AT_ONCE)
        alone = await _taken(box, ALONE, 1)
        crowd = [each for _ in range(ROUNDS) for each in await _taken(box, AT_ONCE, AT_ONCE)]
    p50, p99 = percentile(crowd, MEDIAN), percentile(crowd, LAST)
    title = f"acknowledgement, {AT_ONCE} commands at once"
    return [
        Row("acknowledgement, one command at a time, p50", f"{percentile(alone, MEDIAN):.1f} ms"),
        Row("the same, p99", f"{percentile(alone, LAST):.1f} ms (n {len(alone)})"),
        Row(f"{title}, p50", f"{p50:.0f} ms", f"< {P50} ms", p50 < P50),
        Row("the same, p99", f"{p99:.0f} ms (n {len(crowd)}, most {max(crowd):.0f} ms)", f"< {P99} ms", p99 < P99),
    ]


async def _taken(box: Sandbox, count: int, at_once: int) -> list[float]:
    """Milliseconds of so many commands; returns when all were answered."""
    await box.forget("slack/acknowledgements")
    typed = len(await box.messages(as_="alice"))
    room = asyncio.Semaphore(at_once)

    async def say() -> None:
        async with room:
            await box.say(COMMAND)

    await asyncio.gather(*(say() for _ in range(count)))
    while len(await box.messages(as_="alice")) < typed + 2 * count:
        await asyncio.sleep(0.05)
    acknowledgements = (await box.get("slack/acknowledgements"))["acknowledgements"]
    return [each["seconds"] * 1000 for each in acknowledgements if each["type"] == "slash_commands"]
