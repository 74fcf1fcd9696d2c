"""Passwords of three edges are rotated by a bot that is killed at every write and after every step.

Meanwhile the edges sync each minute of their clock, and nodes pull from them all the time.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pytest
import pytest_asyncio
from kubernetes.aio import client, config

from bench import edges
from bench.traffic import Counts, Edge, ValidPassword, traffic
from tests.crash.killed import KilledWorld, Killer, say, step_end, world
from tests.crash.world import PATIENCE
from tests.flows import canary

NAMESPACES = ("default", "shop")
EDGES = [edges.edge(number) for number in range(3)]
WORKLOADS = [(EDGES[0], "default"), (EDGES[0], "shop"), (EDGES[1], "shop"), (EDGES[2], "default")]
SYNC_TOKENS = [f"token rotate {edge} --site {edge}" for edge in EDGES]
CLIENT_TOKENS = [
    f"token rotate {edge} --site {edge} --workload nginx --namespace {namespace}" for edge, namespace in WORKLOADS
]
KINDS = {"token rotate": 4, "workload rotate": 5}
"""How many steps each has."""
STEPS = {step_end(kind, index) for kind, count in KINDS.items() for index in range(count)}
WRITES = re.compile(
    r"generateCredentials|^PATCH .*/(extensions|tokens)/"
    rf"|^(POST|PATCH|DELETE) .*/namespaces/({'|'.join(NAMESPACES)})/(secrets|jobs|deployments)\b"
)
"""Of the bot, in rotations; those of the edges go on whatever becomes of it."""

PAUSE = 0.2
"""Seconds between two looks, two minutes of the edges and two pulls."""


@dataclass(frozen=True)
class Outcome:
    """What was counted while sync tokens and then client tokens were rotated, and what there is afterwards."""

    sync: Counts
    client: Counts
    former: Sequence[ValidPassword]
    passwords: Sequence[ValidPassword]
    leaks: Sequence[str]
    struck: Sequence[str]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Three edges with workloads in two namespaces, of which all tokens get new passwords."""
    folder = tmp_path_factory.mktemp("rotations")
    killer = Killer(folder, writes=WRITES)
    content = edges.world(len(EDGES), 1)
    content["slack"]["channels"][0]["name"] = "edge-ops"
    places = [
        Edge(
            edge,
            edges.cloud_registry(at),
            edge,
            [(namespace, "nginx") for name, namespace in WORKLOADS if name == edge],
        )
        for at, edge in enumerate(EDGES)
    ]
    approval = {"name": "rotations", "commands": [*KINDS], "approvers": ["edge-approvers"]}
    changes = edges.files(folder, content, repositories=["nginx"], approvals=[approval])
    async with world(killer, folder, content=content, changes=changes) as made:
        await _deploy(made)
        async with traffic(made.box, places, minutes=PAUSE, pulls=PAUSE) as running:
            former, counts = await running.passwords(), [running.counts]
            await _rotate(made, killer, SYNC_TOKENS, ": rotated, approved by bob")
            counts.append(running.counts)
            await _rotate(made, killer, CLIENT_TOKENS, ": pulled by the new password, approved by bob")
            counts.append(running.counts)
            passwords = await running.passwords()
        leaks = canary.leaks(made.box, await made.texts())
    sync, clients = (after.since(before) for before, after in pairwise(counts))
    return Outcome(sync, clients, former, passwords, leaks, killer.struck)


async def _deploy(made: KilledWorld) -> None:
    """Registries and workloads, undisturbed. In the second namespace the bot gets the rights that it has in the first."""
    first, second = NAMESPACES
    load: Any = config.new_client_from_config
    for edge in EDGES:
        async with await load(made.box.environment()["KUBECONFIG"], f"{edge}-admin") as api:
            core: Any = client.CoreV1Api(api)
            rights: Any = client.RbacAuthorizationV1Api(api)
            await core.create_namespace({"metadata": {"name": second}})
            for role in (await rights.list_namespaced_role(first)).items:
                body = {"metadata": {"name": role.metadata.name}, "rules": role.rules}
                await rights.create_namespaced_role(second, body)
            for binding in (await rights.list_namespaced_role_binding(first)).items:
                body = {"metadata": {"name": binding.metadata.name}, "roleRef": binding.role_ref}
                await rights.create_namespaced_role_binding(second, {**body, "subjects": binding.subjects})
    for edge in EDGES:
        await say(made, f"deploy {edge} --site {edge}")
    await _cards(made, ": online", len(EDGES))
    for edge, namespace in WORKLOADS:
        await say(made, f"workload deploy {edge} --site {edge} --image nginx:1.25 --namespace {namespace}")
    await _cards(made, ": pulled", len(WORKLOADS), meanwhile=lambda: made.box.clock.turn(60))


async def _rotate(made: KilledWorld, killer: Killer, lines: Sequence[str], end: str) -> None:
    """Let alice give these commands while nobody is killed, and bob approve them while the bot dies of what it does."""
    await made.all_restarted()
    killer.victim = None
    for line in lines:
        await say(made, line)
    await _cards(made, ": waiting for approval", len(lines))
    killer.hunt(made.process, "generateCredentials")  # by which both kinds of rotation make passwords
    async with asyncio.TaskGroup() as group:
        approvals = group.create_task(_approve(made))
        await _cards(made, end, len(lines))
        approvals.cancel()


async def _approve(made: KilledWorld) -> None:
    """Click on every card that waits for it, for ever: the bot may die of a click before it has taken it in."""
    while True:
        await made.connected()
        for card in await made.messages():
            if "waiting for approval" in card["text"]:
                click = {"as": "bob", "channel": "edge-ops", "ts": card["ts"], "text": "Approve", "confirm": True}
                await made.post("/sandbox/slack/click", **click)
        await asyncio.sleep(PAUSE)


async def _cards(made: KilledWorld, words: str, count: int, *, meanwhile: Callable[[], object] = lambda: None) -> None:
    """Return when so many cards end with these words; `meanwhile` is called at each look."""
    async with asyncio.timeout(PATIENCE):
        while len([card for card in await made.messages() if card["text"].endswith(words)]) < count:
            meanwhile()
            await asyncio.sleep(PAUSE)


@pytest.mark.timeout(300)
async def test_the_bot_dies_after_every_step_and_every_token_has_one_password_which_is_new_and_in_use(
    outcome: Outcome,
) -> None:
    newest = max(password.created for password in outcome.former)

    assert {*outcome.struck} >= STEPS
    assert [(password.in_use, password.created > newest) for password in outcome.passwords] == [(True, True)] * 7
    assert len({password.token for password in outcome.passwords}) == 7


async def test_no_edge_misses_a_sync(outcome: Outcome) -> None:
    assert [*outcome.sync.missed, *outcome.client.missed] == []
    assert min(outcome.sync.cycles, outcome.client.cycles) > len(EDGES)


async def test_no_pull_is_refused_and_none_fails_at_all_while_no_runtime_is_started_again(outcome: Outcome) -> None:
    assert outcome.sync.refused == 0
    assert outcome.client.failed == {}
    assert min(outcome.sync.pulls, outcome.client.pulls) > len(EDGES)


async def test_no_secret_stands_in_a_log_in_a_database_or_in_a_message(outcome: Outcome) -> None:
    assert outcome.leaks == []
