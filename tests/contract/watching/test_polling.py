"""Polling in front of the sandbox's Azure."""

import asyncio
from datetime import timedelta
from pathlib import Path

from services.model.message import Channel, LiveMessage, Subject
from services.store import open_store
from tests.contract.watching.conftest import PLACE, World, watch


async def test_a_cycle_is_one_list_request_a_cloud_registry_whatever_the_number_of_registries(world: World) -> None:
    await world.watching.cycle()

    assert sorted(world.lists()) == sorted(world.fleet.script.acrs)
    seen = await world.store.sightings.last([world.acr(index).id.lower() for index in range(3)])
    assert len(seen) == 12


async def test_only_what_some_watch_is_about_is_polled(world: World) -> None:
    await world.store.watches.remove("w-all")
    await world.store.watches.save(watch("acr", world.acr(1).name))

    await world.watching.cycle()

    assert world.lists() == [world.acr(1).name]


async def test_clusters_are_looked_at_less_often_than_registries_are_listed(world: World) -> None:
    for _ in range(4):
        await world.later(minutes=1)

    assert len(world.lists()) == 12
    assert len(world.requests("/extensions$")) == len(world.fleet.script.clusters)


async def test_a_clusters_own_state_is_asked_for_only_where_something_went_silent(world: World) -> None:
    edge = next(one for one in world.fleet.script.edges if one.schedule == "* * * * *" and one.activated)
    await world.watching.cycle()
    before = len(world.requests("connectedClusters/[^/]+$"))
    world.outage("cluster", edge.cluster, hours=2)

    for _ in range(6):
        await world.later(minutes=5)

    assert before == 0
    assert {path.rpartition("/")[2] for path in world.requests("connectedClusters/[^/]+$")} >= {edge.cluster}


async def test_a_dead_cluster_is_one_incident_that_counts_its_children(world: World) -> None:
    clusters = world.fleet.script.clusters
    cluster = max(clusters, key=lambda name: len(clusters[name]))
    await world.watching.cycle()
    world.outage("cluster", cluster, hours=30)

    for _ in range(29):
        await world.later(hours=1)

    found = await world.open_incidents()
    assert [(one.kind, one.subject.rpartition("/")[2]) for one in found] == [("cluster", cluster)]


async def test_a_cloud_registry_that_nobody_watches_any_more_is_polled_until_its_alerts_are_over(world: World) -> None:
    edge = next(one for one in world.fleet.script.edges if one.schedule == "* * * * *" and one.activated)
    await world.watching.cycle()
    world.outage("edge", edge.key, hours=2)
    for _ in range(4):
        await world.later(minutes=5)
    incident = (await world.open_incidents())[0]
    alert = LiveMessage(Subject("incident", incident.id), Channel(PLACE.team, PLACE.channel))
    await world.store.messages.claim(alert, "this one", world.clock.now(), world.clock.now())
    await world.store.messages.release(alert, "this one", ts="1.0")

    await world.store.watches.remove("w-all")

    assert [ref.name for ref in (await world.watching.watched()).values()] == [edge.acr]


async def test_what_nobody_watches_any_more_is_forgotten(world: World) -> None:
    edge = next(one for one in world.fleet.script.edges if one.schedule == "* * * * *" and one.activated)
    await world.watching.cycle()
    world.outage("edge", edge.key, hours=2)
    for _ in range(4):
        await world.later(minutes=5)
    await world.store.watches.remove("w-all")

    await world.watching.follow_watches()

    assert await world.store.sightings.polls() == ()
    assert await world.open_incidents() == []


async def test_a_cloud_registry_that_hangs_delays_no_other(world: World) -> None:
    world.strike(f"GET .*{world.acr(0).name}/connectedRegistries", action="delay", seconds=3600, times=None)

    polled = {one.acr: one for one in await world.watching.cycle()}

    assert polled[world.acr(0).id.lower()].error == "Unreachable"
    assert [one.error for acr, one in polled.items() if acr != world.acr(0).id.lower()] == ["", ""]


async def test_a_failing_one_is_asked_less_and_less_often(world: World) -> None:
    world.strike(f"GET .*{world.acr(0).name}/connectedRegistries", status=403, code="AuthorizationFailed", times=None)

    pauses = [(await world.watching.poll(world.acr(0))).after for _ in range(6)]

    assert pauses == [63, 126, 252, 504, 945, 945]


async def test_a_throttled_one_is_not_asked_before_the_time_that_azure_says(world: World) -> None:
    headers = {"Retry-After": "600"}
    world.strike(f"GET .*{world.acr(0).name}/connectedRegistries", status=429, headers=headers, times=None)

    assert (await world.watching.poll(world.acr(0))).after >= 600


