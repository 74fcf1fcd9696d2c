"""Actions of people on modals and Home tabs: fill in, submit, close, open."""

import asyncio
import contextlib
from typing import Any

from sandbox.slack.api.content import checked_view
from sandbox.slack.api.views import push_onto, replace_view
from sandbox.slack.clicks import Element, click, find_element
from sandbox.slack.delivery import Delivery
from sandbox.slack.elements import HELD, errors_in
from sandbox.slack.payloads import view_closed, view_submission
from sandbox.slack.undelivered import Undelivered
from sandbox.slack.uploads import upload_inputs
from sandbox.slack.values import Json, NotPossible, Person, SlackError, View
from sandbox.slack.workspace import Workspace

TROUBLE = "We had some trouble connecting. Try again?"


def top_view(slack: Workspace, person: Person) -> View:
    """The modal that a person has in front of them; raises NotPossible."""
    stack = slack.stack(person.id)
    if not stack:
        raise NotPossible("no_view", f"{person.name} has no modal open.", status=404)
    return stack[-1]


async def fill(delivery: Delivery, person: Person, values: Json) -> None:
    """Fill in inputs of the top modal, each named by its block_id, action_id or label."""
    for name, value in values.items():
        view = top_view(delivery.slack, person)
        action_id, block_id = _input(person, view, name).ids
        await click(delivery, person, view, {"action_id": action_id, "block_id": block_id, "value": value})
    delivery.slack.show_top(person.id)


def _input(person: Person, view: View, name: str) -> Element:
    for key in ("block_id", "action_id", "text"):
        try:
            element = find_element(person, view, {key: name})
        except NotPossible as error:
            missing = error
        else:
            if element.element["type"] in HELD:
                return element
    raise missing


def take_state(view: View, values: Json) -> None:
    """Replace the entered values with a page's `view.state.values`."""
    for block_id, actions in values.items():
        if isinstance(actions, dict):
            view.state.setdefault(block_id, {}).update(actions)


async def submit(delivery: Delivery, person: Person) -> Json:
    """Submit the top modal: {"ok": true}, or {"ok": false, "errors": {block_id: text}}. Raises NotPossible."""
    slack = delivery.slack
    view = top_view(slack, person)
    upload_inputs(slack, person, view)
    if errors := errors_in(view.blocks, view.state):
        return _refused(slack, person, errors)
    try:
        answer = await delivery.send("interactive", view_submission(slack, person, view))
        return _take(slack, person, view, answer if isinstance(answer, dict) else {})
    except (Undelivered, SlackError) as failure:
        slack.notice(person.id, TROUBLE)
        because = {"messages": list(failure.messages)} if isinstance(failure, SlackError) else {}
        raise NotPossible(failure.error, TROUBLE, extra=because) from None


def _take(slack: Workspace, person: Person, view: View, answer: Json) -> Json:
    action = answer.get("response_action")
    if action == "errors":
        errors = answer.get("errors") or {}
        if not errors or not set(errors) <= {block["block_id"] for block in view.blocks if block["type"] == "input"}:
            raise SlackError("invalid_errors", ("response_action errors must name input blocks by their block_id",))
        return _refused(slack, person, errors)
    if action == "update":
        replace_view(slack, view, checked_view(slack, answer.get("view"), "modal"))
    elif action == "push":
        push_onto(slack, person.id, checked_view(slack, answer.get("view"), "modal"))
    elif action == "clear":
        slack.stack(person.id).clear()
        slack.show_top(person.id)
    elif action is None:
        _remove(slack, person, view)
    else:
        raise SlackError("invalid_response_action")
    return {"ok": True}


def _refused(slack: Workspace, person: Person, errors: dict[str, str]) -> Json:
    slack.feed.publish({"type": "view_errors", "errors": errors}, {person.id})
    return {"ok": False, "error": "view_errors", "errors": errors}


def _remove(slack: Workspace, person: Person, view: View) -> None:
    stack = slack.stack(person.id)
    if view in stack:
        stack.remove(view)
    slack.show_top(person.id)


async def close(delivery: Delivery, person: Person, *, clear: bool = False) -> Json:
    """Close the top modal, or all of them."""
    slack = delivery.slack
    view = top_view(slack, person)
    cleared = clear or bool(view.payload.get("clear_on_close"))
    closed = list(reversed(slack.stack(person.id))) if cleared else [view]
    for closed_view in closed:
        slack.stack(person.id).remove(closed_view)
    slack.show_top(person.id)
    for closed_view in closed:
        if closed_view.payload.get("notify_on_close"):
            # The modal is closed whether the app learns of it or not, and Slack shows nothing.
            with contextlib.suppress(Undelivered):
                await delivery.send("interactive", view_closed(slack, person, closed_view, cleared=cleared))
    return {"ok": True}


async def open_home(delivery: Delivery, person: Person) -> Json:
    """Open the app's Home tab: {"view": ..}, None if the app has not published one."""
    slack = delivery.slack
    event: Json = {"type": "app_home_opened", "user": person.id, "channel": slack.direct(person.id).id, "tab": "home"}
    event["event_ts"] = slack.new_ts()
    if home := slack.homes.get(person.id):
        event["view"] = slack.view_json(home)
    if delivery.wants(event, None):
        with slack.feed.open(person.id) as news:
            slack.keep(delivery.event(event))
            await _published(news, slack.timing.ack if home is None else min(1.0, slack.timing.ack))
    published = slack.homes.get(person.id)
    return {"view": slack.view_json(published) if published else None}


async def _published(news: "asyncio.Queue[Any]", seconds: float) -> None:
    try:
        async with asyncio.timeout(seconds):
            while (event := await news.get()) is not None and event["type"] != "home":
                continue
    except TimeoutError:
        return
