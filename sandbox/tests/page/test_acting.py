"""What people do on the page, before an app that listens."""

from datetime import datetime, timedelta

import pytest
from playwright.async_api import FilePayload, expect
from slack_sdk.web.async_client import AsyncWebClient

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.tests.page.app import SITES, Heard, actions, button, plain, section
from sandbox.tests.page.reader import OpenPage

pytestmark = pytest.mark.asyncio(loop_scope="module")

EDGE = "C0EDGE"
CONFIRM = {"title": plain("Approve this plan?"), "text": plain("It runs."), "confirm": plain("Go"), "deny": plain("No")}


async def test_a_command_is_completed_and_answered(heard: Heard, open_page: OpenPage) -> None:
    reader = await open_page()
    composer = reader.page.get_by_test_id("composer")
    await composer.press_sequentially("/re")
    await expect(reader.page.get_by_test_id("completion-/registry")).to_contain_text("Run connected registries")

    await composer.press("Tab")
    await composer.press_sequentially("show edge01")
    await composer.press("Enter")

    await expect(reader.message("You said show edge01")).to_contain_text("Only visible to you")
    assert heard.typed == ["show edge01"]


async def test_a_person_is_named_by_the_first_letters(open_page: OpenPage) -> None:
    reader = await open_page()
    composer = reader.page.get_by_test_id("composer")
    await composer.press_sequentially("please @bo")

    await composer.press("Enter")
    await composer.press_sequentially("look")
    await composer.press("Enter")

    await expect(reader.message("please @bob look").locator(".mention")).to_have_attribute("title", "Bob Brown")


async def test_arrow_up_brings_back_what_was_sent(heard: Heard, open_page: OpenPage) -> None:
    reader = await open_page()
    await reader.say("/registry list")
    await expect(reader.message("You said list")).to_be_visible()

    await reader.page.get_by_test_id("composer").press("ArrowUp")

    await expect(reader.page.get_by_test_id("composer")).to_have_value("/registry list")


async def test_a_command_that_nobody_answers_says_so(open_page: OpenPage) -> None:
    reader = await open_page()

    await reader.say("/registry list")

    await expect(reader.message("failed with the error")).to_contain_text("dispatch_failed")
    await expect(reader.page.get_by_test_id("connection")).to_have_text("No app connected")


async def test_a_confirm_dialog_stands_before_the_click(
    heard: Heard, slack: AsyncWebClient, open_page: OpenPage
) -> None:
    approve = button("Approve", "approve", value="op-1", style="primary", confirm=CONFIRM)
    await slack.chat_postMessage(channel=EDGE, text="Plan", blocks=[section("Plan"), actions(approve)])
    reader = await open_page("bob")
    pressed = reader.message("Plan").get_by_role("button", name="Approve")

    await pressed.click()
    await reader.page.get_by_test_id("confirm-deny").click()
    assert heard.actions == []

    await pressed.click()
    await expect(reader.page.get_by_role("dialog")).to_contain_text("Approve this plan?")
    async with reader.page.expect_response("**/sandbox/slack/click"):
        await reader.page.get_by_test_id("confirm-ok").click()
    assert [action["value"] for action in heard.actions] == ["op-1"]


async def test_a_button_waits_until_the_app_has_acknowledged(
    heard: Heard, slack: AsyncWebClient, open_page: OpenPage
) -> None:
    await slack.chat_postMessage(channel=EDGE, text="Slow", blocks=[actions(button("Slow", "wait"))])
    reader = await open_page()
    slow = reader.page.get_by_test_id("action-wait")

    await slow.click()
    await expect(slow).to_be_disabled()
    heard.release.set()

    await expect(slow).to_be_enabled()


async def test_a_menu_is_used_with_the_keyboard_alone(heard: Heard, slack: AsyncWebClient, open_page: OpenPage) -> None:
    menu = {"type": "static_select", "action_id": "site", "placeholder": plain("Site"), "options": SITES}
    await slack.chat_postMessage(channel=EDGE, text="Where?", blocks=[section("Where?", accessory=menu)])
    reader = await open_page()
    control = reader.page.get_by_test_id("action-site")
    await control.focus()

    await reader.page.keyboard.press("ArrowDown")
    await reader.page.keyboard.type("ham")
    async with reader.page.expect_response("**/sandbox/slack/click"):
        await reader.page.keyboard.press("Enter")

    await expect(control).to_have_text("hamburg")
    assert [action["selected_option"]["value"] for action in heard.actions] == ["hamburg"]


async def test_a_modal_is_filled_in_and_submitted(heard: Heard, open_page: OpenPage) -> None:
    reader = await open_page()
    await reader.say("/registry deploy")
    await reader.modal.get_by_label("Name").fill("edge01")
    await reader.modal.get_by_role("button", name="Site").click()
    await reader.modal.get_by_role("option", name="berlin").click()
    await reader.modal.get_by_role("button", name="Images").click()
    await reader.page.keyboard.type("ngi")
    await reader.modal.get_by_role("option", name="nginx").click()
    await reader.page.keyboard.press("Escape")
    manifest = FilePayload(name="app.yaml", mimeType="text/yaml", buffer=b"kind: Deployment")
    await reader.modal.get_by_label("File").set_input_files(manifest)
    await expect(reader.modal.get_by_text("app.yaml")).to_be_visible()

    await reader.page.get_by_test_id("modal-submit").click()

    await expect(reader.modal).to_have_count(0)
    [values] = heard.submitted
    assert values["name"]["value"]["value"] == "edge01"
    assert values["site"]["value"]["selected_option"]["value"] == "berlin"
    assert [option["value"] for option in values["images"]["value"]["selected_options"]] == ["nginx"]
    assert [(file["name"], file["size"]) for file in values["file"]["value"]["files"]] == [("app.yaml", 16)]


