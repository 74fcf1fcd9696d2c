"""The bot on PostgreSQL, whose server restarts."""

from pathlib import Path

import pytest

from bench.postgres import start, stop
from tests.flows.conversation import Conversation

pytestmark = pytest.mark.only_on("postgresql")


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
