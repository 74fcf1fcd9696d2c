"""Whose clock counts when Azure's timestamps are judged."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from services.gateways.azure.clock import AzureClock

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


class Local:
    """This machine's clock, turned by hand."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


def date(at: datetime) -> dict[str, str]:
    return {"Date": format_datetime(at, usegmt=True)}


def test_until_azure_has_said_something_this_machines_clock_counts() -> None:
    assert AzureClock(Local()).now() == NOON


@pytest.mark.parametrize("hours", [-3, 2])
def test_a_clock_that_is_wrong_is_put_right_and_goes_on(hours: int) -> None:
    local = Local()
    clock = AzureClock(local)

    clock.note(date(NOON + timedelta(hours=hours)))
    local.time += timedelta(minutes=5)

    assert clock.now() == NOON + timedelta(hours=hours, minutes=5)


@pytest.mark.parametrize("seconds", [-59, 0, 45])
def test_answers_that_take_their_time_move_nothing(seconds: int) -> None:
    clock = AzureClock(Local())

    clock.note(date(NOON + timedelta(seconds=seconds)))

    assert clock.now() == NOON


def test_it_does_not_tremble_with_every_answer() -> None:
    clock = AzureClock(Local())

    clock.note(date(NOON + timedelta(hours=2)))
    clock.note(date(NOON + timedelta(hours=2, seconds=3)))

    assert clock.now() == NOON + timedelta(hours=2)


def test_a_clock_that_was_put_right_is_followed_back() -> None:
    local = Local()
    clock = AzureClock(local)
    clock.note(date(NOON + timedelta(hours=2)))

    local.time += timedelta(hours=2)
    clock.note(date(NOON + timedelta(hours=2)))

    assert clock.now() == NOON + timedelta(hours=2)


@pytest.mark.parametrize("headers", [{}, {"Date": ""}, {"Date": "yesterday"}])
def test_an_answer_without_a_readable_date_says_nothing(headers: dict[str, str]) -> None:
    clock = AzureClock(Local())

    clock.note(headers)

    assert clock.now() == NOON
