"""What a sighting means, against a minute-by-minute simulation of the edge and in single cases."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.azure import StatusDetail, SyncResult
from services.model.health import Sighting, Target
from services.watching.health import DROPPED, GRACE, health, severity

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
DISK = StatusDetail("Disk", "DiskError", "No space left on device")


def seen(**values: Any) -> Sighting:
    """A sighting of one that is active, not connected, and continuous."""
    usual: dict[str, Any] = {
        "target": Target("/acr", "edge01"),
        "at": MONDAY,
        "connection_state": "Offline",
        "activation": "Active",
        "schedule": "* * * * *",
        "message_ttl": 2 * DAY,
    }
    return Sighting(**usual | values)


def nightly(**values: Any) -> Sighting:
    """One that connects at 03:00 for three hours, heard of last on Monday at 05:59."""
    contact = MONDAY + 6 * HOUR - MINUTE
    usual = {"schedule": "0 3 * * *", "window": 3 * HOUR, "last_activity": contact, "last_sync": contact}
    return seen(**usual | values)


# --- against a simulation -------------------------------------------------------------------------------------------

schedules = st.one_of(
    st.just("* * * * *"),
    st.builds("{} {} * * *".format, st.integers(0, 59), st.integers(0, 23)),
    st.builds("{} {} * * {}".format, st.integers(0, 59), st.integers(0, 23), st.integers(0, 7)),
    st.builds("{} */{} * * *".format, st.integers(0, 59), st.sampled_from([2, 4, 6, 8])),
)
"""Minutes and hours as numbers, a step or all."""


def fires(schedule: str, at: datetime) -> bool:
    """Whether it fires in that minute, read naively."""
    minute, hour, _, _, weekday = schedule.split()

    def has(text: str, value: int) -> bool:
        if text.startswith("*/"):
            return value % int(text[2:]) == 0
        return text == "*" or int(text) == value

    day = (at.weekday() + 1) % 7
    return has(minute, at.minute) and has(hour, at.hour) and (has(weekday, day) or (weekday == "7" and day == 0))


@cache
def firings(schedule: str) -> tuple[datetime, ...]:
    """All minutes of three weeks in which it fires."""
    minutes = (MONDAY + each * MINUTE for each in range(-8 * 24 * 60, 10 * 24 * 60))
    return tuple(at for at in minutes if fires(schedule, at))


class Simulation:
    """An edge, minute by minute: connects at a firing, stays for its window, unless the link is down."""

    def __init__(self, schedule: str, window: timedelta, down: tuple[int, int], now: datetime) -> None:
        self.schedule, self.now = schedule, now
        self.window = window if schedule != "* * * * *" else timedelta()
        self.down = (MONDAY + down[0] * MINUTE, MONDAY + sum(down) * MINUTE)
        self.contacts = self._contacts()

    def _contacts(self) -> list[datetime]:
        """Minutes in which it was in contact until now."""
        fired, found = set(firings(self.schedule)), []
        at = ends = MONDAY - 8 * DAY
        while at <= self.now:
            if at in fired:
                ends = at + self.window
            if at <= ends and fired and not self.down[0] <= at < self.down[1]:
                found.append(at)
            at += MINUTE
        return found

    def missed(self) -> bool:
        """Whether some contact that should have been was not, and there was none after it: firing by firing."""
        fired = firings(self.schedule)
        for one, following in zip(fired, [*fired[1:], None], strict=True):
            end = max(min(one + self.window, following or one + self.window), one + GRACE)
            if end > self.now:
                return False
            if not self.contacts or self.contacts[-1] < one:
                return True
        return False

    def sighting(self) -> Sighting:
        """What Azure shows of it now."""
        last = self.contacts[-1] if self.contacts else None
        state = "Online" if last == self.now else "Offline"
        window = self.window or None
        return seen(
            at=self.now,
            schedule=self.schedule,
            window=window,
            connection_state=state,
            last_activity=last,
            last_sync=last,
        )


@settings(max_examples=150, deadline=None)
@given(
    schedule=schedules,
    window=st.sampled_from([HOUR, 3 * HOUR, 12 * HOUR, DAY]),
    down=st.tuples(st.integers(0, 6 * 24 * 60), st.integers(1, 3 * 24 * 60)),
    minute=st.integers(0, 10 * 24 * 60 - 1),
)
def test_every_missed_contact_is_an_incident_and_nothing_else_is(
    schedule: str, window: timedelta, down: tuple[int, int], minute: int
) -> None:
    now = MONDAY + minute * MINUTE
    world = Simulation(schedule, window, down, now)
    sighting = world.sighting()

    found = health(sighting, now)

    assert (severity(found, sighting) is not None) == world.missed(), found


@settings(max_examples=100, deadline=None)
@given(schedule=schedules, window=st.sampled_from([HOUR, 12 * HOUR, DAY]), minute=st.integers(0, 10 * 24 * 60 - 1))
def test_a_registry_that_keeps_its_schedule_is_never_an_incident_nor_late(
    schedule: str, window: timedelta, minute: int
) -> None:
    now = MONDAY + minute * MINUTE
    sighting = Simulation(schedule, window, (0, 0), now).sighting()

    found = health(sighting, now)

    assert found.state in {"healthy", "silent"}
    assert found.next_contact is not None
    assert now < found.next_contact <= now + 7 * DAY + MINUTE
    assert fires(schedule, found.next_contact)


@given(st.builds(replace, st.builds(nightly), failed=st.text(min_size=1)), st.integers(0, 10_000))
def test_what_could_not_be_asked_is_unknown_whatever_it_was(sighting: Sighting, minutes: int) -> None:
    found = health(sighting, MONDAY + minutes * MINUTE)

    assert (found.state, severity(found, sighting)) == ("unknown", None)


# --- single cases ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("minutes", "expected"),
    [
        (2, ("healthy", "contact.fresh")),
        (4, ("late", "contact.due")),
        (10, ("late", "contact.due")),
        (11, ("offline", "contact.missed")),
    ],
)
def test_a_continuous_one_is_late_after_minutes_and_offline_after_the_grace(
    minutes: int, expected: tuple[str, str]
) -> None:
    found = health(seen(last_activity=MONDAY), MONDAY + minutes * MINUTE)

    assert (found.state, found.reason) == expected


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(hours=23), ("silent", "window.closed")),
        (timedelta(days=1, hours=3, minutes=1), ("silent", "window.opening")),
        (timedelta(days=1, hours=3, minutes=5), ("late", "contact.due")),
        (timedelta(days=1, hours=5, minutes=59), ("late", "contact.due")),
        (timedelta(days=1, hours=6), ("offline", "contact.missed")),
    ],
)
def test_a_nightly_one_is_late_while_its_window_is_open_and_offline_when_it_has_closed(
    after: timedelta, expected: tuple[str, str]
) -> None:
    found = health(nightly(), MONDAY + after)

    assert (found.state, found.reason) == expected


def test_a_missed_contact_tells_when_it_was_due_what_it_lags_and_when_messages_get_lost() -> None:
    found = health(nightly(), MONDAY + DAY + 6 * HOUR)

    assert found.facts["due"] == MONDAY + DAY + 3 * HOUR
    assert found.lag == 3 * HOUR
    assert found.next_contact == MONDAY + 2 * DAY + 3 * HOUR
    assert found.lost_from == date(2026, 3, 4)


def test_one_that_syncs_in_time_has_no_lag() -> None:
    fresh = seen(last_sync=MONDAY - 2 * MINUTE)

    assert health(fresh, MONDAY).lag == timedelta()
    assert health(fresh, MONDAY + HOUR).lag == HOUR + MINUTE


def test_a_window_of_days_does_not_excuse_a_silence_of_days() -> None:
    weekly = seen(schedule="0 0 * * 1", window=7 * DAY, last_activity=MONDAY + HOUR)

    assert health(weekly, MONDAY + 3 * HOUR).reason == "window.dropped"
    assert health(weekly, MONDAY + HOUR + DROPPED).state == "offline"


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"connectivity": "Offline"}, "cluster.offline"),
        ({"connectivity": "AgentNotInstalled"}, "cluster.offline"),
        ({"connectivity": "Expired", "extension": "Failed"}, "cluster.expired"),
        ({"connectivity": "Connected", "extension": "Failed"}, "extension.failed"),
        ({"connectivity": "Connected", "extension": "Succeeded"}, "contact.missed"),
    ],
)
def test_a_missed_contact_is_put_down_to_the_cluster_or_the_extension(values: dict[str, str], expected: str) -> None:
    assert health(nightly(**values), MONDAY + 2 * DAY).reason == expected


def test_a_dead_cluster_is_no_cause_while_nothing_is_due() -> None:
    assert health(nightly(connectivity="Offline"), MONDAY + 12 * HOUR).state == "silent"


def test_complaints_stand_through_the_planned_silence() -> None:
    connected = health(nightly(connection_state="Unhealthy", details=(DISK,)), MONDAY)
    silent = health(nightly(details=(DISK,)), MONDAY + 12 * HOUR)

    assert connected.state == silent.state == "unhealthy"
    assert silent.facts["codes"] == ("DiskError",)


def test_a_missed_contact_counts_more_than_old_complaints() -> None:
    assert health(nightly(details=(DISK,)), MONDAY + 2 * DAY).state == "offline"


def test_one_that_was_never_activated_differs_from_one_that_was_deactivated() -> None:
    never = health(seen(activation="Inactive"), MONDAY)
    switched_off = health(nightly(activation="Inactive"), MONDAY)

    assert (never.state, never.reason) == ("inactive", "inactive.never")
    assert (switched_off.state, switched_off.reason) == ("inactive", "inactive.deactivated")


def test_an_active_one_that_nobody_ever_heard_of_is_offline() -> None:
    assert health(seen(), MONDAY).reason == "contact.none"


def test_a_schedule_that_cannot_be_read_makes_it_unknown() -> None:
    assert health(nightly(schedule="whenever"), MONDAY).reason == "schedule.unreadable"


@pytest.mark.parametrize(("ttl", "expected"), [(2 * DAY, "critical"), (30 * DAY, "warning"), (None, "warning")])
def test_it_is_critical_when_messages_are_lost_within_a_day(ttl: timedelta | None, expected: str) -> None:
    sighting = nightly(message_ttl=ttl, at=MONDAY + DAY + 7 * HOUR)

    assert severity(health(sighting, sighting.at), sighting) == expected


@pytest.mark.parametrize(
    ("state", "succeeded", "expected"),
    [
        ("Failed", MONDAY - HOUR, "sync.failed"),
        ("TimedOut", None, "sync.never"),
        ("Failed", MONDAY - MINUTE, "connected"),
        ("Succeeded", MONDAY - DAY, "connected"),
        ("Pending", None, "connected"),
    ],
)
def test_one_that_is_connected_and_gets_nothing_is_unhealthy(
    state: str, succeeded: datetime | None, expected: str
) -> None:
    result = SyncResult("RecoveryService", state, succeeded)
    current = health(seen(connection_state="Online", sync_result=result), MONDAY)

    assert (current.reason, current.state) == (expected, "healthy" if expected == "connected" else "unhealthy")


def test_a_disk_that_fails_is_critical_and_other_complaints_are_a_warning() -> None:
    other = StatusDetail("Network", "ProxyError", "slow")
    disk = nightly(connection_state="Unhealthy", details=(other, DISK))
    older = nightly(connection_state="Unhealthy", details=(other, StatusDetail("", "DISK_STORAGE_FULL", "full")))
    proxy = nightly(connection_state="Unhealthy", details=(other,))

    assert severity(health(disk, MONDAY), disk) == "critical"
    assert severity(health(older, MONDAY), older) == "critical"
    assert severity(health(proxy, MONDAY), proxy) == "warning"
