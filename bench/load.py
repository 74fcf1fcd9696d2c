"""Operations over 200 sites, asked for by real commands: how long until all have ended, and what that takes.

Each creates a connected registry in the cloud registry of its site, five in each at 1,000 operations. Nobody has to
approve them. Slack takes 50 edits a minute and about one post a second and channel, so the last cards are shown long
after the last operation has ended.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from bench import stage
from bench.places import Place, place, twice
from bench.report import Row
from bench.sites import SUBSCRIPTION

SITES, CHANNELS = 200, 100
SIZES = (500, 1_000)
AT_ONCE = 12
"""Operations that are asked for and not planned yet: what a large team types, not a storm."""
LATE = 10.0
"""Seconds that a command may take whose acknowledgement Slack no longer waited for, before it is typed again."""
PATIENCE = 1_800.0


@dataclass(frozen=True)
class Figures:
    """What one load took."""

    asked: float
    """Seconds until the last operation was asked for."""
    ended: float
    """Seconds until the last one ended."""
    processor: float
    """Seconds of processor time of all bots."""
    succeeded: int
    arm: int
    """Requests, and those to the API servers of clusters."""
    kubernetes: int
    late: int
    """Commands that were not acknowledged within Slack's three seconds."""
    slack: int
    """Calls, and among them new messages and edits."""
    posts: int
    edits: int
    behind: int
    """Cards that did not show their last state when the last operation ended."""
    resident: float
    """MiB of the largest process at the end."""


async def measure(on: str) -> Sequence[Row]:
    """Each size in a world of its own."""
    rows: list[Row] = []
    figures = [await _load(on, size) for size in SIZES]
    for size, taken in zip(SIZES, figures, strict=True):
        what = f"{size:,} operations over {SITES} sites"
        requests = "; ".join(f"{count / size:.1f}" for count in (taken.arm, taken.kubernetes, taken.slack))
        posts, edits = taken.posts / taken.ended * 60, taken.edits / taken.ended * 60
        rows += [
            Row(f"{what}: asked for; all ended", f"{taken.asked:.0f} s; {taken.ended:.0f} s"),
            Row(f"{what}: processor time, each", f"{taken.processor / size:.2f} s"),
            Row(f"{what}: requests to ARM; to clusters; to Slack, each", requests),
            Row(f"{what}: posts a minute; edits a minute", f"{posts:.0f}; {edits:.0f}"),
            Row(f"{what}: that succeeded", f"{taken.succeeded:,}", f"{size:,}", taken.succeeded == size),
            Row(f"{what}: commands acknowledged too late", f"{taken.late}", "0", taken.late == 0),
            Row(f"{what}: cards that Slack's limits hold up then", f"{taken.behind}"),
            Row(f"{what}: memory of the largest process", f"{taken.resident:.0f} MiB"),
        ]
    small, large = figures
    time_taken, processor = (small.ended, large.ended), (small.processor, large.processor)
    memory = (small.resident, large.resident)
    return [*rows, twice("operations", time=time_taken, processor=processor, memory=memory)]


async def _load(on: str, size: int) -> Figures:
    with TemporaryDirectory(prefix="bench-") as folder:
        async with place(on, _world(), _settings(Path(folder))) as there:
            before, began, late = there.processor, time.perf_counter(), 0
            for number in range(size):
                late += await _ask(there, number)
                await _planned(there, number - AT_ONCE)
            asked = time.perf_counter() - began
            succeeded = await there.ended(size, PATIENCE)
            ended, processor = time.perf_counter() - began, there.processor - before
            return Figures(
                asked,
                ended,
                processor,
                succeeded,
                arm=await there.counted("arm_requests_total"),
                kubernetes=await there.counted("kubernetes_requests_total"),
                late=late,
                slack=await there.counted("slack_calls_total"),
                posts=await there.counted("slack_calls_total", 'method="chat.postMessage"'),
                edits=await there.counted("slack_calls_total", 'method="chat.update"'),
                behind=len(await there.store.messages.operations_behind()),
                resident=there.resident,
            )


async def _ask(there: Place, number: int) -> bool:
    """Type one command, again where it got lost; whether Slack gave it up."""
    target, channel = f"edge{number:04}", f"bench-{number % CHANNELS}"
    line = f"create {target} --site site-{number % SITES:03}"
    try:
        await there.box.say(line, channel=channel)
    except RuntimeError:
        with suppress(TimeoutError):
            async with asyncio.timeout(LATE):
                while not await there.store.operations.find(target=target, limit=1):
                    await asyncio.sleep(stage.LOOK)
                return True
        await there.box.say(line, channel=channel)
        return True
    return False


async def _planned(there: Place, count: int) -> None:
    """Return when so many are no longer being planned."""
    async with asyncio.timeout(PATIENCE):
        while True:
            states = dict(await there.store.operations.counts())
            if sum(states.values()) - states.get("planning", 0) >= count:
                return
            await asyncio.sleep(stage.LOOK * 10)


def _world() -> dict[str, Any]:
    """As many cloud registries and clusters as sites; the clusters are Azure's word alone, since nobody asks them."""
    made = stage.world(channels=CHANNELS)
    azure = made["azure"]
    registry, arc = azure["registries"][0], azure["connected_clusters"][0]
    numbers = range(SITES)
    stocked = {**registry, "images": ["hello-world:latest"]}
    azure["registries"] = [{**deepcopy(stocked), "name": f"acr{number:03}"} for number in numbers]
    azure["connected_clusters"] = [arc, *({**arc, "name": f"arc-{number:03}"} for number in numbers)]
    return made


def _settings(folder: Path) -> dict[str, str]:
    """The sites, and a policy without approvals."""
    sites = {
        f"site-{number:03}": {
            "environment": "production",
            "subscription": SUBSCRIPTION,
            "resource_group": "edge-rg",
            "acr": {"name": f"acr{number:03}"},
            "cluster": {"name": f"arc-{number:03}"},
            "sync": {"repositories": ["hello-world"]},
        }
        for number in range(SITES)
    }
    policy = yaml.safe_load((stage.ROOT / "config" / "sandbox" / "access.yaml").read_text(encoding="utf-8"))
    (folder / "sites.yaml").write_text(yaml.safe_dump({"sites": sites}), encoding="utf-8")
    (folder / "access.yaml").write_text(yaml.safe_dump({**policy, "approvals": []}), encoding="utf-8")
    return {
        "REGISTRY_BOT_SITES": str(folder / "sites.yaml"),
        "REGISTRY_BOT_ACCESS": str(folder / "access.yaml"),
    }
