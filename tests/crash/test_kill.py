"""kill -9 in the middle of the steps of every kind of operation and between them: nothing is lost, nothing is doubled.

Several bots, each in a sandbox of its own, carry out the same operations and those that undo them; all but the first bot
are killed. After each operation all sandboxes, cards and audits are the same, and when it is undone the sandbox is as it
was before. The kinds, and what undoes them, are those of `tests/flows/test_undo.py`. `test_rotations.py` kills the
rotations of passwords.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml

from services.model.audit import AuditSelection
from services.model.operation import Operation
from services.operations.procedures import PROCEDURES
from tests.crash.killed import LOOK, KilledWorld, Killer, say, step_end, world
from tests.crash.test_rotations import KINDS as ROTATIONS
from tests.crash.world import PATIENCE, lasting, without_chance
from tests.flows import canary
from tests.flows.test_undo import CASES, CONTACTS, LASTING, MINUTE, SITES, Act, look, prepare

Case = Sequence[Sequence[Act]]
"""As in `CASES`: acts, each with those that undo it."""
ROLLBACK = "operation rollback"
KILLED = {name: [acts for acts in case if acts[0].kind not in ROTATIONS] for name, case in CASES.items()}
COMMANDS = 100
"""More than any case has."""
BOTS = {"deployment": 2, "connected registry": 3}
"""How many bots are killed in cases of many operations, each in a part of these."""
DEPLOYMENT = "deploy edge01 --site berlin"
IDS = re.compile(r"op-[a-z0-9]{7}|\b[0-9a-f]{16}\b")
"""Of operations and plans."""


@dataclass(frozen=True)
class Outcome:
    """What there is after an operation, without what differs from run to run."""

    before: Any
    """The world before it, as `look` has it: workloads, passwords and leases, too."""
    line: str
    state: str
    card: str
    thread: Sequence[str]
    audit: Sequence[str]
    azure: Any
    clusters: Any
    after: Any
    """As `before`."""


Played = Callable[[KilledWorld, range], Awaitable[Sequence[Outcome]]]
"""Carries operations out. The range has the numbers of those commands during which the bot is killed."""


async def carry_out(made: KilledWorld, line: str, *, is_killed: bool) -> Outcome:
    """Let alice give the command and bob approve it, while the bot dies of what it does."""
    await made.all_restarted()
    made.killer.victim = None
    before = lasting(await look(made))
    earlier = await _newest(made)
    await say(made, line)
    made.killer.hunt(made.process if is_killed else None, "^azure|^kube")
    async with asyncio.timeout(PATIENCE):
        while (operation := await _newest(made)) is None or (earlier and operation.id == earlier.id):
            await asyncio.sleep(LOOK)
        while operation is None or operation.live or await made.store.messages.operations_behind():
            await asyncio.sleep(LOOK)
            if operation := await _newest(made):
                await _move_on(made, operation)
    ends = {step_end(operation.kind, run.index) for run in operation.steps if run.state == "complete"}
    assert not is_killed or ends <= {*made.killer.struck}
    return await _outcome(made, line, operation, before)


async def _newest(made: KilledWorld) -> Operation | None:
    return next(iter(await made.store.operations.find(limit=1)), None)


async def _move_on(made: KilledWorld, operation: Operation) -> None:
    """Let bob approve what waits for that, and the edge make contact where a step waits for it."""
    running = {operation.planned[run.index].kind for run in operation.steps if run.state == "running"}
    if running & CONTACTS:
        await made.post("/sandbox/clock", turn=MINUTE)
    # Bob reads the request in the thread before he clicks, and he clicks again only if the bot died of the first click.
    if operation.state != "waiting" or await made.store.messages.operations_behind():
        return
    await made.connected()
    starts = made.starts
    [card] = await made.cards(operation.id)
    click = {"as": "bob", "channel": "edge-ops", "ts": card["ts"], "text": "Approve", "confirm": True}
    await made.post("/sandbox/slack/click", **click)
    while made.starts == starts and operation.state == "waiting":
        await asyncio.sleep(LOOK)
        [operation] = await made.store.operations.find(limit=1)


async def _outcome(made: KilledWorld, line: str, operation: Operation, before: Any) -> Outcome:
    [card] = await made.cards(operation.id)
    texts = [message["text"] for message in await made.messages(thread_ts=card["ts"])]
    entries = await made.store.audit.newest(AuditSelection(operation=operation.id))
    rows = [f"{row.kind} by {row.name}, {row.outcome}: {row.text}" for row in (entry.row for entry in entries)]
    return Outcome(
        before,
        IDS.sub("ID", line),
        operation.state,
        card["text"],
        sorted(without_chance(IDS.sub("ID", text)) for thread in texts for text in thread.splitlines()),
        sorted(IDS.sub("ID", row) for row in rows),
        lasting(await made.get("/sandbox/azure/state")),
        lasting(await made.get("/sandbox/kube/state")),
        lasting(await look(made)),
    )


def acts_of(case: Case) -> list[Act]:
    """First all that do something, then those that undo it, the last one's first."""
    return [act for act, *_ in case] + [act for _, *undo in reversed(case) for act in undo]


