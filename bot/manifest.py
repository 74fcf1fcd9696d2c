"""The Slack app's manifest, from what the code registers. Limits: github.com/slackapi/manifest-schema v0.5.0."""

from collections.abc import Iterable
from typing import Any, Literal

import yaml

from bot.slack.app import PATH
from bot.slack.payloads import CHANNEL_EVENTS
from handlers.kit.command import Command

SCOPES = (
    "commands",
    "chat:write",
    "users:read",
    "usergroups:read",
    "channels:read",
    "groups:read",
    # to find a message whose reply was lost, instead of posting it twice
    "channels:history",
    "groups:history",
    # the rows of long summaries and of the audit as a file
    "files:write",
    # manifests that people attach to a form
    "files:read",
    # commands that mention the bot, or are written to it directly
    "app_mentions:read",
    "im:history",
)
EVENTS = ("app_home_opened", "app_mention", *CHANNEL_EVENTS, "member_joined_channel", "message.im")
"""Home, mentions, direct messages, and whatever lets the bot post in a channel, or no longer."""
_LONGEST_HINT = 1000


def manifest(
    commands: Iterable[Command],
    *,
    mode: Literal["socket", "http"] = "socket",
    url: str = "",
    command: str = "/registry",
) -> dict[str, Any]:
    """The manifest; `url` is where Slack reaches the bot in HTTP mode."""
    address = f"{url.rstrip('/')}{PATH}" if mode == "http" else ""
    hint = " | ".join(dict.fromkeys(command.name.split()[0] for command in commands))
    return {
        "_metadata": {"major_version": 2},
        "display_information": {
            "name": "Registry",
            "description": "Runs Azure connected registries: deploys, verifies and approves.",
            "background_color": "#1f4e79",
        },
        "features": {
            # The messages tab is where it writes to one person what is for nobody else, and reads their commands.
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "registry", "always_online": True},
            "slash_commands": [
                {
                    "command": command,
                    "description": "Deploy, verify and watch connected registries",
                    "usage_hint": hint if len(hint) <= _LONGEST_HINT else "help",
                    "should_escape": False,
                    **_at(address, "url"),
                }
            ],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**_at(address, "request_url"), "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **_at(address, "request_url", "message_menu_options_url")},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not address,
            "token_rotation_enabled": False,
        },
    }


def _at(address: str, *keys: str) -> dict[str, str]:
    return dict.fromkeys(keys, address) if address else {}


def text(manifest: dict[str, Any]) -> str:
    """The manifest as YAML."""
    return yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=120)
