"""How many commands a second are answered while 99 of 100 answers arrive within a second.

So many people type at the same time, each in a channel of their own and again as soon as the answer is there. The
command reads the database alone: how fast Azure answers is not the bot's.
"""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from bench import stage
from bench.places import Place, place
from bench.report import Row, percentile
from bench.stage import FOREVER, Sandbox

COMMAND = "operation list"
CROWDS = (1, 4, 16, 32, 64, 128)
SECONDS = 8.0
"""For which each crowd types."""
LAST, LIMIT = 99, 1.0


async def measure(on: str) -> Sequence[Row]:
    """The highest rate at which the limit holds, and what every crowd gets."""
    async with place(on, stage.world(channels=max(CROWDS))) as there:
        await _crowd(there, max(CROWDS))
        crowds = {size: await _crowd(there, size) for size in CROWDS}
    within = [rate for rate, last, _ in crowds.values() if last < LIMIT]
    text = "; ".join(f"{size}: {rate:.0f}/s, {last:.2f} s" for size, (rate, last, _) in crowds.items())
    processor = "; ".join(f"{size}: {taken * 1000:.0f} ms" for size, (_, _, taken) in crowds.items())
    return [
        Row(f"commands a second with p99 < {LIMIT:g} s", f"{max(within, default=0):.0f}"),
        Row("people at once: commands a second, p99", text),
        Row("people at once: processor time, each command", processor),
    ]


async def _crowd(there: Place, size: int) -> tuple[float, float, float]:
    """Answered commands a second, the seconds within which 99 of 100 are answered, and the processor's for each."""
    before = there.processor
    async with answers(there.box, size) as queues:
        began = time.perf_counter()

        async def type_on(number: int) -> list[float]:
            taken: list[float] = []
            while time.perf_counter() - began < SECONDS:
                typed = time.perf_counter()
                await there.box.say(COMMAND, channel=f"bench-{number}")
                await queues[number].get()
                taken.append(time.perf_counter() - typed)
            return taken

        async with asyncio.timeout(SECONDS + stage.PATIENCE):
            seconds = [each for some in await asyncio.gather(*map(type_on, range(size))) for each in some]
        rate = len(seconds) / (time.perf_counter() - began)
        return rate, percentile(seconds, LAST), (there.processor - before) / len(seconds)


@asynccontextmanager
async def answers(box: Sandbox, channels: int) -> AsyncIterator[list[asyncio.Queue[None]]]:
    """What arrives on alice's page from the bot, by channel."""
    queues = [asyncio.Queue[None]() for _ in range(channels)]
    places = {f"C0BENCH{number}": queue for number, queue in enumerate(queues)}
    async with box.http.get("/sandbox/slack/events", params={"as": "alice"}, timeout=FOREVER) as stream:

        async def read() -> None:
            async for line in stream.content:
                message = (
                    json.loads(line.removeprefix(b"data: ")).get("message") if line.startswith(b"data: ") else None
                )
                if message and "bot_id" in message and message["channel"] in places:
                    places[message["channel"]].put_nowait(None)

        reading = asyncio.create_task(read())
        try:
            yield queues
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
