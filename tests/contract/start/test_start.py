"""A start that goes wrong says one line that says what to do; a signal ends the process at any moment."""

import asyncio
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import bot
from bot import checking, start
from bot.problems import Broken
from bot.settings import Settings
from sandbox import world
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.slack import SlackPart, Timing
from sandbox.speed import IMMEDIATE
from services.store import open_store

CONFIG = Path(bot.__file__).parent.parent / "config" / "sandbox"
GARBAGE = b"this was a database once, before somebody copied a log file over it and went home for the day"
Given = Callable[..., Settings]


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def slack(faults: Faults) -> AsyncIterator[SlackPart]:
    part = SlackPart(world.load(), clock=Clock(), speed=IMMEDIATE, faults=faults, timing=Timing())
    await part.start()
    yield part
    await part.stop()


@pytest.fixture
def given(slack: SlackPart, tmp_path: Path) -> Given:
    """Settings that work, but for those that a test gives."""
    env = slack.environment()

    def settings(**changes: Any) -> Settings:
        values: dict[str, Any] = {
            "SLACK_BOT_TOKEN": env["SLACK_BOT_TOKEN"],
            "SLACK_APP_TOKEN": env["SLACK_APP_TOKEN"],
            "SLACK_API_URL": env["SLACK_API_URL"],
            "sites": CONFIG / "sites.yaml",
            "access": CONFIG / "access.yaml",
            "data_dir": tmp_path / "data",
            "http_port": 0,
        }
        return Settings(**(values | changes))

    return settings


async def line_of(settings: Settings) -> str:
    """What a start says that goes wrong."""
    with pytest.raises(Broken) as broken:
        await start.run(settings)
    [problem] = broken.value.problems
    return str(problem)


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (
            {"SLACK_BOT_TOKEN": "xoxb-wrong"},
            "SLACK_BOT_TOKEN: Slack rejects it (invalid_auth): reinstall the app",
        ),
        ({"SLACK_APP_TOKEN": "xapp-1-A0-wrong"}, "SLACK_APP_TOKEN: Slack rejects it (invalid_auth): create an"),
        (
            {"SLACK_API_URL": "http://127.0.0.1:1/api/"},
            "SLACK_API_URL: http://127.0.0.1:1/api/ does not answer",
        ),
    ],
    ids=["bot token", "app token", "address"],
)
async def test_what_slack_does_not_take_is_named_with_its_setting(
    given: Given, wrong: dict[str, Any], line: str
) -> None:
    assert (await line_of(given(**wrong))).startswith(line)


async def test_an_app_token_without_its_scope_is_told_which_one_it_lacks(given: Given, faults: Faults) -> None:
    faults.add(Fault("slack", "apps.connections.open", code="missing_scope"))

    assert await line_of(given()) == (
        "SLACK_APP_TOKEN: Slack rejects it (missing_scope): create an app-level token with the scope"
        " connections:write (Basic Information, App-Level Tokens)"
    )


async def test_a_data_folder_that_is_a_file_is_named(given: Given, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file")

    assert "REGISTRY_BOT_DATA_DIR" in await line_of(given())
    assert "it has to be a folder" in str(checking.local_problems(given())[0])


async def test_a_port_that_is_taken_is_named(given: Given) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        assert await line_of(given(http_port=port)) == (
            f"REGISTRY_BOT_HTTP_PORT: 127.0.0.1:{port} is in use: choose another port, or 0 for any free one"
        )


def overwritten(path: Path) -> None:
    path.write_bytes(GARBAGE * 50)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-8192])


def emptied(path: Path) -> None:
    path.write_bytes(b"")
    path.with_name("bot-engine.db").write_bytes(GARBAGE)


def newer(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE bot_schema SET version_num = '9999'")
        connection.commit()


@pytest.mark.parametrize(
    ("happened", "says"),
    [
        (overwritten, "bot.db is damaged: stop the bot and put both files of one backup back"),
        (cut, "bot.db is damaged: stop the bot and put both files of one backup back"),
        (emptied, "bot.db is empty, and bot-engine.db beside it is not"),
        (newer, "it was written by a newer version of the bot: install that version"),
    ],
)
async def test_a_database_that_cannot_be_used_says_what_to_do(
    given: Given, tmp_path: Path, happened: Callable[[Path], None], says: str
) -> None:
    (tmp_path / "data").mkdir()
    path = tmp_path / "data" / "bot.db"
    await (await open_store(f"sqlite:///{path}")).close()
    happened(path)

    assert says in await line_of(given())
    assert says in str(checking.local_problems(given())[0])


async def test_a_server_that_does_not_answer_is_named_without_the_password(given: Given) -> None:
    said = await line_of(given(database_url="postgres://bot:p%40ss@127.0.0.1:1/registry"))

    assert said == "database: it does not answer at 127.0.0.1:1: is the server up, and is the way to it open?"


async def test_a_signal_ends_a_start_that_waits_for_slack(given: Given, slack: SlackPart, faults: Faults) -> None:
    faults.add(Fault("slack", "apps.connections.open", times=None, skip=1, status=503))
    running = asyncio.create_task(start.run(given()))
    async with asyncio.timeout(60):
        while len([call for call in slack.workspace.calls if call["method"] == "apps.connections.open"]) < 2:
            await asyncio.sleep(0.02)
    os.kill(os.getpid(), signal.SIGTERM)

    async with asyncio.timeout(60):
        await running


async def test_a_signal_ends_a_running_bot(given: Given, slack: SlackPart) -> None:
    running = asyncio.create_task(start.run(given()))
    async with asyncio.timeout(60):
        while not len(slack._sockets):
            await asyncio.sleep(0.02)
    os.kill(os.getpid(), signal.SIGINT)

    async with asyncio.timeout(60):
        await running
