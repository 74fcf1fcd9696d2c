"""What people read on the page."""

import asyncio

import pytest
from playwright.async_api import Route, expect
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.tests.page.app import actions, button, plan, rich, section, table
from sandbox.tests.page.reader import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="module")

EDGE = "C0EDGE"
GENERAL = "C0GENERAL"
PHONE = {"width": 390, "height": 844}


async def test_marks_mentions_links_and_emoji_are_shown_as_slack_shows_them(
    slack: AsyncWebClient, open_page: OpenPage
) -> None:
    words = "*bold* `code` <https://example.com|docs> <@U0BOB> <!subteam^S0APPROVERS> :white_check_mark: a &amp; b"
    await slack.chat_postMessage(channel=EDGE, text=words)
    reader = await open_page()

    message = reader.message("a & b")
    await expect(message.locator("strong", has_text="bold")).to_be_visible()
    await expect(message.locator("code")).to_have_text("code")
    await expect(message.get_by_role("link", name="docs")).to_have_attribute("href", "https://example.com/")
    await expect(message).to_contain_text("@bob @edge-approvers")
    await expect(message.get_by_role("img", name="white check mark emoji")).to_be_visible()


async def test_text_never_becomes_markup_or_a_script(slack: AsyncWebClient, open_page: OpenPage) -> None:
    evil = "<img src=x onerror=alert(1)> <javascript:alert(1)|press> <script>alert(1)</script>"
    blocks = [section(evil), {"type": "header", "text": {"type": "plain_text", "text": evil}}, rich(evil)]
    blocks += [{"type": "markdown", "text": f"[press](javascript:alert(1)) {evil}"}, table((evil, evil))]
    blocks += [actions(button(evil[:70], "site", url="https://example.com/?<script>"))]
    await slack.chat_postMessage(channel=EDGE, text=evil, blocks=blocks)
    reader = await open_page()

    message = reader.message("onerror")
    await expect(message).to_be_visible()
    await expect(message.locator("script, img")).to_have_count(0)
    await expect(message.locator("a[href^='javascript']")).to_have_count(0)
    assert reader.errors == []


async def test_a_plan_moves_on_before_the_readers_eyes(slack: AsyncWebClient, open_page: OpenPage) -> None:
    posted = await slack.chat_postMessage(
        channel=EDGE, text="Plan", blocks=[plan("complete", "in_progress", "pending")]
    )
    reader = await open_page()
    await expect(reader.page.get_by_test_id("plan-count")).to_have_text("1 of 3")
    await expect(reader.page.get_by_test_id("task-t2").get_by_role("img")).to_have_accessible_name("In progress")

    await slack.chat_update(channel=EDGE, ts=posted["ts"], text="Plan", blocks=[plan("complete", "complete", "error")])

    await expect(reader.page.get_by_test_id("plan-count")).to_have_text("2 of 3")
    await expect(reader.page.get_by_test_id("task-t3").get_by_role("img")).to_have_accessible_name("Error")


async def test_a_plan_that_was_folded_stays_folded_when_it_is_edited(
    slack: AsyncWebClient, open_page: OpenPage
) -> None:
    posted = await slack.chat_postMessage(channel=EDGE, text="Plan", blocks=[plan("in_progress")])
    reader = await open_page()
    await reader.page.get_by_text("Deploy edge01 to berlin").click()
    await expect(reader.page.get_by_test_id("task-t1")).to_be_hidden()

    await slack.chat_update(channel=EDGE, ts=posted["ts"], text="Plan", blocks=[plan("complete")])

    await expect(reader.page.get_by_test_id("plan-count")).to_have_text("1 of 1")
    await expect(reader.page.get_by_test_id("task-t1")).to_be_hidden()


async def test_a_thread_opens_beside_the_channel_and_grows(slack: AsyncWebClient, open_page: OpenPage) -> None:
    root = await slack.chat_postMessage(channel=EDGE, text="Deploying")
    await slack.chat_postMessage(channel=EDGE, thread_ts=root["ts"], text="Step 1 took 2 s")
    reader = await open_page()
    await reader.page.get_by_test_id(f"thread-bar-{root['ts']}").click()
    await expect(reader.thread).to_contain_text("Step 1 took 2 s")

    await slack.chat_postMessage(channel=EDGE, thread_ts=root["ts"], text="Step 2 took 3 s")

    await expect(reader.thread).to_contain_text("Step 2 took 3 s")
    await expect(reader.page.get_by_test_id(f"thread-bar-{root['ts']}")).to_contain_text("2 replies")


