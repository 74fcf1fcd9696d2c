"""When an incident opens, develops, and is over."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from services.model.errors import Invalid
from services.model.health import HealthReason
from services.model.incident import UNTIL_CHANGE, Incident
from services.watching.incident_rules import IncidentThresholds, worse
from services.watching.responses import acknowledge, snooze
from tests.unit.incident_rules.conversation import ACR, CLUSTER, DAY, DISK, HOUR, MINUTE, MONDAY, PROXY, Fleet, key


def only(fleet: Fleet) -> Incident:
    (one,) = fleet.open.values()
    return one


# --- opening --------------------------------------------------------------------------------------------------------


def test_a_missed_contact_opens_an_incident_at_once() -> None:
    fleet = Fleet("edge01")
    fleet.is_offline("edge01")

    (opened,) = fleet.cycle().opened

    assert (opened.kind, opened.subject, opened.state, opened.severity) == ("registry", key(), "offline", "warning")
    assert opened.id.startswith("al-")


def test_a_complaint_that_is_seen_once_opens_nothing() -> None:
    fleet = Fleet("edge01")
    fleet.is_("edge01", connection_state="Unhealthy", details=(PROXY,))
    fleet.cycle()
    fleet.is_online("edge01")
    fleet.cycle()
    fleet.is_("edge01", connection_state="Unhealthy", details=(PROXY,))
    fleet.cycle()

    assert not fleet.messages


def test_a_complaint_that_is_seen_twice_opens_one() -> None:
    fleet = Fleet("edge01")
    fleet.is_("edge01", connection_state="Unhealthy", details=(DISK,))
    fleet.cycle(2)

    assert (only(fleet).state, only(fleet).reason, only(fleet).severity) == ("unhealthy", "status.disk", "critical")


def test_the_same_sighting_looked_at_twice_confirms_nothing() -> None:
    fleet = Fleet("edge01", thresholds=IncidentThresholds(confirm_offline=2))
    fleet.is_offline("edge01")
    fleet.cycle()
    fleet.now -= MINUTE
    fleet.cycle()

    assert not fleet.messages


def test_planned_silence_opens_nothing() -> None:
    nightly: dict[str, Any] = {"schedule": "0 3 * * *", "window": 3 * HOUR, "connection_state": "Offline"}
    fleet = Fleet("edge01", last_activity=MONDAY - 7 * HOUR, last_sync=MONDAY - 7 * HOUR, **nightly)

    fleet.cycle(14 * 60)

    assert not fleet.messages


def test_the_id_is_the_same_in_every_process_that_decides_the_same() -> None:
    fleets = [Fleet("edge01"), Fleet("edge01")]
    for fleet in fleets:
        fleet.is_offline("edge01")
        fleet.cycle()

    assert only(fleets[0]) == only(fleets[1])


# --- getting better, and flaps --------------------------------------------------------------------------------------


def test_an_incident_is_over_when_it_was_steadily_well_and_lasted_until_it_became_so() -> None:
    fleet = Fleet("edge01")
    fleet.is_offline("edge01")
    fleet.cycle(10)
    fleet.is_online("edge01")
    fleet.cycle(15)
    assert only(fleet).state == "healthy"

    (over,) = fleet.cycle().resolved

    assert over.resolved is not None
    assert over.resolved - over.opened == 10 * MINUTE


def test_flaps_are_counted_instead_of_opening_and_closing() -> None:
    fleet = Fleet("edge01")
    for _ in range(10):
        fleet.is_offline("edge01")
        fleet.cycle(10)
        fleet.is_online("edge01")
        fleet.cycle(14)

    assert fleet.messages == ["opened edge01"]
    assert only(fleet).flaps == 9


def test_after_many_relapses_it_has_to_be_well_for_longer() -> None:
    fleet = Fleet("edge01")
    for _ in range(3):
        fleet.is_offline("edge01")
        fleet.cycle(10)
        fleet.is_online("edge01")
        fleet.cycle(14)

    fleet.cycle(40)
    assert only(fleet).flaps == 2

    fleet.cycle(10)
    assert not fleet.open


def test_an_incident_soon_after_the_last_one_counts_as_a_relapse() -> None:
    fleet = Fleet("edge01")
    fleet.is_offline("edge01")
    fleet.cycle()
    fleet.is_online("edge01")
    fleet.cycle(20)
    fleet.is_offline("edge01")
    fleet.cycle()

    assert fleet.messages == ["opened edge01", "resolved edge01", "opened edge01"]
    assert only(fleet).flaps == 1


def test_what_cannot_be_asked_leaves_an_open_incident_as_it_is() -> None:
    fleet = Fleet("edge01")
    fleet.is_offline("edge01")
    fleet.cycle()
    before = only(fleet)
    fleet.is_("edge01", failed="Unreachable")

    fleet.cycle(60)

    assert only(fleet) == before


def test_what_no_longer_exists_has_no_incident() -> None:
    fleet = Fleet("edge01")
    fleet.is_offline("edge01")
    fleet.cycle()
    fleet.sightings.clear()

    (over,) = fleet.cycle(gone=[key()]).resolved

    assert over.reason == "gone"
    assert not fleet.open


def test_one_that_is_deactivated_meanwhile_is_over_at_once_and_not_called_well() -> None:
    fleet = Fleet("edge01")
    fleet.is_offline("edge01")
    fleet.cycle()
    fleet.is_("edge01", activation="Inactive")

    (over,) = fleet.cycle().resolved

    assert over.reason == "inactive.deactivated"
    assert over.state == "offline"
    assert not fleet.open


def test_one_that_was_made_anew_meanwhile_is_over_at_once() -> None:
    fleet = Fleet("edge01")
    fleet.is_offline("edge01")
    fleet.cycle()
    fleet.is_("edge01", activation="Inactive", last_activity=None)

    (over,) = fleet.cycle().resolved

    assert over.reason == "inactive.never"


def test_an_incident_that_only_goes_on_changes_nothing() -> None:
    fleet = Fleet("edge01")
    fleet.is_offline("edge01")
    fleet.cycle()

    decided = [fleet.cycle() for _ in range(30)]

    assert not any(one.opened or one.changed or one.resolved for one in decided)


# --- getting worse --------------------------------------------------------------------------------------------------


def losing() -> Fleet:
    """One that begins to lose messages a day after tomorrow."""
    fleet = Fleet("edge01", message_ttl=DAY + HOUR)
    fleet.is_offline("edge01")
    fleet.cycle()
    return fleet


def test_it_becomes_critical_when_the_day_of_loss_is_near() -> None:
    fleet = losing()
    assert only(fleet).severity == "warning"

    fleet.cycle(60)

    assert only(fleet).severity == "critical"


def test_acknowledged_stays_acknowledged_until_it_gets_worse() -> None:
    fleet = losing()
    fleet.change(acknowledge(only(fleet), "U1", fleet.now))
    fleet.cycle(10)
    assert only(fleet).acknowledged_by == "U1"

    fleet.cycle(50)

    assert only(fleet).acknowledged_by == ""


def test_the_first_who_acknowledges_stays_named() -> None:
    fleet = losing()
    first = acknowledge(only(fleet), "U1", fleet.now)

    assert acknowledge(first, "U2", fleet.now) == first


@pytest.mark.parametrize("choice", ["12h", "morning", "change"])
def test_a_snooze_ends_when_it_gets_worse(choice: str) -> None:
    fleet = losing()
    fleet.change(snooze(only(fleet), choice, fleet.now, "UTC"))
    assert only(fleet).snoozed_until

    fleet.cycle(60)

    assert only(fleet).snoozed_until is None


def test_a_snooze_until_it_changes_ends_when_it_gets_better() -> None:
    fleet = losing()
    fleet.change(snooze(only(fleet), "change", fleet.now, "UTC"))
    assert only(fleet).snoozed_until == UNTIL_CHANGE
    fleet.cycle(5)
    assert only(fleet).snoozed_until
    fleet.is_online("edge01")

    fleet.cycle()

    assert only(fleet).snoozed_until is None


def test_a_snooze_runs_out() -> None:
    fleet = Fleet("edge01")
    fleet.is_offline("edge01")
    fleet.cycle()
    fleet.change(snooze(only(fleet), "1h", fleet.now, "UTC"))
    fleet.cycle(59)
    assert only(fleet).snoozed_until

    (changed,) = fleet.cycle().changed

    assert changed.snoozed_until is None


@pytest.mark.parametrize(
    ("tz", "at", "morning"),
    [
        ("Europe/Berlin", datetime(2026, 3, 2, 23, 30, tzinfo=UTC), datetime(2026, 3, 3, 7, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 6, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 3, 3, 3, tzinfo=UTC), datetime(2026, 3, 3, 13, tzinfo=UTC)),
        ("UTC", datetime(2026, 3, 2, 7, 59, tzinfo=UTC), datetime(2026, 3, 2, 8, tzinfo=UTC)),
    ],
)
def test_morning_is_eight_o_clock_where_the_watcher_is(tz: str, at: datetime, morning: datetime) -> None:
    incident = Incident("al-1", "registry", key(), "warning", at, "offline", HealthReason.CONTACT_MISSED)

    assert snooze(incident, "morning", at, tz).snoozed_until == morning


@pytest.mark.parametrize("choice", ["", "soon", "0h", "8d", "1y", "-1h"])
def test_a_snooze_that_is_not_understood_is_refused(choice: str) -> None:
    incident = Incident("al-1", "registry", key(), "warning", MONDAY, "offline", HealthReason.CONTACT_MISSED)

    with pytest.raises(Invalid, match=r"snooze\.until"):
        snooze(incident, choice, MONDAY, "UTC")


def test_from_complaining_to_offline_is_worse() -> None:
    before = Incident("al-1", "registry", key(), "warning", MONDAY, "unhealthy", HealthReason.STATUS_DETAILS)

    assert worse(before, replace(before, state="offline", reason=HealthReason.CONTACT_MISSED))
    assert not worse(before, replace(before, state="healthy"))


# --- what explains others -------------------------------------------------------------------------------------------

EDGES = tuple(f"edge{number:02}" for number in range(50))


def on_cluster(*names: str) -> Fleet:
    fleet = Fleet(*(names or EDGES), cluster=CLUSTER, connectivity="Connected")
    fleet.cycle()
    return fleet


def test_a_dead_cluster_is_one_incident_that_counts_its_children() -> None:
    fleet = on_cluster()
    fleet.agent("Offline")
    fleet.is_offline(*EDGES)

    fleet.cycle(30)

    assert fleet.messages == ["opened berlin"]
    assert (only(fleet).kind, only(fleet).reason) == ("cluster", "cluster.offline")
    assert only(fleet).children == EDGES
    assert only(fleet).severity == "critical"


def test_a_cluster_whose_agent_is_not_known_is_dead_when_nothing_on_it_is_heard_of() -> None:
    fleet = on_cluster()
    fleet.agent("")
    for at in range(5):
        fleet.is_offline(*EDGES[at * 10 : at * 10 + 10])
        for silent in EDGES[at * 10 + 10 :]:
            fleet.is_(silent, connection_state="Offline", last_activity=fleet.now - 5 * MINUTE)
        fleet.cycle()

    assert fleet.messages == ["opened berlin"]
    assert only(fleet).reason == "cluster.silent"


def test_one_that_is_silent_among_others_that_are_heard_is_told_on_its_own() -> None:
    fleet = on_cluster()
    fleet.is_offline("edge07")

    fleet.cycle()

    assert fleet.messages == ["opened edge07"]


def test_two_missed_at_other_times_are_told_on_their_own_when_a_third_begins_its_planned_silence() -> None:
    fleet = on_cluster("edge01", "edge02", "edge03")
    fleet.is_offline("edge01")
    fleet.cycle(20)
    fleet.is_offline("edge02")
    fleet.cycle(20)
    daily: dict[str, Any] = {"schedule": f"0 {fleet.now.hour} * * *", "window": HOUR, "connection_state": "Offline"}
    fleet.is_("edge03", last_activity=fleet.now, **daily)
    fleet.now = fleet.now.replace(minute=0) + 65 * MINUTE

    fleet.cycle()

    assert fleet.messages == ["opened edge01", "opened edge02"]


def test_the_only_one_heard_from_a_cluster_waits_for_what_its_siblings_say() -> None:
    weekly: dict[str, Any] = {"schedule": "0 3 * * 1", "window": HOUR, "connection_state": "Offline"}
    fleet = on_cluster("edge01", "edge02")
    fleet.is_("edge02", last_activity=MONDAY - 8 * HOUR, **weekly)
    fleet.is_offline("edge01")
    fleet.is_("edge01", last_activity=fleet.now - 11 * MINUTE)

    fleet.cycle(5)
    assert not fleet.messages

    fleet.cycle(10)
    assert fleet.messages == ["opened edge01"]


def test_an_agent_that_is_found_dead_later_takes_over_what_was_told_already() -> None:
    fleet = on_cluster("edge01", "edge02", "edge03")
    fleet.is_offline("edge01")
    fleet.cycle()
    fleet.is_offline("edge02", "edge03")
    fleet.agent("Offline")

    hidden = fleet.cycle().resolved

    assert fleet.messages == ["opened edge01", "resolved edge01 hidden", "opened berlin"]
    assert [one.facts["hidden_by"] for one in hidden] == [only(fleet).id]


def test_a_cluster_that_is_back_is_over_with_all_its_children() -> None:
    fleet = on_cluster()
    fleet.agent("Offline")
    fleet.is_offline(*EDGES)
    fleet.cycle(60)
    fleet.agent("Connected")
    fleet.is_online(*EDGES)

    fleet.cycle(30)

    assert fleet.messages == ["opened berlin", "resolved berlin"]


def test_children_that_are_still_silent_when_their_cluster_is_back_come_back_on_their_own() -> None:
    fleet = on_cluster("edge01", "edge02", "edge03")
    fleet.agent("Offline")
    fleet.is_offline("edge01", "edge02", "edge03")
    fleet.cycle(60)
    fleet.agent("Connected")
    fleet.is_online("edge01", "edge02")

    fleet.cycle(20)

    assert fleet.messages == ["opened berlin", "resolved berlin", "opened edge03"]


def nightly_cluster() -> Fleet:
    """Two continuous ones and a nightly one, that missed its window while the cluster was dead; now they are back."""
    fleet = on_cluster("edge01", "edge02", "edge03")
    last = MONDAY.replace(hour=5)
    fleet.is_(
        "edge03", schedule="0 3 * * *", window=3 * HOUR, connection_state="Offline", last_activity=last, last_sync=last
    )
    fleet.agent("Offline")
    fleet.is_offline("edge01", "edge02")
    fleet.cycle(19 * 60)
    fleet.agent("Connected")
    fleet.is_online("edge01", "edge02")
    fleet.cycle(20)
    return fleet


def test_a_child_that_has_had_no_window_since_is_not_told_of() -> None:
    fleet = nightly_cluster()
    fleet.cycle(12 * 60)

    assert fleet.messages == ["opened berlin", "resolved berlin"]


def test_a_child_that_misses_its_next_window_too_is_told_of() -> None:
    fleet = nightly_cluster()
    fleet.cycle(24 * 60)

    assert fleet.messages == ["opened berlin", "resolved berlin", "opened edge03"]


def test_a_cluster_with_one_registry_is_told_as_that_registry_with_its_cause() -> None:
    fleet = on_cluster("edge01")
    fleet.agent("Offline")
    fleet.is_offline("edge01")
    fleet.cycle()

    assert (only(fleet).kind, only(fleet).reason) == ("registry", "cluster.offline")


def test_a_dead_agent_alone_is_no_incident_while_nothing_is_missed() -> None:
    fleet = on_cluster()
    fleet.agent("Offline")

    fleet.cycle(60)

    assert not fleet.messages


def test_a_cloud_registry_that_cannot_be_asked_is_one_incident_and_its_children_are_not_offline() -> None:
    fleet = Fleet(*EDGES)
    fleet.cycle()
    fleet.failures[ACR] = "Unreachable"
    fleet.is_offline(*EDGES)

    fleet.cycle(60)

    assert fleet.messages == ["opened contosoacr"]
    assert (only(fleet).kind, only(fleet).state, len(only(fleet).children)) == ("acr", "unknown", 50)


def test_one_failed_poll_of_a_cloud_registry_is_no_incident() -> None:
    fleet = Fleet(*EDGES)
    fleet.failures[ACR] = "Unreachable"
    fleet.cycle()
    fleet.failures.clear()
    fleet.cycle(5)

    assert not fleet.messages


def test_children_come_back_on_their_own_when_their_cloud_registry_answers_and_they_are_still_bad() -> None:
    fleet = Fleet("edge01", "edge02")
    fleet.failures[ACR] = "Unreachable"
    fleet.cycle(10)
    fleet.failures.clear()
    fleet.is_offline("edge02")

    fleet.cycle(20)

    assert fleet.messages == ["opened contosoacr", "opened edge02", "resolved contosoacr"]
