"""The bot of today takes over the databases of an older version, which was killed in the middle of its work."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from bot.configuration import load
from sandbox.world import load as load_world
from tests.flows.conversation import Conversation, conversation

pytestmark = pytest.mark.only_on("sqlite")

RECORDED = Path(__file__).parents[1] / "upgrade"


def restore(folder: Path) -> Path:
    """The older version's databases, as files in a folder."""
    folder.mkdir()
    for name in ("bot", "bot-engine"):
        with closing(sqlite3.connect(folder / f"{name}.db")) as database:
            database.executescript((RECORDED / f"{name}.sql").read_text(encoding="utf-8"))
    return folder / "bot.db"


def recorded_at() -> datetime:
    """When the older version was killed."""
    first = (RECORDED / "bot.sql").read_text(encoding="utf-8").partition("\n")[0]
    return datetime.fromisoformat(first.removeprefix("-- "))


async def later(talk: Conversation, time: timedelta) -> None:
    """Let time pass for everybody: people, Azure and the edge."""
    talk.time.ahead += time
    await talk.post("/sandbox/clock", turn=time.total_seconds())


@pytest.fixture
async def upgraded(tmp_path: Path) -> AsyncIterator[Conversation]:
    """The bot of today on those databases, in the world that they speak of, two minutes later.

    In that world edge01 is deployed at berlin and has lost its link. Slack knows none of the older messages.
    """
    files = load(RECORDED / "sites.yaml", RECORDED / "access.yaml")
    world = load_world(RECORDED / "world.yaml")
    policy, sites = files.policy.model_dump(mode="json"), dict[str, Any](files.sites)
    before = recorded_at() - timedelta(hours=1) - datetime.now(UTC)
    async with conversation(tmp_path, policy=policy, world=world, ahead=before, **sites) as talk:
        talk.channel = "general"
        await talk.say("deploy edge01 --site berlin")
        await talk.edge(link="down")
        await later(talk, timedelta(hours=1, minutes=2))
        talk.channel = "edge-ops"
        talk.said.clear()
        talk.blueprint = replace(talk.blueprint, database_url=f"sqlite:///{restore(tmp_path / 'older')}")
        await talk.restart()
        yield talk


async def test_what_ran_goes_on_and_what_was_queued_follows(upgraded: Conversation) -> None:
    await upgraded.quiet()

    # The alert comes whenever the poll does, before either card, between them or behind them.
    assert sorted((await upgraded.transcript()).splitlines()) == snapshot(
        [
            "       (the bot is started again)",
            "bot    :large_orange_circle:  *edge01 at berlin is offline*   [Check berlin] [Acknowledge] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]",
            "bot    Deploy edge02 to hamburg: online",
            "bot    Deploy edge02 to hamburg: online",
        ]
    )
    assert len(await upgraded.requests("POST .*/generateCredentials")) == 2  # edge01's and edge02's


async def test_what_waits_is_approved_as_it_was_planned(upgraded: Conversation) -> None:
    operation = await upgraded.operation("edge04")
    await upgraded.quiet()
    upgraded.said.clear()
    await upgraded.say(f"operation show {operation.id}", as_="bob")
    await upgraded.say(f"operation approve {operation.id}", as_="bob")

    assert await upgraded.transcript() == snapshot("""\
bob    /registry operation show op-1
bot    (only bob) Deploy edge04 to bremen: waiting for approval   [Show as script]
bob    /registry operation approve op-1
bot    Deploy edge04 to bremen: online, approved by bob\
""")


async def test_what_failed_is_retried_from_the_step_that_failed(upgraded: Conversation) -> None:
    operation = await upgraded.operation("edge03")
    await upgraded.quiet()
    upgraded.said.clear()
    await upgraded.say(f"operation retry {operation.id}")

    assert await upgraded.transcript() == snapshot("""\
alice  /registry operation retry op-1
bot    Deploy edge03 to kiel: online, retried by alice
bot    :white_check_mark:  Deploy edge03 to kiel: online in N s, retried by alice. <@U0ALICE>\
""")


async def test_an_open_alert_is_acknowledged_and_closes(upgraded: Conversation) -> None:
    await upgraded.quiet()
    upgraded.said.clear()
    await upgraded.click("Acknowledge", as_="carol", card="is offline")
    await upgraded.edge(link="up")
    await later(upgraded, timedelta(minutes=10))
    await upgraded.bot.watching.cycle()
    await later(upgraded, timedelta(minutes=20))
    await upgraded.bot.watching.cycle()
    await upgraded.quiet()

    assert await upgraded.transcript() == snapshot("""\
carol  [Acknowledge]
bot    :large_orange_circle:  *edge01 at berlin is offline*   [Check berlin] [Snooze 1 h] [Snooze until morning] [Snooze until it changes] [Show]
bot    (only carol) edge01 at berlin is offline. Acknowledged by <@U0CAROL>. This holds until it gets worse.
bot    :white_check_mark:  *edge01 at berlin has recovered*   [Show]\
""")


async def test_what_ended_and_what_is_watched_is_still_listed(upgraded: Conversation) -> None:
    await upgraded.quiet()
    upgraded.said.clear()
    await upgraded.say("operation list")
    await upgraded.say("watches")
    await upgraded.say("alert list")

    assert await upgraded.transcript() == snapshot("""\
alice  /registry operation list
bot    (only alice) 5 operations, newest first
alice  /registry watches
bot    (only alice) This channel watches site berlin   [Summary now] [Unwatch]
alice  /registry alert list
bot    (only alice) 1 open alert, worst first   [Show the worst] [Acknowledge all]\
""")


async def test_the_audit_goes_on_behind_what_the_older_version_did(upgraded: Conversation) -> None:
    report = await upgraded.bot.store.audit.verify()
    entries = await upgraded.bot.store.audit.newest()
    oldest = entries[-1]

    assert (oldest.number, oldest.row.name, oldest.row.site) == (1, "alice", "berlin")
    assert report.broken is None
    # The operations that go on meanwhile add rows.
    assert [entry.number for entry in entries][-report.rows :] == list(range(report.rows, 0, -1))
