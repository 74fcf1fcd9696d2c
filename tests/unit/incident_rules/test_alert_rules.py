"""What holds whatever happens."""

import random
from dataclasses import replace
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.azure import StatusDetail
from services.model.health import Sighting
from services.watching.health import health, severity
from services.watching.incident_rules import decide, subject
from tests.unit.incident_rules.conversation import ACR, CLUSTER, DISK, HOUR, MINUTE, MONDAY, PROXY, Fleet, seen

NAMES = ("edge01", "edge02", "edge03", "alone1")

details = st.sampled_from([(), (PROXY,), (DISK,)])


@st.composite
def sighting(draw: st.DrawFn, name: str) -> Sighting:
    """Anything that may be seen of one; silence in hours and minutes."""
    told: tuple[StatusDetail, ...] = draw(details)
    contact = MONDAY - draw(st.sampled_from([MINUTE, 5 * MINUTE, 15 * MINUTE, 8 * HOUR, 30 * HOUR]))
    nightly = draw(st.booleans())
    return seen(
        name,
        connection_state=draw(st.sampled_from(["Online", "Offline", "Offline", "Syncing", "Unhealthy"])),
        activation=draw(st.sampled_from(["Active", "Active", "Active", "Inactive"])),
        details=told,
        last_activity=contact,
        last_sync=contact,
        schedule="0 3 * * *" if nightly else "* * * * *",
        window=3 * HOUR if nightly else None,
        message_ttl=draw(st.sampled_from([timedelta(days=1), timedelta(days=30)])),
        cluster="" if name == "alone1" else CLUSTER,
        connectivity=draw(st.sampled_from(["", "Connected", "Offline"])),
        failed=draw(st.sampled_from(["", "", "", "Unreachable"])),
    )


cycles = st.lists(
    st.tuples(
        st.tuples(*(sighting(name) for name in NAMES)),
        st.sampled_from([{}, {}, {}, {ACR: "Unreachable"}]),
        st.sampled_from([1, 5, 20, 90]),
    ),
    min_size=1,
    max_size=12,
)


def play(fleet: Fleet, cycle: tuple[tuple[Sighting, ...], dict[str, str], int]) -> None:
    """One drawn cycle; contacts move with the clock."""
    sightings, failures, minutes = cycle
    fleet.now += (minutes - 1) * MINUTE
    shift = fleet.now - MONDAY
    for one in sightings:
        contact = (one.last_activity or MONDAY) + shift
        fleet.sightings[one.target.name] = replace(one, last_activity=contact, last_sync=contact)
    fleet.failures = dict(failures)
    fleet.cycle()


@settings(max_examples=100, deadline=None)
@given(cycles)
def test_there_is_at_most_one_open_incident_a_subject_and_none_is_both_hidden_and_open(
    drawn: list[tuple[tuple[Sighting, ...], dict[str, str], int]],
) -> None:
    fleet = Fleet()
    for cycle in drawn:
        play(fleet, cycle)  # `Fleet.apply` refuses a second one
        cluster = fleet.open.get(CLUSTER)
        hidden = {f"{ACR}/{name}" for name in cluster.children} if cluster else set()
        assert not hidden & fleet.open.keys()


@settings(max_examples=100, deadline=None)
@given(cycles)
def test_the_same_input_twice_decides_nothing_the_second_time(
    drawn: list[tuple[tuple[Sighting, ...], dict[str, str], int]],
) -> None:
    fleet = Fleet()
    for cycle in drawn:
        play(fleet, cycle)
    memos = fleet.memos

    again = decide(fleet.open, fleet.judged(), fleet.failures, fleet.now, memos=memos)

    assert (again.opened, again.changed, again.resolved) == ((), (), ())
    assert again.memos == memos


@settings(max_examples=100, deadline=None)
@given(cycles, st.integers())
def test_the_order_of_sightings_does_not_matter(
    drawn: list[tuple[tuple[Sighting, ...], dict[str, str], int]], seed: int
) -> None:
    fleet = Fleet()
    for cycle in drawn[:-1]:
        play(fleet, cycle)
    play(other := _copy(fleet), drawn[-1])
    judged = other.judged()
    shuffled = random.Random(seed).sample(judged, len(judged))  # noqa: S311 - only an order

    decided = [decide(fleet.open, each, other.failures, other.now, memos=fleet.memos) for each in (judged, shuffled)]

    assert decided[0] == decided[1]


@settings(max_examples=100, deadline=None)
@given(cycles)
def test_an_incident_opens_only_for_what_is_bad_now(
    drawn: list[tuple[tuple[Sighting, ...], dict[str, str], int]],
) -> None:
    fleet = Fleet()
    for cycle in drawn:
        play(fleet, cycle)
        bad = {subject(one) for one, found in fleet.judged() if severity(found, one)}
        for opened in fleet.last.opened:
            assert opened.kind != "registry" or opened.subject in bad
            assert opened.kind != "cluster" or bad
            assert opened.kind != "acr" or fleet.failures


@settings(max_examples=100, deadline=None)
@given(cycles)
def test_whatever_happened_all_is_over_when_all_is_well_for_long(
    drawn: list[tuple[tuple[Sighting, ...], dict[str, str], int]],
) -> None:
    fleet = Fleet()
    for cycle in drawn:
        play(fleet, cycle)
    fleet.failures = {}
    fleet.sightings = {name: seen(name, cluster="" if name == "alone1" else CLUSTER) for name in NAMES}

    fleet.cycle(5 * 60)

    assert not fleet.open


@settings(max_examples=100, deadline=None)
@given(cycles)
def test_what_is_bad_for_long_is_told_of_by_somebody(
    drawn: list[tuple[tuple[Sighting, ...], dict[str, str], int]],
) -> None:
    fleet = Fleet()
    for cycle in drawn:
        play(fleet, cycle)
    fleet.failures = {}
    for name in fleet.sightings:
        fleet.is_(name, failed="")
    # Long enough for whatever a greater incident excused: two nights.
    fleet.cycle(1)
    fleet.now += timedelta(hours=48)
    fleet.cycle(3)

    hidden = {f"{ACR}/{name}" for parent in fleet.open.values() for name in parent.children}
    for one, _ in fleet.judged():
        assert severity(health(one, fleet.now), one) is None or subject(one) in hidden | fleet.open.keys()


def _copy(fleet: Fleet) -> Fleet:
    other = Fleet()
    other.now, other.open, other.memos = fleet.now, dict(fleet.open), dict(fleet.memos)
    other.sightings = dict(fleet.sightings)
    return other
