"""Several replicas on one PostgreSQL, each of which gets every delivery of Slack: what one leaves, another finishes."""

import re
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from bench.postgres import NoServerError, server
from bot.wiring import LEASE_LOST
from tests.crash.replicas import HOLD, replicated

WRITES = re.compile(r"^(azure|kube) (PUT|PATCH|POST|DELETE) |^slack chat\.")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """A server's address; where there is none, the tests are skipped and say why."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        try:
            with server(Path(folder)) as url:
                yield url
        except NoServerError as missing:
            pytest.skip(str(missing))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def undisturbed(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What is there after a deployment by replicas that live on."""
    async with replicated(tmp_path_factory.mktemp("undisturbed"), postgres) as world:
        await world.start(2)
        return await world.deployed(await world.deploy())


@pytest.mark.timeout(240)
async def test_an_operation_is_handed_over_by_a_replica_that_stops_and_taken_over_from_one_that_is_killed(
    postgres: str, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    async with replicated(tmp_path, postgres) as world:
        await world.start(3)
        world.hold("PUT .*/scopeMaps/")
        card = await world.deploy()
        stopped = await world.runner()
        await world.requested("PUT .*/scopeMaps/")
        world.hold("PUT .*/connectedRegistries/")
        stopped.send(signal.SIGTERM)
        killed = await world.runner(but=[stopped])
        await world.requested("PUT .*/connectedRegistries/")
        killed.send(signal.SIGKILL)
        await world.runner(but=[stopped, killed])
        await world.post("/sandbox/clock", turn=HOLD)
        outcome = await world.deployed(card)
        code = await stopped.process.wait()

    assert outcome == undisturbed
    assert code == 0


@pytest.mark.timeout(240)
async def test_a_replica_that_was_frozen_for_longer_than_its_lease_writes_nothing_when_it_wakes_and_ends(
    postgres: str, undisturbed: dict[str, Any], tmp_path: Path
) -> None:
    async with replicated(tmp_path, postgres) as world:
        await world.start(2)
        world.hold("PUT .*/connectedRegistries/")
        card = await world.deploy()
        frozen = await world.runner()
        await world.requested("PUT .*/connectedRegistries/")
        frozen.send(signal.SIGSTOP)
        await world.runner(but=[frozen])
        await world.post("/sandbox/clock", turn=HOLD)
        outcome = await world.deployed(card)
        writes = world.requests(WRITES.pattern)
        frozen.send(signal.SIGCONT)
        code = await frozen.process.wait()

        assert outcome == undisturbed
        assert world.requests(WRITES.pattern) == writes
    assert code == LEASE_LOST
    assert frozen.events[-1]["event"] == "lease_lost"
