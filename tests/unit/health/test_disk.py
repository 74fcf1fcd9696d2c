"""When the disk of a connected registry is full: said only where the samples can say it."""

import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.model.azure import StatusDetail
from services.model.health import DiskSample, HealthReason, Sighting, Target
from services.watching import disk
from services.watching.health import health, severity

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
HALF_DAY = timedelta(hours=12)
HEALTHY = Sighting(
    Target("/acr", "edge01"), NOON, "Online", "Active", NOON, NOON, schedule="* * * * *", message_ttl=timedelta(days=2)
)


def samples(*available: float, total: float = 250) -> tuple[DiskSample, ...]:
    """Half a day apart, the last one at noon."""
    first = NOON - (len(available) - 1) * HALF_DAY
    return tuple(DiskSample(first + number * HALF_DAY, room, total) for number, room in enumerate(available))


def detail(available: float | None, total: float | None = 250, *, code: str = "DiskError") -> StatusDetail:
    return StatusDetail("Disk", code, "", NOON, "", available, total)


def filled(*rooms: float) -> Sighting:
    """In contact and without a complaint, with so much room on its disk at each half day."""
    return replace(HEALTHY, disk=samples(*rooms))


@pytest.mark.parametrize(
    ("rooms", "days"),
    [
        ((40, 35, 30), 3),
        # Garbage collection in between, and one image that is larger than a day's others.
        ((60, 55, 58, 45, 40, 35, 30), 3),
        ((1, 0.5, 0), 0),
    ],
)
def test_a_disk_that_fills_steadily_says_in_how_many_days_it_is_full(rooms: Sequence[float], days: float) -> None:
    assert disk.days_left(samples(*rooms), NOON) == pytest.approx(days, rel=0.35)


@pytest.mark.parametrize(
    ("kept", "later"),
    [
        ((), timedelta()),
        (samples(40, 30), timedelta()),  # two are no trend
        (samples(30, 30, 30), timedelta()),
        (samples(30, 35, 40), timedelta()),
        (samples(40, 35, 30), timedelta(days=3)),  # nobody has said anything for days
        (samples(230, 229.9, 229.8), timedelta()),  # years ahead
    ],
)
def test_nothing_is_said_of_what_the_samples_do_not_show(kept: tuple[DiskSample, ...], later: timedelta) -> None:
    assert disk.days_left(kept, NOON + later) is None


@given(st.lists(st.floats(0, 250), max_size=disk.MOST), st.integers(0, 200))
def test_whatever_the_samples_the_answer_is_none_or_days_within_sight(rooms: list[float], hours: int) -> None:
    days = disk.days_left(samples(*rooms), NOON + timedelta(hours=hours))

    assert days is None or 0 <= days <= disk.FARTHEST


@given(st.lists(st.tuples(st.integers(0, 2000), st.floats(0, 250)), max_size=60))
def test_few_samples_are_kept_and_each_is_half_a_day_from_the_next(polls: list[tuple[int, float]]) -> None:
    kept: tuple[DiskSample, ...] = ()
    now = NOON
    for minutes, room in polls:
        now += timedelta(minutes=minutes)
        kept = disk.remembered(kept, [detail(room)], now)

    assert len(kept) <= disk.MOST
    assert all(later.at - earlier.at >= HALF_DAY for earlier, later in itertools.pairwise(kept))


@pytest.mark.parametrize("silent", [detail(None), detail(3, None), detail(300), detail(-1), detail(0, 0)])
def test_a_detail_without_usable_numbers_is_no_sample(silent: StatusDetail) -> None:
    assert disk.remembered(samples(40), [silent], NOON + HALF_DAY) == samples(40)


def test_another_disk_begins_anew() -> None:
    assert disk.remembered(samples(40, 35), [detail(480, 500)], NOON + HALF_DAY) == (
        DiskSample(NOON + HALF_DAY, 480, 500),
    )


@pytest.mark.parametrize(
    ("rooms", "state", "alert"),
    [
        ((200, 190, 180), "healthy", None),
        ((60, 50, 40), "unhealthy", "warning"),
        ((12, 8, 4), "unhealthy", "critical"),
    ],
)
def test_a_disk_that_is_nearly_full_is_worth_an_alert(rooms: Sequence[float], state: str, alert: str | None) -> None:
    current = health(filled(*rooms), NOON)

    assert (current.state, severity(current, HEALTHY)) == (state, alert)


def test_an_alert_about_the_disk_says_how_long_it_lasts() -> None:
    current = health(replace(filled(60, 50, 40), details=(detail(40),)), NOON)

    assert (current.reason, current.facts["days"]) == (HealthReason.STATUS_DISK, 2)
