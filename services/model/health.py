"""The vocabulary of watching: health, transitions, incidents, watches. All frozen, all plain; times aware, in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from services.model.azure import StatusDetail

HealthState = Literal[
    "healthy",
    "syncing",
    "silent",  # not connected, as its schedule and window have it
    "late",  # a planned contact has not come yet, within the grace
    "offline",  # a planned contact was missed
    "unhealthy",  # connected, with complaints
    "inactive",  # never activated, or deactivated
    "unknown",  # could not be asked: never to be read as offline
]


@dataclass(frozen=True)
class Target:
    """One connected registry: its cloud registry's ARM id in lower case, and its own name."""

    acr: str
    name: str


@dataclass(frozen=True)
class Sighting:
    """What one poll saw of a connected registry and of what it hangs on.

    `connectivity` is the Arc cluster's, `extension` the extension's provisioning state; empty where the rights do not
    allow to ask or nothing is known. `failed` says why the poll could not ask (then the rest is what was seen last).
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
    cluster: str = ""
    """ARM id of the Arc cluster that it lives on, lower case; empty when no site says so."""
    connectivity: str = ""
    extension: str = ""
    failed: str = ""


@dataclass(frozen=True)
class Health:
    """What a sighting means at a moment.

    `lag` is the age of the last sync beyond what the schedule plans, zero while it is in time; `next_contact` when it
    should be heard of next; `lost_from` the day on which messages begin to be lost when nothing
    changes (last contact plus message TTL).
    """

    state: HealthState
    reason: str
    """A word that the views know, such as `contact.missed` or `window.closed`."""
    facts: Mapping[str, object] = field(default_factory=dict)
    next_contact: datetime | None = None
    lag: timedelta | None = None
    lost_from: date | None = None


@dataclass(frozen=True)
class Transition:
    """A change of health, with its cause. Stored instead of samples."""

    target: Target
    at: datetime
    before: HealthState
    after: HealthState
    reason: str
    facts: Mapping[str, object] = field(default_factory=dict)