async def test_what_could_not_be_asked_is_unknown_and_never_offline(world: World) -> None:
    await world.watching.cycle()
    world.outage("acr", world.acr(0).name, hours=6)

    for _ in range(5):
        await world.later(minutes=30)

    seen = await world.store.sightings.last([world.acr(0).id.lower()])
    assert {one.state for one in seen} == {"unknown"}
    assert [(one.kind, one.state) for one in await world.open_incidents()] == [("acr", "unknown")]


async def test_one_failure_that_passes_changes_nothing(world: World) -> None:
    await world.watching.cycle()
    world.strike(f"GET .*{world.acr(0).name}/connectedRegistries", status=503, times=4)

    await world.later(minutes=1)

    seen = await world.store.sightings.last([world.acr(0).id.lower()])
    assert {one.state for one in seen} <= {"healthy", "silent"}


async def test_a_missed_contact_opens_an_incident_with_its_cause_and_a_transition(world: World) -> None:
    edge = next(one for one in world.fleet.script.edges if one.schedule == "* * * * *" and one.activated)
    await world.watching.cycle()
    world.outage("edge", edge.key, hours=2)

    for _ in range(4):
        await world.later(minutes=5)

    assert [one.subject.rpartition("/")[2] for one in await world.open_incidents()] == [edge.name]
    changes = await world.store.sightings.transitions([_acr(world, edge.acr)], world.clock.now() - timedelta(hours=1))
    assert [(one.target.name, one.after) for one in changes][-1] == (edge.name, "offline")
    assert world.told == [one.id for one in await world.open_incidents()]


async def test_an_incident_is_over_when_its_registry_has_been_well_for_a_while(world: World) -> None:
    edge = next(one for one in world.fleet.script.edges if one.schedule == "* * * * *" and one.activated)
    await world.watching.cycle()
    world.outage("edge", edge.key, minutes=30)

    for _ in range(12):
        await world.later(minutes=5)

    assert await world.open_incidents() == []
    assert len(await world.store.incidents.recent()) == 1


async def test_what_is_odd_once_is_remembered_over_a_restart(world: World, tmp_path: Path) -> None:
    await world.watching.cycle()
    world.outage("acr", world.acr(0).name, hours=6)
    await world.later(minutes=5)
    await world.later(minutes=5)

    store = await open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    world.watching = world.another(store)
    await world.later(minutes=5)
    await store.close()

    assert [one.kind for one in await world.open_incidents()] == ["acr"]


async def test_another_process_goes_on_where_the_first_one_ended(world: World, tmp_path: Path) -> None:
    edge = next(one for one in world.fleet.script.edges if one.schedule == "* * * * *" and one.activated)
    await world.watching.cycle()
    world.outage("edge", edge.key, hours=2)
    for _ in range(4):
        await world.later(minutes=5)
    before = await world.open_incidents()

    store = await open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    world.watching = world.another(store)
    await world.later(minutes=5)
    await store.close()

    assert await world.open_incidents() == before


async def test_of_two_processes_one_polls(world: World, tmp_path: Path) -> None:
    store = await open_store(f"sqlite:///{tmp_path / 'bot.db'}")
    processes = [world.watching, world.another(store)]

    for process in processes:
        await process._turn(world.acr(0))
    await store.close()

    assert world.lists() == [world.acr(0).name]


async def test_a_clock_that_is_set_back_does_not_end_the_polling(world: World) -> None:
    await world.watching._turn(world.acr(0))

    world.clock.turn(-50 * 60)
    await world.watching._turn(world.acr(0))

    assert world.lists() == [world.acr(0).name] * 2


async def test_what_is_no_longer_listed_is_forgotten(world: World) -> None:
    await world.watching.cycle()
    acr = world.acr(0)
    registry = world.part.cloud.registries[acr.name]
    gone = next(iter(registry.connected))
    del registry.connected[gone]

    await world.later(minutes=1)

    seen = await world.store.sightings.last([acr.id.lower()])
    assert gone not in {one.sighting.target.name for one in seen}


async def test_a_poll_that_sees_nothing_new_writes_no_rows(world: World) -> None:
    await world.watching.cycle()
    edge = next(one for one in world.fleet.script.edges if one.schedule != "* * * * *" and one.activated)
    acr = _acr(world, edge.acr)
    before = {one.sighting.target.name: one.sighting for one in await world.store.sightings.last([acr])}

    await world.later(seconds=20)

    after = {one.sighting.target.name: one.sighting for one in await world.store.sightings.last([acr])}
    assert after[edge.name].at > before[edge.name].at
    assert after[edge.name].last_activity == before[edge.name].last_activity


def _acr(world: World, name: str) -> str:
    return next(world.acr(index).id.lower() for index in range(3) if world.acr(index).name == name)


async def test_who_reads_at_the_same_moment_asks_once_and_only_for_what_is_old(world: World) -> None:
    acrs = [world.acr(index) for index in range(3)]

    await asyncio.gather(*(world.watching.refresh(acrs) for _ in range(4)))
    await world.watching.refresh(acrs)

    assert sorted(world.lists()) == sorted(world.fleet.script.acrs)
