"""Incidents: one thing that is wrong, and the messages that show it. Times are aware and in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.model.health import HealthState

Severity = Literal["info", "warning", "critical"]


@dataclass(frozen=True)
class Incident:
    """One thing that is wrong: a connected registry, or a cluster or cloud registry that hides its children.

    `subject` is a `Target`'s `acr/name`, a cluster's ARM id, or a cloud registry's ARM id. One message in each channel
    that watches it.
    """

    id: str
    kind: Literal["registry", "cluster", "acr"]
    subject: str
    severity: Severity
    opened: datetime
    state: HealthState
    reason: str
    facts: Mapping[str, object] = field(default_factory=dict)
    children: tuple[str, ...] = ()
    """Names of what it hides."""
    resolved: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    """`datetime.max` in UTC: until it changes."""
    flaps: int = 0
    changed: datetime | None = None


@dataclass(frozen=True)
class Memo:
    """What is remembered of a subject beside its open incident. To be kept over restarts; small, and only of some."""

    subject: str
    odd_seen: datetime | None = None
    """Time of the newest of the bad sightings in a row that have not opened an incident yet."""
    odd_count: int = 0
    excused: datetime | None = None
    """A greater incident told of it; it has until then to be heard of again."""
    closed: datetime | None = None
    """When its last incident was over, after so many `flaps`."""
    flaps: int = 0


@dataclass(frozen=True)
class Alert:
    """The message of an incident in a channel.

    `shown` is the incident's revision that it shows, `told` the one that its thread has heard of and `before` the
    incident as it was then; `posting` is the mark of a post whose reply has not come yet.
    """

    incident: str
    team: str
    channel: str
    ts: str = ""
    shown: int = -1
    told: int = -1
    before: Incident | None = None
    posting: str = ""


@dataclass(frozen=True)
class Filed:
    """An incident with its cloud registry (ARM id, lower case) and its revision."""

    incident: Incident
    acr: str
    revision: int
