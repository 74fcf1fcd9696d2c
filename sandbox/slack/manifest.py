"""The rules of apps.manifest.validate; limits from slackapi/manifest-schema 2.0.0."""

import re
from collections.abc import Iterator
from typing import Any

from sandbox.slack.shapes import Anything, Flag, ListOf, Num, Obj, Problem, Str
from sandbox.slack.values import Json

_URL = Str(3000)
_NAMES = ListOf(Str())
_ANY = Anything()
_COMMAND = Obj(
    {
        "command": Str(32, 2),
        "description": Str(2000, 1),
        "usage_hint": Str(1000),
        "url": _URL,
        "should_escape": Flag(),
    },
    ("command", "description"),
)
_SHORTCUT = Obj(
    {
        "name": Str(24, 1),
        "description": Str(150, 1),
        "type": Str(among=("message", "global")),
        "callback_id": Str(255, 1),
    },
    ("name", "description", "type", "callback_id"),
)
_HOME = Obj({"home_tab_enabled": Flag(), "messages_tab_enabled": Flag(), "messages_tab_read_only_enabled": Flag()})
_EVENTS = Obj(
    {
        "request_url": _URL,
        "bot_events": ListOf(Str(), 0, 100),
        "user_events": ListOf(Str(), 0, 100),
        "metadata_subscriptions": ListOf(_ANY, 0, 20),
    }
)
_INTERACTIVITY = Obj({"is_enabled": Flag(), "request_url": _URL, "message_menu_options_url": _URL}, ("is_enabled",))
_SCOPES = Obj({name: ListOf(Str(), 0, 255) for name in ("bot", "user", "bot_optional", "user_optional")})
_SETTINGS = Obj(
    {
        "event_subscriptions": _EVENTS,
        "interactivity": _INTERACTIVITY,
        "socket_mode_enabled": Flag(),
        "org_deploy_enabled": Flag(),
        "token_rotation_enabled": Flag(),
        "is_hosted": Flag(),
        "is_mcp_enabled": Flag(),
        "function_runtime": Str(),
        "allowed_ip_address_ranges": ListOf(Str(), 0, 50),
        "incoming_webhooks": _ANY,
        "siws_links": _ANY,
        "background_color": Str(),
        "hermes_app_type": Str(),
    }
)
_FEATURES = Obj(
    {
        "slash_commands": ListOf(_COMMAND, 0, 50),
        "shortcuts": ListOf(_SHORTCUT, 0, 10),
        "app_home": _HOME,
        "bot_user": Obj({"display_name": Str(80, 1), "always_online": Flag()}, ("display_name",)),
        "unfurl_domains": _NAMES,
        "agent_view": _ANY,
        "assistant_view": _ANY,
        "workflow_steps": _ANY,
        "rich_previews": _ANY,
        "search": _ANY,
    }
)
MANIFEST = Obj(
    {
        "_metadata": Obj({"major_version": Num(1, 2), "minor_version": Num(0), "schema": _ANY}),
        "display_information": Obj(
            {
                "name": Str(35, 1),
                "description": Str(140),
                "long_description": Str(4000, 175),
                "background_color": Str(7, 4),
            },
            ("name",),
        ),
        "features": _FEATURES,
        "oauth_config": Obj(
            {"scopes": _SCOPES, "redirect_urls": _NAMES, "token_management_enabled": Flag(), "pkce_enabled": Flag()}
        ),
        "settings": _SETTINGS,
        "functions": _ANY,
        "workflows": _ANY,
        "datastores": _ANY,
        "outgoing_domains": _NAMES,
        "types": _ANY,
        "metadata_events": _ANY,
        "external_auth_providers": _ANY,
        "compliance": _ANY,
        "app_directory": _ANY,
    },
    ("display_information",),
)
_COMMAND_NAME = re.compile(r"/[a-z0-9_.\-]+")


def problems_of(manifest: Any) -> list[Problem]:
    """The rules that a manifest breaks, each with its JSON pointer."""
    problems = list(MANIFEST.check(manifest, ""))
    return problems or [*_names(manifest), *_addresses(manifest), *_scopes(manifest)]


def _names(manifest: Json) -> Iterator[Problem]:
    for index, command in enumerate((manifest.get("features") or {}).get("slash_commands") or []):
        if not _COMMAND_NAME.fullmatch(command["command"]):
            yield Problem(f"/features/slash_commands/{index}/command", "must begin with / and be lower case, no spaces")


def _addresses(manifest: Json) -> Iterator[Problem]:
    settings = manifest.get("settings") or {}
    if settings.get("socket_mode_enabled"):
        return
    events, interactivity = settings.get("event_subscriptions") or {}, settings.get("interactivity") or {}
    if events.get("bot_events") and not events.get("request_url"):
        yield Problem("/settings/event_subscriptions", "Event Subscription requires either Request URL or Socket Mode")
    if interactivity.get("is_enabled") and not interactivity.get("request_url"):
        yield Problem("/settings/interactivity", "Interactivity requires a Request URL or Socket Mode")
    for index, command in enumerate((manifest.get("features") or {}).get("slash_commands") or []):
        if not command.get("url"):
            yield Problem(f"/features/slash_commands/{index}", "Slash Commands require a URL or Socket Mode")


def _scopes(manifest: Json) -> Iterator[Problem]:
    features = manifest.get("features") or {}
    scopes = ((manifest.get("oauth_config") or {}).get("scopes") or {}).get("bot") or []
    if features.get("slash_commands") and "commands" not in scopes:
        yield Problem("/oauth_config/scopes/bot", "Slash commands require the commands scope")
    if scopes and not features.get("bot_user"):
        yield Problem("/features/bot_user", "Bot scopes require a bot user")
