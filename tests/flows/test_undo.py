"""Each kind of operation fails, is taken back, is retried and is undone, and the world is as it was before.

Of each write the first reply is lost, as if the bot had died of it.
"""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Fault, Faults, Part
from services.operations.procedures import PROCEDURES
from tests.crash.killed import QUESTIONS, WRITES
from tests.crash.world import EDGE
from tests.flows.azure_roles import grant
from tests.flows.conversation import Conversation, conversation, site
from tests.flows.test_edge_images import push
from tests.flows.test_rollback import everything
from tests.flows.test_update import make_tokens
from tests.flows.worlds import Surroundings

MINUTE = 60
DRY_RUN = "This was a dry run: nothing was written."
CONTACTS = {
    "client_token.synced",
    "connected.resynced",
    "permissions.synced",
    "token.contact",
    "token.still_in_contact",
}
"""Steps that wait for the edge's next contact, which it makes within a minute."""


class LostReplies(Faults):
    """Does each write, and loses its reply where no request of its line was made before."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: set[str] = set()

    def take(self, part: Part, line: str) -> Fault | None:
        fault, is_question = super().take(part, line), QUESTIONS.search(line) or EDGE.search(line)
        if fault or part == "slack" or not WRITES.search(line) or is_question or line in self.lines:
            return fault
        self.lines.add(line)
        return Fault(part, ".", "lose_reply")


@dataclass(frozen=True)
class Act:
    """A command of this kind that changes something, and the write of it that is refused at first."""

    kind: str
    line: str
    refused: str = ""
    part: Part = "azure"
    skip: int = 0
    """How many writes of that sort are done before."""
    is_taken_back: bool = True
    """Whether a rollback finds nothing that it has to leave as it is."""
    traces: tuple[str, ...] = ()
    """All that differs when it is done, and undone where that can be: paths in the world."""


IMPORT = "acr import mcr.microsoft.com/hello-world:latest --site paris"
UPDATE = "update edge01 --site berlin"
EXTENSION_UPDATE = "extension update edge01 --site berlin --trust-distribution"
HELLO = "workload deploy edge01 --site berlin --image hello-world:latest"
ROTATE = "token rotate edge01 --site berlin"
REINSTALL = "extension reinstall edge01 --site berlin"
PUT_EXTENSION, PATCH_EXTENSION = "PUT .*/extensions/edge01", "PATCH .*/extensions/edge01"
INSTANCE = "/azure/registries/contosoacr/connectedRegistries/edge01/instance"
LAST_SYNC = "/syncs/contosoacr/edge01"
TRUST = "/azure/clusters/berlin-arc/extensions/edge01/settings/trustDistribution.enabled"
ACR_CREATE = Act("acr create", "acr create paris", "PUT .*/registries/contosoparis$")
ACR_DELETE = Act(
    "acr delete",
    "acr delete paris --confirm contosoparis",
    "DELETE .*/registries/contosoparis$",
    traces=("/images/contosoparis",),
)

CASES: dict[str, tuple[tuple[Act, ...], ...]] = {
    "cloud registry": (
        (ACR_CREATE, ACR_DELETE),
        (Act("acr import", IMPORT, "POST .*/importImage", traces=("/images/contosoparis",)),),
        (ACR_DELETE, ACR_CREATE),
    ),
    "deployment": (
        (
            Act("deploy", "deploy edge01 --site berlin", PUT_EXTENSION),
            Act("remove", "remove edge01 --site berlin --confirm edge01"),
        ),
    ),
    "connected registry": (
        (
            Act("create", "create edge01 --site berlin --mode ReadWrite", "PUT .*/connectedRegistries/edge01"),
            Act("delete", "delete edge01 --site berlin --cleanup"),
        ),
        (
            Act("extension deploy", "extension deploy edge01 --site berlin", PUT_EXTENSION),
            Act("extension delete", "extension delete edge01 --site berlin"),
            Act("deactivate", "deactivate edge01 --site berlin"),
        ),
        # The same settings and address, and Online again: another runtime, with a password that works.
        (Act("extension reinstall", REINSTALL, PUT_EXTENSION, is_taken_back=False, traces=(INSTANCE,)),),
        (Act("resync", "resync edge01 --site berlin", "POST .*/resync", traces=(LAST_SYNC,)),),
        # A setting that the extension never had comes back as the chart's default, so it is set before.
        (Act("extension update", f"{EXTENSION_UPDATE} off", PATCH_EXTENSION, traces=(TRUST,)),),
        (
            Act("extension update", f"{EXTENSION_UPDATE} on", PATCH_EXTENSION),
            Act("extension update", f"{EXTENSION_UPDATE} off"),
        ),
        (
            Act(
                "update",
                f"{UPDATE} --log-level Debug --gc off --add-client-token till",
                "PATCH .*/connectedRegistries/edge01",
                skip=1,
            ),
            Act("update", f"{UPDATE} --log-level Information --gc on --remove-client-token till"),
        ),
        (
            Act("permissions", "permissions add edge01 team/app --site berlin", "PATCH .*/scopeMaps/edge01"),
            Act("permissions", "permissions remove edge01 team/app --site berlin"),
        ),
        (Act("token rotate", ROTATE, PATCH_EXTENSION), Act("token rotate", ROTATE)),
        (
            Act("workload deploy", HELLO, "POST .*/namespaces/default/deployments", "kube"),
            Act("workload delete", "workload delete hello-world --site berlin"),
        ),
        (
            Act("workload rotate", f"{ROTATE} --workload hello-world", "PATCH .*/deployments/hello-world", "kube"),
            Act("workload rotate", f"{ROTATE} --workload hello-world"),
        ),
    ),
}
"""By what they are about: acts, each with those that undo it; the last one is undone first."""
LASTING = (
    Act("provider register", "provider register lab", "POST .*/register$"),
    Act("acr update", "acr update lab", "PATCH .*/contosolab$", skip=1, is_taken_back=False),
)
"""Acts that nothing undoes, since others may use what they give the subscription and the cloud registry."""


SITES: dict[str, Any] = {
    "berlin": site("berlin"),
    "paris": site("paris", acr={"name": "contosoparis", "create_in": "westeurope"}),
    "lab": site("lab", acr={"name": "contosolab"}),
}
"""Berlin, a site whose cloud registry does not exist yet, and one whose cloud registry is in the Basic tier."""


def prepare(place: Surroundings) -> None:
    """Give the bot the rights for every kind, and make what some of them change."""
    grant(place, "writer", "subscription", "registry-deletion", "resync")
    make_tokens(place, "till")
    push(place, "latest")


@pytest.fixture
async def losing(tmp_path: Path) -> AsyncIterator[Conversation]:
    """The bot at those sites, in a sandbox that loses replies."""
    async with conversation(tmp_path, faults=LostReplies(), **SITES) as talk:
        prepare(talk)
        yield talk


async def carry_out(talk: Conversation, act: Act) -> tuple[str, bool, str]:
    """Say it, first as a dry run: its kind, whether a plan was shown and nothing was written, and what became of it."""
    before = await look(talk)
    await talk.say(f"{act.line} --dry-run")
    is_previewed = DRY_RUN in await talk.answer() and await look(talk) == before
    await talk.say(act.line, quiet=False)
    await settle(talk)
    operations = await talk.bot.store.operations.find(limit=1)
    return operations[0].kind, is_previewed, operations[0].state


async def settle(talk: Conversation) -> None:
    """Return when nothing moves any more; the edge makes contact whenever an operation waits for that."""
    quiet = asyncio.create_task(talk.quiet())
    while not quiet.done():
        running = await talk.bot.store.operations.find(states=["running"])
        steps = {operation.planned[run.index].kind for operation in running for run in operation.steps if run.started}
        await talk.post("/sandbox/clock", turn=MINUTE * bool(steps & CONTACTS))
        await asyncio.wait({quiet}, timeout=0.1)
    await quiet


async def fail_and_retry(talk: Conversation, act: Act) -> tuple[object, ...]:
    """What `carry_out` returns, whether the card says why, whether a rollback left the world as before, its end."""
    before = await look(talk)
    values: dict[str, Any] = {
        "status": 400,
        "code": "NotPossible",
        "message": "No more.",
        "times": None,
        "skip": act.skip,
    }
    await talk.fault(act.part, act.refused, **values)
    failed = await carry_out(talk, act)
    is_explained = values["message"] in await talk.answer()
    operation = (await talk.bot.store.operations.find(limit=1))[0].id
    await talk.mended()
    await talk.restart()  # which it survives; and each bot may post and edit at once what would wait for its turn later
    await talk.say(f"operation rollback {operation}")
    is_as_before = await look(talk) == before
    await talk.click("Retry", as_="carol", quiet=False)
    await settle(talk)
    retried = await talk.bot.store.operations.get(operation)
    assert retried
    return *failed, is_explained, is_as_before, retried.state


async def look(talk: Surroundings) -> Any:
    """Everything but the passwords of the sync token, which outlive the installation that was given them."""
    (azure, clusters), deployments, secrets, passwords, leases = await everything(talk)
    for token in (token for registry in azure["registries"] for token in registry["tokens"]):
        del token["passwords"]  # `passwords` has those of all tokens
    passwords.pop("edge01", None)
    return {
        "azure": azure,
        "clusters": clusters,
        "deployments": deployments,
        "secrets": secrets,
        "passwords": passwords,
        "leases": leases,
    }


async def look_closer(talk: Conversation) -> Any:
    """The same, with what a removal leaves of images and syncs in the cloud registries."""
    assert talk.box.azure
    registries = talk.box.azure.cloud.registries.values()
    images = {registry["name"]: registry["images"] for registry in (await talk.azure())["registries"]}
    syncs = {
        registry.name: {
            one.name: (one.sync_result.trigger, one.sync_result.state) for one in registry.connected.values()
        }
        for registry in registries
    }
    return {**await look(talk), "images": images, "syncs": syncs}


def differences(before: Any, after: Any, path: str = "") -> tuple[str, ...]:
    """Where two worlds differ: the paths there, by the names of what is in lists."""
    parts = [_by_name(world) for world in (before, after)]
    if None in parts:
        return (path,) if before != after else ()
    before, after = parts
    keys = sorted({*before, *after})
    return tuple(place for key in keys for place in differences(before.get(key), after.get(key), f"{path}/{key}"))


def _by_name(world: Any) -> dict[str, Any] | None:
    """What can be looked into, by key or name; None for a single value."""
    if isinstance(world, dict):
        return world
    is_named = isinstance(world, list) and all(isinstance(entry, dict) and "name" in entry for entry in world)
    return {entry["name"]: entry for entry in world} if is_named else None


@pytest.mark.parametrize("acts", CASES.values(), ids=CASES)
async def test_what_failed_and_what_is_undone_leaves_the_world_as_it_was(
    losing: Conversation, acts: tuple[tuple[Act, ...], ...]
) -> None:
    failures, before, done, undone, after = [], [], [], [], []
    for act, *_ in acts:
        before.append(await look_closer(losing))
        failures.append(await fail_and_retry(losing, act))
        done.append(await look_closer(losing))
    for _, *undo in reversed(acts):
        await losing.restart()
        undone += [await carry_out(losing, act) for act in undo]
        after.append(await look_closer(losing))

    assert failures == [(act.kind, True, "failed", True, act.is_taken_back, "succeeded") for act, *_ in acts]
    assert undone == [(act.kind, True, "succeeded") for _, *undo in reversed(acts) for act in undo]
    worlds = zip(acts, before, done, after[::-1], strict=True)
    left = [
        (act.line, differences(once, now if undo else then), act.traces) for (act, *undo), once, then, now in worlds
    ]
    assert left == [(act.line, act.traces, act.traces) for act, *_ in acts]


async def test_what_nothing_undoes_fails_and_a_retry_goes_on(losing: Conversation) -> None:
    failures = [await fail_and_retry(losing, act) for act in LASTING]

    assert failures == [(act.kind, True, "failed", True, act.is_taken_back, "succeeded") for act in LASTING]


async def test_who_only_reads_may_do_none_of_them(losing: Conversation) -> None:
    acts = [*LASTING, *(act for case in CASES.values() for group in case for act in group)]
    for act in acts:
        await losing.say(act.line, as_="dave")

    assert (await losing.transcript()).count("This needs `registry:write`, which you don't have.") == len(acts)


def test_every_kind_of_operation_is_among_them() -> None:
    acts = [act for case in CASES.values() for group in case for act in group]

    assert {act.kind for act in (*acts, *LASTING)} | {"operation rollback"} == set(PROCEDURES.kinds)
