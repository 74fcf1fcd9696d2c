"""The page in a real browser, before a real workspace and an unmodified Bolt app."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml
from aiohttp import web
from playwright.async_api import Browser, BrowserContext, ViewportSize
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

import sandbox
from sandbox.clock import Clock
from sandbox.control import Control
from sandbox.faults import Faults
from sandbox.slack import SlackPart, Timing
from sandbox.speed import IMMEDIATE
from sandbox.testing.browser import PATIENCE
from sandbox.tests.page.app import MANIFEST, Heard, register
from sandbox.tests.page.reader import OpenPage, Reader

WORLD = yaml.safe_load((Path(sandbox.__file__).parent / "world.yaml").read_text())
DESKTOP: ViewportSize = {"width": 1280, "height": 800}


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
def edge_orders() -> list[dict[str, object]]:
    """What the page asked of the edge."""
    return []


@pytest_asyncio.fixture(loop_scope="module")
async def part(clock: Clock, faults: Faults, edge_orders: list[dict[str, object]]) -> AsyncIterator[SlackPart]:
    async def show(_request: web.Request) -> web.Response:
        return web.json_response({"clusters": [{"name": "berlin-arc", "offline": False, "link": "up"}]})

    async def change(request: web.Request) -> web.Response:
        edge_orders.append({"cluster": request.match_info["cluster"], **await request.json()})
        return web.json_response({})

    slack = SlackPart(WORLD, clock=clock, speed=IMMEDIATE, faults=faults, manifest=MANIFEST, timing=Timing(ack=1))
    slack.add_routes(Control(clock, faults, lambda: {"speed": "immediate"}).routes())
    slack.add_routes([web.get("/sandbox/edge", show), web.post("/sandbox/edge/{cluster}", change)])
    await slack.start()
    yield slack
    await slack.stop()


@pytest.fixture
def slack(part: SlackPart) -> AsyncWebClient:
    environment = part.environment()
    return AsyncWebClient(token=environment["SLACK_BOT_TOKEN"], base_url=environment["SLACK_API_URL"])


@pytest_asyncio.fixture(loop_scope="module")
async def heard(part: SlackPart, slack: AsyncWebClient) -> AsyncIterator[Heard]:
    """What the connected app was told."""
    app, answers = AsyncApp(client=slack, signing_secret="unused"), Heard()
    register(app, answers)
    handler = AsyncSocketModeHandler(app, part.environment()["SLACK_APP_TOKEN"])
    await handler.connect_async()  # type: ignore[no-untyped-call]  # slack_bolt annotates no return here
    yield answers
    await handler.close_async()  # type: ignore[no-untyped-call]


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(chromium: Browser, part: SlackPart) -> AsyncIterator[OpenPage]:
    contexts: list[BrowserContext] = []

    async def open_page(person: str = "alice", channel: str = "edge-ops", viewport: ViewportSize = DESKTOP) -> Reader:
        context = await chromium.new_context(viewport=viewport, reduced_motion="reduce")
        contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = await context.new_page()
        reader = Reader(page)
        await page.goto(f"{part.url}/?as={person}&channel={channel}")
        await page.get_by_test_id("messages").locator(".intro").wait_for()
        return reader

    yield open_page
    for context in contexts:
        await context.close()
