"""At which of a fleet's clusters each connected registry runs: what a question to all of them asks of ARM first."""

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from bench import stage
from bench.fleet import SEED
from bench.polling import DAYS
from bench.report import Row
from bench.sites import sites
from sandbox.fleet.script import plan

REGISTRIES, ACRS = 1_000, 20
SECONDS = 30.0
DOCUMENTED = {"reads": 250, "refill": 25}
"""ARM's bucket of reads for a subscription and a principal, and what comes back each second (Learn: request limits)."""


async def measure() -> Sequence[Row]:
    """The first `list` after a start, where ARM answers all at once and where it has its documented bucket."""
    return [row for limits in ({}, DOCUMENTED) for row in await _listed(limits)]


async def _listed(limits: Mapping[str, int]) -> list[Row]:
    made = stage.world()
    made["azure"] |= {"fleet": f"{REGISTRIES}x{ACRS}@{SEED}"}
    clusters = plan(SEED, REGISTRIES, ACRS, 0, DAYS).clusters
    by_acr = sites({"clusters": {cluster: {"registries": list(keys)} for cluster, keys in clusters.items()}})
    written = {"environment", "subscription", "resource_group", "acr", "cluster"}
    document = {
        site.name: site.model_dump(mode="json", include=written) for acr in by_acr.values() for site in acr.values()
    }
    with TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "sites.yaml"
        file.write_text(yaml.safe_dump({"sites": document}), encoding="utf-8")
        async with stage.stage(made, settings={"REGISTRY_BOT_SITES": str(file)}) as (box, _):
            await box.connected()
            if limits:
                await box.post("azure/throttle", **limits)
            await box.forget("azure/requests")
            began = time.perf_counter()
            await box.say("list")
            await box.message(f"{REGISTRIES} connected registries", as_="alice")
            seconds = time.perf_counter() - began
            requests = (await box.get("azure/requests"))["requests"]
    arm = "documented bucket of reads" if limits else "no limit"
    what = f"first `list` of {REGISTRIES:,} connected registries at {len(document)} clusters, {arm}"
    return [
        Row(what, f"{seconds:.1f} s", f"< {SECONDS:g} s", seconds < SECONDS),
        Row("its requests to ARM", str(len(requests))),
    ]
