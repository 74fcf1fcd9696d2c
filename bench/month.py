"""A month of a fleet through the product's polling and rules, without sockets and database.

`services.watching.poller` polls as always, but what it asks is the sandbox's Azure as an object, already read, and what
it stores is kept in dictionaries.
"""

import heapq
import tempfile
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path

import yaml

from bench.scoring import Told
from bench.sites import sites
from sandbox.azure import AzurePart
from sandbox.azure import cloud as azure
from sandbox.azure.durations import duration
from sandbox.azure.errors import ArmError
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.fleet import Fleet
from sandbox.speed import IMMEDIATE
from sandbox.tls import Authority
from services.model.azure import AcrRef, ArcCluster, ClusterRef, ConnectedRegistry, Extension, StatusDetail
from services.model.errors import DomainError, NotAllowed, Unreachable
from services.model.health import Transition
from services.model.poll import Known, Poll, Seen, Verdict
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from services.policy.sites import EXTENSION_TYPE
from services.watching import incident_rules
from services.watching.poller import Watching

ROOT = Path(__file__).parents[1]
_duration = lru_cache(duration)
MIDDLE = 0.5
"""In place of chance: the polls' jitter is nothing then."""


def fleet(seed: int, registries: int, acrs: int, days: float, begin: datetime) -> tuple[Fleet, Clock, azure.Cloud]:
    """A fleet in an Azure that serves nobody, and its clock, which stands at `begin`."""
    clock = Clock()
    clock.stop()
    clock.turn((begin - clock.now()).total_seconds())
    world = yaml.safe_load((ROOT / "sandbox" / "world.yaml").read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        authority = Authority(Path(folder))
        part = AzurePart(world, authority=authority, clock=clock, speed=IMMEDIATE, faults=Faults())
    return Fleet(part, clock, seed, registries=registries, acrs=acrs, days=days, begin=begin), clock, part.cloud


@dataclass
class Played:
    """What was told in the month, and the work that it took."""

    told: dict[str, Told] = field(default_factory=dict)
    polls: int = 0
    sightings: int = 0
    transitions: int = 0
    worse: int = 0
    """Replies in a thread that say that it got worse."""
    edits: int = 0


@dataclass
class _Azure:
    """`ports.Azure` as far as polling asks it."""

    cloud: azure.Cloud
    clock: Clock

    def __post_init__(self) -> None:
        self.connected, self.clusters, self.extensions = _Connected(self), _Clusters(self), _Extensions(self)

    def find(self, ref: ClusterRef) -> azure.Cluster:
        """A cluster."""
        return self.cloud.clusters[ref.resource_group, ref.name]


@dataclass
class _Connected:
    azure: _Azure

    async def list(self, acr: AcrRef) -> tuple[ConnectedRegistry, ...]:
        registry, now = self.azure.cloud.registries[acr.name], self.azure.clock.now()
        refusal = registry.trouble(now) if registry.trouble else None
        if refusal is not None:
            raise _translated(refusal, acr.id)
        return tuple(_listed(one, now) for one in registry.connected.values())


@dataclass
class _Clusters:
    azure: _Azure

    async def get(self, ref: ClusterRef) -> ArcCluster:
        found = self.azure.find(ref)
        return ArcCluster(ref.id, ref.name, found.location, found.connectivity(self.azure.clock.now()))


@dataclass
class _Extensions:
    azure: _Azure

    async def list(self, ref: ClusterRef) -> tuple[Extension, ...]:
        found = self.azure.find(ref).extensions.values()
        return tuple(Extension(one.name, one.name, EXTENSION_TYPE, one.state) for one in found)


class _Memory:
    """`services.store.Store` as far as polling uses it, for one cloud registry."""

    def __init__(self, acr: str, now: datetime, played: Played) -> None:
        self.sightings = self
        self.known = Known(Poll(acr, now), {}, ())
        self.transitions: list[Transition] = []
        self.told: list[Told] = []
        self._played = played

    async def judge(self, _acr: str, now: datetime, judge: Callable[[Known], Verdict]) -> Verdict:
        """What the database would do."""
        verdict, known = judge(self.known), self.known
        seen = {target: one for target, one in known.seen.items() if target not in verdict.gone}
        seen |= {one.sighting.target: one for one in verdict.seen}
        still = {one.id: one for one in (*known.open, *verdict.changed, *verdict.opened)}
        for one in verdict.resolved:
            still.pop(one.id, None)
        self._note(verdict, int(now.timestamp()))
        memos = known.memos if verdict.memos is None else verdict.memos
        self.known = Known(verdict.poll, seen, tuple(still.values()), memos)
        return verdict

    def _note(self, verdict: Verdict, at: int) -> None:
        before = {one.id: one for one in self.known.open}
        self.transitions += verdict.transitions
        self._played.polls += 1
        self._played.transitions += len(verdict.transitions)
        for one in verdict.opened:
            self._played.told[one.id] = Told(one, at, set(one.children))
            self.told.append(self._played.told[one.id])
        for one in (*verdict.changed, *verdict.resolved):
            told = self._played.told[one.id]
            self._played.edits += 1
            self._played.worse += one.resolved is None and incident_rules.worse(before[one.id], one)
            told.incident = one
            told.children |= set(one.children)
            if one.resolved is not None:
                told.resolved, told.hidden = at, "hidden_by" in one.facts

    async def seen(self, _acrs: Collection[str]) -> tuple[Seen, ...]:
        """The last sightings."""
        return tuple(self.known.seen.values())

    def verdict(self) -> Verdict:
        """All that is stored, as one verdict."""
        incidents = tuple(told.incident for told in self.told)
        seen, turned = tuple(self.known.seen.values()), tuple(self.transitions)
        return Verdict(self.known.poll, seen, (), turned, incidents, memos=self.known.memos)


class Month:
    """Polls every cloud registry of a fleet each `poll` seconds until the script is over."""

    def __init__(self, fleet: Fleet, clock: Clock, cloud: azure.Cloud, poll: int) -> None:
        self._fleet, self._clock, self._poll = fleet, clock, poll
        self.played = Played()
        port = _Azure(cloud, clock)
        self._stores: dict[AcrRef, _Memory] = {}
        self._watching: dict[AcrRef, Watching] = {}
        for some in sites(fleet.document()).values():
            acr = next(iter(some.values())).acr_ref
            store = self._stores[acr] = _Memory(acr.id.lower(), clock.now(), self.played)
            self._watching[acr] = Watching(
                store,  # type: ignore[arg-type]  # as much of it as polling uses
                FixedConfiguration(some, Policy()),
                port,  # type: ignore[arg-type]
                lambda _incident: None,
                interval=timedelta(seconds=poll),
                now=clock.now,
                chance=lambda: MIDDLE,
            )

    async def play(self) -> Played:
        """All of it."""
        script = self._fleet.script
        # The polls of many cloud registries are spread over the interval, as the product does it.
        acrs = list(self._watching)
        due = [(script.begin + index * self._poll // len(acrs), index) for index in range(len(acrs))]
        heapq.heapify(due)
        while due and due[0][0] < script.end:
            at, index = heapq.heappop(due)
            self._clock.turn(at - self._clock.now().timestamp())
            polled = await self._watching[acrs[index]].poll(acrs[index])
            self.played.sightings += polled.registries
            heapq.heappush(due, (at + round(polled.after), index))
        return self.played

    def verdicts(self) -> Iterator[tuple[str, Verdict]]:
        """All that is stored at the end, by the cloud registry's ARM id."""
        for acr, store in self._stores.items():
            yield acr.id.lower(), store.verdict()


def _translated(refusal: ArmError, target: str) -> DomainError:
    kind = NotAllowed if refusal.status == 403 else Unreachable  # noqa: PLR2004 - HTTP's Forbidden
    return kind("azure", target, refusal.code, refusal.message)


def _listed(one: azure.ConnectedRegistry, now: datetime) -> ConnectedRegistry:
    """What the list says of one, after the product has read it."""
    one.bring_up(now)
    return ConnectedRegistry(
        id=one.name,
        name=one.name,
        mode=one.mode,
        connection_state=one.connection(now),
        activation=one.activation,
        provisioning_state=one.state,
        token_id=one.token,
        schedule=one.schedule,
        window=_duration(one.sync_window) if one.sync_window else None,
        message_ttl=_duration(one.message_ttl),
        last_sync=one.last_sync,
        last_activity=one.last_activity,
        status_details=tuple(
            StatusDetail(detail["type"], detail["code"], detail["description"]) for detail in one.status_details
        ),
    )
