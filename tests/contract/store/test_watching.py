"""What is kept of watching, on both databases, with several processes on one of them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from services.model.azure import StatusDetail
from services.model.health import HealthReason, Sighting, Target, Transition
from services.model.incident import Incident, Memo
from services.model.message import Channel, LiveMessage, Subject
from services.model.people import Place
from services.model.poll import LastSighting, PollResult, StoredState
from services.model.watch import Watch
from services.store import Store, open_store

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
SOON = NOW + timedelta(minutes=2)
ACR = "/subscriptions/1/resourcegroups/edge/providers/microsoft.containerregistry/registries/contosoacr"
PLACE = Place("T0CONTOSO", "C0EDGE", "edge-ops")
WATCH = Watch("w-1", PLACE, "site", "berlin", "0 9 * * *", "UTC", "on", "U0ALICE", NOW)
SIGHTING = Sighting(
    Target(ACR, "edge01"),
    NOW,
    connection_state="Unhealthy",
    activation="Active",
    last_sync=NOW - timedelta(hours=1),
    schedule="0 3 * * *",
    window=timedelta(hours=3),
    message_ttl=timedelta(days=2),
    details=(StatusDetail("error", "DISK", "The disk is full.", NOW),),
    cluster="/subscriptions/1/berlin-arc",
)
SEEN = LastSighting(SIGHTING, "unhealthy", HealthReason.STATUS_DISK, NOW, activated=True)
INCIDENT = Incident(
    "al-1",
    "registry",
    f"{ACR}/edge01",
    "critical",
    NOW,
    "unhealthy",
    HealthReason.STATUS_DISK,
    {"lost_from": date(2026, 3, 4)},
)
ALERT = LiveMessage(Subject("incident", "al-1"), Channel("T0CONTOSO", "C0EDGE"))
MEMO = Memo(f"{ACR}/edge02", odd_seen=NOW, odd_count=1)


@pytest.fixture
async def other(store: Store, url: str) -> AsyncIterator[Store]:
    """The same database, as another process sees it."""
    opened = await open_store(url)
    yield opened
    await opened.close()


def opens(stored: StoredState) -> PollResult:
    """A verdict that opens the incident unless it is open."""
    return PollResult(
        replace(stored.poll, succeeded=NOW),
        sightings=(SEEN,),
        transitions=(Transition(SIGHTING.target, NOW, "healthy", "unhealthy", HealthReason.STATUS_DISK),),
        opened=() if stored.open_incidents else (INCIDENT,),
        memos={MEMO.subject: MEMO},
    )


def ends(stored: StoredState) -> PollResult:
    """A verdict that resolves what is open."""
    return PollResult(stored.poll, resolved=tuple(replace(one, resolved=SOON) for one in stored.open_incidents))


async def test_a_watch_of_the_same_subject_is_changed_and_keeps_its_id(store: Store) -> None:
    await store.watches.save(WATCH)

    saved = await store.watches.save(replace(WATCH, id="w-2", alerts="critical"))

    assert saved == replace(WATCH, alerts="critical")
    assert await store.watches.all() == (saved,)


async def test_what_a_poll_saw_is_read_back_as_it_was(store: Store) -> None:
    await store.sightings.apply_poll(ACR, NOW, opens)
    states: list[StoredState] = []

    await store.sightings.apply_poll(ACR, NOW, lambda stored: states.append(stored) or ends(stored))  # type: ignore[func-returns-value]  # appending returns nothing

    assert states[0].sightings == {SIGHTING.target: SEEN}
    assert states[0].open_incidents == (INCIDENT,)
    assert states[0].memos == {MEMO.subject: MEMO}
    assert [one.after for one in await store.sightings.transitions([ACR], NOW - timedelta(seconds=1))] == ["unhealthy"]


async def test_processes_that_judge_the_same_cloud_registry_open_one_incident(store: Store, other: Store) -> None:
    await asyncio.gather(*(one.sightings.apply_poll(ACR, NOW, opens) for one in (store, other) * 5))

    assert [filed.incident for filed in await store.incidents.open()] == [INCIDENT]


async def test_of_processes_that_want_to_poll_one_may(store: Store, other: Store) -> None:
    claims = await asyncio.gather(*(one.sightings.claim(ACR, NOW, SOON) for one in (store, other) * 5))

    assert claims.count(True) == 1
    assert await other.sightings.claim(ACR, SOON, SOON + timedelta(minutes=1))


async def test_a_clock_that_was_a_year_ahead_does_not_end_the_polling_or_the_posting(store: Store) -> None:
    await store.sightings.apply_poll(ACR, NOW, opens)
    ahead = timedelta(days=365)
    await store.sightings.claim(ACR, NOW + ahead, SOON + ahead)
    await store.messages.claim(ALERT, "dead", NOW + ahead, SOON + ahead)

    assert await store.sightings.claim(ACR, NOW, SOON)
    assert await store.messages.claim(ALERT, "living", NOW, SOON)


async def test_old_changes_of_health_and_resolved_alerts_go_and_open_ones_stay(store: Store) -> None:
    await store.sightings.apply_poll(ACR, NOW, opens)
    await store.messages.claim(ALERT, "a process", NOW, SOON)
    later = NOW + timedelta(days=500)

    assert await store.incidents.forget(later, 10) == 0
    await store.sightings.apply_poll(ACR, NOW, ends)
    assert await store.incidents.forget(later, 10) == 1
    assert await store.messages.of(ALERT.subject) == ()
    assert [await store.sightings.forget(moment, 10) for moment in (NOW, later)] == [0, 1]


async def test_a_summary_is_due_until_it_is_posted_or_a_later_one_is(store: Store, other: Store) -> None:
    await store.watches.save(WATCH)
    later = NOW + timedelta(days=1)

    assert await store.summaries.open("w-1", NOW, NOW)
    assert await other.summaries.open("w-1", NOW, NOW)
    assert await other.summaries.open("w-1", later, later)
    assert not await store.summaries.open("w-1", NOW, later)
    await store.summaries.posted("w-1", later, later)
    assert not await other.summaries.open("w-1", later, later)


async def test_the_newest_slot_of_a_watch_is_never_forgotten(store: Store) -> None:
    await store.watches.save(WATCH)
    for day in range(3):
        await store.summaries.open("w-1", NOW + timedelta(days=day), NOW + timedelta(days=day))

    assert await store.summaries.forget(NOW + timedelta(days=30)) == 2
    assert await store.summaries.last("w-1", NOW + timedelta(days=30))


async def test_of_processes_that_want_to_write_to_a_message_one_may(store: Store, other: Store) -> None:
    rooms = (store, other) * 5

    held = await asyncio.gather(
        *(each.messages.claim(ALERT, f"process {index}", NOW, SOON) for index, each in enumerate(rooms))
    )

    assert sum(each is not None for each in held) == 1
    assert await other.messages.claim(ALERT, "one more", SOON, SOON + timedelta(minutes=2))


async def test_who_lost_a_message_to_another_process_writes_nothing(store: Store, other: Store) -> None:
    await store.messages.claim(ALERT, "frozen", NOW, SOON)
    await other.messages.claim(ALERT, "living", SOON, SOON + timedelta(minutes=2))

    assert not await store.messages.write(ALERT, "frozen", SOON, pending="al-1:message")
    assert await other.messages.write(ALERT, "living", SOON, shown=3)
    assert [(each.pending, each.shown) for each in await store.messages.of(ALERT.subject)] == [("", 3)]


async def test_people_decide_about_open_incidents_only(store: Store) -> None:
    await store.sightings.apply_poll(ACR, NOW, opens)

    taken = await store.incidents.change("al-1", lambda found: replace(found, acknowledged_by="U0ALICE"))
    await store.sightings.apply_poll(ACR, NOW, ends)
    late = await store.incidents.change("al-1", lambda found: replace(found, acknowledged_by="U0BOB"))

    assert taken
    assert (taken.incident.acknowledged_by, taken.revision, late) == ("U0ALICE", 1, None)


async def test_a_snooze_until_it_changes_never_ends_by_itself(store: Store) -> None:
    await store.sightings.apply_poll(ACR, NOW, opens)
    forever = datetime.max.replace(tzinfo=UTC)
    await store.incidents.change("al-1", lambda found: replace(found, snoozed_until=forever))

    assert await store.incidents.end_snoozes(NOW + timedelta(days=365)) == ()
    await store.incidents.change("al-1", lambda found: replace(found, snoozed_until=SOON))
    assert await store.incidents.end_snoozes(SOON) == ("al-1",)


async def test_an_unwatched_cloud_registry_leaves_its_history(store: Store) -> None:
    await store.sightings.apply_poll(ACR, NOW, opens)

    ended = await store.sightings.drop(ACR, SOON)

    assert ended == ("al-1",)
    left = await store.incidents.get("al-1")
    assert left is not None
    assert left.incident.reason == "unwatched"
    assert await store.incidents.open() == ()
    assert await store.sightings.last([ACR]) == ()
    assert len(await store.sightings.transitions([ACR], NOW - timedelta(days=1))) == 1
