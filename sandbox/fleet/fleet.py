"""A fleet in the sandbox's Azure: no process runs for an edge; its state follows from the script and the clock."""

import re
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Self

from aiohttp import web

from sandbox.azure import AzurePart
from sandbox.azure.cloud import (
    Cluster,
    ConnectedRegistry,
    Extension,
    Origin,
    Registry,
    ResourceGroup,
    ScopeMap,
    SyncResult,
    Token,
)
from sandbox.azure.errors import ArmError
from sandbox.azure.images import sample_image
from sandbox.clock import Clock
from sandbox.fleet.contacts import Contacts
from sandbox.fleet.control import OF_EDGES, Control
from sandbox.fleet.script import CONTINUOUS, DAY, HOUR, MINUTE, Edge, Kind, Trouble, plan
from sandbox.fleet.truth import Truth, by_subject, iso

GROUP, LOCATION = "fleet-rg", "westeurope"
VERSION = "0.11.0"
EXTENSION_TYPE = "microsoft.containerregistry.connectedregistry"
REFUSALS = {
    "ServiceUnavailable": (503, "The service is unavailable now, please retry later."),
    "InternalServerError": (500, "Encountered internal server error. Diagnostic information: activity id unknown."),
    "AuthorizationFailed": (
        403,
        "The client does not have authorization to perform action 'Microsoft.ContainerRegistry/registries/read'.",
    ),
}


