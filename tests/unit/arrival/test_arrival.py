"""Whether an image counts as arrived at the edge: by rules, and over histories of pushes, syncs and outages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.model.azure import ConnectedRegistry, SyncResult
from services.model.contents import CloudTag, EdgeContents, EdgeSilence, EdgeTag
from services.policy.arrival import Arrival, arrivals, latest_arrival, outstanding
from tests.fuzzing import EXAMPLES

MIDNIGHT = datetime(2026, 11, 30, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
NIGHTLY = ConnectedRegistry(
    id="edge01",
    name="edge01",
    mode="ReadOnly",
    connection_state="Online",
    activation="Active",
    provisioning_state="Succeeded",
    token_id="",
    schedule="0 3 * * *",
    window=2 * HOUR,
    message_ttl=None,
    last_sync=MIDNIGHT + 3 * HOUR + 5 * MINUTE,
)
"""It syncs from 03:00 to 05:00, and has synced today."""
OLD, NEW = "sha256:old", "sha256:new"


def arrival(
    edge: EdgeContents,
    *,
    changed: datetime | None,
    now: datetime,
    registry: ConnectedRegistry = NIGHTLY,
    cloud: str = NEW,
) -> Arrival:
    (only,) = arrivals({"v1": CloudTag(cloud, changed)}, edge, registry, now)
    return only


NOON = MIDNIGHT + 12 * HOUR


@pytest.mark.parametrize(
    ("edge", "state"),
    [
        ({"v1": EdgeTag(NEW)}, "there"),
        ({"v1": EdgeTag(NEW, ("sha256:arm64",))}, "incomplete"),
        ({"v1": EdgeTag(OLD)}, "due"),
        ({}, "due"),
        (EdgeSilence("Refused"), "unknown"),
    ],
)
def test_what_was_pushed_since_the_last_sync_is_there_or_due(edge: EdgeContents, state: str) -> None:
    assert arrival(edge, changed=NOON, now=NOON + HOUR).state == state


@pytest.mark.parametrize(("edge", "state"), [({"v1": EdgeTag(OLD)}, "different"), ({}, "late")])
def test_what_a_sync_has_left_out_is_told_apart_from_what_is_due(edge: EdgeContents, state: str) -> None:
    assert arrival(edge, changed=MIDNIGHT, now=NOON).state == state


def test_what_the_cloud_lacks_is_gone() -> None:
    assert [(one.tag, one.state) for one in arrivals({}, {"v0": EdgeTag(OLD)}, NIGHTLY, NOON)] == [("v0", "gone")]


@pytest.mark.parametrize(
    ("now", "next_sync"),
    [
        (NOON, MIDNIGHT + 27 * HOUR),
        (MIDNIGHT + 4 * HOUR, MIDNIGHT + 4 * HOUR),
        (MIDNIGHT + 5 * HOUR, MIDNIGHT + 27 * HOUR),
    ],
)
def test_the_next_sync_is_now_while_the_window_is_open(now: datetime, next_sync: datetime) -> None:
    assert arrival({}, changed=now, now=now).next_sync == next_sync


@pytest.mark.parametrize(
    ("changed", "now", "state"),
    [
        # The sync that ended at 03:05 may have begun before the push.
        (MIDNIGHT + 3 * HOUR, MIDNIGHT + 4 * HOUR, "due"),
        (MIDNIGHT + 2 * HOUR, MIDNIGHT + 4 * HOUR, "late"),
        # The sync of the next night does not come.
        (NOON, MIDNIGHT + 29 * HOUR + 10 * MINUTE, "due"),
        (NOON, MIDNIGHT + 29 * HOUR + 11 * MINUTE, "late"),
        # Nobody knows when the tag changed.
        (None, MIDNIGHT + 48 * HOUR, "due"),
    ],
)
def test_a_sync_gets_its_time_before_anything_is_late(changed: datetime | None, now: datetime, state: str) -> None:
    assert arrival({}, changed=changed, now=now).state == state


def test_a_full_sync_counts_as_the_last_one_too() -> None:
    resynced = replace(NIGHTLY, sync_result=SyncResult("ManualResync", "Succeeded", NOON + HOUR))

    assert arrival({}, changed=NOON, now=NOON + 2 * HOUR, registry=resynced).state == "late"


def test_a_schedule_that_nobody_can_read_promises_no_sync() -> None:
    unreadable = arrival({}, changed=NOON, now=NOON, registry=replace(NIGHTLY, schedule="often"))

    assert (unreadable.state, unreadable.next_sync) == ("due", None)


@pytest.mark.parametrize(
    ("cloud", "edge", "missing"),
    [
        (OLD, {"v1": EdgeTag(OLD)}, []),
        (OLD, {}, ["v1"]),
        (OLD, {"v1": EdgeTag(OLD, (NEW,))}, ["v1"]),
        (OLD, {"v1": EdgeTag(NEW)}, ["v1"]),
        (OLD, EdgeSilence("Refused"), ["v1"]),
        # The tag has moved since it was waited for: either image will do.
        (NEW, {"v1": EdgeTag(OLD)}, []),
        (NEW, {"v1": EdgeTag(NEW)}, []),
        (NEW, {"v1": EdgeTag(OLD, (NEW,))}, ["v1"]),
        (NEW, {}, ["v1"]),
    ],
)
def test_a_tag_is_waited_for_until_the_edge_has_all_of_it(cloud: str, edge: EdgeContents, missing: list[str]) -> None:
    tags = {"v1": CloudTag(cloud, NOON), "v9": CloudTag(NEW, NOON)}

    assert [one.tag for one in outstanding({"v1": OLD, "v0": OLD}, tags, edge, NIGHTLY, NOON)] == missing


@pytest.mark.parametrize(
    ("registry", "limit"),
    [
        (NIGHTLY, MIDNIGHT + 30 * HOUR),
        (replace(NIGHTLY, schedule="* * * * *", window=None), NOON + HOUR + MINUTE),
        (replace(NIGHTLY, schedule="often", window=None), NOON + HOUR),
    ],
)
def test_images_are_waited_for_until_the_next_sync_has_had_its_window_and_an_hour(
    registry: ConnectedRegistry, limit: datetime
) -> None:
    assert latest_arrival(registry, NOON) == limit


# --- histories --------------------------------------------------------------------------------------------------------

TAGS = ("v1", "v2", "latest")


@dataclass
class World:
    """A cloud registry, an edge that copies from it, and what really is where."""

    now: datetime = MIDNIGHT
    cloud: dict[str, CloudTag] = field(default_factory=dict)
    manifests: dict[str, frozenset[str]] = field(default_factory=dict)
    """In the cloud: those below each digest's index."""
    edge: dict[str, str] = field(default_factory=dict)
    stored: dict[str, frozenset[str]] = field(default_factory=dict)
    """At the edge: those of each digest that were copied."""
    linked: bool = True
    answering: bool = True
    synced: datetime | None = None

    def push(self, tag: str, number: int) -> None:
        digest = f"sha256:{number}"
        self.cloud[tag] = CloudTag(digest, self.now)
        self.manifests[digest] = frozenset({f"{digest}-amd64", f"{digest}-arm64"})

    def delete(self, tag: str, _number: int) -> None:
        self.cloud.pop(tag, None)

    def sync(self, _tag: str, interrupted_after: int) -> None:
        """Copy tag by tag and manifest by manifest, as far as it gets; an interrupted sync has not ended."""
        copies = [(tag, below) for tag in self.cloud for below in sorted(self.manifests[self.cloud[tag].digest])]
        for tag, below in copies[:interrupted_after] if self.linked else ():
            digest = self.cloud[tag].digest
            self.edge[tag] = digest
            self.stored[digest] = self.stored.get(digest, frozenset()) | {below}
        if self.linked and interrupted_after >= len(copies):
            self.edge = {tag: digest for tag, digest in self.edge.items() if tag in self.cloud}
            self.synced = self.now

    def cut(self, _tag: str, number: int) -> None:
        self.linked = number % 2 == 0

    def silence(self, _tag: str, number: int) -> None:
        self.answering = number % 2 == 0

    def answer(self) -> EdgeContents:
        """What the edge says of itself: the truth, or nothing."""
        truth: Mapping[str, EdgeTag] = {
            tag: EdgeTag(digest, tuple(sorted(self.manifests[digest] - self.stored[digest])))
            for tag, digest in self.edge.items()
        }
        return truth if self.answering else EdgeSilence("Unreachable")

    def has_arrived(self, tag: str) -> bool:
        digest = self.cloud[tag].digest
        return self.edge.get(tag) == digest and self.stored[digest] == self.manifests[digest]


