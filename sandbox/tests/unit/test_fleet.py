"""The fleet: what Azure answers at any moment is what the truth says."""

from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import world
from sandbox.azure import AzurePart
from sandbox.azure.cloud import ConnectedRegistry
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.fleet import Fleet, Size
from sandbox.fleet.contacts import planned, silences
from sandbox.fleet.script import CONTINUOUS, DAY, HOUR, MINUTE, Edge, Kind, Trouble, plan
from sandbox.speed import IMMEDIATE
from sandbox.tls import Authority

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
DAYS = 10
SETTLED = 7 * MINUTE
"""After so long Azure shows what changed: five minutes of silence make Offline, a slow line leaves out four."""


@cache
def _authority() -> Authority:
    return Authority(Path(_folder().name))


@cache
def _folder() -> TemporaryDirectory[str]:
    return TemporaryDirectory(prefix="fleet-")


class Scene:
    """A fleet whose clock stands."""

    def __init__(self, seed: int = 3, registries: int = 40, acrs: int = 2) -> None:
        self.clock = Clock()
        self.clock.stop()
        self.azure = AzurePart(world.load(), authority=_authority(), clock=self.clock, speed=IMMEDIATE, faults=Faults())
        self.fleet = Fleet(self.azure, self.clock, seed, registries=registries, acrs=acrs, days=DAYS, begin=BEGIN)
        self.turn_to(0)

    def turn_to(self, seconds: float) -> None:
        """To so long after the script's beginning."""
        self.clock.turn((BEGIN + timedelta(seconds=seconds) - self.clock.now()).total_seconds())

    def edge(self, kind: str = "continuous") -> Edge:
        """One with nothing wrong at all."""
        return next(
            edge
            for edge in self.fleet.script.edges
            if edge.activated
            and (edge.schedule == CONTINUOUS) == (kind == "continuous")
            and not self.fleet.troubles_of(edge)
        )

    def as_azure_shows(self, edge: Edge) -> ConnectedRegistry:
        """As Azure has it now."""
        connected = self.azure.cloud.registries[edge.acr].connected[edge.name]
        connected.bring_up(self.clock.now())
        return connected

    def state(self, edge: Edge) -> str:
        return self.as_azure_shows(edge).connection(self.clock.now())

    def break_now(self, kind: Kind, subject: str, seconds: int, **more: int) -> None:
        begin = self.fleet.now()
        self.fleet.add(Trouble(kind, subject, begin, begin + seconds, "somebody pulled the plug", **more))


@cache
def _scene(seed: int) -> Scene:
    return Scene(seed)


SEEDS = st.integers(0, 5)
MOMENTS = st.integers(1, DAYS * DAY - 1)


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, moment=MOMENTS)
def test_whoever_misses_contacts_is_shown_offline(seed: int, moment: int) -> None:
    scene = _scene(seed)
    scene.turn_to(moment)
    now = scene.fleet.now()
    silent = [
        edge
        for edge in scene.fleet.script.edges
        for one in scene.fleet.truth.of_edge(edge)
        if one.trouble.kind in ("edge", "link", "flapping", "cluster")
        and any(start + SETTLED <= now < stop for start, stop in one.shown)
    ]
    assert {scene.state(edge) for edge in silent} <= {"Offline"}


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, moment=MOMENTS)
def test_whoever_is_well_in_its_window_is_shown_connected(seed: int, moment: int) -> None:
    scene = _scene(seed)
    scene.turn_to(moment)
    now, truth = scene.fleet.now(), scene.fleet.truth
    well = [
        edge
        for edge in scene.fleet.script.edges
        if edge.activated
        and any(start + SETTLED <= now < stop for start, stop in planned(edge, scene.fleet.script.begin, now + DAY))
        and not any(one.trouble.begin <= now < one.trouble.end + SETTLED for one in truth.of_edge(edge))
    ]
    assert {scene.state(edge) for edge in well} <= {"Online", "Syncing"}


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, moment=MOMENTS)
def test_in_a_planned_silence_nothing_is_heard(seed: int, moment: int) -> None:
    scene = _scene(seed)
    scene.turn_to(moment)
    now = scene.fleet.now()
    silent = [
        edge
        for edge in scene.fleet.script.edges
        if any(start + SETTLED <= now < stop for start, stop in scene.fleet.truth.silences(edge))
        and not any(
            one.kind == "deactivated" and one.end <= now < one.end + edge.sync + SETTLED
            for one in scene.fleet.troubles_of(edge)
        )
    ]
    assert {scene.state(edge) for edge in silent} <= {"Offline"}


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, moment=MOMENTS)
def test_complaints_are_shown_exactly_while_a_disk_is_broken(seed: int, moment: int) -> None:
    scene = _scene(seed)
    scene.turn_to(moment)
    truth = scene.fleet.truth
    for edge in scene.fleet.script.edges:
        connected = scene.as_azure_shows(edge)
        broken = [one for one in truth.of_edge(edge) if one.trouble.kind == "disk"]
        heard = connected.heard_at
        expected = heard is not None and any(one.trouble.begin <= heard.timestamp() < one.trouble.end for one in broken)
        assert bool(connected.status_details) == expected


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, moment=MOMENTS)
def test_activation_clusters_and_cloud_registries_follow_the_script(seed: int, moment: int) -> None:
    scene = _scene(seed)
    scene.turn_to(moment)
    now, cloud = scene.fleet.now(), scene.azure.cloud

    def on(kind: str, subject: str, lag: int = 0) -> bool:
        return any(
            one.kind == kind and one.subject == subject and one.begin + lag <= now < one.end
            for one in scene.fleet.script.troubles
        )

    for edge in scene.fleet.script.edges:
        active = edge.activated and not on("deactivated", edge.key)
        assert scene.as_azure_shows(edge).activation == ("Active" if active else "Inactive")
    for cluster in cloud.clusters.values():
        if cluster.name in scene.fleet.script.clusters:
            dead = on("cluster", cluster.name, 15 * MINUTE)
            assert cluster.connectivity(scene.clock.now()) == ("Offline" if dead else "Connected")
    for name in scene.fleet.script.acrs:
        trouble = cloud.registries[name].trouble
        assert trouble is not None
        assert (trouble(scene.clock.now()) is not None) == on("acr", name)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_a_seed_always_means_the_same_month(seed: int) -> None:
    assert plan(seed, 30, 2, 0, 30) == plan(seed, 30, 2, 0, 30)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None)
