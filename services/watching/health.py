"""What a sighting means at a moment: health, the next contact, the lag, the day of loss, severity. Pure.

A connected registry owes a contact at every firing of its schedule, and keeps it through the window after that; with a
continuous schedule it owes one every minute. Outside of that its silence is planned. A contact is what the service
remembers (last activity, last sync), or that it is connected right now.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from services.model.azure import ConnectedRegistry
from services.model.errors import Invalid
from services.model.health import DiskSample, Health, HealthReason, HealthState, Sighting, Target
from services.model.incident import Severity
from services.policy import cron
from services.policy.sites import CONTINUOUS
from services.watching import disk

GRACE = timedelta(minutes=10)
"""How long a contact may be overdue where no window says so."""
PROMPT = timedelta(minutes=3)
"""What contacts usually take: nothing counts as late, and no lag is shown, before that."""
DROPPED = timedelta(days=1)
"""A window that stays open for days does not excuse a silence of this length."""
NEAR_LOSS = timedelta(days=1)

WELL: frozenset[HealthState] = frozenset({"healthy", "syncing", "silent", "inactive"})
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
UNREACHABLE: Mapping[str, HealthReason] = {
    "offline": HealthReason.CLUSTER_OFFLINE,
    "expired": HealthReason.CLUSTER_EXPIRED,
    "agentnotinstalled": HealthReason.CLUSTER_OFFLINE,
}
"""States of an Arc agent, in lower case, that say that the cluster can't be reached."""
_CONNECTED = frozenset({"online", "syncing", "unhealthy"})
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)


def health(sighting: Sighting, now: datetime, *, activated_before: bool = True, grace: timedelta = GRACE) -> Health:
    """What `sighting` means at `now`. `activated_before`: whether it may have been activated once."""
    state, reason, facts = _assess(sighting, now, activated_before, grace)
    if state == "inactive":
        return Health(state, reason, facts)
    contact = last_contact(sighting)
    # While nothing is owed, the next contact is the firing after the last one: it is the same from poll to poll, so one
    # calendar answers all of them. Once that firing has passed it is the first one from now on.
    expected = _firing(sighting.schedule, contact) if contact else None
    if expected is None or expected <= now:
        expected = _firing(sighting.schedule, now)
    lag = None
    synced = sighting.last_sync
    if state != "unknown" and synced and (planned := _firing(sighting.schedule, synced)):
        # One that is in time is always some seconds behind its last firing.
        lag = now - planned if now - planned >= PROMPT else timedelta()
    lost_from = (contact + sighting.message_ttl).astimezone(UTC).date() if contact and sighting.message_ttl else None
    full_in = disk.days_left(sighting.disk, now)
    return Health(state, reason, facts, next_contact=expected, lag=lag, lost_from=lost_from, disk_full_in=full_in)


def sighting_of(
    acr: str, registry: ConnectedRegistry, at: datetime, *, extension: str = "", samples: tuple[DiskSample, ...] = ()
) -> Sighting:
    """A connected registry of the cloud registry with ARM id `acr`, as read `at`.

    `extension` is its extension's provisioning state, `samples` what polls have seen of its disk.
    """
    return Sighting(
        target=Target(acr.lower(), registry.name),
        at=at,
        connection_state=registry.connection_state,
        activation=registry.activation,
        last_sync=registry.last_sync,
        last_activity=registry.last_activity,
        schedule=registry.schedule,
        window=registry.window,
        message_ttl=registry.message_ttl,
        details=registry.status_details,
        sync_result=registry.sync_result,
        extension=extension,
        disk=samples,
    )


def severity(current: Health, sighting: Sighting) -> Severity | None:
    """How bad it is; None when it is no incident.

    `critical` when messages are lost within a day, or a disk fails or is full by then.
    """
    if current.state == "unhealthy":
        is_full = current.disk_full_in is not None and current.disk_full_in < 1
        return "critical" if is_full or current.reason == HealthReason.STATUS_DISK else "warning"
    if current.state != "offline":
        return None
    contact = last_contact(sighting)
    if contact is None or sighting.message_ttl is None:
        return "warning"
    return "critical" if contact + sighting.message_ttl - sighting.at <= NEAR_LOSS else "warning"


