"""Health in words."""

from typing import get_args

import pytest

from handlers.views import health as words
from handlers.views import schedules
from handlers.views.facts import UNKNOWN
from services.model.health import HealthReason, HealthState
from services.policy import cron
from tests.unit.watch_views.seen import DAY, HOUR, MONDAY, seen


def test_every_state_has_a_word_and_a_mark() -> None:
    for state in get_args(HealthState):
        assert words.word(state)
        assert words.mark(state).startswith(":")


@pytest.mark.parametrize("name", HealthReason)
def test_every_reason_has_a_sentence_with_and_without_its_facts(name: HealthReason) -> None:
    facts = {
        "due": MONDAY,
        "last_contact": MONDAY - DAY,
        "until": MONDAY,
        "codes": ("DiskError",),
        "error": "Unreachable",
        "schedule": "x",
        "sync": "Failed",
        "succeeded": MONDAY - DAY,
    }

    text = words.reason(name, facts)

    assert text.endswith(".")
    assert UNKNOWN not in text
    assert words.reason(name, {}).endswith(".")


@pytest.mark.parametrize(
    ("schedule", "window", "text"),
    [
        ("* * * * *", None, "continuous"),
        ("0 3 * * *", 3 * HOUR, "at 03:00 every day, open for 3 h"),
        ("30 22 * * 0", 2 * DAY, "at 22:30 on Sunday, open for 2 d"),
        ("whenever", None, "whenever"),
    ],
)
def test_schedule_and_window_in_words(schedule: str, window: object, text: str) -> None:
    assert words.schedule(seen(schedule=schedule, window=window)) == text


def test_a_registry_schedule_is_read_as_crontab_is() -> None:
    assert schedules.words(cron.parse("0 0 * * 7")) == "at 00:00 on Sunday"
