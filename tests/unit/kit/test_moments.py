"""Moments and spans as people type them."""

from datetime import UTC, datetime, timedelta

import pytest

from handlers.kit.grammar import span
from handlers.kit.moments import past
from services.model.errors import Invalid

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("typed", "zone", "moment"),
    [
        ("2026-03-29", "Europe/Berlin", datetime(2026, 3, 28, 23, tzinfo=UTC)),
        ("2026-03-30", "Europe/Berlin", datetime(2026, 3, 29, 22, tzinfo=UTC)),
        # A time that the change of the clocks skips, and the first of two that it makes.
        ("2026-03-29T02:30", "Europe/Berlin", datetime(2026, 3, 29, 1, 30, tzinfo=UTC)),
        ("2026-10-25T02:30", "Europe/Berlin", datetime(2026, 10, 25, 0, 30, tzinfo=UTC)),
        ("2026-04-05T01:45", "Australia/Lord_Howe", datetime(2026, 4, 4, 14, 45, tzinfo=UTC)),
        ("2026-11-01T12:00", "America/Sao_Paulo", datetime(2026, 11, 1, 15, tzinfo=UTC)),
        ("2024-02-29", "UTC", datetime(2024, 2, 29, tzinfo=UTC)),
        ("1d", "Europe/Berlin", NOW - timedelta(days=1)),
        ("PT0S", "UTC", NOW),
    ],
)
def test_a_moment_is_read_in_the_zone_of_whoever_typed_it(typed: str, zone: str, moment: datetime) -> None:
    assert past("since", typed, NOW, zone) == moment


@pytest.mark.parametrize("typed", ["2026-02-29", "0001-01-01", "0001-01-01T00:00+14:00", "99999999d", "yesterday", "P"])
def test_what_no_calendar_has_is_refused(typed: str) -> None:
    with pytest.raises(Invalid) as refusal:
        past("since", typed, NOW, "Asia/Tokyo")

    assert refusal.value.rule == "moment.pattern"


@pytest.mark.parametrize(("typed", "length"), [("2 h 5 min", 125), ("1d12h", 2160), ("PT90M", 90), ("P1M", 43_200)])
def test_a_span_is_read_as_the_bot_itself_writes_it(typed: str, length: int) -> None:
    assert span(typed) == timedelta(minutes=length)


@pytest.mark.parametrize("typed", ["99999999d", "5300w", "P999999Y"])
def test_a_span_that_would_leave_the_calendar_is_refused(typed: str) -> None:
    with pytest.raises((OverflowError, ValueError)):
        span(typed)
