"""Health in words."""

import re
from pathlib import Path
from typing import get_args

import pytest
from inline_snapshot import snapshot

from handlers.kit import blocks
from handlers.kit.message import Message
from handlers.views import health as words
from handlers.views.facts import UNKNOWN
from services.model.health import HealthState
from services.watching import cron, incident_rules
from services.watching import health as rules
from services.watching.health import health
from tests.unit.watch_views.seen import DAY, HOUR, MONDAY, read, seen


def test_every_state_has_a_word_and_a_mark() -> None:
    for state in get_args(HealthState):
        assert words.word(state)
        assert words.mark(state).startswith(":")


def test_every_reason_in_the_rules_has_a_sentence() -> None:
    families = "|".join({name.split(".")[0] for name in words.SENTENCES if "." in name})
    sources = "".join(Path(str(module.__file__)).read_text() for module in (rules, incident_rules))
    used = set(re.findall(rf'"((?:{families})\.[a-z]+)"', sources))
    used |= {f"cluster.{state}" for state in ("offline", "expired", "silent")}

    assert used
    assert used <= words.SENTENCES.keys()


@pytest.mark.parametrize("name", sorted(words.SENTENCES))
def test_every_sentence_can_be_said_with_and_without_its_facts(name: str) -> None:
    facts = {
        "due": MONDAY,
        "last_contact": MONDAY - DAY,
        "until": MONDAY,
        "codes": ("DiskError",),
        "error": "Unreachable",
        "schedule": "x",
    }

    told = words.reason(name, facts)

    assert told.endswith(".")
    assert UNKNOWN not in told
    assert words.reason(name, {}).endswith(".")


def test_the_words_of_a_card() -> None:
    sighting = seen(schedule="0 3 * * *", window=3 * HOUR, last_sync=MONDAY - 30 * HOUR, last_activity=None)
    shown = blocks.fields(words.pairs(health(sighting, MONDAY), sighting, MONDAY))

    assert read(Message("", (shown,))) == snapshot("""\
*Health* :red_circle: offline
*Why* It was expected 2026-03-02 03:00 UTC and has not been heard of since 2026-03-01 06:00 UTC.
*Next contact* 2026-03-03 03:00 UTC
*Last sync* 2026-03-01 06:00 UTC (1 d 6 h ago)
*Lag of the last sync* 9 h
*Messages are lost from* 2026-03-03
*Schedule (UTC)* at 03:00 every day, open for 3 h
""")


@pytest.mark.parametrize(
    ("schedule", "window", "told"),
    [
        ("* * * * *", None, "continuous"),
        ("0 3 * * *", 3 * HOUR, "at 03:00 every day, open for 3 h"),
        ("30 22 * * 0", 2 * DAY, "at 22:30 on Sunday, open for 2 d"),
        ("whenever", None, "whenever"),
    ],
)
def test_schedule_and_window_are_told_in_words(schedule: str, window: object, told: str) -> None:
    assert words.schedule(seen(schedule=schedule, window=window)) == told


def test_a_registry_schedule_is_read_as_crontab_is() -> None:
    assert cron.parse("0 0 * * 7").words() == "at 00:00 on Sunday, UTC"