def last_contact(sighting: Sighting) -> datetime | None:
    """The newest sign of life; None when there never was one."""
    signs = [sighting.last_activity, sighting.last_sync, sighting.at if is_connected(sighting) else None]
    return max((sign for sign in signs if sign), default=None)


def is_connected(sighting: Sighting) -> bool:
    """Whether the service reports a connection."""
    is_active = sighting.activation.lower() != "inactive"
    return is_active and not sighting.failed and sighting.connection_state.lower() in _CONNECTED


def is_continuous(sighting: Sighting) -> bool:
    """Whether it owes a contact every minute."""
    return sighting.schedule.split() in ([], CONTINUOUS.split())


def due(sighting: Sighting, after: datetime) -> datetime | None:
    """When the first contact after `after` is due; None when its schedule can't be read."""
    return _firing(sighting.schedule, after)


def missed(sighting: Sighting, firing: datetime, grace: timedelta = GRACE) -> datetime:
    """When the contact of that firing counts as missed: after its window, or when the next one begins."""
    end = firing + (sighting.window or timedelta())
    following = _firing(sighting.schedule, firing)
    return max(min(end, following or end), firing + grace)


_Assessment = tuple[HealthState, HealthReason, Mapping[str, object]]


def _assess(sighting: Sighting, now: datetime, activated_before: bool, grace: timedelta) -> _Assessment:
    if sighting.failed:
        return "unknown", HealthReason.UNREADABLE, {"error": sighting.failed}
    if sighting.activation.lower() == "inactive":
        contact = last_contact(sighting)
        reason = HealthReason.DEACTIVATED if contact and activated_before else HealthReason.NEVER_ACTIVATED
        return "inactive", reason, {"last_contact": contact} if contact else {}
    if is_connected(sighting):
        return _connected(sighting, now, grace)
    disconnected = _disconnected(sighting, now, grace)
    # Problems that the last contact reported stand until the next one takes them back.
    return _problems(sighting, now) if disconnected[0] == "silent" and sighting.details else disconnected


def _problems(sighting: Sighting, now: datetime) -> _Assessment:
    codes = tuple(dict.fromkeys(detail.code for detail in sighting.details))
    descriptions = tuple(dict.fromkeys(detail.description for detail in sighting.details if detail.description))
    reason = HealthReason.STATUS_DETAILS if codes else HealthReason.STATUS_UNEXPLAINED
    if any(detail.is_of_disk for detail in sighting.details):
        reason = HealthReason.STATUS_DISK
    facts: dict[str, object] = {"codes": codes, "descriptions": descriptions}
    days = disk.days_left(sighting.disk, now)
    return "unhealthy", reason, facts if days is None else facts | {"days": math.ceil(days)}


def _connected(sighting: Sighting, now: datetime, grace: timedelta) -> _Assessment:
    """A connection alone brings no image: the last full sync has its say too."""
    connection, result = sighting.connection_state.lower(), sighting.sync_result
    if sighting.details or connection == "unhealthy":
        return _problems(sighting, now)
    # The next one may do better, so after a good one a failure gets its time.
    if result and result.is_failure and not (result.succeeded and now - result.succeeded < grace):
        facts: dict[str, object] = {"sync": result.state}
        if result.succeeded is None:
            return "unhealthy", HealthReason.SYNC_NEVER, facts
        return "unhealthy", HealthReason.SYNC_FAILED, facts | {"succeeded": result.succeeded}
    days = disk.days_left(sighting.disk, now)
    if days is not None and days <= disk.NEAR:
        return "unhealthy", HealthReason.DISK_FILLING, {"days": math.ceil(days)}
    if connection == "syncing":
        return "syncing", HealthReason.SYNCING, {}
    return "healthy", HealthReason.CONNECTED, {}


