"""views.*: modals and Home tabs."""

from typing import Any

from sandbox.slack.api.access import somebody
from sandbox.slack.api.call import Call, Method, Tier
from sandbox.slack.api.content import view_of
from sandbox.slack.elements import initial_state
from sandbox.slack.values import Json, SlackError, View
from sandbox.slack.workspace import Workspace

MOST_VIEWS = 3


def open_view(slack: Workspace, call: Call) -> Json:
    """views.open."""
    view = view_of(slack, call, "modal")
    trigger = slack.exchange(call.need("trigger_id"))
    return answer(slack, push_onto(slack, trigger.user, view, trigger.channel))


def push_view(slack: Workspace, call: Call) -> Json:
    """views.push: only with a trigger that came from a modal."""
    view = view_of(slack, call, "modal")
    trigger = slack.exchange(call.need("trigger_id"))
    if trigger.view_id is None or not slack.stack(trigger.user):
        raise SlackError("not_found")
    return answer(slack, push_onto(slack, trigger.user, view))


def push_onto(slack: Workspace, user: str, payload: Json, channel: str | None = None) -> View:
    """Put a modal on top of a person's stack; raises SlackError if it has three already."""
    stack = slack.stack(user)
    if len(stack) >= MOST_VIEWS:
        raise SlackError("push_limit_reached")
    _check_external_id(slack, payload)
    view_id = slack.new_id("V")
    root, previous = (stack[0].root_id, stack[-1].id) if stack else (view_id, None)
    here = stack[-1].opened_in if stack else channel
    state = initial_state(payload["blocks"], here)
    view = View(view_id, "modal", user, payload, slack.new_hash(), root, previous, state, here)
    stack.append(view)
    slack.show_top(user)
    return view


def update_view(slack: Workspace, call: Call) -> Json:
    """views.update: by view_id or external_id, and only if the hash matches when one is given."""
    payload = view_of(slack, call)
    view_id, external_id = call.text("view_id"), call.text("external_id")
    field, value = ("id", view_id) if view_id else ("external_id", external_id)
    existing = next((view for view in slack.views() if value and getattr(view, field) == value), None)
    if existing is None:
        raise SlackError("not_found")
    _check_hash(call, existing)
    replace_view(slack, existing, payload)
    return answer(slack, existing)


def replace_view(slack: Workspace, view: View, payload: Json) -> None:
    """Replace a view's content; inputs keep their values where block and action ids stay the same."""
    _check_external_id(slack, payload, view)
    fresh = initial_state(payload["blocks"], view.opened_in)
    for block_id, actions in fresh.items():
        for action_id in actions:
            if (value := view.state.get(block_id, {}).get(action_id)) is not None:
                actions[action_id] = value
    view.payload, view.state, view.hash = payload, fresh, slack.new_hash()
    if view.type == "home":
        slack.feed.publish({"type": "home", "view": slack.view_json(view)}, {view.user})
    elif view in (stack := slack.stack(view.user)) and stack[-1] is view:
        slack.show_top(view.user)


def publish(slack: Workspace, call: Call) -> Json:
    """views.publish: a person's Home tab."""
    user = somebody(slack, call.need("user_id")).id
    payload = view_of(slack, call, "home")
    home = slack.homes.get(user)
    if home is None:
        view_id = slack.new_id("V")
        home = View(view_id, "home", user, payload, slack.new_hash(), view_id)
        slack.homes[user] = home
        slack.feed.publish({"type": "state"}, {user})
    else:
        _check_hash(call, home)
    replace_view(slack, home, payload)
    return answer(slack, home)


def answer(slack: Workspace, view: View) -> Json:
    """The answer of all view methods."""
    return {"view": slack.view_json(view)}


def _check_hash(call: Call, view: View) -> None:
    if (expected := call.text("hash")) and expected != view.hash:
        raise SlackError("hash_conflict")


def _check_external_id(slack: Workspace, payload: dict[str, Any], own: View | None = None) -> None:
    name = payload.get("external_id")
    if name and any(view.external_id == name for view in slack.views() if view is not own):
        raise SlackError("duplicate_external_id")


METHODS = {
    "views.open": Method(open_view, Tier.FOUR),
    "views.push": Method(push_view, Tier.FOUR),
    "views.update": Method(update_view, Tier.FOUR),
    "views.publish": Method(publish, Tier.FOUR),
}
