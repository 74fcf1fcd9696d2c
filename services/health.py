"""What a sighting means at a moment: health, the next contact, the lag, the day of loss, severity. Pure."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from services.watch import Health, HealthState, Severity, Sighting

GRACE = timedelta(minutes=10)
"""For how long a contact may be overdue where no window says so."""

WELL: frozenset[HealthState] = frozenset({"healthy", "syncing", "silent", "inactive"})
BAD: frozenset[HealthState] = frozenset({"offline", "unhealthy"})
WORST_FIRST: tuple[HealthState, ...] = (
    "offline",
    "unhealthy",
    "unknown",
    "late",
    "inactive",
    "syncing",
    "silent",
    "healthy",
)


def health(seen: Sighting, now: datetime, *, activated_before: bool = True, grace: timedelta = GRACE) -> Health:
    """What `seen` means at `now`. `activated_before`: whether it is known to have been activated once."""
    raise NotImplementedError


def severity(found: Health, seen: Sighting) -> Severity | None:
    """How bad it is; None when it is no incident. `critical` when messages are lost within a day, or disks fail."""
    raise NotImplementedError
