"""Watching a fleet of 1,000 connected registries in 20 cloud registries.

The month goes through the rules alone (`bench.month`): 30 days over real sockets would take a day. One day of a smaller
fleet goes the whole way: the sandbox in a process of its own, HTTPS, the Azure SDK, `Poller`, and SQLite. Both are
judged in the same way (`bench.scoring`).
"""

import asyncio
import logging
import statistics
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import structlog
import yaml

from bench import stage
from bench.month import Month, Played, fleet
from bench.report import Row, percentile, spread
from bench.scoring import Alerted, Score, score
from bench.sites import sites
from sandbox.fleet.script import Trouble
from services.gateways.azure.clouds import cloud
from services.gateways.azure.gateway import Options, open_azure
from services.gateways.azure.identity import Identity
from services.model.azure import AcrRef
from services.model.secret import Secret
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from services.policy.sites import Site
from services.store import Store, open_store
from services.watching.poller import Poller

REGISTRIES, ACRS, DAYS, SEED = 1_000, 20, 30, 1
POLL = 600
"""Seconds of the fleet's clock between two polls in the month."""
BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAY, DAY_POLL = (200, 4), 300
LARGEST, DIES, OUTAGE = "plant-arc", 100, 3 * 3600
"""The cluster that dies in that day, after so many polls, for so many seconds."""
CYCLES = 7
SCORE, SECONDS = 0.98, 5.0
LIST = "/connectedregistries"


async def measure() -> Sequence[Row]:
    """The month through the rules, a day through everything, and one cycle in numbers."""
    # What the product logs of 100,000 requests would be most of the work, and nobody reads it here.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    rows = await _month()
    rows += await _whole_day()
    rows += await _cycle(page=50)
    rows += await _cycle(page=20)
    return rows + await _bot()


# --- the month, through the rules -----------------------------------------------------------------------------------


async def _month() -> list[Row]:
    script, clock, azure = fleet(SEED, REGISTRIES, ACRS, DAYS, BEGIN)
    began = time.perf_counter()
    month = Month(script, clock, azure, POLL)
    played = await month.play()
    took = time.perf_counter() - began
    rows = _judged(score(script, played.alerted.values(), POLL), f"{DAYS} days, rules alone")
    microseconds = took / max(played.sightings, 1) * 1e6
    text = f"{played.sightings:,} sightings in {took:.0f} s, {microseconds:.0f} µs each with the fleet's own share"
    return [*rows, Row("the month's work", text), *(await _stored(month, played))]


def _judged(found: Score, where: str) -> list[Row]:
    incidents = len(found.right) + len(found.wrong)
    openings = [len(each) for each in found.troubles.values()]
    over = [each for each in found.troubles.values() if all(one.resolved for one in each)]
    closings = [sum(not one.hidden for one in each) for each in over]
    late = found.latencies()
    clusters = {one: each for one, each in found.troubles.items() if one.kind == "cluster"}
    largest = max(clusters.values(), key=lambda each: max(len(one.children) for one in each), default=[])
    children = max((len(one.children) for one in largest), default=0)
    return [
        Row(
            f"precision ({where})",
            f"{found.precision:.4f} ({len(found.right)} of {incidents} incidents)",
            f">= {SCORE}",
            found.precision >= SCORE,
        ),
        Row(
            f"recall ({where})",
            f"{found.recall:.4f} ({len(found.found)} of {len(found.episodes)} episodes)",
            f">= {SCORE}",
            found.recall >= SCORE,
        ),
        Row(
            f"opening messages for each incident ({where})",
            f"{statistics.fmean(openings or [0]):.3f} (most {max(openings, default=0)}, {len(openings)} things)",
        ),
        Row(
            f"closing messages for each that is over ({where})",
            f"{statistics.fmean(closings or [0]):.3f} ({len(closings)} things)",
        ),
        Row(f"messages in planned silence ({where})", f"{len(found.in_silence)}", "0", not found.in_silence),
        Row(
            f"alerts for the largest dead cluster ({where})",
            f"{len(largest)}, with up to {children} children",
            "1",
            len(largest) == 1,
        ),
        Row(
            f"from the moment it could be known to the alert ({where})",
            f"{_minutes(statistics.median(late or [0]))}, 95 % within {_minutes(percentile(late or [0], 95))}",
        ),
    ]


