"""When a connected registry talks to its parent."""

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.edge.schedule import duration, schedule

NOON = datetime(2026, 3, 10, 12, 0, 30, tzinfo=UTC)


def test_a_continuous_schedule_talks_at_each_minute() -> None:
    assert schedule("* * * * *", None).next_contact(NOON) == datetime(2026, 3, 10, 12, 1, tzinfo=UTC)


def test_without_a_window_it_looks_in_at_each_firing() -> None:
    assert schedule("0 0 * * *", None).next_contact(NOON) == datetime(2026, 3, 11, tzinfo=UTC)


def test_in_an_open_window_it_talks_each_minute() -> None:
    nightly = schedule("0 0 * * *", "PT3H")
    opened = datetime(2026, 3, 11, 0, 30, tzinfo=UTC)

    assert nightly.next_contact(opened) == opened + timedelta(minutes=1)


def test_after_the_window_it_is_silent_until_the_next_firing() -> None:
    nightly = schedule("0 0 * * *", "PT3H")
    last = datetime(2026, 3, 11, 3, 0, tzinfo=UTC)

    assert nightly.next_contact(last) == datetime(2026, 3, 12, tzinfo=UTC)


def test_the_last_minute_of_a_window_belongs_to_it() -> None:
    nightly = schedule("0 0 * * *", "PT3H")

    assert nightly.next_contact(datetime(2026, 3, 11, 2, 58, 30, tzinfo=UTC)) == datetime(
        2026, 3, 11, 2, 59, 30, tzinfo=UTC
    )


def test_a_schedule_that_is_none_means_continuous_contact() -> None:
    assert schedule("every now and then", None).next_contact(NOON) == NOON + timedelta(minutes=1)


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("PT3H", timedelta(hours=3)),
        ("P1DT30M", timedelta(days=1, minutes=30)),
        ("P7D", timedelta(days=7)),
        ("PT", None),
        ("", None),
        (None, None),
        ("3 hours", None),
    ],
)
def test_durations_are_iso_8601(text: str | None, meaning: timedelta | None) -> None:
    assert duration(text) == meaning
