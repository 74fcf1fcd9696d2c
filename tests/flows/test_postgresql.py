"""The same bot on PostgreSQL."""

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bench.postgres import NoServerError, server, start, stop
from tests.flows.conversation import Conversation, conversation


@pytest.fixture(scope="module")
def postgres() -> Iterator[tuple[str, Path]]:
    """A server's address and folder; where there is none, the tests are skipped and say why."""
    with tempfile.TemporaryDirectory(prefix="pg-", ignore_cleanup_errors=True) as folder:
        try:
            with server(Path(folder)) as url:
                yield url, Path(folder)
        except NoServerError as missing:
            pytest.skip(str(missing))


@pytest.fixture
async def registry(postgres: tuple[str, Path], tmp_path: Path) -> AsyncIterator[Conversation]:
    async with conversation(tmp_path, database_url=postgres[0]) as talk:
        yield talk


async def test_a_deployment_is_approved_runs_and_survives_a_restart(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.restart()
    await registry.hold("PUT .*/scopeMaps/")
    await registry.click("Approve", as_="bob", quiet=False)
    await registry.running("scope_map.put")
    await registry.restart()
    await registry.let_go()
    await registry.quiet()

    assert (await registry.operation()).state == "succeeded"
    assert len(await registry.requests("POST .*/generateCredentials")) == 1
    assert len(await registry.cards()) == 1


async def test_a_server_that_restarts_delays_an_operation_and_no_more(
    registry: Conversation, postgres: tuple[str, Path]
) -> None:
    await registry.hold("PUT .*/scopeMaps/")
    await registry.say("deploy edge02 --site berlin", quiet=False)
    await registry.running("scope_map.put", "edge02")

    stop(postgres[1])
    await registry.let_go()
    await registry.until(lambda: registry.bot.store.trouble)
    ready = await registry.readiness()
    start(postgres[1])
    await registry.until(lambda: not registry.bot.store.trouble)
    await registry.quiet()

    assert ready == {"database": "the database does not answer: the server does not answer"}
    assert (await registry.operation("edge02")).state == "succeeded"