def remains(case: Case, outcomes: Sequence[Outcome]) -> Iterator[str]:
    """Acts of which something is left after they were undone."""
    end = len(case)
    for number, (act, *undo) in reversed([*enumerate(case)]):
        end += len(undo)
        if undo and outcomes[end - 1].after != outcomes[number].before:
            yield act.line


def play(case: Case) -> Played:
    """Its acts; the bot is not killed twice in the same command."""

    async def played(made: KilledWorld, share: range) -> Sequence[Outcome]:
        outcomes, commands = list[Outcome](), list[str]()
        for act in acts_of(case):
            command = f"{act.kind}: {' '.join(act.line.split()[:2])}"
            is_killed = command not in commands and len(commands) in share
            outcomes.append(await carry_out(made, act.line, is_killed=is_killed))
            commands.extend({command}.difference(commands))
        return outcomes

    return played


async def roll_back(made: KilledWorld, share: range) -> Sequence[Outcome]:
    """A deployment whose extension can't be installed, and its rollback."""
    await made.post("/sandbox/edge/berlin", scenario="chart-not-found")
    failed = await carry_out(made, DEPLOYMENT, is_killed=False)
    await made.post("/sandbox/edge/berlin", scenario=None)
    [operation] = await made.store.operations.find(limit=1)
    return [failed, await carry_out(made, f"{ROLLBACK} {operation.id}", is_killed=0 in share)]


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[KilledWorld]:
    """The sites of `SITES` and a bot that may work there."""
    sites = {name: site.model_dump(mode="json", exclude={"name"}, exclude_unset=True) for name, site in SITES.items()}
    (folder / "sites.yaml").write_text(yaml.safe_dump({"sites": sites}), encoding="utf-8")
    changes = {"REGISTRY_BOT_SITES": str(folder / "sites.yaml")}
    async with world(Killer(folder), folder, changes=changes) as made:
        prepare(made)
        yield made


async def compare(folders: pytest.TempPathFactory, played: Played, count: int = 1) -> Sequence[Outcome]:
    """What became of it, the same whether the bot was killed or not. So many killed bots share the commands."""
    async with AsyncExitStack() as stack:
        places = [await stack.enter_async_context(place(folders.mktemp("place"))) for _ in range(count + 1)]
        calm, *wild = places
        shares = [range(at, COMMANDS, count) for at in range(count)]
        undisturbed, *disturbed = await asyncio.gather(played(calm, range(0)), *map(played, wild, shares))
        leaks = [leak for made in places for leak in canary.leaks(made.box, await made.texts())]
    assert disturbed == [undisturbed] * count
    assert leaks == []
    return undisturbed


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", KILLED)
async def test_killed_in_every_step_and_between_them_the_world_ends_as_if_undisturbed_and_undone_as_before(
    tmp_path_factory: pytest.TempPathFactory, name: str
) -> None:
    outcomes = await compare(tmp_path_factory, play(KILLED[name]), BOTS.get(name, 1))

    assert {outcome.state for outcome in outcomes} == {"succeeded"}
    assert [*remains(KILLED[name], outcomes)] == []


@pytest.mark.timeout(300)
async def test_killed_in_what_nothing_undoes_the_world_ends_as_if_undisturbed(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    outcomes = await compare(tmp_path_factory, play([(act,) for act in LASTING]))

    assert {outcome.state for outcome in outcomes} == {"succeeded"}


@pytest.mark.timeout(300)
async def test_killed_in_a_rollback_the_world_ends_as_before(tmp_path_factory: pytest.TempPathFactory) -> None:
    failed, taken_back = await compare(tmp_path_factory, roll_back)

    assert (failed.state, taken_back.state) == ("failed", "succeeded")
    assert taken_back.after == failed.before


def test_every_kind_of_operation_is_killed() -> None:
    kinds = {act.kind for act in (*chain(*chain(*KILLED.values())), *LASTING)}

    assert kinds | {ROLLBACK, *ROTATIONS} == {*PROCEDURES.kinds}
