"""kill -9 at every write that the bot makes anywhere: nothing is lost, nothing is doubled."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from sandbox.faults import Fault, Faults
from tests.crash.killed import KilledWorld, Killer, approved, carried_out, say, world


async def _deployed(made: KilledWorld) -> dict[str, Any]:
    """Deploy with an approval, and tell what is there afterwards."""
    return await carried_out(made, "deploy edge01 --site berlin", "Deploy edge01 to berlin", "online")


async def _updated(made: KilledWorld) -> dict[str, Any]:
    """Change its settings and its client tokens, likewise."""
    line = "update edge01 --site berlin --gc off --notification hello-world:push --add-client-token edge01"
    return await carried_out(made, line, "Update edge01 at berlin", "updated")


async def _rotated(made: KilledWorld) -> dict[str, Any]:
    """Rotate its sync token, likewise: a password is made and given to the extension again, so both are killed again."""
    if isinstance(made.killer, Killer):
        made.killer.forget("generateCredentials", "PATCH .*extensions/")
    async with _contacts(made):
        title = "Rotate the sync token of edge01 at berlin"
        return await carried_out(made, "token rotate edge01 --site berlin", title, "rotated")


@asynccontextmanager
async def _contacts(made: KilledWorld) -> AsyncIterator[None]:
    """Let the edge make contact again and again."""

    async def turn() -> None:
        while True:
            await asyncio.sleep(1)
            await made.post("/sandbox/clock", turn=60)

    contacts = asyncio.create_task(turn())
    try:
        yield
    finally:
        contacts.cancel()


async def _workload_deployed(made: KilledWorld) -> dict[str, Any]:
    """Deploy a workload from it, likewise."""
    line = "workload deploy edge01 --site berlin --image hello-world:latest"
    async with _contacts(made):
        return await carried_out(made, line, "Deploy a workload from edge01 at berlin", "pulled")


async def _workload_deleted(made: KilledWorld) -> dict[str, Any]:
    """Delete that again, likewise."""
    title = "Delete workload hello-world at berlin"
    return await carried_out(made, "workload delete hello-world --site berlin", title, "deleted")


async def _extension_changed(made: KilledWorld) -> dict[str, Any]:
    """Change its extension, likewise."""
    line = "extension update edge01 --site berlin --trust-distribution off"
    return await carried_out(made, line, "Update the extension of edge01 at berlin", "updated")


async def _rolled_back(made: KilledWorld) -> dict[str, Any]:
    """Create one below it, which Azure refuses, and take back, likewise, what that has made."""
    if isinstance(made.killer, Killer):
        made.killer.victim = None
    made.killer.add(Fault("azure", "PUT .*/connectedRegistries/line1", times=None, status=400, code="BadRequest"))
    await say(made, "create line1 --site berlin --parent edge01")
    card = await approved(made, "Create line1 for berlin", "failed")
    made.killer.clear()
    [operation] = set(re.findall(r"op-[a-z0-9]{7}", json.dumps(card)))
    return await carried_out(made, f"operation rollback {operation}", "Roll back line1 at berlin", "rolled back")


async def _removed(made: KilledWorld) -> dict[str, Any]:
    """Remove it again, likewise."""
    line = "remove edge01 --site berlin --confirm edge01"
    return await carried_out(made, line, "Remove edge01 from berlin", "removed")


Act = Callable[[KilledWorld], Awaitable[dict[str, Any]]]


ACTS = (
    _deployed,
    _extension_changed,
    _rolled_back,
    _rotated,
    _updated,
    _workload_deployed,
    _workload_deleted,
    _removed,
)
DROPPED = (_deployed, _extension_changed, _rolled_back, _removed)
"""Acts whose every request is dropped, too: what is there after each does not depend on those that are left out."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[Act, dict[str, Any]]:
    """What is there after each act while nothing was killed."""
    async with world(tmp_path_factory.mktemp("undisturbed"), Faults()) as calm:
        return {act: await act(calm) for act in ACTS}


@pytest.mark.timeout(420)
@pytest.mark.parametrize(("done", "acts"), [(True, ACTS), (False, DROPPED)], ids=["request done", "request dropped"])
async def test_killed_at_every_write_the_world_ends_as_if_undisturbed(
    tmp_path: Path, undisturbed: dict[Act, dict[str, Any]], done: bool, acts: tuple[Act, ...]
) -> None:
    killer = Killer(done=done)
    async with world(tmp_path, killer) as wild:
        outcome = {act: await act(wild) for act in acts}

    assert outcome == {act: undisturbed[act] for act in acts}
    assert len(killer.struck) > 10, killer.struck
