"""The board in front of the sandbox's Slack: one database, one workspace, and as many processes as one likes."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from bot.messages.alert_messages import AlertMessages
from bot.messages.board import BETWEEN_EDITS, Board
from bot.messages.operation_cards import OperationCards
from bot.messages.posting import Posting
from bot.messages.summary_posts import SummaryPosts
from bot.slack.client import for_cards, identify, open_client
from bot.slack.people import People
from sandbox import world as worlds
from sandbox.clock import Clock as SandboxClock
from sandbox.faults import Fault, Faults
from sandbox.slack import SlackPart, Timing
from sandbox.slack.values import Message
from sandbox.speed import IMMEDIATE
from services.model.codec import Codec
from services.model.people import Place
from services.model.secret import Secret
from services.operations.procedures import PROCEDURES
from services.policy.access import Policy
from services.policy.sites import Site
from services.ports import Azure
from services.store import Store, open_store
from services.watching.poller import Poller
from services.watching.reports import SummaryReports

NOW = datetime(2026, 3, 2, 8, 59, 30, tzinfo=UTC)
PLACE = Place("T0CONTOSO", "C0EDGE", "edge-ops")
SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
BERLIN = Site.model_validate(
    {
        "name": "berlin",
        "environment": "production",
        "subscription": SUBSCRIPTION,
        "resource_group": "edge-rg",
        "acr": {"name": "contosoacr"},
        "cluster": {"name": "berlin-arc"},
    }
)
PATIENCE = 60
PAUSE = 0.02
"""Seconds before the second try of anything."""


@dataclass
class Time:
    """What all processes read as now."""

    moment: datetime = NOW

    def now(self) -> datetime:
        return self.moment

    def turn(self, **span: float) -> None:
        self.moment += timedelta(**span)


@dataclass
class EditedFiles:
    """A configuration that people edit while the process runs."""

    sites: Mapping[str, Site]
    policy: Policy = field(default_factory=Policy)
    site_lines: Mapping[str, Mapping[str, int]] = field(default_factory=dict)


@dataclass(frozen=True)
class Process:
    """A process of its own: its own connections, its own leases."""

    board: Board
    summaries: SummaryPosts
    store: Store
    configuration: EditedFiles

    async def shown(self) -> None:
        """Return when everything is shown that can be."""
        async with asyncio.timeout(PATIENCE):
            while self.board.waiting:
                await asyncio.sleep(PAUSE / 10)

    async def look(self) -> None:
        """Look for what is not shown, as a process does now and then."""
        await self.board.sweep(None)
        await self.shown()

    async def unshown(self) -> list[str]:
        """Incidents that a regular look still compares with their messages, after one that found everything shown."""
        await self.board.sweep_recent()
        await self.shown()
        return [stored.incident.id for stored in await self.store.incidents.unshown(with_open=False)]


@dataclass
class World:
    folder: Path
    stack: AsyncExitStack
    slack: SlackPart
    faults: Faults
    time: Time = field(default_factory=Time)
    sites: dict[str, Site] = field(default_factory=lambda: {"berlin": BERLIN})
    overheard: set[str] = field(default_factory=set)
    """Channels that people of other organisations read, and where the policy forbids the bot to speak."""

    async def store(self) -> Store:
        store = await open_store(f"sqlite:///{self.folder / 'bot.db'}", Codec(PROCEDURES.values))
        self.stack.push_async_callback(store.close)
        return store

    async def process(self, *, started: bool = True, between_edits: float = BETWEEN_EDITS) -> Process:
        store = await self.store()
        env = self.slack.environment()
        client = await self.stack.enter_async_context(
            open_client(Secret(env["SLACK_BOT_TOKEN"]), api_url=env["SLACK_API_URL"])
        )
        board = Board(
            Posting(for_cards(client), is_overheard=self._is_overheard),
            store,
            self.time,
            People(client, await identify(client)).locale,
            pause=PAUSE,
            between_edits=between_edits,
        )
        configuration = EditedFiles(self.sites)
        poller = Poller(store, configuration, cast(Azure, None), lambda _: None, now=self.time.now)
        summaries = SummaryPosts(board, store, SummaryReports(store, configuration, poller, self.time))
        for kind in (OperationCards(store), AlertMessages(store, configuration), summaries):
            board.add(kind)
        if started:
            await board.start()
            self.stack.push_async_callback(board.stop, 0)
        return Process(board, summaries, store, configuration)

    async def _is_overheard(self, channel: str) -> bool:
        return channel in self.overheard

    def strike(self, method: str, action: Any = "fail", **values: Any) -> None:
        """Put a fault in force."""
        self.faults.add(Fault("slack", method, action, **values))

    def messages(self, channel: str = PLACE.channel) -> list[Message]:
        """The bot's messages in a channel, without those in threads, oldest first."""
        posted = self.slack.workspace.channels[channel].messages.values()
        return [message for message in posted if message.bot_id and not message.is_reply]

    def texts(self, channel: str = PLACE.channel) -> list[str]:
        return [message.text for message in self.messages(channel)]

    def replies(self, channel: str = PLACE.channel) -> list[str]:
        """What the bot said in threads."""
        posted = self.slack.workspace.channels[channel].messages.values()
        return [message.text for message in posted if message.bot_id and message.is_reply]

    def calls(self, method: str) -> list[dict[str, Any]]:
        return [call for call in self.slack.workspace.calls if call["method"] == method]

    def bot_leaves(self, channel: str = PLACE.channel) -> None:
        workspace = self.slack.workspace
        workspace.leave(workspace.channels[channel], workspace.app.bot_user)

    def bot_enters(self, channel: str = PLACE.channel) -> None:
        workspace = self.slack.workspace
        workspace.enter(workspace.channels[channel], workspace.app.bot_user)

    def delete(self, message: Message) -> None:
        """Somebody deletes a message."""
        del self.slack.workspace.channels[message.channel].messages[message.ts]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        faults = Faults()
        slack = SlackPart(worlds.load(), clock=SandboxClock(), speed=IMMEDIATE, faults=faults, timing=Timing())
        await slack.start()
        stack.push_async_callback(slack.stop)
        yield World(tmp_path, stack, slack, faults)
