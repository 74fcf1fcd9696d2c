"""What a poll changes in what is stored."""

from dataclasses import replace

from services.model.health import Sighting, Target
from services.model.poll import Poll, PollResult, StoredState
from services.watching.poll_result import answered
from tests.unit.incident_rules.conversation import ACR, CLUSTER, DAY, MINUTE, MONDAY

OFFLINE = Sighting(
    Target(ACR, "edge01"),
    MONDAY,
    connection_state="Offline",
    activation="Active",
    last_sync=MONDAY - DAY,
    last_activity=MONDAY - DAY,
    schedule="* * * * *",
    cluster=CLUSTER,
)


def after(last: PollResult, sighting: Sighting) -> PollResult:
    """The next poll, a minute later."""
    stored = {sighting.sighting.target: sighting for sighting in last.sightings}
    state = StoredState(last.poll, stored, last.opened, last.memos or {})
    return answered(state, [replace(sighting, at=MONDAY + MINUTE)], MONDAY + MINUTE, MONDAY + 2 * MINUTE)


def test_an_alert_is_brought_up_to_date_when_its_registry_turns_up_at_another_cluster() -> None:
    first = answered(StoredState(Poll(ACR, MONDAY), {}, ()), [OFFLINE], MONDAY, MONDAY + MINUTE)

    assert len(first.opened) == 1
    assert after(first, OFFLINE).incident_ids == ()
    assert after(first, replace(OFFLINE, cluster="/elsewhere")).incident_ids == first.incident_ids
