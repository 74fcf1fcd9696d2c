"""Several replicas on one PostgreSQL, each of which gets every delivery of Slack: what one leaves, another finishes."""

import asyncio
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.postgres import NoServerError, server
from bot.wiring import LEASE_LOST
from tests.crash.replicas import HOLD, replicated


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A server's address; where there is none, the tests are skipped and say why."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        try:
            with server(Path(folder)) as url:
                yield url
        except NoServerError as missing:
            pytest.skip(str(missing))


async def undisturbed(folder: Path, postgres: str) -> dict[str, Any]:
    """What is there after a deployment by one replica that lives on."""
    async with replicated(folder, postgres) as world:
        await world.start(1)
        return await world.deployed(await world.deploy())


@pytest.mark.timeout(240)
async def test_an_operation_ends_as_if_undisturbed_while_its_replicas_stop_freeze_and_die_in_turn(
    postgres: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    calm = asyncio.create_task(undisturbed(tmp_path_factory.mktemp("undisturbed"), postgres))
    async with replicated(tmp_path_factory.mktemp("disturbed"), postgres) as world:
        await world.start(3)
        world.hold("PUT .*/scopeMaps/")
        card = await world.deploy()
        stopped = await world.runner()
        await world.requested("PUT .*/scopeMaps/")
        world.hold("PUT .*/tokens/")
        stopped.process.send(signal.SIGTERM)
        frozen = await world.runner(but=[stopped])
        await world.requested("PUT .*/tokens/")
        world.hold("PUT .*/connectedRegistries/")
        frozen.process.send(signal.SIGSTOP)
        await world.start(1)
        killed = await world.runner(but=[stopped, frozen])
        await world.requested("PUT .*/connectedRegistries/")
        killed.process.send(signal.SIGKILL)
        await world.runner(but=[stopped, frozen, killed])
        await world.post("/sandbox/clock", turn=HOLD)
        await world.deployed(card)
        writes = world.writes
        frozen.process.send(signal.SIGCONT)
        codes = [await replica.process.ended() for replica in (stopped, frozen)]

        assert world.writes == writes
        outcome = await world.deployed(card)
    assert outcome == await calm
    assert codes == [0, LEASE_LOST]
    assert frozen.events[-1]["event"] == "lease_lost"
