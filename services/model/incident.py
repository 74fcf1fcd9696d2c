"""Incidents: one thing that is wrong. Times are aware and in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from services.model.health import HealthReason, HealthState

Severity = Literal["info", "warning", "critical"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "critical")
"""The mildest first."""
UNTIL_CHANGE = datetime.max.replace(tzinfo=UTC)
"""The end of a snooze that lasts until something changes."""


@dataclass(frozen=True)
class Incident:
    """One thing that is wrong: a connected registry, or a cluster or cloud registry that hides its children.

    `subject` is a `Target`'s `acr/name`, a cluster's ARM id, or a cloud registry's ARM id. Each channel that watches it
    has one message of it.
    """

    id: str
    kind: Literal["registry", "cluster", "acr"]
    subject: str
    severity: Severity
    opened: datetime
    state: HealthState
    reason: HealthReason
    facts: Mapping[str, object] = field(default_factory=dict)
    children: tuple[str, ...] = ()
    """Names of what it hides."""
    resolved: datetime | None = None
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    snoozed_until: datetime | None = None
    """`UNTIL_CHANGE`: until it changes."""
    flaps: int = 0
    changed: datetime | None = None


@dataclass(frozen=True)
class Memo:
    """What the rules remember of a subject without an open incident. Stored, so that a restart forgets nothing."""

    subject: str
    odd_seen: datetime | None = None
    """Time of the newest of the bad sightings in a row that have not opened an incident yet."""
    odd_count: int = 0
    odd_since: datetime | None = None
    """Time of the first of them."""
    excused: datetime | None = None
    """A greater incident covered it; it has until then to make contact."""
    closed: datetime | None = None
    """When its last incident was over, after so many `flaps`."""
    flaps: int = 0


@dataclass(frozen=True)
class StoredIncident:
    """An incident with its cloud registry (ARM id, lower case) and its revision, which every change raises."""

    incident: Incident
    acr: str
    revision: int
