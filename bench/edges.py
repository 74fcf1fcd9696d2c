"""A world of many edges, each on a cluster of its own, and a bot that deploys them."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from bench import stage
from bench.stage import ROOT
from services.policy.sites import PROVIDERS

PATIENCE = 900.0
AT_ONCE = 4
PER_CLOUD_REGISTRY = 50
"""Limit of connected registries of a cloud registry (ACR service limits)."""
LIVE = {"planning", "queued", "running"}


def edge(number: int) -> str:
    """The name of an edge, of its site and of its cluster."""
    return f"edge{number:03}"


def cloud_registry(number: int) -> str:
    """The name of the cloud registry that an edge reads from."""
    return f"contoso{number // PER_CLOUD_REGISTRY:02}"


def world(count: int, channels: int) -> dict[str, Any]:
    """The sandbox's default world, with a cluster for each edge and as many cloud registries as those take."""
    made = stage.world(channels=channels)
    azure, kube = made["azure"], made["kube"]
    arc, cluster = azure["connected_clusters"][0], kube["clusters"][0]
    registry = azure["registries"][0]
    azure["registries"] = [
        {**deepcopy(registry), "name": cloud_registry(number)} for number in range(0, count, PER_CLOUD_REGISTRY)
    ]
    azure["providers"] = dict.fromkeys(PROVIDERS, "Registered")
    azure["connected_clusters"] = [
        {**deepcopy(arc), "name": f"{edge(number)}-arc", "kube": edge(number)} for number in range(count)
    ]
    kube["clusters"] = [{**deepcopy(cluster), "name": edge(number)} for number in range(count)]
    return made


def files(
    folder: Path,
    made: Mapping[str, Any],
    *,
    repositories: Sequence[str] = ("hello-world",),
    approvals: Sequence[Mapping[str, Any]] = (),
) -> dict[str, str]:
    """Settings that name the sites of this world with what they sync, and an access file with these approval rules."""
    config = ROOT / "config" / "sandbox"
    site = yaml.safe_load((config / "sites.yaml").read_text(encoding="utf-8"))["sites"]["berlin"]
    policy = yaml.safe_load((config / "access.yaml").read_text(encoding="utf-8"))
    sites = {
        edge(number): {
            **site,
            "sync": {"repositories": [*repositories]},
            "acr": {"name": cloud_registry(number)},
            "cluster": {"name": f"{edge(number)}-arc", "kubernetes": {"context": edge(number)}},
        }
        for number in range(len(made["kube"]["clusters"]))
    }
    for file, content in (("sites.yaml", {"sites": sites}), ("access.yaml", {**policy, "approvals": [*approvals]})):
        (folder / file).write_text(yaml.safe_dump(content), encoding="utf-8")
    return {"REGISTRY_BOT_SITES": str(folder / "sites.yaml"), "REGISTRY_BOT_ACCESS": str(folder / "access.yaml")}


async def carried_out(
    box: stage.Sandbox, bot: stage.Bot, count: int, channels: int, line: str, *, turns: bool = False
) -> None:
    """Give the command for each edge, and return when all of these operations have succeeded.

    `turns`: the edges' clock goes a minute on with each second.
    """
    before = states(bot)["succeeded"]
    for number in range(count):
        # Slack gives a command three seconds to be acknowledged, however busy the one machine is.
        while states(bot).keys() & LIVE and sum(states(bot)[state] for state in LIVE) >= AT_ONCE:
            await asyncio.sleep(0.2)
            if turns:
                await box.post("clock", turn=10)
        await box.say(line.format(edge=edge(number), site=edge(number)), channel=f"bench-{number % channels}")
    async with asyncio.timeout(PATIENCE):
        while (ended := states(bot))["succeeded"] < before + count:
            if ended["failed"] or ended["blocked"]:
                raise RuntimeError(f"{line}: {dict(ended)}")
            await asyncio.sleep(1)
            if turns:
                await box.post("clock", turn=60)


def states(bot: stage.Bot) -> Counter[str]:
    """How many operations there are in each state."""
    if not bot.database.exists():
        return Counter()
    with closing(sqlite3.connect(bot.database)) as database:
        return Counter(dict(database.execute("select state, count(*) from operations group by state").fetchall()))
