"""One message an incident and channel: with lost replies, deleted messages, and several processes at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from bot.messages.alert_messages import Alerts
from bot.messages.budget import Budget
from handlers.kit.message import Message
from services.model.errors import Absent, Refused, Unreachable
from services.model.health import HealthReason
from services.model.incident import Incident
from services.model.people import Place
from services.model.poll import PollResult, StoredState
from services.model.watch import Watch
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from services.policy.sites import Site
from services.store import Store, open_store
from tests.contract.watching.conftest import PLACE, SUBSCRIPTION

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
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
ACR = BERLIN.acr_ref.id.lower()
OFFLINE = Incident(
    "al-1", "registry", f"{ACR}/edge01", "warning", NOW, "offline", HealthReason.CONTACT_MISSED, changed=NOW
)


@dataclass
class Channels:
    """Messages of all channels, by ts; `trouble` is raised by the next post, after it took effect when `lost`."""

    posts: list[dict[str, Any]] = field(default_factory=list)
    edits: list[str] = field(default_factory=list)
    trouble: Exception | None = None
    lost: bool = False
    gone: bool = False

    def __post_init__(self) -> None:
        self.updates = Budget(per_minute=6000, burst=100)

    async def post(self, channel: str, message: Message, *, kind: str, mark: str, thread: str = "", **_: Any) -> str:
        await asyncio.sleep(0)
        if self.trouble and not self.lost:
            raise self.trouble
        self.posts.append({"channel": channel, "text": message.text, "mark": mark, "thread": thread})
        if self.trouble:
            raise self.trouble
        return f"{len(self.posts)}.0"

    async def update(self, channel: str, ts: str, message: Message) -> None:
        if self.gone:
            self.gone = False
            raise Absent("slack", "chat.update", code="message_not_found")
        self.edits.append(message.text)

    async def find(self, channel: str, mark: str, *, kind: str, thread: str = "") -> str:
        return next((f"{index}.0" for index, one in enumerate(self.posts, 1) if one["mark"] == mark), "")

    def cards(self, channel: str = PLACE.channel) -> list[dict[str, Any]]:
        return [one for one in self.posts if one["channel"] == channel and not one["thread"]]

    def replies(self) -> list[str]:
        return [one["text"] for one in self.posts if one["thread"]]


class World:
    """One database, the channels, and as many processes as one likes."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self._url, self._stack = f"sqlite:///{folder / 'bot.db'}", stack
        self.now, self.channels = NOW, Channels()
        self.store: Store

    async def process(self) -> Alerts:
        """A process of its own."""
        store = self.store = await open_store(self._url)
        self._stack.push_async_callback(store.close)
        known = FixedConfiguration({"berlin": BERLIN}, Policy())
        return Alerts(cast(Any, self.channels), store, known, now=lambda: self.now)

    async def watch(self, place: Place = PLACE, **values: Any) -> None:
        fixed: dict[str, Any] = {"alerts": "on", "created": NOW - timedelta(days=1)} | values
        watch = Watch(f"w-{place.channel}", place, "site", "berlin", "", "UTC", by="U0ALICE", **fixed)
        await self.store.watches.save(watch)

    async def happens(self, incident: Incident, kind: str = "changed") -> None:
        """Store what a poll decided."""
        changes: dict[str, Any] = {kind: (incident,)}
        await self.store.sightings.apply_poll(ACR, NOW, lambda stored: _result(stored, changes))


def _result(stored: StoredState, changes: dict[str, Any]) -> PollResult:
    return PollResult(stored.poll, **changes)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield World(tmp_path, stack)


async def test_every_channel_that_watches_gets_one_message(world: World) -> None:
    bot = await world.process()
    await world.watch()
    await world.watch(Place("T0CONTOSO", "C0OTHER"))
    await world.happens(OFFLINE, "opened")

    await bot._show("al-1")
    await bot._show("al-1")

    assert sorted(one["channel"] for one in world.channels.posts) == ["C0EDGE", "C0OTHER"]


async def test_two_processes_at_the_same_moment_post_one_message(world: World) -> None:
    processes = [await world.process() for _ in range(4)]
    await world.watch()
    await world.happens(OFFLINE, "opened")

    await asyncio.gather(*(process._show("al-1") for process in processes))

    assert len(world.channels.cards()) == 1


async def test_a_lost_reply_does_not_make_a_second_message(world: World) -> None:
    bot = await world.process()
    await world.watch()
    await world.happens(OFFLINE, "opened")
    world.channels.trouble, world.channels.lost = Unreachable("slack", "chat.postMessage"), True
    with pytest.raises(Unreachable):
        await bot._show("al-1")
    world.channels.trouble = None

    await bot._show("al-1")
    await bot._show("al-1")

    assert len(world.channels.cards()) == 1
    assert len(world.channels.edits) == 1


async def test_another_process_goes_on_with_the_same_message(world: World) -> None:
    first = await world.process()
    await world.watch()
    await world.happens(OFFLINE, "opened")
    await first._show("al-1")
    second = await world.process()
    end = NOW + timedelta(hours=2)
    await world.happens(replace(OFFLINE, state="healthy", resolved=end, changed=end), "resolved")

    await second._show("al-1")
    await second._show("al-1")

    assert len(world.channels.cards()) == 1
    assert len(world.channels.edits) == 1
    assert [text.partition(". ")[2] for text in world.channels.replies()] == ["It lasted 2 h."]


async def test_a_deleted_message_of_an_open_incident_is_posted_again(world: World) -> None:
    bot = await world.process()
    await world.watch()
    await world.happens(OFFLINE, "opened")
    await bot._show("al-1")
    world.channels.gone = True
    await world.happens(replace(OFFLINE, severity="critical"))

    await bot._show("al-1")
    await bot._show("al-1")

    assert len(world.channels.cards()) == 2


async def test_a_channel_without_the_bot_does_not_keep_others_from_hearing(world: World) -> None:
    bot = await world.process()
    await world.watch()
    await world.happens(OFFLINE, "opened")
    world.channels.trouble = Refused("slack", "chat.postMessage", code="not_in_channel")

    await bot._show("al-1")
    world.channels.trouble = None
    await bot._show("al-1")

    assert world.channels.posts == []
    assert await world.store.incidents.behind(NOW + timedelta(days=1)) == ()


async def test_what_is_over_before_anybody_was_told_is_not_told(world: World) -> None:
    bot = await world.process()
    await world.watch()
    await world.happens(OFFLINE, "opened")
    await world.happens(replace(OFFLINE, state="healthy", resolved=NOW), "resolved")

    await bot._show("al-1")

    assert world.channels.posts == []


async def test_what_is_not_shown_is_found_again_by_the_next_process(world: World) -> None:
    await world.process()
    await world.watch()
    await world.happens(OFFLINE, "opened")
    bot = await world.process()

    await bot.start()
    while bot.waiting:
        await asyncio.sleep(0.01)
    await bot.stop()

    assert len(world.channels.cards()) == 1
