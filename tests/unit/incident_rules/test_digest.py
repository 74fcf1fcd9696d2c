"""What was wrong before a watch began gets no alert of it until it changes."""

from datetime import datetime
from typing import Any

import pytest

from services.model.incident import Incident
from services.model.people import Place
from services.model.watch import Watch
from services.watching import scope
from services.watching.health import PROMPT
from tests.golden.values import SITE
from tests.unit.incident_rules.conversation import HOUR, MINUTE, MONDAY

ACR = SITE.acr_ref.id.lower()
WATCH = Watch("w-1", Place("T1", "C1"), "all", "", "", "UTC", "on", "U1", MONDAY)


def alerts(opened: datetime = MONDAY + 5 * MINUTE, changed: datetime | None = None, **facts: Any) -> bool:
    """Whether the watch alerts about an incident that opened five minutes after the watch began."""
    incident = Incident(
        id="al-1",
        kind="registry",
        subject=f"{ACR}/edge01",
        severity="warning",
        opened=opened,
        state="offline",
        reason="contact.missed",  # type: ignore[arg-type]  # as the store gives it
        facts=facts,
        changed=changed or opened,
    )
    return scope.alerts(WATCH, incident, ACR, "", {SITE.name: SITE})


def test_a_contact_that_was_late_before_the_watch_began_is_old() -> None:
    assert not alerts(due=MONDAY - PROMPT - MINUTE)


@pytest.mark.parametrize("due", [MONDAY - MINUTE, MONDAY + MINUTE])
def test_a_contact_that_was_not_late_yet_is_new(due: datetime) -> None:
    assert alerts(due=due)


def test_a_problem_that_was_seen_before_the_watch_began_is_old_although_it_is_confirmed_later() -> None:
    assert not alerts(since=MONDAY - MINUTE)
    assert alerts(since=MONDAY + MINUTE)


def test_what_changes_afterwards_is_news() -> None:
    assert alerts(due=MONDAY - HOUR, changed=MONDAY + HOUR)