async def test_a_thread_that_an_address_names_and_that_is_gone_is_not_open(open_page: OpenPage) -> None:
    reader = await open_page()

    async with reader.page.expect_response("**/messages?*thread_ts=*"):
        await reader.page.goto(f"{reader.page.url}&thread=1700000000.000100")

    await expect(reader.thread).to_be_hidden()


async def test_only_its_reader_sees_an_ephemeral_message(slack: AsyncWebClient, open_page: OpenPage) -> None:
    alice, bob = await open_page("alice"), await open_page("bob")

    await slack.chat_postEphemeral(channel=EDGE, user="U0ALICE", text="Somebody else has to approve it")
    await slack.chat_postMessage(channel=EDGE, text="For everybody")

    await expect(alice.message("Somebody else")).to_contain_text("Only visible to you")
    await expect(bob.message("For everybody")).to_be_visible()
    await expect(bob.message("Somebody else")).to_have_count(0)


async def test_a_message_in_another_channel_marks_it_unread_until_it_is_opened(
    slack: AsyncWebClient, open_page: OpenPage
) -> None:
    reader = await open_page()
    await slack.chat_postMessage(channel=GENERAL, text="News")
    channel = reader.page.get_by_test_id(f"channel-{GENERAL}")
    await expect(channel).to_have_accessible_name("Channel general, unread")

    await channel.click()

    await expect(reader.message("News")).to_be_visible()
    await expect(channel).to_have_accessible_name("Channel general")


async def test_a_message_that_overtakes_the_list_of_channels_is_unread_too(
    slack: AsyncWebClient, open_page: OpenPage
) -> None:
    reader, answered, go_on = await open_page(), asyncio.Event(), asyncio.Event()

    async def held(route: Route) -> None:
        response = await route.fetch()
        answered.set()
        await go_on.wait()
        await route.fulfill(response=response)

    await reader.page.route("**/sandbox/slack/state?*", held, times=1)
    await slack.chat_postMessage(channel="U0ALICE", text="Hello")  # a new conversation: channels are read again
    await answered.wait()
    await slack.chat_postMessage(channel=GENERAL, text="News")
    channel = reader.page.get_by_test_id(f"channel-{GENERAL}")
    await expect(channel).to_have_accessible_name("Channel general, unread")
    async with reader.page.expect_response("**/sandbox/slack/state?*"):
        go_on.set()

    await expect(channel).to_have_accessible_name("Channel general, unread")


async def test_times_are_in_the_readers_own_zone(slack: AsyncWebClient, open_page: OpenPage) -> None:
    await slack.chat_postMessage(channel=EDGE, text="Due <!date^1795500000^at {time}|later>")
    berlin, new_york = await open_page("bob"), await open_page("dave")

    await expect(berlin.message("Due")).to_contain_text("Due at 07:00")
    await expect(new_york.message("Due")).to_contain_text("Due at 01:00")


async def test_nothing_sticks_out_of_a_phone(slack: AsyncWebClient, open_page: OpenPage) -> None:
    wide = tuple(f"a rather long heading {number}" for number in range(8))
    blocks = [
        section("x" * 300, fields=[{"type": "mrkdwn", "text": "y" * 90}] * 2),
        plan("complete", "error"),
        table(wide, wide),
    ]
    blocks += [actions(*(button(f"A long label number {number}", f"a{number}") for number in range(5)))]
    await slack.chat_postMessage(channel=EDGE, text="Wide", blocks=blocks)
    reader = await open_page(viewport={"width": PHONE["width"], "height": PHONE["height"]})
    await expect(reader.page.get_by_test_id("plan-count")).to_be_visible()

    assert await reader.overflowing() == []


async def test_a_phone_shows_one_pane_at_a_time(slack: AsyncWebClient, open_page: OpenPage) -> None:
    root = await slack.chat_postMessage(channel=EDGE, text="Deploying")
    reader = await open_page(viewport={"width": PHONE["width"], "height": PHONE["height"]})
    sidebar = reader.page.get_by_label("Workspace")
    await expect(sidebar).to_be_hidden()

    await reader.page.get_by_label("Back to the channels").click()
    await expect(sidebar).to_be_visible()
    await expect(reader.message("Deploying")).to_be_hidden()

    await reader.page.get_by_test_id(f"channel-{EDGE}").click()
    await reader.page.get_by_test_id(f"message-{root['ts']}").get_by_label("Reply in thread").click()
    await expect(reader.thread).to_be_visible()
    await expect(reader.message("Deploying")).to_be_hidden()
