"""How the workspace reaches the app: over Socket Mode or over HTTP, with retries for events."""

from dataclasses import dataclass
from typing import Any, Literal

from sandbox.slack.callbacks import Callbacks
from sandbox.slack.sockets import Sockets
from sandbox.slack.undelivered import Retry, Undelivered
from sandbox.slack.values import Channel, Json
from sandbox.slack.workspace import Workspace

Kind = Literal["slash_commands", "interactive", "events_api"]
OWN_SUBTYPES = ("message_changed", "message_deleted")


@dataclass(frozen=True)
class Delivery:
    """Sends payloads to the app and returns its acknowledgements."""

    slack: Workspace
    sockets: Sockets
    callbacks: Callbacks

    async def send(self, kind: Kind, payload: Json, retry: Retry | None = None) -> Any:
        """The content of the app's acknowledgement, None if empty; raises Undelivered."""
        if self.slack.app.socket_mode:
            return await self.sockets.send(kind, payload, retry)
        return await self.callbacks.send(kind, self._address(kind, payload), payload, retry)

    def _address(self, kind: Kind, payload: Json) -> str:
        app, address = self.slack.app, None
        if kind == "events_api":
            address = app.events_url
        elif kind == "interactive":
            address = app.options_url if payload["type"] == "block_suggestion" else app.interactivity_url
        elif command := app.command(payload["command"]):
            address = command.url or app.interactivity_url
        if address is None:
            raise Undelivered("dispatch_failed", "no_url")
        return address

    def tell(self, event: Json, channel: Channel | None) -> None:
        """Send an event in the background if the app subscribed to it and may see it."""
        if self.wants(event, channel):
            self.slack.keep(self.event(event, channel))

    def wants(self, event: Json, channel: Channel | None) -> bool:
        """Whether the app subscribed to an event and is in its conversation."""
        app, kind = self.slack.app, event["type"]
        if channel is not None and app.bot_user not in channel.members:
            return False
        if kind == "message":
            own = event.get("bot_id") == app.bot_id or event.get("subtype") in OWN_SUBTYPES
            plural = {"channel": "channels", "group": "groups", "im": "im"}[event["channel_type"]]
            return f"message.{plural}" in app.events and (app.asked_for_events or not own)
        return kind in app.events

    async def event(self, event: Json, channel: Channel | None = None) -> None:
        """Send an event; repeat it after each of Slack's pauses until the app acknowledges it."""
        body, retry = self._envelope(event, channel), None
        for attempt, pause in enumerate((*self.slack.timing.retries, 0), start=1):
            try:
                await self.send("events_api", body, retry)
            except Undelivered as failure:
                if failure.final:
                    return
                retry = Retry(attempt, failure.reason)
                await self.slack.clock.sleep(pause)
            else:
                return

    def _envelope(self, event: Json, channel: Channel | None) -> Json:
        slack, app = self.slack, self.slack.app
        authorization: Json = {"enterprise_id": None, "team_id": slack.id, "user_id": app.bot_user, "is_bot": True}
        body: Json = {"token": "verification-token", "team_id": slack.id, "api_app_id": app.id, "event": event}
        body |= {"type": "event_callback", "event_id": slack.new_id("Ev"), "context_enterprise_id": None}
        body |= {"event_time": int(slack.clock.now().timestamp()), "context_team_id": slack.id}
        body |= {"authorizations": [{**authorization, "is_enterprise_install": False}]}
        shared = channel is not None and channel.is_ext_shared
        return {**body, "is_ext_shared_channel": shared, "event_context": slack.new_id("4-")}
