"""One message an incident and channel: with lost replies, deleted messages, and several processes at once."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

from services.model.health import HealthReason
from services.model.incident import Incident
from services.model.message import Channel, Subject
from services.model.people import Place
from services.model.poll import PollResult, StoredState
from services.model.watch import Watch
from tests.contract.board.conftest import BERLIN, NOW, PLACE, Process, World

ACR = BERLIN.acr_ref.id.lower()
OFFLINE = Incident(
    "al-1", "registry", f"{ACR}/edge01", "warning", NOW, "offline", HealthReason.CONTACT_MISSED, changed=NOW
)
OVER = replace(OFFLINE, state="healthy", resolved=NOW + timedelta(hours=2), changed=NOW + timedelta(hours=2))


async def watch(process: Process, place: Place = PLACE) -> None:
    created = NOW - timedelta(days=1)
    await process.store.watches.save(
        Watch(f"w-{place.channel}", place, "site", "berlin", "", "UTC", "on", "U0ALICE", created)
    )


async def happens(process: Process, incident: Incident, kind: str = "changed") -> None:
    """Store what a poll decided, and show it."""
    changes: dict[str, Any] = {kind: (incident,)}

    def result(stored: StoredState) -> PollResult:
        return PollResult(stored.poll, **changes)

    await process.store.sightings.apply_poll(ACR, NOW, result)
    process.board.changed(Subject("incident", incident.id))
    await process.shown()


async def test_every_channel_that_watches_gets_one_message(world: World) -> None:
    process = await world.process()
    await watch(process)
    await watch(process, replace(PLACE, channel="C0GENERAL"))
    await happens(process, OFFLINE, "opened")
    await process.look()

    assert (len(world.texts()), len(world.texts("C0GENERAL"))) == (1, 1)


async def test_a_channel_that_begins_to_watch_later_is_not_bothered_with_what_is_older(world: World) -> None:
    process = await world.process()
    await happens(process, OFFLINE, "opened")
    late = Watch("w-1", PLACE, "site", "berlin", "", "UTC", "on", "U0ALICE", NOW + timedelta(hours=1))
    await process.store.watches.save(late)
    await process.look()

    assert world.texts() == []


async def test_another_process_goes_on_with_the_same_message(world: World) -> None:
    first = await world.process()
    await watch(first)
    await happens(first, OFFLINE, "opened")
    second = await world.process()
    await happens(second, OVER, "resolved")

    assert world.texts() == [":white_check_mark:  *edge01 in contosoacr has recovered*"]
    assert [text.partition(". ")[2] for text in world.replies()] == ["It lasted 2 h."]


async def test_a_lost_reply_makes_no_second_message(world: World) -> None:
    process = await world.process()
    await watch(process)
    world.strike("chat.postMessage", "lose_reply")
    await happens(process, OFFLINE, "opened")

    assert len(world.texts()) == 1


async def test_a_deleted_message_of_an_open_incident_is_posted_again(world: World) -> None:
    process = await world.process()
    await watch(process)
    await happens(process, OFFLINE, "opened")
    world.delete(world.messages()[0])
    await happens(process, replace(OFFLINE, severity="critical"))

    assert len(world.texts()) == 1


async def test_a_deleted_message_stays_away_when_its_incident_is_over(world: World) -> None:
    process = await world.process()
    await watch(process)
    await happens(process, OFFLINE, "opened")
    world.delete(world.messages()[0])
    await happens(process, OVER, "resolved")
    await process.look()

    assert (world.texts(), world.replies()) == ([], [])
    assert await process.unshown() == []


async def test_a_channel_without_the_bot_gets_its_alert_when_it_is_invited(world: World) -> None:
    process = await world.process()
    await watch(process)
    world.bot_leaves()
    await happens(process, OFFLINE, "opened")
    world.bot_enters()
    process.board.reachable(Channel(PLACE.team, PLACE.channel))
    await process.look()

    assert world.texts() == [":large_orange_circle:  *edge01 in contosoacr is offline*"]


async def test_the_end_of_what_a_channel_never_saw_is_not_posted_there(world: World) -> None:
    process = await world.process()
    await watch(process)
    await watch(process, replace(PLACE, channel="C0GENERAL"))
    world.bot_leaves()
    await happens(process, OFFLINE, "opened")
    world.bot_enters()
    await happens(process, OVER, "resolved")
    process.board.reachable(Channel(PLACE.team, PLACE.channel))
    await process.look()

    assert (world.texts(), world.replies()) == ([], [])
    assert world.texts("C0GENERAL") == [":white_check_mark:  *edge01 in contosoacr has recovered*"]
    assert await process.unshown() == []


async def test_what_is_over_before_it_was_shown_is_not_shown(world: World) -> None:
    process = await world.process(started=False)
    await watch(process)
    await process.store.sightings.apply_poll(ACR, NOW, lambda stored: PollResult(stored.poll, opened=(OFFLINE,)))
    await process.store.sightings.apply_poll(ACR, NOW, lambda stored: PollResult(stored.poll, resolved=(OVER,)))
    await (await world.process()).shown()

    assert world.texts() == []


async def test_what_is_not_shown_is_found_by_the_next_process(world: World) -> None:
    dead = await world.process(started=False)
    await watch(dead)
    await dead.store.sightings.apply_poll(ACR, NOW, lambda stored: PollResult(stored.poll, opened=(OFFLINE,)))
    await (await world.process()).shown()

    assert len(world.texts()) == 1


async def test_what_a_dead_process_left_is_shown_by_the_regular_look_of_another(world: World) -> None:
    living, dead = await world.process(), await world.process(started=False)
    await watch(living)
    await happens(living, OFFLINE, "opened")
    shown = await living.unshown()
    await dead.store.sightings.apply_poll(ACR, NOW, lambda stored: PollResult(stored.poll, resolved=(OVER,)))
    await living.board.sweep_recent()
    await living.shown()

    assert shown == []
    assert world.texts() == [":white_check_mark:  *edge01 in contosoacr has recovered*"]
    assert await living.unshown() == []


async def test_an_open_alert_is_compared_with_sites_that_have_changed(world: World) -> None:
    process = await world.process()
    process.configuration.sites = {}
    await watch(process)
    await happens(process, OFFLINE, "opened")
    before = world.texts()
    process.configuration.sites = {"berlin": BERLIN}
    await process.board.sweep_recent()
    await process.shown()

    assert (before, len(world.texts())) == ([], 1)
