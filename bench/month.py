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

from bench.scoring import Alerted
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
from services.model.poll import LastSighting, Poll, PollResult, StoredState
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from services.policy.sites import EXTENSION_TYPE
from services.watching import incident_rules
from services.watching.poller import Poller

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
    """The alerts of the month, and the work that they took."""

    alerted: dict[str, Alerted] = field(default_factory=dict)
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
        cluster = self.azure.find(ref)
        return ArcCluster(ref.id, ref.name, cluster.location, cluster.connectivity(self.azure.clock.now()))


@dataclass
class _Extensions:
    azure: _Azure

    async def list(self, ref: ClusterRef) -> tuple[Extension, ...]:
        extensions = self.azure.find(ref).extensions.values()
        return tuple(Extension(one.name, one.name, EXTENSION_TYPE, one.state, one.settings) for one in extensions)


class _Memory:
    """`services.store.Store` as far as polling uses it, for one cloud registry."""

    def __init__(self, acr: str, now: datetime, played: Played) -> None:
        self.sightings = self
        self.state = StoredState(Poll(acr, now), {}, ())
        self.transitions: list[Transition] = []
        self.alerted: list[Alerted] = []
        self._played = played

    async def apply_poll(self, _acr: str, now: datetime, decide: Callable[[StoredState], PollResult]) -> PollResult:
        """What the database would do."""
        result, before = decide(self.state), self.state
        sightings = {target: last for target, last in before.sightings.items() if target not in result.removed}
        sightings |= {last.sighting.target: last for last in result.sightings}
        unresolved = {one.id: one for one in (*before.open_incidents, *result.changed, *result.opened)}
        for incident in result.resolved:
            unresolved.pop(incident.id, None)
        self._note(result, int(now.timestamp()))
        memos = before.memos if result.memos is None else result.memos
        self.state = StoredState(result.poll, sightings, tuple(unresolved.values()), memos)
        return result

    def _note(self, result: PollResult, at: int) -> None:
        before = {incident.id: incident for incident in self.state.open_incidents}
        self.transitions += result.transitions
        self._played.polls += 1
        self._played.transitions += len(result.transitions)
        for incident in result.opened:
            self._played.alerted[incident.id] = Alerted(incident, at, set(incident.children))
            self.alerted.append(self._played.alerted[incident.id])
        for incident in (*result.changed, *result.resolved):
            entry = self._played.alerted[incident.id]
            self._played.edits += 1
            self._played.worse += incident.resolved is None and incident_rules.worse(before[incident.id], incident)
            entry.incident = incident
            entry.children |= set(incident.children)
            if incident.resolved is not None:
                entry.resolved, entry.hidden = at, "hidden_by" in incident.facts

    async def last(self, _acrs: Collection[str]) -> tuple[LastSighting, ...]:
        """The last sightings."""
        return tuple(self.state.sightings.values())

    def content(self) -> PollResult:
        """All that is stored, as one result."""
        incidents = tuple(one.incident for one in self.alerted)
        sightings, transitions = tuple(self.state.sightings.values()), tuple(self.transitions)
        return PollResult(self.state.poll, sightings, (), transitions, incidents, memos=self.state.memos)


class Month:
    """Polls every cloud registry of a fleet each `poll` seconds until the script is over."""

    def __init__(self, fleet: Fleet, clock: Clock, cloud: azure.Cloud, poll: int) -> None:
        self._fleet, self._clock, self._poll = fleet, clock, poll
        self.played = Played()
        port = _Azure(cloud, clock)
        self._stores: dict[AcrRef, _Memory] = {}
        self._pollers: dict[AcrRef, Poller] = {}
        for by_name in sites(fleet.document()).values():
            acr = next(iter(by_name.values())).acr_ref
            store = self._stores[acr] = _Memory(acr.id.lower(), clock.now(), self.played)
            self._pollers[acr] = Poller(
                store,  # type: ignore[arg-type]  # as much of it as polling uses
                FixedConfiguration(by_name, Policy()),
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
        acrs = list(self._pollers)
        due = [(script.begin + index * self._poll // len(acrs), index) for index in range(len(acrs))]
        heapq.heapify(due)
        while due and due[0][0] < script.end:
            at, index = heapq.heappop(due)
            self._clock.turn(at - self._clock.now().timestamp())
            polled = await self._pollers[acrs[index]].poll(acrs[index])
            self.played.sightings += polled.registries
            heapq.heappush(due, (at + round(polled.after), index))
        return self.played

    def contents(self) -> Iterator[tuple[str, PollResult]]:
        """All that is stored at the end, by the cloud registry's ARM id."""
        for acr, store in self._stores.items():
            yield acr.id.lower(), store.content()


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