def test_an_edge_has_one_trouble_at_a_time(seed: int) -> None:
    script = plan(seed, 60, 3, 0, 30)
    for edge in script.edges:
        own = [one for one in script.troubles if one.subject == edge.key and one.kind != "slow"]
        assert all(one.end < after.begin for one, after in pairwise(own))
        assert all(script.begin <= one.begin < one.end <= script.end for one in own)


@given(seed=SEEDS)
@settings(max_examples=6, deadline=None)
def test_plans_and_silences_fill_the_time_without_overlap(seed: int) -> None:
    for edge in plan(seed, 40, 2, 0, 20).edges:
        stretches = sorted([*planned(edge, -edge.window, 20 * DAY), *silences(edge, 0, 20 * DAY)])
        assert all(stop == start for (_, stop), (start, _) in pairwise(stretches))


@given(seed=SEEDS)
@settings(max_examples=6, deadline=None)
def test_every_missed_contact_has_a_cause(seed: int) -> None:
    truth = _scene(seed).fleet.truth
    for edge in _scene(seed).fleet.script.edges:
        troubles = [one.trouble for one in truth.of_edge(edge)]
        for start, stop in truth.missed(edge):
            assert any(one.begin < stop and one.end + 2 * MINUTE > start for one in troubles)


def test_one_cluster_has_fifty_children_where_there_are_so_many() -> None:
    script = plan(1, 1000, 20, 0, 30)

    assert max(map(len, script.clusters.values())) == 50
    assert {one.kind for one in script.troubles if one.subject == "plant-arc"} == {"cluster"}


def test_every_kind_of_trouble_happens() -> None:
    kinds = {one.kind for one in plan(1, 1000, 20, 0, 30).troubles}

    assert kinds == {"edge", "link", "flapping", "disk", "deactivated", "slow", "cluster", "acr"}


def test_more_registries_than_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="1 to 50"):
        plan(1, 101, 2, 0, 1)


def test_a_fleet_is_typed_as_registries_by_cloud_registries() -> None:
    assert (Size.parse("200x4"), Size.parse("60x2@7")) == (Size(200, 4), Size(60, 2, 7))


@pytest.mark.parametrize("text", ["200", "x4", "200x", "-1x2", "200x4@", "0x0", "500x4"])
def test_anything_else_is_no_fleet(text: str) -> None:
    with pytest.raises(ValueError):
        Size.parse(text)


def test_what_is_broken_now_is_shown_and_mended() -> None:
    scene = Scene()
    edge = scene.edge()
    scene.turn_to(DAY)
    scene.break_now("link", edge.key, HOUR)
    before = scene.state(edge)
    scene.turn_to(DAY + 20 * MINUTE)
    broken = scene.state(edge)
    scene.fleet.mend(edge.key)
    scene.turn_to(DAY + 30 * MINUTE)

    assert (before, broken, scene.state(edge)) == ("Online", "Offline", "Online")


def test_a_calmed_fleet_has_no_more_trouble() -> None:
    scene = Scene(registries=100)
    scene.turn_to(3 * DAY)
    scene.fleet.calm()
    now = scene.fleet.now()

    assert all(one.end <= now for one in scene.fleet.script.troubles)


def test_a_sync_is_remembered_through_the_silence_after_it() -> None:
    scene = Scene()
    edge = scene.edge("scheduled")
    start, stop = silences(edge, scene.fleet.script.begin + DAY, scene.fleet.script.end)[1]
    scene.turn_to((start + stop) / 2 - scene.fleet.script.begin)

    last = scene.as_azure_shows(edge).last_sync
    assert last is not None
    assert start - MINUTE <= last.timestamp() < start


def test_what_people_deactivate_stays_deactivated() -> None:
    scene = Scene()
    edge = scene.edge()
    scene.as_azure_shows(edge).deactivate()
    scene.turn_to(HOUR)

    assert scene.as_azure_shows(edge).activation == "Inactive"


def test_a_slow_line_is_never_called_offline() -> None:
    scene = Scene()
    edge = scene.edge()
    scene.break_now("slow", edge.key, HOUR, late=4 * MINUTE)
    states = []
    for second in range(0, 2 * HOUR, 37):
        scene.turn_to(second)
        states.append(scene.state(edge))

    assert "Offline" not in states


def test_flaps_go_down_and_up() -> None:
    scene = Scene()
    edge = scene.edge()
    scene.break_now("flapping", edge.key, HOUR, down=20 * MINUTE, up=10 * MINUTE)
    states = []
    for minute in (10, 25, 40, 55, 70):
        scene.turn_to(minute * MINUTE)
        states.append(scene.state(edge).replace("Syncing", "Online"))

    assert states == ["Offline", "Online", "Offline", "Online", "Online"]