@dataclass(frozen=True)
class Size:
    """The size of a fleet and the seed of its script, typed as `200x4` or `200x4@7`."""

    registries: int
    acrs: int
    seed: int = 1

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises `ValueError`, which says what is wrong."""
        match = re.fullmatch(r"(\d{1,5})x(\d{1,4})(?:@(\d{1,9}))?", text)
        if match is None:
            raise ValueError(f"{text!r} is not REGISTRIESxACRS such as 200x4, or with a seed 200x4@7.")
        size = cls(int(match[1]), int(match[2]), int(match[3] or 1))
        plan(size.seed, size.registries, size.acrs, 0, 1)
        return size


class Fleet:
    """Adds `registries` connected registries over `acrs` cloud registries to a part that has not been started.

    The script begins at `begin` (the clock's now without one, as whole minutes) and lasts `days`; turning the clock
    makes Azure answer as it would then. Changes of its resources through ARM persist, but a changed schedule is only
    shown: contacts still follow the script.
    """

    def __init__(
        self,
        azure: AzurePart,
        clock: Clock,
        seed: int,
        *,
        registries: int,
        acrs: int,
        days: float,
        begin: datetime | None = None,
    ) -> None:
        self._cloud, self._clock = azure.cloud, clock
        start = int((begin or clock.now()).timestamp())
        self.script = plan(seed, registries, acrs, start - start % MINUTE, days)
        self._by_subject = by_subject(self.script.troubles)
        self._contacts: dict[str, Contacts] = {}
        self._edges = {edge.key: edge for edge in self.script.edges}
        names = {edge.name: edge.key for edge in self.script.edges}
        keys = [*self._edges, *self.script.clusters, *self.script.acrs]
        self._names = names | {name.lower(): name for name in keys}
        self._populate()

    def now(self) -> int:
        """The clock's time in the script's seconds."""
        return int(self._clock.now().timestamp())

    @property
    def truth(self) -> Truth:
        """What is really wrong, including everything that was added."""
        return Truth(self.script, self._by_subject)

    def document(self) -> dict[str, Any]:
        """The truth as JSON, for the control API."""
        return self.truth.document()

    def control_routes(self) -> list[web.RouteDef]:
        """GET and POST /sandbox/fleet."""
        return Control(self).routes()

    def subject(self, name: str) -> str | None:
        """The script's name of an edge (`ACR/NAME` or `NAME`), a cluster or a cloud registry; None if unknown."""
        return self._names.get(name.lower())

    def kinds(self, subject: str) -> tuple[Kind, ...]:
        """The kinds of trouble that a subject can have, the default first."""
        if subject in self._edges:
            return OF_EDGES
        return ("cluster",) if subject in self.script.clusters else ("acr",)

    def add(self, trouble: Trouble) -> None:
        """Add a trouble."""
        self._change((*self.script.troubles, trouble))

    def mend(self, subject: str) -> tuple[Trouble, ...]:
        """End what is wrong with a subject now. Returns what was ended."""
        now = self.now()
        mended = tuple(one for one in self.script.troubles if one.subject == subject and one.begin <= now < one.end)
        remaining = tuple(one for one in self.script.troubles if one not in mended)
        ended = tuple(replace(one, end=now) for one in mended)
        self._change(remaining + tuple(one for one in ended if one.end > one.begin))
        return ended

    def calm(self) -> tuple[Trouble, ...]:
        """End everything that is wrong now and drop the rest of the script. Returns what was ended."""
        now = self.now()
        on = [one.subject for one in self.script.troubles if one.begin <= now < one.end]
        self._change(tuple(one for one in self.script.troubles if one.begin <= now))
        return tuple(ended for subject in dict.fromkeys(on) for ended in self.mend(subject))

    def _change(self, troubles: tuple[Trouble, ...]) -> None:
        self.script = replace(self.script, troubles=tuple(sorted(troubles, key=lambda one: (one.begin, one.subject))))
        self._by_subject = by_subject(self.script.troubles)
        self._contacts.clear()

    # --- what Azure has ---------------------------------------------------------------------------------------------

    def _populate(self) -> None:
        created = datetime.fromtimestamp(self.script.begin - 30 * DAY, UTC)
        origin = Origin.now(next(iter(self._cloud.principals)), created)
        self._cloud.groups[GROUP] = ResourceGroup(GROUP, LOCATION)
        for name in self.script.acrs:
            place = self._cloud.environment
            registry = Registry(name, GROUP, place.place(LOCATION), "Premium", created, origin, data_endpoint=True)
            registry.suffix = place.suffix
            registry.images.put("hello-world", "latest", sample_image("hello-world:latest"), created)
            registry.trouble = partial(self._refusal, name)
            self._cloud.registries[name] = registry
        for name in self.script.clusters:
            cluster = Cluster(name, GROUP, LOCATION, "", created, origin)
            cluster.follow = partial(self._follow_cluster, cluster)
            self._cloud.clusters[GROUP, name] = cluster
        for number, edge in enumerate(self.script.edges):
            self._put_edge(edge, number, origin)

    def _put_edge(self, edge: Edge, number: int, origin: Origin) -> None:
        registry, created = self._cloud.registries[edge.acr], origin.created_at
        actions = [f"gateway/{edge.name}/{verb}" for verb in ("config/read", "config/write", "message/read")]
        registry.scope_maps[edge.name] = ScopeMap(edge.name, actions, created, origin)
        registry.tokens[edge.name] = Token(edge.name, edge.name, created, origin)
        window = f"PT{edge.window // HOUR}H" if edge.window else None
        ttl = "P2D" if edge.schedule == CONTINUOUS else "P14D"
        connected = ConnectedRegistry(
            edge.name, "ReadOnly", edge.name, origin, schedule=edge.schedule, sync_window=window, message_ttl=ttl
        )
        registry.connected[edge.name] = connected
        if not edge.activated:
            return
        address = f"10.{96 + number // 250}.0.{number % 250 + 2}"
        connected.follow = _Follower(self, edge, connected, address)
        cluster = self._cloud.clusters[GROUP, edge.cluster]
        cluster.extensions[edge.name] = Extension(
            edge.name,
            EXTENSION_TYPE,
            origin,
            cluster.next_generation(),
            current_version=VERSION,
            release_namespace="connected-registry",
            settings={"service.clusterIP": address},
            state="Succeeded",
        )

    def _refusal(self, acr: str, now: datetime) -> ArmError | None:
        trouble = _in_force(self._by_subject.get(acr, ()), int(now.timestamp()), "acr")
        if trouble is None:
            return None
        status, message = REFUSALS.get(trouble.cause, REFUSALS["ServiceUnavailable"])
        code = trouble.cause if trouble.cause in REFUSALS else "ServiceUnavailable"
        return ArmError(status, code, message)

    def _follow_cluster(self, cluster: Cluster, now: datetime) -> None:
        """Update a cluster's heartbeats, which arrive each minute except while it is dead."""
        trouble = _in_force(self._by_subject.get(cluster.name, ()), int(now.timestamp()), "cluster")
        cluster.last_heard = datetime.fromtimestamp(trouble.begin, UTC) if trouble else now

    def troubles_of(self, edge: Edge) -> list[Trouble]:
        """The troubles of an edge, including those of its cluster."""
        return [*self._by_subject.get(edge.key, ()), *self._by_subject.get(edge.cluster, ())]

    def contacts_of(self, edge: Edge) -> Contacts:
        """The contacts of an edge; computed once, until the script changes."""
        if edge.key not in self._contacts:
            span = self.script.begin, self.script.end
            self._contacts[edge.key] = Contacts(edge, self.troubles_of(edge), *span)
        return self._contacts[edge.key]


class _Follower:
    """Updates Azure's state of one edge to a moment."""

    def __init__(self, fleet: Fleet, edge: Edge, connected: ConnectedRegistry, address: str) -> None:
        self._fleet, self._edge, self._connected = fleet, edge, connected
        certificate = {"type": "LocalDirectory", "location": "/var/acr/certs"}
        self._login_server = {"host": address, "tls": {"status": "Enabled", "certificate": certificate}}
        self._deactivated = False
        """Apply the script's activation; what was deactivated through ARM stays deactivated."""
        self._activate()

    def __call__(self, now: datetime) -> None:
        moment, connected = int(now.timestamp()), self._connected
        troubles = self._fleet.troubles_of(self._edge)
        if _in_force(troubles, moment, "deactivated"):
            if connected.activation == "Active":
                connected.deactivate()
                self._deactivated = True
        elif self._deactivated:
            self._activate()
        if connected.activation == "Active":
            self._report(moment, troubles)

    def _activate(self) -> None:
        connected = self._connected
        connected.activation, connected.instance = "Active", self._edge.name
        connected.version, connected.login_server = VERSION, self._login_server
        self._deactivated = False

    def _report(self, moment: int, troubles: Sequence[Trouble]) -> None:
        connected, contact = self._connected, self._fleet.contacts_of(self._edge).at(moment)
        connected.heard_at = connected.last_activity = _moment(contact.heard)
        connected.last_sync = _moment(contact.synced)
        full = None if contact.heard is None else _in_force(troubles, contact.heard, "disk")
        connected.status_details = [] if full is None else [_complaint(full, self._edge)]
        connected.connection_state = "Syncing" if contact.syncing else "Unhealthy" if full else "Online"
        state = "Syncing" if contact.syncing else "Succeeded"
        connected.sync_result = SyncResult("RecoveryService", state, None, connected.last_sync, connected.last_sync)


def _in_force(troubles: Iterable[Trouble], moment: int, kind: Kind) -> Trouble | None:
    """The trouble of a kind that is in force at a moment."""
    return next((one for one in troubles if one.kind == kind and one.begin <= moment < one.end), None)


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _complaint(trouble: Trouble, edge: Edge) -> dict[str, Any]:
    return {
        "type": "Disk",
        "code": "DiskError",
        "description": f"The disk of the connected registry can't be used: {trouble.cause}.",
        "timestamp": iso(trouble.begin),
        "correlationId": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{edge.key} {trouble.begin}")),
    }
