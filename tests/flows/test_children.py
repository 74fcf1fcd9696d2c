"""An operation whose steps are operations: started once, followed, gated, cancelled and retried, over restarts too."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from services.model.operation import Operation
from services.model.people import Person, Place
from services.model.plan import Plan
from services.operations.children import STEPS, child, gate
from services.operations.deactivate.procedure import DEACTIVATION
from services.operations.deploy.procedure import DEPLOY
from services.operations.deploy.request import DeployOptions
from services.operations.procedure import Draft, Procedure, Procedures
from services.operations.service import Order
from services.policy.sites import Site
from services.ports import Azure, Kubernetes
from tests.flows.conversation import POLICY, Conversation, conversation

ALICE = Person("U0ALICE", "alice", "T0CONTOSO")
PLACE = Place("T0CONTOSO", "C0EDGE", "edge-ops")


@dataclass(frozen=True)
class RolloutOptions:
    """Which sites get the registry, one after the other; so many of them may fail."""

    sites: tuple[str, ...]
    most_failed: int = 0


async def nothing(
    _azure: Azure, _kubernetes: Kubernetes, _site: Site, _request: RolloutOptions, _plan: Plan | None
) -> None:
    """There is nothing to look at."""


def plan(_site: Site, request: RolloutOptions, _observation: None) -> Draft:
    deployments = [child("deploy", f"edge0{at}", site, DeployOptions()) for at, site in enumerate(request.sites, 1)]
    return Draft((*deployments, gate(request.most_failed)), {})


ROLLOUT = Procedure[RolloutOptions, None](
    kind="rollout",
    options=RolloutOptions,
    request=lambda _site, _name, options: options,
    locks=lambda _site, _name: (),
    observe=nothing,
    checks=(),
    names=lambda site, request: {"site": site.name},
    plan=plan,
    steps=STEPS,
    values={"rollout.options": RolloutOptions},
)
PROCEDURES = Procedures((DEPLOY, DEACTIVATION, ROLLOUT))


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Conversation]:
    """A bot that knows one more kind of operation."""
    async with conversation(tmp_path, procedures=PROCEDURES) as talk:
        yield talk


async def roll_out(registry: Conversation, *sites: str, most_failed: int = 0) -> None:
    """As a command would start it."""
    site = registry.bot.services.sites[sites[0]]
    options = RolloutOptions(sites, most_failed)
    order = Order("rollout", "everywhere", site, options, ALICE, PLACE, "trigger of alice")
    await registry.bot.services.operations.start(order)


async def states(registry: Conversation) -> dict[str, str]:
    """Of the children, by what they deploy."""
    return {one.target: one.state for one in (await registry.operation("everywhere")).children}


async def test_children_run_one_after_the_other_and_the_parents_card_shows_them(registry: Conversation) -> None:
    await roll_out(registry, "berlin", "hamburg")
    await registry.reached("waiting", "everywhere")
    await registry.click("Approve", as_="bob")

    assert await registry.transcript() == snapshot("""\
bot    Rollout everywhere at berlin: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bot    Rollout everywhere at berlin: done, approved by bob\
""")
    assert await registry.answer() == snapshot(
        """\
Registry: :white_check_mark:  *Rollout everywhere at berlin*  ·  done, approved by bob
  requested by @alice TIME  ·  development  ·  `op-1`
  3 of 3 steps done
  :white_check_mark:  Deploy edge01 to berlin  ·  online  ·  `op-2`
  :white_check_mark:  Deploy edge02 to hamburg  ·  online  ·  `op-3`
  *Took* N s
  [Show details]\
"""
    )


async def test_a_gate_stops_when_too_many_children_failed_and_a_retry_runs_those_again(registry: Conversation) -> None:
    await registry.edge(scenario="silent-failure")
    await roll_out(registry, "berlin")
    await registry.quiet()
    failed = await registry.operation("everywhere")
    child_before = failed.children
    await registry.mended()
    await registry.click("Retry", as_="carol", card="everywhere")

    assert failed.state == "failed"
    assert (await registry.operation("everywhere")).state == "succeeded"
    assert [one.id for one in (await registry.operation("everywhere")).children] == [one.id for one in child_before]
    assert await registry.transcript() == snapshot("""\
bot    Rollout everywhere at berlin: failed   [Retry]
bot    :x:  Rollout everywhere at berlin: failed: 1 of 1 parts failed. The plan tolerates 0. <@U0ALICE>
carol  [Retry]
bot    Rollout everywhere at berlin: done, retried by carol
bot    :white_check_mark:  Rollout everywhere at berlin: done in N s, retried by carol. <@U0ALICE>\
""")


async def test_a_gate_lets_as_many_failures_pass_as_the_plan_says(registry: Conversation) -> None:
    await registry.edge(scenario="silent-failure")
    await roll_out(registry, "berlin", most_failed=1)
    await registry.quiet()

    assert await states(registry) == {"edge01": "failed"}
    assert (await registry.operation("everywhere")).state == "succeeded"


async def test_after_a_restart_it_follows_the_child_that_it_had_started(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/edge01")
    await roll_out(registry, "berlin")
    await registry.running("scope_map.put")
    await registry.restart()
    await registry.let_go()
    await registry.quiet()

    assert await states(registry) == {"edge01": "succeeded"}
    assert (await registry.operation("everywhere")).state == "succeeded"
    assert len(await registry.requests("POST .*/generateCredentials")) == 1


async def test_who_cancels_the_parent_cancels_its_children(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/edge01")
    await roll_out(registry, "berlin", "berlin")
    await registry.running("scope_map.put")
    await registry.click("Cancel", as_="carol", card="everywhere", quiet=False)
    await registry.until(lambda: is_stopping(registry))
    await registry.let_go()
    await registry.quiet()

    assert await states(registry) == {"edge01": "cancelled"}
    assert (await registry.operation("everywhere")).state == "cancelled"
    assert await registry.placeholders() == []


async def test_a_child_whose_rule_is_another_ones_than_its_parents_is_asked_for_by_itself(tmp_path: Path) -> None:
    rules: list[dict[str, Any]] = [
        {"name": "berlin", "sites": ["berlin"], "approvers": ["edge-approvers"]},
        {"name": "hamburg", "sites": ["hamburg"], "approvers": ["edge-approvers"]},
    ]
    async with conversation(tmp_path, procedures=PROCEDURES, policy=POLICY | {"approvals": rules}) as talk:
        await roll_out(talk, "berlin", "hamburg")
        await talk.reached("waiting", "everywhere")
        await talk.click("Approve", as_="bob", quiet=False)
        await talk.reached("waiting", "edge02")

        assert await states(talk) == {"edge01": "succeeded", "edge02": "waiting"}


async def is_stopping(registry: Conversation) -> bool:
    operation: Operation = await registry.operation("edge01")
    return bool(operation.cancelling)
