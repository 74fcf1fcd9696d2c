"""A channel hears how its edges are, looked at in a browser: the form, a summary that is turned, an alert's life."""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, ViewportSize, expect

from bot.wiring import Bot, open_bot
from sandbox.compose import Sandbox
from sandbox.fleet import Fleet, Size
from sandbox.fleet.fleet import GROUP
from sandbox.fleet.script import CONTINUOUS, DAY, HOUR, MINUTE, Edge, Kind, Trouble
from sandbox.testing.browser import OVERFLOWING, PATIENCE
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from tests.flows.conversation import POLICY, blueprint, site

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESKTOP: ViewportSize = {"width": 1280, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
BOTH = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
SCREENSHOTS = os.environ.get("SCREENSHOTS", "")
"""A folder in which the pictures are kept; without one none are taken."""


@dataclass
class Watched:
    """A bot beside a fleet in which nothing is wrong but what a test breaks; one clock for both."""

    box: Sandbox
    bot: Bot

    @property
    def fleet(self) -> Fleet:
        """The sandbox's."""
        assert self.box.fleet is not None
        return self.box.fleet

    def edge(self) -> Edge:
        """A continuous one of `fleet02`, where each cluster has few."""
        return next(
            edge
            for edge in self.fleet.script.edges
            if edge.acr == "fleet02" and edge.activated and edge.schedule == CONTINUOUS
        )

    async def broken(self, kind: Kind, subject: str, seconds: int) -> None:
        """From now on, and long enough ago for the next poll to know."""
        begin = self.fleet.now()
        self.fleet.add(Trouble(kind, subject, begin, begin + seconds, "somebody pulled the plug"))
        await self.later(20 * MINUTE)

    async def later(self, seconds: float) -> None:
        """Let time pass, and poll."""
        self.box.clock.turn(seconds)
        await self.bot.watching.cycle()


@pytest_asyncio.fixture(loop_scope="module")
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    async with AsyncExitStack() as stack:
        box = await stack.enter_async_context(Sandbox(parts=("slack", "azure", "kube"), fleet=Size(60, 2)))
        assert box.fleet is not None
        # What was broken yesterday is long over.
        box.fleet.calm()
        box.clock.turn(10 * DAY)
        sites = {
            name: site(name, resource_group=GROUP, acr={"name": acr}, cluster={"name": cluster})
            for name, acr, cluster in (
                ("plant", "fleet01", "plant-arc"),
                ("north", "fleet02", next(one.cluster for one in box.fleet.script.edges if one.acr == "fleet02")),
            )
        }
        configuration = FixedConfiguration(sites, Policy.model_validate(POLICY))
        bot = await stack.enter_async_context(open_bot(blueprint(box, tmp_path / "bot.db", configuration, box.clock)))
        yield Watched(box, bot)


Open = Callable[[ViewportSize], Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(chromium: Browser, watched: Watched) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def open_page(viewport: ViewportSize) -> Page:
            context = await chromium.new_context(viewport=viewport, reduced_motion="reduce")
            stack.push_async_callback(context.close)
            context.set_default_timeout(PATIENCE)
            page = await context.new_page()
            await page.goto(f"{watched.box.url}/?as=alice&channel=edge-ops")
            await page.get_by_test_id("composer").wait_for()
            return page

        yield open_page


async def say(page: Page, words: str) -> None:
    """Type into the channel and send."""
    composer = page.get_by_test_id("composer")
    await composer.fill(words)
    await composer.press("Enter")


def message(page: Page, words: str) -> Locator:
    """The newest message of the channel that holds these words."""
    return page.get_by_test_id("messages").locator(".message", has_text=words).last


async def look(page: Page, name: str) -> None:
    """Nothing sticks out of the window; and a picture for those who want to see."""
    assert await page.evaluate(OVERFLOWING) == []
    if SCREENSHOTS:
        width = (page.viewport_size or DESKTOP)["width"]
        await page.screenshot(path=f"{SCREENSHOTS}/{name}-{width}.png")


@BOTH
async def test_the_form_reads_a_schedule_back_before_it_is_saved(open_page: Open, viewport: ViewportSize) -> None:
    page = await open_page(viewport)
    await say(page, "/registry watch")
    modal = page.get_by_test_id("modal")
    await modal.get_by_role("button", name="What").click()
    await modal.get_by_role("option", name="fleet02").click()
    await modal.get_by_label("Summary").fill("0 9 * * 1-5")
    await look(page, "watch-form")
    await page.get_by_test_id("modal-submit").click()
    asked = message(page, "Watch cloud registry fleet02 in this channel?")
    await expect(asked).to_contain_text("at 09:00 on Monday to Friday, Europe/Berlin")
    await look(page, "watch-asked")
    await asked.get_by_role("button", name="Save").click()

    await expect(message(page, "This channel now watches cloud registry fleet02")).to_be_visible()
    await look(page, "watch-saved")


async def test_a_schedule_that_is_none_is_marked_in_the_form(open_page: Open) -> None:
    page = await open_page(PHONE)
    await say(page, "/registry watch")
    modal = page.get_by_test_id("modal")
    await modal.get_by_role("button", name="What").click()
    await modal.get_by_role("option", name="all", exact=True).click()
    await modal.get_by_label("Summary").fill("0 25 * * 1-5")
    await page.get_by_test_id("modal-submit").click()

    await expect(modal.get_by_text("25 is not a valid hour. Allowed: 0 to 23, a list, a range, or *.")).to_be_visible()
    await look(page, "watch-refused")


@BOTH
async def test_a_summary_shows_the_worst_and_a_reader_every_row(
    open_page: Open, watched: Watched, viewport: ViewportSize
) -> None:
    page, edge = await open_page(viewport), watched.edge()
    await watched.broken("link", edge.key, HOUR)
    await say(page, "/registry watch all")
    begun = message(page, "This channel now watches")
    await expect(begun.locator("table")).to_contain_text(edge.name)
    await look(page, "watch-digest")
    await begun.get_by_role("button", name="Summary now").click()
    summary = message(page, "As expected:")
    await expect(summary.locator("table")).to_contain_text(edge.name)
    await look(page, "summary")
    await summary.get_by_role("button", name="Show all").click()

    everything = message(page, "Only visible to you")
    await expect(everything.locator("table tr")).to_have_count(61)
    await everything.evaluate("message => message.scrollIntoView()")
    await look(page, "summary-all")


@BOTH
async def test_an_alert_opens_is_taken_care_of_gets_worse_and_is_over(
    open_page: Open, watched: Watched, viewport: ViewportSize
) -> None:
    page, edge = await open_page(viewport), watched.edge()
    await say(page, "/registry watch fleet02 --alerts on")
    await expect(message(page, "This channel now watches")).to_be_visible()
    await watched.later(0)
    await watched.broken("link", edge.key, 26 * HOUR)
    alert = page.get_by_test_id("messages").locator(".message", has_text=edge.name).first
    await expect(alert).to_contain_text("offline")
    await look(page, "alert-open")
    await alert.get_by_role("button", name="Acknowledge").click()
    await expect(alert).to_contain_text("Acknowledged by")
    await look(page, "alert-acknowledged")
    await watched.later(25 * HOUR)
    await expect(alert.get_by_role("button", name="Acknowledge")).to_be_visible()
    await look(page, "alert-worse")
    await watched.later(HOUR)
    await watched.later(HOUR)

    await expect(alert).to_contain_text("has recovered")
    await look(page, "alert-over")
    await alert.get_by_role("button", name="replies").click()
    await expect(page.get_by_test_id("thread-pane")).to_contain_text("It lasted")
    await look(page, "alert-thread")


@BOTH
async def test_a_dead_cluster_is_one_alert_that_counts_its_children(
    open_page: Open, watched: Watched, viewport: ViewportSize
) -> None:
    page = await open_page(viewport)
    await say(page, "/registry watch plant --alerts on")
    await expect(message(page, "This channel now watches")).to_be_visible()
    await watched.later(0)
    await watched.broken("cluster", "plant-arc", 3 * HOUR)

    alerts = page.get_by_test_id("messages").locator(".message", has_text="plant-arc")
    await expect(alerts).to_have_count(1)
    await look(page, "alert-cluster")
