"""Playing operations: what may happen between two looks at the world, and what must never stay behind."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from handlers.views.operation import card as operation_card
from services.model.audit import AuditSelection
from services.model.clock import MachineClock
from services.model.codec import Codec
from services.model.errors import Failure, Throttled, Unreachable
from services.model.operation import ApprovalRequest, Operation
from services.model.plan import Plan
from services.operations.causes import EngineCause
from services.operations.planner import Planner
from services.operations.procedures import PROCEDURES
from services.operations.runner import Runner
from services.operations.step import Children
from services.policy.sites import Site
from services.ports import Azure, Cluster, Kubernetes
from services.store import Store, open_store
from tests.golden.values import ASKED, SITE, STATES, plan
from tests.unit.steps.scenes import Edge

ID = "op-7k3q9xa"
Meanwhile = Callable[[], Awaitable[object]]


async def nothing() -> None:
    """Nobody does anything while the world is looked at."""


@dataclass
class Plans:
    """Plans that are given, with something that happens while they are made."""

    made: Plan = field(default_factory=plan)
    rule: ApprovalRequest | None = None
    meanwhile: Meanwhile = nothing

    def site(self, _operation: Operation) -> Site:
        return SITE

    async def approval_request(self, _operation: Operation, _plan: Plan) -> ApprovalRequest | None:
        return self.rule

    async def plan(self, _operation: Operation, **_options: Any) -> Plan:
        await self.meanwhile()
        return self.made


@dataclass
class Clusters:
    """The way to the cluster. `failures` of the next questions get no answer."""

    edge: Edge
    failures: int = 0
    refusal: Throttled | None = None

    async def cluster(self, *_: str) -> Cluster:
        if self.refusal is not None:
            raise self.refusal
        if self.edge.dead or self.failures > 0:
            self.failures -= 1
            raise Unreachable("kubernetes", "hamburg")
        return cast(Cluster, self.edge)


def running(store: Store, plans: Plans, clusters: Clusters, *, patience: float) -> Runner:
    """Playing without pauses."""
    return Runner(
        store,
        cast(Planner, plans),
        PROCEDURES,
        cast(Azure, None),
        cast(Kubernetes, clusters),
        children=cast(Children, None),
        changed=lambda _: None,
        progressed=lambda _: None,
        clock=MachineClock(),
        pace=0.0001,
        patience=patience,
    )


@dataclass
class World:
    """A store, and the cluster that steps see."""

    store: Store
    edge: Edge
    plans: Plans
    running: Runner

    async def has(self, **changes: Any) -> None:
        """Let the operation be there."""
        made = replace(STATES["planning"], plan=None, started_at=None, steps=())
        await self.store.operations.create(made, "key")
        await self.store.operations.plan(ID, plan(), ["planning"], "queued", **{"attempt": 1, **changes})
        await self.store.leases.take(SITE.cluster_ref.id.lower(), "10.112.0.2", ID)

    async def state(self) -> str:
        """Of the operation."""
        return (await self.operation()).state

    async def operation(self) -> Operation:
        """As it is stored."""
        found = await self.store.operations.get(ID)
        assert found
        return found

    async def leased(self) -> frozenset[str]:
        """Addresses that are spoken for."""
        return await self.store.leases.of_others(SITE.cluster_ref.id.lower(), "")


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store, edge, plans = await open_store(f"sqlite:///{tmp_path / 'bot.db'}", Codec(PROCEDURES.values)), Edge(), Plans()

    yield World(store, edge, plans, running(store, plans, Clusters(edge), patience=0.0001))
    await store.close()


async def test_an_approved_plan_runs_when_the_world_is_still_the_same(world: World) -> None:
    await world.has(approval_request=ASKED)

    assert (await world.running.confirm(ID, 1))["steps"] == list(range(len(plan().steps)))
    assert await world.state() == "running"


async def test_one_that_is_cancelled_while_the_world_is_looked_at_never_runs(world: World) -> None:
    await world.has(approval_request=ASKED)
    world.plans.meanwhile = lambda: world.store.operations.move(ID, ["queued"], "cancelled")

    assert (await world.running.confirm(ID, 1))["steps"] == []
    assert await world.leased() == frozenset()


async def test_one_that_is_cancelled_while_it_is_planned_leases_nothing(world: World) -> None:
    await world.store.operations.create(replace(STATES["planning"], plan=None, started_at=None), "key")
    await world.store.leases.take(SITE.cluster_ref.id.lower(), "10.112.0.2", ID)
    world.plans.meanwhile = lambda: world.store.operations.move(ID, ["planning"], "cancelled")

    assert await world.running.prepare(ID) == {}
    assert await world.leased() == frozenset()


async def test_a_changed_plan_that_nobody_has_to_approve_runs_as_it_is_now(world: World) -> None:
    await world.has()
    world.plans.made = replace(plan(), steps=plan().steps[:4], digest="changed")

    assert (await world.running.confirm(ID, 1))["steps"] == [0, 1, 2, 3]
    assert (await world.operation()).plan == world.plans.made


async def test_a_changed_plan_is_asked_for_again_where_the_policy_wants_it(world: World) -> None:
    await world.has(approval_request=ASKED)
    world.plans.rule, world.plans.made = ASKED, replace(plan(), digest="changed")

    assert (await world.running.confirm(ID, 1))["steps"] == []
    asked = await world.operation()
    assert (asked.state, asked.round, asked.approved) == ("waiting", 2, plan())


async def test_a_defect_of_ours_in_the_second_look_ends_it_with_that_cause(world: World) -> None:
    async def broken() -> None:
        raise ZeroDivisionError

    await world.has(approval_request=ASKED)
    world.plans.meanwhile = broken

    assert (await world.running.confirm(ID, 1))["steps"] == []
    ended = (await world.operation()).outcome
    assert ended
    assert isinstance(ended.error, Failure)
    assert ended.error.cause == EngineCause.DEFECT


async def test_a_look_that_is_taken_again_after_a_crash_finds_it_running(world: World) -> None:
    await world.has(approval_request=ASKED)
    first = await world.running.confirm(ID, 1)

    assert await world.running.confirm(ID, 1) == first


async def test_a_step_that_is_begun_again_after_a_crash_is_in_the_audit_once(world: World) -> None:
    await world.has(approval_request=ASKED)
    await world.running.confirm(ID, 1)
    begun = [await world.running.begin(ID, 0), await world.running.begin(ID, 0)]

    assert begun == [{"state": "done"}] * 2
    assert await world.store.audit.count(AuditSelection(operation=ID)) == 1


async def test_at_its_end_the_placeholder_and_the_lease_are_gone(world: World) -> None:
    await world.has(approval_request=ASKED)
    await world.running.confirm(ID, 1)
    await world.running.begin(ID, 0)
    assert world.edge.held == ["10.112.0.2"]
    await world.running.end(ID, {"state": "stopped", "why": "cancelled"})

    assert await world.state() == "cancelled"
    assert (world.edge.held, await world.leased()) == ([], frozenset())


async def test_what_a_dead_cluster_keeps_stays_leased_and_is_taken_back_later(world: World) -> None:
    await world.has(approval_request=ASKED)
    await world.running.confirm(ID, 1)
    await world.running.begin(ID, 0)
    world.edge.dead = True
    await world.running.end(ID, {"state": "stopped", "why": "cancelled"})
    assert await world.leased() == {"10.112.0.2"}
    world.edge.dead = False
    await world.running.tidy()

    assert (world.edge.held, await world.leased()) == ([], frozenset())


async def test_who_asks_more_often_does_not_give_up_sooner(world: World) -> None:
    await world.has(approval_request=ASKED)
    hasty = running(world.store, world.plans, Clusters(world.edge, failures=2), patience=1)
    await hasty.confirm(ID, 1)
    await hasty.begin(ID, 0)

    assert world.edge.held == ["10.112.0.2"]


async def test_until_when_a_step_has_to_wait_is_noted_while_it_waits(world: World) -> None:
    await world.has(approval_request=ASKED)
    until = datetime(2026, 9, 1, 12, 3, tzinfo=UTC)
    throttled = Throttled("azure", "/acr", retry_after=30, until=until)
    waiting = running(world.store, world.plans, Clusters(world.edge, refusal=throttled), patience=1)
    await waiting.confirm(ID, 1)
    begun = asyncio.create_task(waiting.begin(ID, 0))
    async with asyncio.timeout(60):
        while (await world.operation()).steps[0].output is None:
            await asyncio.sleep(0.01)
    begun.cancel()
    await asyncio.wait([begun])

    card = str(operation_card(await world.operation()).blocks)
    assert "Azure asked for a pause until 12:03 UTC" in card


async def test_a_plan_is_fresh_only_while_nothing_of_ours_ran_there_since(world: World) -> None:
    world.plans.made = replace(plan(), digest="changed", made=datetime.now(UTC))
    await world.has()
    await world.store.operations.plan(ID, replace(plan(), made=datetime.now(UTC)), ["queued"], "queued")
    other = replace(STATES["planning"], id="op-other", state="succeeded", plan=None, ended_at=datetime.now(UTC))
    await world.store.operations.create(other, "other")
    await world.running.confirm(ID, 1)

    looked_again = (await world.operation()).plan
    assert looked_again
    assert looked_again.digest == "changed"