async def test_a_modal_says_what_is_missing_before_the_app_is_asked(heard: Heard, open_page: OpenPage) -> None:
    reader = await open_page()
    await reader.say("/registry deploy")

    await reader.page.get_by_test_id("modal-submit").click()

    await expect(reader.page.get_by_test_id("input-name")).to_contain_text("Please complete this required field.")
    await expect(reader.modal.get_by_label("Name")).to_be_focused()
    assert heard.submitted == []


async def test_what_the_app_finds_wrong_stands_under_its_input(heard: Heard, open_page: OpenPage) -> None:
    reader = await open_page()
    await reader.say("/registry deploy")
    await reader.modal.get_by_label("Name").fill("taken")
    await reader.modal.get_by_role("button", name="Site").click()
    await reader.modal.get_by_role("option", name="berlin").click()

    await reader.page.get_by_test_id("modal-submit").click()

    await expect(reader.page.get_by_test_id("input-name")).to_contain_text("This name is taken.")
    await expect(reader.modal.get_by_label("Name")).to_have_value("taken")


async def test_escape_closes_a_modal(heard: Heard, open_page: OpenPage) -> None:
    reader = await open_page()
    await reader.say("/registry deploy")
    await expect(reader.modal).to_be_visible()

    await reader.page.keyboard.press("Escape")

    await expect(reader.modal).to_have_count(0)


async def test_home_is_what_the_app_published(heard: Heard, open_page: OpenPage) -> None:
    reader = await open_page()

    await reader.page.get_by_test_id("app-home").click()

    await expect(reader.page.get_by_test_id("home")).to_contain_text("3 registries")


async def test_the_page_acts_as_another_person(heard: Heard, slack: AsyncWebClient, open_page: OpenPage) -> None:
    await slack.chat_postMessage(channel=EDGE, text="Plan", blocks=[actions(button("Approve", "approve"))])
    reader = await open_page("alice")

    await reader.page.get_by_test_id("person-U0BOB").click()
    await expect(reader.page.get_by_label("You are Bob Brown")).to_be_visible()
    await reader.say("hello from bob")

    await expect(reader.message("hello from bob")).to_contain_text("Bob Brown")


async def test_the_browsers_back_leads_to_what_was_open_before(slack: AsyncWebClient, open_page: OpenPage) -> None:
    root = await slack.chat_postMessage(channel=EDGE, text="Deploying")
    reader = await open_page()
    await reader.page.get_by_test_id("channel-C0GENERAL").click()
    await expect(reader.message("Deploying")).to_have_count(0)

    await reader.page.go_back()
    await expect(reader.message("Deploying")).to_be_visible()
    await reader.page.get_by_test_id(f"message-{root['ts']}").hover()
    await reader.page.get_by_label("Reply in thread").click()
    await expect(reader.thread).to_contain_text("Deploying")
    await reader.page.go_back()

    await expect(reader.thread).to_be_hidden()
    await expect(reader.message("Deploying")).to_be_visible()


async def test_the_drawer_breaks_the_next_call(faults: Faults, open_page: OpenPage) -> None:
    reader = await open_page()
    await reader.page.get_by_test_id("world-open").click()
    drawer = reader.page.get_by_test_id("world-drawer")
    await drawer.get_by_label("Which call").select_option(label="Slack: edit a message")
    await drawer.get_by_label("What happens to it").select_option(label="is refused as too many (429)")

    await drawer.get_by_test_id("fault-add").click()

    await expect(drawer.get_by_label("Faults in force")).to_contain_text("Slack: edit a message answers 429")
    assert [(fault.part, fault.match, fault.status) for fault in faults] == [("slack", "^chat.update$", 429)]


async def test_the_drawer_turns_the_clock_and_takes_an_edge_offline(
    clock: Clock, edge_orders: list[dict[str, object]], open_page: OpenPage
) -> None:
    reader = await open_page()
    await reader.page.get_by_test_id("world-open").click()
    drawer = reader.page.get_by_test_id("world-drawer")

    async with reader.page.expect_response("**/sandbox/clock"):
        await drawer.get_by_role("button", name="+1 hour").click()
    async with reader.page.expect_response("**/sandbox/edge/berlin-arc"):
        await drawer.get_by_text("Take berlin-arc offline").click()

    assert round(clock.ahead) == 3600
    assert edge_orders == [{"cluster": "berlin-arc", "offline": True}]


async def test_only_the_next_installation_fails(edge_orders: list[dict[str, object]], open_page: OpenPage) -> None:
    reader = await open_page()
    await reader.page.get_by_test_id("world-open").click()
    drawer = reader.page.get_by_test_id("world-drawer")

    async with reader.page.expect_response("**/sandbox/edge/berlin-arc"):
        await drawer.get_by_label("Next install on berlin-arc").select_option(label="Chart not found")

    assert edge_orders == [{"cluster": "berlin-arc", "scenario": "chart-not-found", "times": 1}]


async def test_a_page_opened_after_the_clock_was_turned_knows_the_time(clock: Clock, open_page: OpenPage) -> None:
    clock.turn(3 * 24 * 3600)
    reader = await open_page()

    await reader.say("/unknown")

    await expect(reader.page.locator(".day")).to_have_text("Today")
    await expect(reader.message("/unknown")).to_contain_text("is not a valid command")
    sent = await reader.message("/unknown").locator("time").get_attribute("datetime")
    assert sent is not None
    assert abs(clock.now() - datetime.fromisoformat(sent)) < timedelta(hours=1)