Event = tuple[Callable[[World, str, int], None], str, int, int]
EVENTS = st.sampled_from((World.push, World.push, World.delete, World.sync, World.sync, World.cut, World.silence))
HISTORIES = st.lists(
    st.tuples(EVENTS, st.sampled_from(TAGS), st.integers(0, 7), st.integers(1, 300)), min_size=1, max_size=25
)


@settings(max_examples=4 * EXAMPLES, deadline=None)
@given(HISTORIES)
def test_over_any_history_arrived_is_said_of_exactly_what_is_there(history: list[Event]) -> None:
    world = World()
    for event, tag, number, minutes in history:
        world.now += minutes * MINUTE
        event(world, tag, number)
        registry = replace(NIGHTLY, schedule="* * * * *", window=None, last_sync=world.synced)
        states = {one.tag: one.state for one in arrivals(world.cloud, world.answer(), registry, world.now)}

        asked = [tag for tag in world.cloud if world.answering]
        assert [tag for tag in asked if states[tag] == "there"] == [tag for tag in asked if world.has_arrived(tag)]
        assert {states[tag] for tag in world.cloud if not world.answering} <= {"unknown"}
        assert {tag for tag in states if states[tag] == "gone"} == (
            world.edge.keys() - world.cloud.keys() if world.answering else set()
        )
