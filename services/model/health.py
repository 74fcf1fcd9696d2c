"""What polls see of connected registries, and what it means. Times are aware and in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Literal

from services.model.azure import Extension, StatusDetail, SyncResult

HealthState = Literal[
    "healthy",
    "syncing",
    "silent",  # not connected, as its schedule and window plan it
    "late",  # a planned contact is overdue, but within the grace
    "offline",  # a planned contact was missed
    "unhealthy",  # connected, and reports problems
    "inactive",  # never activated, or deactivated
    "unknown",  # could not be read: never to be taken for offline
]


class HealthReason(StrEnum):
    """Why a connected registry is in its state, or an incident in its own.

    The values are stored, so a member keeps its value under another name. What the database gives back is text that
    equals the member. Each has its words in `handlers.views.health`.
    """

    CONNECTED = "connected"
    SYNCING = "syncing"
    CONTACT_FRESH = "contact.fresh"
    CONTACT_DUE = "contact.due"
    CONTACT_MISSED = "contact.missed"
    CONTACT_NONE = "contact.none"
    WINDOW_OPENING = "window.opening"
    WINDOW_OPEN = "window.open"
    WINDOW_DROPPED = "window.dropped"
    WINDOW_CLOSED = "window.closed"
    CLUSTER_OFFLINE = "cluster.offline"
    CLUSTER_EXPIRED = "cluster.expired"
    CLUSTER_SILENT = "cluster.silent"
    EXTENSION_FAILED = "extension.failed"
    STATUS_DISK = "status.disk"
    DISK_FILLING = "disk.filling"
    STATUS_DETAILS = "status.details"
    STATUS_UNEXPLAINED = "status.silent"
    SYNC_FAILED = "sync.failed"
    SYNC_NEVER = "sync.never"
    NEVER_ACTIVATED = "inactive.never"
    DEACTIVATED = "inactive.deactivated"
    UNREADABLE = "unasked"
    SCHEDULE_UNREADABLE = "schedule.unreadable"
    REMOVED = "gone"
    UNWATCHED = "unwatched"


@dataclass(frozen=True)
class Target:
    """One connected registry: its cloud registry's ARM id in lower case, and its own name."""

    acr: str
    name: str


@dataclass(frozen=True)
class DiskSample:
    """How much room was free on the disk of a connected registry, of how much."""

    at: datetime
    available_gib: float
    total_gib: float


@dataclass(frozen=True)
class Sighting:
    """What one poll saw of a connected registry, its cluster and its extension.

    `connectivity` is the Arc cluster's, `extension` the extension's provisioning state; empty where the bot has no
    right to read them or nothing is known. `failed` says why the poll failed (the rest is then from the last good one).
    """

    target: Target
    at: datetime
    connection_state: str = ""
    activation: str = ""
    last_sync: datetime | None = None
    last_activity: datetime | None = None
    schedule: str = ""
    window: timedelta | None = None
    message_ttl: timedelta | None = None
    details: tuple[StatusDetail, ...] = ()
    sync_result: SyncResult | None = None
    cluster: str = ""
    """ARM id of its Arc cluster, lower case; empty when no site names one with its extension."""
    connectivity: str = ""
    extension: str = ""
    failed: str = ""
    disk: tuple[DiskSample, ...] = ()
    """Of several polls, oldest first (`services.watching.disk`)."""


@dataclass(frozen=True)
class ClusterLook:
    """What was read of an Arc cluster.

    `connectivity` is empty where it could not be read; `extensions` are those that run a connected registry;
    `refused` says that the bot's identity may read neither.
    """

    at: datetime
    connectivity: str = ""
    extensions: tuple[Extension, ...] = ()
    refused: bool = False


@dataclass(frozen=True)
class Health:
    """What a sighting means at a moment.

    `lag` is the age of the last sync beyond what the schedule plans, zero while it is in time; `next_contact` is when
    the next contact is due; `lost_from` the day from which messages are lost if nothing changes (last contact plus
    message TTL); `disk_full_in` the number of days until its disk is full, None where that can't be said.
    """

    state: HealthState
    reason: HealthReason
    facts: Mapping[str, object] = field(default_factory=dict)
    next_contact: datetime | None = None
    lag: timedelta | None = None
    lost_from: date | None = None
    disk_full_in: float | None = None


@dataclass(frozen=True)
class Transition:
    """A change of health, with its cause. Stored instead of samples."""

    target: Target
    at: datetime
    before: HealthState
    after: HealthState
    reason: HealthReason
    facts: Mapping[str, object] = field(default_factory=dict)
