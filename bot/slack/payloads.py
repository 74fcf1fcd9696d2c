"""Payloads from Slack: whom they are for, whether they are complete, and whether the bot uses them. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.slack.client import Installation

Body = Mapping[str, Any]
USED = frozenset({"command", "block_actions", "view_submission", "block_suggestion", "event_callback"})
"""Kinds that the bot handles; all others are only acknowledged."""
SLACKBOT = "USLACKBOT"
"""Tells the bot in its direct messages of what happens to it, such as a removal from a channel."""
_WRITTEN = (None, "", "file_share", "thread_broadcast", "me_message")
"""Subtypes of what people write: with a file, from a thread to the channel too, with `/me`. Others report changes."""
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
CHANNEL_EVENTS = (
    "channel_archive",
    "channel_deleted",
    "channel_left",
    "channel_shared",
    "channel_unarchive",
    "channel_unshared",
    "group_archive",
    "group_deleted",
    "group_left",
    "group_unarchive",
)
"""The bot may post in a channel again after these, or may not; its own removal is reported by `…_left` alone."""
_OBJECTS = ("user", "team", "channel", "view", "container", "event")
"""What is an object wherever it is there."""


@dataclass(frozen=True)
class Said:
    """What somebody wrote to the bot in a message: `text` is without the mention of the bot."""

    person: str
    team: str
    channel: str
    ts: str
    thread_ts: str
    text: str


def said(event: Body, bot_user: str) -> Said | None:
    """What an `app_mention` or a message in the direct conversation says; None for anything that nobody wrote to it.

    Its text is as Slack delivers it, escaped and with links marked up, which `handlers.kit.words` undoes.
    """
    is_direct = event.get("type") == "message" and event.get("channel_type") == "im"
    is_mention = event.get("type") == "app_mention"
    if event.get("subtype") not in _WRITTEN or event.get("bot_id") or not (is_direct or is_mention):
        return None
    person, channel, ts, text = (event.get(name) for name in ("user", "channel", "ts", "text"))
    if not (isinstance(person, str) and isinstance(channel, str) and isinstance(ts, str) and isinstance(text, str)):
        return None
    if person in (bot_user, SLACKBOT):
        return None
    typed = re.sub(rf"<@{re.escape(bot_user)}(\|[^>]*)?>[:,]?", " ", text).strip()
    return Said(person, str(event.get("team") or ""), channel, ts, str(event.get("thread_ts") or ""), typed)


def changed_channel(event: Body, bot_user: str) -> str:
    """The channel in which the bot may now post, or may not, after an event; empty for any other event."""
    is_invitation = event.get("type") == "member_joined_channel" and event.get("user") == bot_user
    channel = event.get("channel")
    return channel if (is_invitation or event.get("type") in CHANNEL_EVENTS) and isinstance(channel, str) else ""


def home_channel(body: Body) -> str:
    """The direct conversation of the person whose Home tab was clicked; empty for a click anywhere else."""
    tab = body.get("view") or {}
    return str(tab.get("private_metadata") or "") if tab.get("type") == "home" else ""


def kind(body: Body) -> str:
    """Slack's `type`; `command` for a slash command, which has none."""
    return str(body.get("type") or ("command" if "command" in body else ""))


def malformed(body: Body) -> str:
    """The first field that is missing from a payload, or is something else; empty when what is used of it is sound."""
    for name in _OBJECTS:
        if not isinstance(body.get(name), Mapping | None):
            return name
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
    user, team = body.get("user") or {}, body.get("team") or {}
    return str(user.get("team_id") or team.get("id") or "")
