"""10,000 connected registries in 200 cloud registries, all watched by one channel and polled each minute.

The site file has a site for each cloud registry: a watch polls all of it, whatever the number of its sites.
"""

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from bench import stage
from bench.fleet import LIST, SEED
from bench.places import Place, place, twice
from bench.report import Row
from bench.sites import sites
from sandbox.fleet.script import plan

SIZES = ((5_000, 100), (10_000, 200))
"""Connected registries, and the cloud registries that they are in."""
DAYS = 7
"""That a sandbox's fleet lasts."""
PAGE = 50
"""Connected registries on a page of Azure's answer: one page a cloud registry."""
MINUTES = 2
"""That are measured, after each was polled once: the first poll learns everything."""
FIRST = 400.0
"""Seconds within which each has been polled once."""
HALF_A_CORE = 50.0
AGE = re.compile(r"^registry_bot_poll_age_seconds\{.*\} (\S+)$", re.MULTILINE)


@dataclass(frozen=True)
class Figures:
    """Of the minutes after the first."""

    requests: float
    """For lists of connected registries, a minute."""
    age: float
    """Seconds since the last poll of the cloud registry that waits longest."""
    shares: list[float]
    """Per cent of one core, of each process."""
    resident: float
    """MiB of the largest process."""


async def measure(on: str) -> Sequence[Row]:
    """Both sizes."""
    small, large = [await _polled(on, registries, acrs) for registries, acrs in SIZES]
    rows: list[Row] = []
    for (registries, acrs), figures in zip(SIZES, (small, large), strict=True):
        what = f"{registries:,} connected registries in {acrs}"
        total, shares = sum(figures.shares), " + ".join(f"{share:.1f}" for share in figures.shares)
        requests = f"{figures.requests:.0f}; {figures.age:.0f} s"
        rows += [
            Row(f"{what}: list requests a minute; oldest poll", requests, f"{acrs}; -"),
            Row(
                f"{what}: processor of one core, by process",
                f"{shares} %",
                f"< {HALF_A_CORE:.0f} %",
                total < HALF_A_CORE,
            ),
            Row(f"{what}: memory of the largest process", f"{figures.resident:.0f} MiB"),
        ]
    processor, memory = (sum(small.shares), sum(large.shares)), (small.resident, large.resident)
    return [*rows, twice("connected registries", processor=processor, memory=memory)]


async def _polled(on: str, registries: int, acrs: int) -> Figures:
    made = stage.world()
    made["azure"] |= {"fleet": f"{registries}x{acrs}@{SEED}", "page_size": PAGE}
    clusters = plan(SEED, registries, acrs, 0, DAYS).clusters
    by_acr = sites({"clusters": {cluster: {"registries": list(keys)} for cluster, keys in clusters.items()}})
    written = {"environment", "subscription", "resource_group", "acr", "cluster"}
    first = [next(iter(some.values())) for some in by_acr.values()]
    document = {site.name: site.model_dump(mode="json", include=written) for site in first}
    with TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "sites.yaml"
        file.write_text(yaml.safe_dump({"sites": document}), encoding="utf-8")
        settings = {"REGISTRY_BOT_SITES": str(file), "REGISTRY_BOT_WATCH_INTERVAL": "PT1M"}
        async with place(on, made, settings) as there:
            await there.box.say("watch all --alerts on")
            async with asyncio.timeout(FIRST):
                while len(set(await _lists(there))) < acrs:
                    await asyncio.sleep(1)
            await there.box.forget("azure/requests")
            before = there.processors
            await asyncio.sleep(60 * MINUTES)
            shares = [(now - then) / (60 * MINUTES) * 100 for then, now in zip(before, there.processors, strict=True)]
            requests = len(await _lists(there)) / MINUTES
            ages = [float(age) for age in AGE.findall(await there.bots[0].page("/metrics"))]
            return Figures(requests, max(ages), shares, there.resident)


async def _lists(there: Place) -> list[str]:
    """The paths of list requests that ARM saw since they were last forgotten."""
    requests = (await there.box.get("azure/requests"))["requests"]
    return [request["path"].lower() for request in requests if request["path"].lower().endswith(LIST)]
