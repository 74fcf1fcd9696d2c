"""A fleet whose cycles are decided one after the other, as a poller would."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from services.model.azure import StatusDetail
from services.model.health import Health, Sighting, Target
from services.model.incident import Incident, Memo
from services.watching.health import health
from services.watching.incident_rules import THRESHOLDS, IncidentChanges, IncidentThresholds, decide

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 3, 2, 12, tzinfo=UTC)
ACR = "/subscriptions/s/resourcegroups/g/providers/microsoft.containerregistry/registries/contosoacr"
CLUSTER = "/subscriptions/s/resourcegroups/g/providers/microsoft.kubernetes/connectedclusters/berlin"
DISK = StatusDetail("Disk", "DiskError", "No space left on device")
PROXY = StatusDetail("Network", "ProxyError", "Refused")


def seen(name: str = "edge01", at: datetime = MONDAY, **values: Any) -> Sighting:
    """A sighting of one that is connected and continuous."""
    usual: dict[str, Any] = {
        "target": Target(ACR, name),
        "at": at,
        "connection_state": "Online",
        "activation": "Active",
        "schedule": "* * * * *",
        "message_ttl": 30 * DAY,
    }
    return Sighting(**usual | values)


def key(name: str = "edge01") -> str:
    """Its subject."""
    return f"{ACR}/{name}"


class Fleet:
    """`now` goes on by a minute with each cycle. What is told to `is_` holds until something else is."""

    def __init__(self, *names: str, thresholds: IncidentThresholds = THRESHOLDS, **values: Any) -> None:
        self.now = MONDAY
        self.sightings = {name: seen(name, **values) for name in names}
        self.failures: dict[str, str] = {}
        self.open: dict[str, Incident] = {}
        self.memos: Mapping[str, Memo] = {}
        self.messages: list[str] = []
        self.last = IncidentChanges()
        self._policy = thresholds
        self._silent: dict[str, datetime] = {}

    def is_online(self, *names: str) -> None:
        """Connected again."""
        for name in names:
            self._silent.pop(name, None)
            self.sightings[name] = replace(self.sightings[name], connection_state="Online", details=())

    def is_offline(self, *names: str) -> None:
        """Not heard of for longer than the grace."""
        for name in names:
            self._silent[name] = self.now - 20 * MINUTE
            gone = replace(self.sightings[name], connection_state="Offline", last_activity=self._silent[name])
            self.sightings[name] = gone

    def is_(self, name: str, **values: Any) -> None:
        """Anything else."""
        self.sightings[name] = replace(self.sightings[name], **values)

    def agent(self, state: str) -> None:
        """The cluster's Arc agent, in all sightings."""
        for name in self.sightings:
            self.is_(name, connectivity=state)

    def judged(self) -> list[tuple[Sighting, Health]]:
        """What the poll sees now."""
        fresh = [replace(one, at=self.now) for one in self.sightings.values()]
        return [(one, health(one, self.now)) for one in fresh]

    def cycle(self, times: int = 1, *, gone: Collection[str] = ()) -> IncidentChanges:
        """Poll and decide, a minute apart."""
        for _ in range(times):
            self.now += MINUTE
            self.last = decide(
                self.open,
                self.judged(),
                self.failures,
                self.now,
                memos=self.memos,
                removed=gone,
                thresholds=self._policy,
            )
            self.apply(self.last)
        return self.last

    def apply(self, decided: IncidentChanges) -> None:
        """Keep what was decided."""
        for one in decided.resolved:
            self.open.pop(one.subject)
            self.messages.append(f"resolved {_name(one)}")
        for one in decided.opened:
            assert one.subject not in self.open
            self.open[one.subject] = one
            self.messages.append(f"opened {_name(one)}")
        self.open |= {one.subject: one for one in decided.changed}
        self.memos = decided.memos

    def change(self, incident: Incident) -> None:
        """Somebody did something to it."""
        self.open[incident.subject] = incident


def _name(one: Incident) -> str:
    name = one.subject.rpartition("/")[2]
    return f"{name} hidden" if one.facts.get("hidden_by") else name