def _disconnected(sighting: Sighting, now: datetime, grace: timedelta) -> _Assessment:
    """It is not connected: planned, late or missed, by the first contact that it still owes."""
    contact = last_contact(sighting)
    schedule = _cron(sighting.schedule)
    if contact:
        firing = _firing(sighting.schedule, contact)
    else:
        # It is active and the service remembers no contact, so it owes whatever was due last.
        firing = schedule.latest(now - GRACE if is_continuous(sighting) else now) if schedule else None
    if firing is None:
        return "unknown", HealthReason.SCHEDULE_UNREADABLE, {"schedule": sighting.schedule}
    facts: dict[str, object] = {"due": firing, "last_contact": contact} if contact else {"due": firing}
    if now >= missed(sighting, firing, grace):
        return "offline", _cause(sighting, contact, HealthReason.CONTACT_MISSED), facts
    if now >= firing + PROMPT:
        return "late", HealthReason.CONTACT_DUE, facts
    if is_continuous(sighting):
        return "healthy", HealthReason.CONTACT_FRESH, facts
    if now >= firing:
        return "silent", HealthReason.WINDOW_OPENING, facts
    return _between(sighting, contact or firing, now, grace)


def _between(sighting: Sighting, contact: datetime, now: datetime, grace: timedelta) -> _Assessment:
    """It owes nothing: the contact of the last firing came, and its window is open or closed."""
    minute = contact.astimezone(UTC).replace(second=0, microsecond=0)
    firings = _calendar(sighting.schedule, minute.replace(hour=0, minute=0))
    position = bisect_right(firings, minute)
    facts: dict[str, object] = {"last_contact": contact}
    closes = firings[position - 1] + sighting.window if position and sighting.window is not None else None
    if closes is None or now >= closes:
        return "silent", HealthReason.WINDOW_CLOSED, facts
    facts |= {"until": closes}
    # A window of days would hide a registry that was cut off in its middle; a day without contact is too long.
    if now - contact >= DROPPED:
        return "offline", _cause(sighting, contact, HealthReason.WINDOW_DROPPED), facts
    return "silent", HealthReason.WINDOW_DROPPED if now - contact >= grace else HealthReason.WINDOW_OPEN, facts


def _cause(sighting: Sighting, contact: datetime | None, otherwise: HealthReason) -> HealthReason:
    """Why it is offline: its cluster or its extension where they explain it."""
    if reason := UNREACHABLE.get(sighting.connectivity.lower()):
        return reason
    if sighting.extension.lower() in {"failed", "canceled"}:
        return HealthReason.EXTENSION_FAILED
    return otherwise if contact else HealthReason.CONTACT_NONE


# --- the schedule ---------------------------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def _cron(schedule: str) -> cron.Cron | None:
    try:
        return cron.parse(schedule or CONTINUOUS)
    except Invalid:
        return None


def _firing(schedule: str, after: datetime) -> datetime | None:
    """The first firing after that moment."""
    minute = after.astimezone(UTC).replace(second=0, microsecond=0)
    if schedule.split() in ([], CONTINUOUS.split()):
        return minute + _MINUTE
    firings = _calendar(schedule, minute.replace(hour=0, minute=0))
    position = bisect_right(firings, minute)
    return firings[position] if position < len(firings) else None


@lru_cache(maxsize=4096)
def _calendar(schedule: str, day: datetime) -> tuple[datetime, ...]:
    """The firings of a day, with the last one before it and the first one after it.

    A fleet shares few schedules and asks about them thousands of times in a poll, so a day is computed once.
    """
    expression = _cron(schedule)
    if expression is None:
        return ()
    before = expression.latest(day - _MINUTE)
    firings = [] if before is None else [before]
    at = day - _MINUTE
    while at < day + _DAY and (following := expression.next(at, 1)):
        at = following[0]
        firings.append(at)
    return tuple(firings)
