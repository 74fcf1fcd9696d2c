"""The installed app: its identity and what its manifest registers."""

from dataclasses import dataclass, replace
from typing import Any

from sandbox.slack.values import Command, Json

# The events for an app without a manifest. Edits and the app's own messages go only to apps that subscribe to them.
DEFAULT_EVENTS = frozenset({"app_home_opened", "app_mention", "message.im", "message.channels", "message.groups"})


@dataclass(frozen=True)
class App:
    """An installed app. `scopes` and `commands` are None if no manifest limits them."""

    id: str
    name: str
    bot_user: str
    bot_id: str
    bot_token: str
    app_token: str
    signing_secret: str
    config_token: str = "xoxe.xoxp-sandbox-config-token"  # noqa: S105 - opens nothing
    commands: tuple[Command, ...] | None = None
    events: frozenset[str] = DEFAULT_EVENTS
    scopes: frozenset[str] | None = None
    socket_mode: bool = True
    interactivity_url: str | None = None
    options_url: str | None = None
    events_url: str | None = None

    @property
    def asked_for_events(self) -> bool:
        """Whether a manifest lists the events, so that they include edits and the app's own messages."""
        return self.events is not DEFAULT_EVENTS

    def has_scope(self, scope: str) -> bool:
        """Whether the bot token has this scope. By default it has all but `chat:write.public`."""
        return scope != "chat:write.public" if self.scopes is None else scope in self.scopes

    def command(self, typed: str) -> Command | None:
        """The registered command of that name; without registered commands, any name is one."""
        if self.commands is None:
            return Command(typed)
        return next((command for command in self.commands if command.command == typed), None)

    def with_request_url(self, url: str) -> "App":
        """The same app with Socket Mode off, and everything sent to one address."""
        commands = self.commands and tuple(replace(command, url=url) for command in self.commands)
        app = replace(self, socket_mode=False, commands=commands, interactivity_url=url)
        return replace(app, options_url=url, events_url=url)

    def with_manifest(self, manifest: Json) -> "App":
        """The same app with what the manifest registers."""
        settings, features = manifest.get("settings") or {}, manifest.get("features") or {}
        interactivity = settings.get("interactivity") or {}
        subscriptions = settings.get("event_subscriptions") or {}
        scopes = ((manifest.get("oauth_config") or {}).get("scopes") or {}).get("bot")
        return replace(
            self,
            name=(manifest.get("display_information") or {}).get("name") or self.name,
            commands=tuple(_command(each) for each in features.get("slash_commands") or []),
            events=frozenset(subscriptions.get("bot_events") or ()),
            scopes=None if scopes is None else frozenset(scopes),
            socket_mode=bool(settings.get("socket_mode_enabled", True)),
            interactivity_url=interactivity.get("request_url"),
            options_url=interactivity.get("message_menu_options_url") or interactivity.get("request_url"),
            events_url=subscriptions.get("request_url"),
        )


def app_from(section: dict[str, Any]) -> App:
    """The app of the world file."""
    return App(**section)


def _command(command: Json) -> Command:
    fields = ("command", "description", "usage_hint", "url", "should_escape")
    return Command(**{name: command[name] for name in fields if command.get(name) is not None})
