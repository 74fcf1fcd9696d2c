"""Several replicas on one PostgreSQL, each of which gets every delivery of Slack: what one leaves, another finishes."""

import asyncio
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.postgres import NoServerError, server, start, stop
from bot.wiring import LEASE_LOST
from services.store.executor_lease import LASTS
from tests.crash.replicas import HOLD, replicated


@pytest.fixture(scope="module")
def postgres() -> Iterator[tuple[str, Path]]:
    """A server's address and folder; where there is none, the tests are skipped and say why."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        try:
            with server(Path(folder)) as url:
                yield url, Path(folder)
        except NoServerError as missing:
            pytest.skip(str(missing))


async def undisturbed(folder: Path, postgres: str) -> dict[str, Any]:
    """What is there after a deployment by one replica that lives on."""
    async with replicated(folder, postgres) as world:
        await world.start(1)
        return await world.deployed(await world.deploy())


@pytest.mark.timeout(240)
async def test_an_operation_ends_as_if_undisturbed_while_its_replicas_stop_freeze_and_die_in_turn(
    postgres: tuple[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> None:
    calm = asyncio.create_task(undisturbed(tmp_path_factory.mktemp("undisturbed"), postgres[0]))
    async with replicated(tmp_path_factory.mktemp("disturbed"), postgres[0]) as world:
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


@pytest.mark.timeout(240)
async def test_nobody_is_taken_for_dead_while_the_database_is_away_for_longer_than_a_lease_lasts(
    postgres: tuple[str, Path], tmp_path: Path
) -> None:
    address, folder = postgres
    async with replicated(tmp_path, address) as world:
        await world.start(2)
        world.hold("PUT .*/scopeMaps/")
        card = await world.deploy()
        await world.requested("PUT .*/scopeMaps/")
        stop(folder)
        await world.post("/sandbox/clock", turn=HOLD)
        await asyncio.sleep(LASTS + 2)  # leases are measured by the clocks of the processes, which nobody can turn
        start(folder)
        outcome = await world.deployed(card)

        assert outcome["cards"] == 1
        assert [replica.process.lives for replica in world.replicas] == [True, True]
        assert "work_taken_over" not in {event["event"] for replica in world.replicas for event in replica.events}
