"""Operations that are done when the images are at the edge."""

from datetime import timedelta
from typing import Any

from inline_snapshot import snapshot

from tests.flows.conversation import Conversation
from tests.flows.test_edge_images import push
from tests.flows.test_workload import MINUTE, online, world

__all__ = ["online"]
IMPORT = "acr import mcr.microsoft.com/hello-world:latest --site berlin"


async def leftovers(registry: Conversation) -> dict[str, Any]:
    """What the wait may leave behind, beside what there is without it."""
    left = await world(registry)
    edge_id = registry.bot.services.sites["berlin"].acr_ref.connected_id("edge01").lower()
    scope_maps = [name for name in left["scope maps"] if not name.startswith("_")]
    return left | {"scope maps": scope_maps, "leases": await registry.bot.store.leases.of_others(edge_id, "")}


NOTHING = {
    "tokens": ["edge01"],
    "scope maps": ["edge01"],
    "client tokens": [],
    "deployments": [],
    "secrets": [],
    "leases": frozenset(),
}


async def test_a_deployment_that_waits_for_images_asks_the_edge_and_takes_its_reader_back(
    registry: Conversation,
) -> None:
    await registry.say("deploy edge01 --site berlin --wait-for-images")

    steps = [line.partition(" | ")[0].strip() for line in (await registry.details()).splitlines() if "reader" in line]
    assert steps == snapshot(
        [
            "Meanwhile: Scope map edge01-reader",
            "Meanwhile: Client token edge01-reader",
            "Meanwhile: Secret edge01-reader",
        ]
    )
    assert "Verify: Images at the edge of edge01 | complete" in await registry.answer()
    assert await leftovers(registry) == NOTHING


async def test_the_wait_shows_the_next_sync_ends_by_the_schedule_and_goes_on_with_a_retry(online: Conversation) -> None:
    push(online, "latest")
    await online.edge(scenario="partial-index")
    await online.say(f"{IMPORT} --wait-for-images", quiet=False)
    await online.running("images.arrived", "contosoacr")
    await online.post("/sandbox/clock", turn=MINUTE)

    async def is_partly_there() -> bool:
        return "0 of 1 tag there" in await online.answer()

    async def is_waiting() -> bool:
        running = await online.bot.store.operations.find(states={"running"}, limit=1)
        return [one.steps[-1].state for one in running] == ["running"]

    await online.until(is_partly_there)
    # Others can import meanwhile: the wait holds the edge's locks alone.
    await online.say(IMPORT, as_="carol", quiet=False)
    await online.reached("succeeded", "contosoacr")
    online.time.ahead += timedelta(hours=2)
    await online.quiet()
    late = await online.transcript()
    assert await leftovers(online) == NOTHING
    await online.edge(scenario=None)
    await online.click("Retry", as_="alice", quiet=False)
    await online.until(is_waiting)
    await online.post("/sandbox/clock", turn=MINUTE)
    await online.quiet()

    assert "These tags are not at the edge as the cloud has them: `hello-world:latest` (waited for: 1)." in late
    assert "Import images into contosoacr: imported, retried by alice" in await online.transcript()
    assert await leftovers(online) == NOTHING


async def test_a_wait_needs_an_edge_at_the_site_that_gets_the_images(online: Conversation) -> None:
    await online.say(f"{IMPORT} --repository other --wait-for-images")
    other = await online.blockers()
    await online.say(f"{IMPORT.replace('berlin', 'hamburg')} --wait-for-images")

    assert other == snapshot("""\
  :no_entry:  `edge01` does not sync these repositories, so the images never come to it: `other`.
  Add them with `permissions add`, or leave out `--wait-for-images`.\
""")
    assert await online.blockers() == snapshot("""\
  :no_entry:  The cluster of `hamburg` runs no active connected registry of `contosoacr`, so there is no edge to wait for.
  Leave out `--wait-for-images`, or name the site of an edge.\
""")
