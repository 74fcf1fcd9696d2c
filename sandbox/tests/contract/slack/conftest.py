"""An unmodified Bolt app against the workspace, and people who use it."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

import sandbox
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.slack import SlackPart, Timing
from sandbox.speed import IMMEDIATE
from sandbox.tests.contract.slack.people import Json, MakePart, People

WORLD: Json = yaml.safe_load((Path(sandbox.__file__).parent / "world.yaml").read_text())


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    # slack_sdk takes these for every address, the loopback interface too.
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def make_part(clock: Clock, faults: Faults) -> AsyncIterator[MakePart]:
    parts: list[SlackPart] = []

    async def make(**options: Any) -> SlackPart:
        part = SlackPart(WORLD, clock=clock, speed=IMMEDIATE, faults=faults, **options)
        await part.start()
        parts.append(part)
        return part

    yield make
    for part in parts:
        await part.stop()


@pytest.fixture
async def part(make_part: MakePart) -> SlackPart:
    return await make_part(timing=Timing(ack=2))


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def people(part: SlackPart, session: aiohttp.ClientSession) -> People:
    return People(part.url, session)


@pytest.fixture
def web(part: SlackPart) -> AsyncWebClient:
    env = part.environment()
    return AsyncWebClient(token=env["SLACK_BOT_TOKEN"], base_url=env["SLACK_API_URL"])


@pytest.fixture
def app(web: AsyncWebClient, part: SlackPart) -> AsyncApp:
    return AsyncApp(client=web, signing_secret=part.environment()["SLACK_SIGNING_SECRET"])


@pytest.fixture
async def connected(app: AsyncApp, part: SlackPart) -> AsyncIterator[AsyncSocketModeHandler]:
    """Ask for this one after the listeners' fixtures; the app is on Socket Mode while it is held."""
    handler = AsyncSocketModeHandler(app, part.environment()["SLACK_APP_TOKEN"])
    await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt annotates no return here
    yield handler
    await handler.close_async()  # type: ignore[no-untyped-call]
