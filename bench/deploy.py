"""A whole deployment, from the approver's click to the finished card, beside its floor."""

import asyncio
import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.floor import floor
from bench.report import Row, spread
from bench.stage import FLOOR, Sandbox, stage, world

PAIRS, SLOW_PAIRS, UNREGISTERED = 6, 2, 2
"""Of pairs an even number: bot and floor take turns at being first."""
WARMING = f"{FLOOR}0"
"""Where one deployment is made beforehand: the sandbox's own first requests of each kind take longest."""
OVERHEAD, OVERSHOOT, REQUESTS = 0.35, 1.0, 18
WARM = 1.5
"""Seconds after which the engine's queue of a fresh database is looked at: it finds new queues once a second."""


@dataclass(frozen=True)
class Run:
    """One deployment by the bot, and the floor beside it (0: none)."""

    planning: int
    """ARM requests before the approval."""
    requests: int
    """ARM requests from the click on."""
    seconds: float
    floor: float = 0
    floor_requests: int = 0

    @property
    def own(self) -> float:
        """Seconds beyond the floor."""
        return self.seconds - self.floor


async def measure() -> Sequence[Row]:
    """At immediate speed, with providers registered and not, and at the speed of people."""
    fast = [await _pair(floor_first=bool(number % 2)) for number in range(PAIRS)]
    unregistered = [await _alone() for _ in range(UNREGISTERED)]
    slow = [await _slow() for _ in range(SLOW_PAIRS)]
    own, over = [run.own for run in fast], [run.own for run in slow]
    ratio = [run.seconds / run.floor for run in fast]
    # One more where the extension takes longer than its first look is away.
    requests = statistics.median(run.requests for run in fast)
    return [
        Row("deployment, click to finished card", spread([run.seconds for run in fast], "s")),
        Row("its floor: the same requests, nothing around them", spread([run.floor for run in fast], "s")),
        Row("own overhead (pair by pair)", spread(own, "s"), f"< {OVERHEAD:g} s", statistics.median(own) < OVERHEAD),
        Row("deployment / floor (pair by pair)", spread(ratio, "times", 1)),
        Row("ARM requests from the click on", _counts(fast), f"at most {REQUESTS}", requests <= REQUESTS),
        Row("ARM requests while planning, before the approval", _range([run.planning for run in fast])),
        Row("ARM requests of the floor", _range([run.floor_requests for run in fast])),
        Row("deployment, providers not registered", spread([run.seconds for run in unregistered], "s")),
        Row("ARM requests from the click on, providers not registered", _counts(unregistered)),
        Row("deployment at the speed of people", spread([run.seconds for run in slow], "s")),
        Row("its floor, asking every 0.05 s", spread([run.floor for run in slow], "s")),
        Row("overshoot", spread(over, "s"), f"at most {OVERSHOOT:g} s", statistics.median(over) <= OVERSHOOT),
        Row("ARM requests at the speed of people", _counts(slow)),
    ]


async def _pair(*, floor_first: bool) -> Run:
    floors = (FLOOR, WARMING)
    async with stage(world(floors=floors)) as (box, _bot), floor(box) as bare, floor(box, WARMING) as warming:
        await warming.deploy()
        below = await bare.deploy() if floor_first else 0.0
        run = await _deploy(box)
        below = below or await bare.deploy()
        return Run(run.planning, run.requests, run.seconds, below, bare.requests)


async def _alone() -> Run:
    async with stage(world(registered=False)) as (box, _bot):
        return await _deploy(box)


async def _slow() -> Run:
    """Both at once, each at its own cluster and cloud registry: they wait nearly all the time."""
    async with stage(world(), speed="people") as (box, _bot), floor(box) as bare:
        run, below = await asyncio.gather(_deploy(box), bare.deploy())
        return Run(run.planning, run.requests, run.seconds, below, bare.requests)


async def _deploy(box: Sandbox) -> Run:
    await asyncio.sleep(WARM)
    before = await _requests(box)
    await box.say("deploy edge0001 --site berlin")
    card = await box.message("waiting for approval")
    planned = await _requests(box)
    async with box.page() as page:
        began = time.perf_counter()
        await box.click(card, "Approve")
        await page.shows("online, approved by bob")
        took = time.perf_counter() - began
    return Run(planned - before, await _requests(box) - planned, took)


async def _requests(box: Sandbox) -> int:
    """ARM requests about berlin so far: those of the floor name its own cloud registry and cluster."""
    requests = (await box.get("azure/requests"))["requests"]
    ours = box.environment["AZURE_CLIENT_ID"]
    return sum(one["principal"] == ours and "floor" not in one["path"].lower() for one in requests)


def _range(counts: Sequence[int]) -> str:
    """`19`, or `19 to 21`."""
    least, largest = min(counts), max(counts)
    return str(least) if least == largest else f"{least} to {largest}"


def _counts(runs: Sequence[Run]) -> str:
    return _range([run.requests for run in runs])
