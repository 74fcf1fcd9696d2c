"""Stopping an operation, wherever it is."""

import pytest
from dbos import DBOS
from inline_snapshot import snapshot

from tests.flows.conversation import Conversation


async def test_while_it_waits_for_approval_it_ends_at_once(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Cancel", as_="carol")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
carol  [Cancel]
bot    Deploy edge01 to hamburg: cancelled by carol\
""")
    assert await registry.leases() == frozenset()


async def test_while_it_is_planned_it_ends_at_once_and_leases_nothing(registry: Conversation) -> None:
    await registry.hold("GET .*/connectedRegistries$")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.reached("planning")
    await registry.say(f"operation cancel {(await registry.operation()).id}")
    await registry.let_go()
    operation = await registry.operation()

    async def is_planned() -> bool:
        planning = await DBOS.get_workflow_status_async(f"{operation.id}:plan")
        return planning is not None and planning.status == "SUCCESS"

    await registry.until(is_planned)

    assert (await registry.operation()).state == "cancelled"
    assert await registry.leases() == frozenset()


async def test_while_it_waits_for_its_turn_it_ends_at_once(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/edge01")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("scope_map.put")
    await registry.say("deploy edge02 --site berlin", quiet=False)
    await registry.reached("queued", "edge02")
    await registry.click("Cancel", as_="carol", card="edge02", quiet=False)
    await registry.reached("cancelled", "edge02")
    await registry.let_go()
    await registry.quiet()

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
alice  /registry deploy edge02 --site berlin
bot    Deploy edge01 to berlin: running   [Cancel]
bot    Deploy edge02 to berlin: queued, waiting for Deploy edge01 to berlin (op-1)   [Cancel]
carol  [Cancel]
bot    Deploy edge02 to berlin: cancelled by carol
bot    Deploy edge01 to berlin: online\
""")
    assert (await registry.operation("edge02")).steps[0].state == "pending"


@pytest.mark.everywhere
async def test_while_it_runs_it_stops_at_a_safe_point_and_says_what_is_left(registry: Conversation) -> None:
    await registry.edge(link="down")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("extension.install")
    await registry.click("Cancel", as_="alice")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
alice  [Cancel]
bot    Deploy edge01 to berlin: cancelled by alice\
""")
    assert await registry.answer() == snapshot("""\
Registry: :heavy_minus_sign:  *Deploy edge01 to berlin*  ·  cancelled by alice
  requested by @alice TIME  ·  development  ·  `op-1`
  7 of 11 steps done
  It stopped after a step. Left behind: Registration of resource providers, Data endpoint of contosoacr, Image hello-world:latest, Scope map edge01, Sync token edge01, Connected registry edge01 and Extension edge01.
  [Show details]\
""")
    assert await registry.placeholders() == []
    assert await registry.leases() == frozenset()


async def test_it_stops_while_it_asks_a_cluster_that_does_not_answer(registry: Conversation) -> None:
    await registry.fault("kube", "POST /berlin/api/v1/namespaces/default/services", "drop", times=None)
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("service_ip.hold")
    await registry.click("Cancel", as_="alice")

    assert (await registry.operation()).state == "cancelled"
    assert await registry.leases() == frozenset()


async def test_a_placeholder_that_a_dead_cluster_keeps_is_taken_back_when_it_lives_again(
    registry: Conversation,
) -> None:
    await registry.fault("azure", "POST .*/register", "fail", times=None)
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("provider.register")
    await registry.edge(offline=True)
    await registry.quiet()
    left = await registry.leases()
    await registry.edge(offline=False)
    await registry.bot.runner.tidy()

    assert (await registry.operation()).state == "failed"
    assert left == {"10.96.0.2"}
    assert await registry.leases() == frozenset()
    assert await registry.placeholders() == []