def _minutes(seconds: float) -> str:
    return f"{seconds / 60:.1f} min of the fleet's clock"


async def _stored(month: Month, played: Played) -> list[Row]:
    """Write all that the month leaves behind into a database."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        await (await open_store(f"sqlite:///{folder / 'bot.db'}")).close()
        empty = _size(folder)
        store = await open_store(f"sqlite:///{folder / 'bot.db'}")
        for key, result in month.contents():
            await store.sightings.apply_poll(key, BEGIN, lambda _known, result=result: result)  # type: ignore[misc]
        await store.close()
        grown = (_size(folder) - empty) / 2**20
    text = f"{grown:.1f} MiB in SQLite: {played.transitions:,} transitions, {len(played.alerted):,} incidents"
    return [Row(f"storage for {DAYS} days", text)]


def _size(folder: Path) -> int:
    return sum(file.stat().st_size for file in folder.iterdir())


# --- the whole way --------------------------------------------------------------------------------------------------


@dataclass
class _Watch:
    """`Poller` in this process, against a sandbox in another whose clock stands until it is turned."""

    box: stage.Sandbox
    poller: Poller
    store: Store
    acrs: list[AcrRef]
    begin: datetime
    time: list[datetime]
    changed: set[str] = field(default_factory=set)
    alerted: dict[str, Alerted] = field(default_factory=dict)

    async def turn(self, seconds: int) -> None:
        """Both clocks."""
        await self.box.post("clock", turn=seconds)
        self.time[0] += timedelta(seconds=seconds)

    async def cycle(self) -> float:
        """Poll all cloud registries; the seconds it took."""
        began = time.perf_counter()
        await self.poller.cycle(self.acrs)
        took = time.perf_counter() - began
        for name in sorted(self.changed):
            filed = await self.store.incidents.get(name)
            if filed is not None:
                self._note(filed.incident)
        self.changed.clear()
        return took

    def _note(self, incident: Any) -> None:
        alerted = self.alerted.setdefault(incident.id, Alerted(incident, int(incident.opened.timestamp()), set()))
        alerted.incident = incident
        alerted.children |= set(incident.children)
        if incident.resolved is not None:
            alerted.resolved, alerted.hidden = int(self.time[0].timestamp()), "hidden_by" in incident.facts

    async def lists(self) -> int:
        """List requests that ARM saw since they were last forgotten."""
        requests = (await self.box.get("azure/requests"))["requests"]
        return sum(1 for one in requests if one["path"].lower().endswith(LIST))


@asynccontextmanager
async def _watching(size: tuple[int, int], page: int) -> AsyncIterator[_Watch]:
    world = _world(size, page)
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with stage.sandbox(folder, world) as box:
            now = datetime.fromisoformat((await box.post("clock", stop=True))["now"])
            clock, changed = [now], set[str]()
            truth = await box.get("fleet")
            sites = _sites(truth)
            acrs = list({site.acr_ref.id: site.acr_ref for site in sites.values()}.values())
            store = await open_store(f"sqlite:///{folder / 'bot.db'}")
            async with await open_azure(_options(box)) as azure:
                configuration = FixedConfiguration(sites, Policy())
                poller = Poller(store, configuration, azure.azure, changed.add, now=lambda: clock[0])
                begin = datetime.fromisoformat(truth["begin"])
                yield _Watch(box, poller, store, acrs, begin, clock, changed)
            await store.close()


def _world(size: tuple[int, int], page: int) -> dict[str, Any]:
    made = stage.world()
    made["azure"] |= {"fleet": f"{size[0]}x{size[1]}@{SEED}", "page_size": page}
    return made


def _sites(truth: dict[str, Any]) -> dict[str, Site]:
    return {name: site for some in sites(truth).values() for name, site in some.items()}


def _options(box: stage.Sandbox) -> Options:
    env = box.environment
    secret = Secret(env["AZURE_CLIENT_SECRET"])
    return Options(
        cloud=cloud(
            "public", authority=env["AZURE_AUTHORITY_HOST"], resource_manager=env["AZURE_RESOURCE_MANAGER_URL"]
        ),
        identity=Identity("secret", env["AZURE_TENANT_ID"], env["AZURE_CLIENT_ID"], secret),
        ca_file=env["SSL_CERT_FILE"],
    )


async def _whole_day() -> list[Row]:
    registries, acrs = DAY
    async with _watching(DAY, 50) as watch:
        seconds = [await watch.cycle()]
        # What was wrong before the first poll began at another time than its alert can know.
        first = watch.time[0]
        script, *_ = fleet(SEED, registries, acrs, 7, watch.begin)
        for number in range(24 * 3600 // DAY_POLL):
            await watch.turn(DAY_POLL)
            if number == DIES:
                await watch.box.post("fleet", outage={"subject": LARGEST, "seconds": OUTAGE})
                begin = int(watch.time[0].timestamp())
                script.add(Trouble("cluster", LARGEST, begin, begin + OUTAGE, "the benchmark's"))
            seconds.append(await watch.cycle())
        result = score(script, watch.alerted.values(), DAY_POLL)
    until = int(watch.time[0].timestamp())
    result.episodes = [one for one in result.episodes if first.timestamp() < one.alarm < until - 2 * DAY_POLL]
    result.found = {one: alerted for one, alerted in result.found.items() if one in result.episodes}
    where = f"a day of {registries} in {acrs}, whole way"
    return [*_judged(result, where), Row(f"a cycle ({where})", spread(seconds, "s"))]


async def _cycle(page: int) -> list[Row]:
    async with _watching((REGISTRIES, ACRS), page) as watch:
        cold = await watch.cycle()
        seconds, lists = [], []
        for _ in range(CYCLES):
            await watch.turn(60)
            await watch.box.forget("azure/requests")
            seconds.append(await watch.cycle())
            lists.append(await watch.lists())
    title = f"{REGISTRIES:,} in {ACRS}, pages of {page}"
    goal = page >= REGISTRIES // ACRS
    text = f"{max(lists)}"
    return [
        Row(
            f"list requests of a cycle ({title})", text, f"{ACRS}" if goal else "", max(lists) == ACRS if goal else None
        ),
        Row(
            f"a cycle ({title})",
            f"{spread(seconds, 's')}; the first {cold:.2f} s",
            f"< {SECONDS:.0f} s",
            max(seconds) < SECONDS,
        ),
    ]


async def _bot() -> list[Row]:
    """A bot that watches all of it."""
    with TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        async with stage.sandbox(folder, _world((REGISTRIES, ACRS), 50)) as box:
            file = folder / "sites.yaml"
            document = {"sites": {key: _plain(site) for key, site in _sites(await box.get("fleet")).items()}}
            file.write_text(yaml.safe_dump(document), encoding="utf-8")
            async with stage.Bot(
                box, folder, {"REGISTRY_BOT_SITES": str(file), "REGISTRY_BOT_WATCH_INTERVAL": "PT15S"}
            ) as bot:
                await box.connected()
                idle = bot.process.memory_info().rss
                await box.say("watch all --alerts on")
                async with asyncio.timeout(stage.PATIENCE * 3):
                    while await _lists(box) < 5 * ACRS:
                        await asyncio.sleep(1)
                watching = bot.process.memory_info().rss
    mib = 2**20
    return [
        Row(
            f"memory of a bot that watches {REGISTRIES:,}",
            f"{watching / mib:.0f} MiB; before that {idle / mib:.0f} MiB",
        )
    ]


async def _lists(box: stage.Sandbox) -> int:
    requests = (await box.get("azure/requests"))["requests"]
    return sum(1 for one in requests if one["path"].lower().endswith(LIST))


def _plain(site: Site) -> dict[str, Any]:
    return site.model_dump(mode="json", include={"environment", "subscription", "resource_group", "acr", "cluster"})
