"""What a sighting means at a moment: health, the next contact, the lag, the day of loss, severity. Pure.

A connected registry owes a contact at every firing of its schedule, and keeps it through the window after that; with a
continuous schedule it owes one every minute. Outside of that its silence is planned. Contact is what the service
remembers of it (last activity, last sync), or that it is connected right now.
"""

from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from services.model.azure import ConnectedRegistry
from services.model.errors import Invalid
from services.model.health import Health, HealthState, Sighting, Target
from services.model.incident import Severity
from services.policy.sites import CONTINUOUS
from services.watching import cron

GRACE = timedelta(minutes=10)
"""For how long a contact may be overdue where no window says so."""
PROMPT = timedelta(minutes=3)
"""What contacts take anyway; nothing is called late before, and no lag is reckoned."""
DROPPED = timedelta(days=1)
"""A window that stays open for days does not excuse a silence of so long within it."""
NEAR_LOSS = timedelta(days=1)

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
_CONNECTED = frozenset({"online", "syncing", "unhealthy"})
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


def health(seen: Sighting, now: datetime, *, activated_before: bool = True, grace: timedelta = GRACE) -> Health:
    """What `seen` means at `now`. `activated_before`: whether it may have been activated once."""
    state, reason, facts = _judged(seen, now, activated_before, grace)
    if state == "inactive":
        return Health(state, reason, facts)
    return Health(
        state,
        reason,
        facts,
        next_contact=_next_contact(seen, now),
        lag=_lag(seen, now) if state != "unknown" else None,
        lost_from=_lost_from(seen),
    )


def sighting(acr: str, one: ConnectedRegistry, at: datetime, *, extension: str = "") -> Sighting:
    """A look at one connected registry of the cloud registry with ARM id `acr`; `extension`: its provisioning state."""
    return Sighting(
        target=Target(acr.lower(), one.name),
        at=at,
        connection_state=one.connection_state,
        activation=one.activation,
        last_sync=one.last_sync,
        last_activity=one.last_activity,
        schedule=one.schedule,
        window=one.window,
        message_ttl=one.message_ttl,
        details=one.status_details,
        extension=extension,
    )


def severity(found: Health, seen: Sighting) -> Severity | None:
    """How bad it is; None when it is no incident. `critical` when messages are lost within a day, or a disk fails."""
    if found.state == "unhealthy":
        return "critical" if found.reason == "status.disk" else "warning"
    if found.state != "offline":
        return None
    contact = last_contact(seen)
    if contact is None or seen.message_ttl is None:
        return "warning"
    return "critical" if contact + seen.message_ttl - seen.at <= NEAR_LOSS else "warning"


def last_contact(seen: Sighting) -> datetime | None:
    """The newest sign of life; None when there never was one."""
    signs = [seen.last_activity, seen.last_sync, seen.at if is_connected(seen) else None]
    return max((one for one in signs if one), default=None)


def is_connected(seen: Sighting) -> bool:
    """Whether the service said that it is connected."""
    return not seen.failed and seen.connection_state.lower() in _CONNECTED and _is_active(seen)


def is_continuous(seen: Sighting) -> bool:
    """Whether it owes a contact every minute."""
    return seen.schedule.split() in ([], CONTINUOUS.split())


def due(seen: Sighting, after: datetime) -> datetime | None:
    """When the first contact after `after` is owed; None when its schedule can't be read."""
    return _firing(seen.schedule, after)


def missed(seen: Sighting, firing: datetime, grace: timedelta = GRACE) -> datetime:
    """From when on the contact of that firing counts as missed: its window has passed, or the next one begins."""
    end = firing + (seen.window or timedelta())
    following = _firing(seen.schedule, firing)
    return max(min(end, following or end), firing + grace)


def _is_active(seen: Sighting) -> bool:
    return seen.activation.lower() != "inactive"


_Judged = tuple[HealthState, str, Mapping[str, object]]


def _judged(seen: Sighting, now: datetime, activated_before: bool, grace: timedelta) -> _Judged:
    if seen.failed:
        return "unknown", "unasked", {"error": seen.failed}
    if not _is_active(seen):
        known = last_contact(seen)
        word = "inactive.deactivated" if known and activated_before else "inactive.never"
        return "inactive", word, {"last_contact": known} if known else {}
    if is_connected(seen):
        return _connected(seen)
    overdue = _overdue(seen, now, grace)
    if overdue[0] != "silent" or not seen.details:
        return overdue
    # The complaints of its last contact stand until the next one takes them back.
    return _complaints(seen)


def _connected(seen: Sighting) -> _Judged:
    if seen.details or seen.connection_state.lower() == "unhealthy":
        return _complaints(seen)
    if seen.connection_state.lower() == "syncing":
        return "syncing", "syncing", {}
    return "healthy", "connected", {}


