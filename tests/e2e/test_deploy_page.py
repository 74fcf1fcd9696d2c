"""A connected registry is deployed through the page, as a newcomer does it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, ViewportSize, expect

from sandbox.testing.browser import PATIENCE
from tests.flows.conversation import Conversation, conversation

pytestmark = pytest.mark.asyncio(loop_scope="module")

DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}

Open = Callable[[str, ViewportSize], Awaitable[Page]]


@pytest_asyncio.fixture(loop_scope="module")
async def registry(tmp_path: Path) -> AsyncIterator[Conversation]:
    async with conversation(tmp_path) as talk:
        yield talk


@pytest_asyncio.fixture(loop_scope="module")
async def open_page(chromium: Browser, registry: Conversation) -> AsyncIterator[Open]:
    async with AsyncExitStack() as stack:

        async def open_page(person: str, viewport: ViewportSize) -> Page:
            context = await chromium.new_context(viewport=viewport, reduced_motion="reduce")
            stack.push_async_callback(context.close)
            context.set_default_timeout(PATIENCE)
            page = await context.new_page()
            await page.goto(f"{registry.box.url}/?as={person}&channel=edge-ops")
            await page.get_by_test_id("composer").wait_for()
            return page

        yield open_page


async def test_typed_by_one_approved_by_another_and_online_on_both_screens(open_page: Open) -> None:
    alice, bob = await open_page("alice", DESKTOP), await open_page("bob", DESKTOP)
    await alice.get_by_test_id("composer").fill("/registry deploy edge01 --site hamburg")
    await alice.get_by_test_id("composer").press("Enter")
    await bob.get_by_role("button", name="Approve").click()
    await bob.get_by_test_id("confirm-ok").click()

    for page in (alice, bob):
        await expect(page.get_by_text("online, approved by bob").first).to_be_visible()
        await expect(page.get_by_text("11 of 11 steps done").first).to_be_visible()


async def test_typed_bare_it_is_a_form_that_says_what_is_wrong_beside_the_field(open_page: Open) -> None:
    page = await open_page("alice", DESKTOP)
    await page.get_by_test_id("composer").fill("/registry deploy --site berlin")
    await page.get_by_test_id("composer").press("Enter")
    modal = page.get_by_test_id("modal")
    await modal.get_by_label("Name").fill("Edge-1")
    await page.get_by_test_id("modal-submit").click()
    await expect(modal.get_by_text("can't be the name of a connected registry")).to_be_visible()
    await modal.get_by_label("Name").fill("edge01")
    await page.get_by_test_id("modal-submit").click()

    await expect(modal).to_be_hidden()
    await expect(page.get_by_text("Deploy edge01 to berlin").first).to_be_visible()
    await expect(page.get_by_text("11 of 11 steps done").first).to_be_visible()


async def test_an_approver_on_a_phone_sees_the_question_beside_the_button_and_approves(
    open_page: Open, registry: Conversation
) -> None:
    await registry.say("deploy edge01 --site hamburg")
    page = await open_page("bob", PHONE)
    await expect(page.get_by_text("Deploy edge01 to hamburg?")).to_be_in_viewport()
    await page.get_by_role("button", name="Approve").click()
    await expect(page.get_by_test_id("confirm")).to_contain_text(
        "Deploy edge01 to hamburg, production. Plan: 11 steps."
    )
    await page.get_by_test_id("confirm-ok").click()

    await expect(page.get_by_text("online, approved by bob").first).to_be_visible()
    width = await page.evaluate("document.documentElement.scrollWidth")
    assert width <= PHONE["width"]
