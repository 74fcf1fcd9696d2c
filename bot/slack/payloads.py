"""Payloads from Slack: whom they are for, whether they are complete, and whether the bot uses them. Pure."""

from collections.abc import Mapping
from typing import Any

from bot.slack.client import Installation

Body = Mapping[str, Any]
USED = frozenset({"command", "block_actions", "view_submission", "block_suggestion", "event_callback"})
"""Kinds that the bot handles; all others are only acknowledged."""
_TEXTS = {
    "command": ("team_id", "channel_id", "user_id", "command", "trigger_id"),
    "block_actions": ("trigger_id",),
    "block_suggestion": ("block_id",),
}
_PARTS = {
    "block_actions": ("user",),
    "view_submission": ("user", "view"),
    "block_suggestion": ("user", "view"),
    "event_callback": ("event",),
}


def kind(body: Body) -> str:
    """Slack's `type`; `command` for a slash command, which has none."""
    return str(body.get("type") or ("command" if "command" in body else ""))


def malformed(body: Body) -> str:
    """The first field that is missing from a payload of a used kind; empty when it is complete."""
    texts, parts = _TEXTS.get(kind(body), ()), _PARTS.get(kind(body), ())
    for name in texts:
        if not isinstance(body.get(name), str) or not body[name]:
            return name
    for name in parts:
        if not isinstance(body.get(name), Mapping):
            return name
    if "user" in parts and not body["user"].get("id"):
        return "user.id"
    if kind(body) != "block_actions":
        return ""
    actions: Any = body.get("actions") or [None]
    first = actions[0] if isinstance(actions, list) else None
    return "" if isinstance(first, Mapping) and {"type", "action_id"} <= first.keys() else "actions"


def foreign(body: Body, ours: Installation) -> str:
    """Why a payload is not for this installation; empty when it is.

    A click carries the team of the person who clicked, which may be another one in a shared channel. Whether that
    person may do anything is for the policy to decide.
    """
    app = body.get("api_app_id")
    if ours.app_id and app and app != ours.app_id:
        return "another app"
    is_click = isinstance(body.get("user"), Mapping)
    if is_click:
        installed = (body.get("view") or {}).get("app_installed_team_id")
        return "another workspace" if installed and installed not in (ours.team, ours.enterprise) else ""
    enterprise = body.get("enterprise_id")
    if ours.enterprise and enterprise and enterprise != ours.enterprise:
        return "another enterprise"
    team = body.get("team_id")
    whole_enterprise = ours.enterprise and enterprise == ours.enterprise
    return "another workspace" if team and team != ours.team and not whole_enterprise else ""


def team_of(body: Body) -> str:
    """The workspace of the person who clicked, which in a shared channel need not be ours."""
    user, team = body.get("user", {}), body.get("team") or {}
    return str(user.get("team_id") or team.get("id") or "")
