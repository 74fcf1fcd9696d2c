"""The bot's own database is locked or away for a while: nothing is lost, and everybody is told."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from inline_snapshot import snapshot

from services.model.operation import Decision
from tests.flows.conversation import Conversation


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Another program, such as a backup, writes into the file for so long."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


@pytest.mark.only_on("sqlite")
async def test_a_locked_database_delays_an_operation_and_a_command_says_why(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("scope_map.put")

    with locked(registry.database):
        await registry.let_go()
        await registry.until(lambda: registry.bot.store.trouble)
        ready = await registry.readiness()
        await registry.say("ping", quiet=False)
        await registry.until(lambda: not registry.bot.slack.busy)
    await registry.quiet()

    assert ready == {"database": "the database does not answer: another program has locked it"}
    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
alice  /registry ping
bot    Deploy edge01 to berlin: online
bot    (only alice) The bot's own database does not answer: another program has locked it. Running operations continue when it does. Try again in a minute; if the problem lasts, tell whoever runs the bot.\
""")
    assert await registry.readiness() == {}


@pytest.mark.only_on("sqlite")
async def test_a_run_that_the_engine_has_lost_goes_on_from_its_step(registry: Conversation) -> None:
    await registry.hold("PUT .*/scopeMaps/")
    await registry.say("deploy edge01 --site berlin", quiet=False)
    await registry.running("scope_map.put")
    engine = registry.database.with_name(f"{registry.database.stem}-engine.db")

    def lose() -> None:
        with closing(sqlite3.connect(engine)) as connection, connection:
            connection.execute("UPDATE workflow_status SET status = 'ERROR' WHERE workflow_uuid LIKE '%:run:%'")

    await registry.restart(lose)
    await registry.let_go()
    await registry.quiet()

    assert (await registry.operation()).state == "succeeded"
    assert len(await registry.cards()) == 1


async def test_an_approval_whose_run_was_not_queued_before_a_crash_counts_afterwards(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    waiting = await registry.operation()
    approval = Decision(waiting.round, "U0BOB", "bob", "approve", registry.time.now())
    await registry.bot.store.operations.decide(waiting.id, approval)

    await registry.restart()
    await registry.quiet()

    assert (await registry.operation()).state == "succeeded"
