"""How incidents are judged by a fleet's truth."""

from datetime import UTC, datetime, timedelta

import pytest

from bench.month import Month, fleet
from bench.scoring import Alerted, Episode, episodes, score
from sandbox.fleet import Fleet
from sandbox.fleet.script import DAY, HOUR, MINUTE, Trouble
from services.model.incident import Incident

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
POLL = 600
GROUP = "/subscriptions/s/resourcegroups/fleet-rg/providers"
ACRS = f"{GROUP}/microsoft.containerregistry/registries"
CLUSTERS = f"{GROUP}/microsoft.kubernetes/connectedclusters"


@pytest.fixture(scope="module")
def made() -> Fleet:
    return fleet(3, 60, 2, 20, BEGIN)[0]


def alerted(subject: str, opened: int, *children: str, resolved: int | None = None) -> Alerted:
    """An incident about an edge's key, a cluster's or a cloud registry's name."""
    kind, place = ("registry", ACRS) if "/" in subject else ("cluster", CLUSTERS) if "-" in subject else ("acr", ACRS)
    at = datetime.fromtimestamp(opened, UTC)
    incident = Incident(f"al-{subject}-{opened}", kind, f"{place}/{subject}", "warning", at, "offline", "x")  # type: ignore[arg-type]
    return Alerted(incident, opened, set(children), resolved)


def perfect(made: Fleet) -> list[Alerted]:
    return [alerted(one.subject, one.alarm, resolved=one.over) for one in episodes(made, POLL)]


def first(made: Fleet, kind: str) -> Episode:
    return next(one for one in episodes(made, POLL) if one.trouble.kind == kind)


def test_who_tells_everything_at_its_alarm_is_perfect(made: Fleet) -> None:
    found = score(made, perfect(made), POLL)

    assert (found.precision, found.recall, len(found.missed)) == (1, 1, 0)
    assert set(found.latencies()) == {0}


def test_who_tells_nothing_finds_nothing(made: Fleet) -> None:
    assert score(made, [], POLL).recall == 0


def test_a_cluster_speaks_for_the_children_that_it_counts(made: Fleet) -> None:
    some = [one for one in episodes(made, POLL) if one.trouble.subject == "plant-arc"]
    names = [one.subject.partition("/")[2] for one in some]
    alone = score(made, [alerted("plant-arc", max(one.alarm for one in some), *names[1:])], POLL)

    assert len(some) > 2
    assert set(alone.found) == set(some[1:])
    assert alone.precision == 1


def test_what_opens_in_a_planned_silence_without_a_reason_is_wrong_twice(made: Fleet) -> None:
    edge = next(one for one in made.script.edges if one.window and one.activated and not made.troubles_of(one))
    start, stop = made.truth.silences(edge)[1]
    found = score(made, [alerted(edge.key, (start + stop) // 2)], POLL)

    assert (len(found.wrong), len(found.in_silence), found.precision) == (1, 1, 0)


def test_what_opens_after_all_is_over_is_wrong(made: Fleet) -> None:
    one = first(made, "link")

    assert len(score(made, [alerted(one.subject, one.over + POLL + 1)], POLL).wrong) == 1


def test_an_alert_after_the_next_contact_found_nothing(made: Fleet) -> None:
    one = first(made, "edge")

    assert one not in score(made, [alerted(one.subject, one.until + POLL + 1)], POLL).found


def test_telling_twice_is_counted(made: Fleet) -> None:
    one = first(made, "link")
    found = score(
        made, [alerted(one.subject, one.alarm, resolved=one.alarm + 60), alerted(one.subject, one.alarm + 90)], POLL
    )

    assert [len(each) for each in found.troubles.values()] == [2]


def test_a_deactivation_is_nothing_that_needs_an_alert() -> None:
    made = fleet(3, 60, 2, 20, BEGIN)[0]
    made.calm()
    edge = next(one for one in made.script.edges if one.activated)
    begin = made.script.begin + DAY
    made.add(Trouble("deactivated", edge.key, begin, begin + DAY, "somebody wanted it"))

    assert list(episodes(made, POLL)) == []


async def test_the_product_finds_a_broken_line_and_tells_of_it_once() -> None:
    made, clock, cloud = fleet(3, 10, 1, 0.5, BEGIN)
    made.calm()
    edge = next(one for one in made.script.edges if one.activated and not one.window)
    begin = made.script.begin + HOUR
    made.add(Trouble("link", edge.key, begin, begin + 2 * HOUR, "the line is cut"))
    played = await Month(made, clock, cloud, POLL).play()
    [one] = played.alerted.values()

    assert score(made, [one], POLL).recall == 1
    assert timedelta(seconds=one.opened - begin) <= timedelta(minutes=25)
    assert one.resolved is not None
    assert one.resolved - begin <= 2 * HOUR + 40 * MINUTE
