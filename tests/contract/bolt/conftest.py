"""The bot's own Slack side, whole, against the sandbox's workspace; the commands are small ones of these tests."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import MISSING, fields
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.web.async_client import AsyncWebClient

from bot.slack.app import PING_INTERVAL, SILENCE, Connection, SlackBot
from bot.slack.client import identify, open_client
from bot.slack.people import People
from handlers import COMMANDS
from handlers.dispatch import Door
from handlers.kit import Catalogue
from sandbox import world
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.slack import SlackPart, Timing
from sandbox.speed import IMMEDIATE
from services.model.about import About
from services.model.audit import AuditRow
from services.model.clock import MachineClock
from services.model.secret import Secret
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from services.policy.sites import Site
from services.services import Services
from tests.contract.bolt import commands
from tests.contract.bolt.workspace import Json, Workspace

SITES = {
    name: Site.model_validate(
        {
            "name": name,
            "environment": environment,
            "subscription": "22222222-2222-4222-8222-222222222222",
            "resource_group": "edge-rg",
            "acr": {"name": "contosoacr"},
            "cluster": {"name": f"{name}-arc"},
        }
    )
    for name, environment in (("berlin", "development"), ("hamburg", "production"))
}
POLICY = Policy.model_validate(
    {
        "groups": {"edge-ops": "edge-ops"},
        "people": {"bob": "U0BOB"},
        "grants": [
            {"name": "operators", "roles": ["operator"], "to": ["edge-ops"], "environments": ["development"]},
            {"name": "readers", "roles": ["viewer"], "to": ["everyone"]},
        ],
    }
)


class Rows:
    def __init__(self) -> None:
        self.rows: list[AuditRow] = []

    async def record(self, row: AuditRow) -> None:
        self.rows.append(row)


class Seen:
    def __init__(self) -> None:
        self.keys: set[str] = set()

    async def first(self, key: str) -> bool:
        new = key not in self.keys
        self.keys.add(key)
        return new


class Names:
    async def connected(self, site: Site | None = None) -> tuple[str, ...]:
        return ("edge01", "edge02")


class Bench:
    """Everything of one test: the workspace, the bot, and what people do."""

    def __init__(self) -> None:
        self.stack = AsyncExitStack()
        self.rows = Rows()
        self.gate = asyncio.Event()
        self.faults = Faults()
        self.part: SlackPart
        self.bot: SlackBot
        self.workspace: Workspace
        self.client: AsyncWebClient
        self.listens = ""
        self.at_once = 1000
        self.per_minute = 1000
        self.ping_interval, self.silence = PING_INTERVAL, SILENCE
        self.deadline = timedelta(seconds=25)
        self.reachable: list[str] = []

    async def open(self, *, mode: str = "socket", **options: Any) -> None:
        site = await self._listen() if mode == "http" else None
        request_url = f"http://127.0.0.1:{site[1]}/slack/events" if site else None
        self.listens = request_url or ""
        self.part = SlackPart(
            world.load(), clock=Clock(), speed=IMMEDIATE, faults=self.faults, request_url=request_url, **options
        )
        await self.part.start()
        self.stack.push_async_callback(self.part.stop)
        env = self.part.environment()
        self.client = await self.stack.enter_async_context(
            open_client(Secret(env["SLACK_BOT_TOKEN"]), api_url=env["SLACK_API_URL"])
        )
        self.bot = await self._bot(mode, env)
        if site:
            site[0]["route"] = self.bot.routes()[0].handler
        await self.bot.start()
        self.stack.push_async_callback(self.bot.stop)
        self.workspace = await self.stack.enter_async_context(Workspace(self.part.url, self.bot))

    async def _bot(self, mode: str, env: dict[str, str]) -> SlackBot:
        installation = await identify(self.client)
        people = People(self.client, installation)
        # What is not here is nothing that these tests' commands ask of.
        given: dict[str, Any] = {
            "configuration": FixedConfiguration(SITES, POLICY),
            "names": Names(),
            "audit": self.rows,
            "deliveries": Seen(),
            "slack": people,
            "about": About("1.2.3", datetime(2026, 1, 1, tzinfo=UTC), "SQLite"),
        }
        everything: dict[str, Any] = dict.fromkeys(each.name for each in fields(Services) if each.default is MISSING)
        services = Services(**(everything | given))
        connection = Connection(
            mode=cast(Any, mode),
            bot_token=Secret(env["SLACK_BOT_TOKEN"]),
            app_token=Secret(env["SLACK_APP_TOKEN"]),
            signing_secret=Secret(env["SLACK_SIGNING_SECRET"]),
        )
        catalogue = Catalogue([*COMMANDS, *commands.declared(self.gate)])
        return SlackBot(
            connection,
            self.client,
            installation=installation,
            people=people,
            door=Door(catalogue, services, deadline=self.deadline),
            deliveries=services.deliveries,
            clock=MachineClock(),
            reachable=self.reachable.append,
            per_minute=self.per_minute,
            at_once=self.at_once,
            ping_interval=self.ping_interval,
            silence=self.silence,
        )

    async def part_say(self, text: str) -> Json:
        """Type without waiting for what comes of it."""
        return await self.part_do("say", channel="edge-ops", text=text)

    async def part_do(self, what: str, **body: Any) -> Json:
        """Do something as Alice, without waiting for what comes of it."""
        url = f"{self.part.url}/sandbox/slack/{what}"
        async with aiohttp.ClientSession() as session, session.post(url, json={"as": "alice"} | body) as answer:
            done: Json = await answer.json()
            return done

    async def _listen(self) -> tuple[dict[str, Any], int]:
        """A server whose one route is filled in when the bot is there: the workspace has to know the address first."""
        routes: dict[str, Any] = {}

        async def route(request: web.Request) -> web.StreamResponse:
            return cast(web.StreamResponse, await routes["route"](request))

        app = web.Application()
        app.router.add_post("/slack/events", route)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        self.stack.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return routes, runner.addresses[0][1]


@pytest.fixture
async def bench() -> AsyncIterator[Bench]:
    bench = Bench()
    async with bench.stack:
        await bench.open(timing=Timing(ack=3))
        yield bench


@pytest.fixture
async def narrow_bench() -> AsyncIterator[Bench]:
    """A bot that does one thing at a time."""
    bench = Bench()
    bench.at_once = 1
    async with bench.stack:
        await bench.open(timing=Timing(ack=3))
        yield bench


@pytest.fixture
async def paced_bench() -> AsyncIterator[Bench]:
    """A bot that takes two commands a minute of each person."""
    bench = Bench()
    bench.per_minute = 2
    async with bench.stack:
        await bench.open(timing=Timing(ack=3))
        yield bench


@pytest.fixture
async def hurried_bench() -> AsyncIterator[Bench]:
    """A bot that waits for nothing."""
    bench = Bench()
    bench.deadline = timedelta(milliseconds=10)
    async with bench.stack:
        await bench.open(timing=Timing(ack=3))
        yield bench


@pytest.fixture
async def alert_bench() -> AsyncIterator[Bench]:
    """A bot that soon notices when its socket falls silent."""
    bench = Bench()
    bench.ping_interval, bench.silence = 0.1, 0.5
    async with bench.stack:
        await bench.open(timing=Timing(ack=3))
        yield bench


@pytest.fixture
async def http_bench() -> AsyncIterator[Bench]:
    bench = Bench()
    async with bench.stack:
        await bench.open(mode="http", timing=Timing(ack=3))
        yield bench


@pytest.fixture
def slack(bench: Bench) -> Workspace:
    return bench.workspace