def _complaints(seen: Sighting) -> _Judged:
    codes = tuple(dict.fromkeys(detail.code for detail in seen.details))
    told = tuple(dict.fromkeys(detail.description for detail in seen.details if detail.description))
    disk = any(code.lower() == "diskerror" for code in codes)
    word = "status.disk" if disk else "status.details" if codes else "status.silent"
    return "unhealthy", word, {"codes": codes, "descriptions": told}


def _overdue(seen: Sighting, now: datetime, grace: timedelta) -> _Judged:
    contact = last_contact(seen)
    firing = _owed(seen, contact, now)
    if firing is None:
        return "unknown", "schedule.unreadable", {"schedule": seen.schedule}
    facts = {"due": firing, "last_contact": contact} if contact else {"due": firing}
    if now >= missed(seen, firing, grace):
        return "offline", _cause(seen, contact), facts
    if now >= firing + PROMPT:
        return "late", "contact.due", facts
    if is_continuous(seen):
        return "healthy", "contact.fresh", facts
    if now >= firing:
        return "silent", "window.opening", facts
    return _between(seen, contact or firing, now, grace)


def _between(seen: Sighting, contact: datetime, now: datetime, grace: timedelta) -> _Judged:
    """Nothing is owed: it was heard of since the last firing."""
    began = _latest(seen.schedule, contact.astimezone(UTC).replace(second=0, microsecond=0))
    facts: dict[str, object] = {"last_contact": contact}
    if began is None or seen.window is None or now >= began + seen.window:
        return "silent", "window.closed", facts
    facts |= {"until": began + seen.window}
    if now - contact >= DROPPED:
        return "offline", _cause(seen, contact, "window.dropped"), facts
    return "silent", "window.dropped" if now - contact >= grace else "window.open", facts


def _owed(seen: Sighting, contact: datetime | None, now: datetime) -> datetime | None:
    """The first contact that is still owed."""
    if contact:
        return _firing(seen.schedule, contact)
    # It is active, and the service remembers no contact: whatever was due last is owed.
    found = _read(seen.schedule)
    return found.latest(now - GRACE if is_continuous(seen) else now) if found else None


def _cause(seen: Sighting, contact: datetime | None, otherwise: str = "contact.missed") -> str:
    connectivity = seen.connectivity.lower()
    if connectivity in {"offline", "expired"}:
        return f"cluster.{connectivity}"
    if seen.extension.lower() in {"failed", "canceled"}:
        return "extension.failed"
    return otherwise if contact else "contact.none"


def _next_contact(seen: Sighting, now: datetime) -> datetime | None:
    # While nothing is owed this is the firing after the last contact, which is remembered from look to look.
    contact = last_contact(seen)
    owed = _firing(seen.schedule, contact) if contact else None
    return owed if owed and owed > now else _firing(seen.schedule, now)


def _lag(seen: Sighting, now: datetime) -> timedelta | None:
    if seen.last_sync is None:
        return None
    owed = _firing(seen.schedule, seen.last_sync)
    if owed is None:
        return None
    # One that is in time is always some seconds behind its last firing.
    return now - owed if now - owed >= PROMPT else timedelta()


def _lost_from(seen: Sighting) -> date | None:
    contact = last_contact(seen)
    return (contact + seen.message_ttl).astimezone(UTC).date() if contact and seen.message_ttl else None


@lru_cache(maxsize=4096)
def _read(schedule: str) -> cron.Cron | None:
    try:
        return cron.parse(schedule or CONTINUOUS)
    except Invalid:
        return None


def _firing(schedule: str, after: datetime) -> datetime | None:
    """The first firing after that moment."""
    if schedule.split() in ([], CONTINUOUS.split()):
        return after.astimezone(UTC).replace(second=0, microsecond=0) + _MINUTE
    return _next(schedule, after.astimezone(UTC).replace(second=0, microsecond=0))


def _latest(schedule: str, minute: datetime) -> datetime | None:
    found = _calendar(schedule, minute.replace(hour=0, minute=0))
    place = bisect_right(found, minute)
    return found[place - 1] if place else None


def _next(schedule: str, minute: datetime) -> datetime | None:
    found = _calendar(schedule, minute.replace(hour=0, minute=0))
    place = bisect_right(found, minute)
    return found[place] if place < len(found) else None


@lru_cache(maxsize=4096)
def _calendar(schedule: str, day: datetime) -> tuple[datetime, ...]:
    """The firings of a day, with the last one before it and the first one after it; thousands of questions share it."""
    found = _read(schedule)
    if found is None:
        return ()
    before = found.latest(day - _MINUTE)
    firings = [] if before is None else [before]
    at = day - _MINUTE
    while at < day + _DAY and (following := found.next(at, 1)):
        at = following[0]
        firings.append(at)
    return tuple(firings)
