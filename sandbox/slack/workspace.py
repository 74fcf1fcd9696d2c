"""The workspace: people, conversations, views, and messages. In memory, on one loop."""

import itertools
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sandbox.clock import Clock
from sandbox.slack.app import App
from sandbox.slack.feed import Feed
from sandbox.slack.values import (
    Channel,
    Group,
    Json,
    Message,
    NotPossible,
    Person,
    ResponseUrl,
    SlackError,
    Timing,
    Trigger,
    View,
)

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
Dated = TypeVar("Dated", Trigger, ResponseUrl)
CALLS_KEPT = 10_000
KEPT = timedelta(hours=1)
"""How long used triggers and response urls are kept, so that their refusals can give the reason."""


class Workspace:
    """The state of a workspace. `on_event` receives every event to which an app may have subscribed."""

    def __init__(self, section: dict[str, Any], app: App, clock: Clock, timing: Timing) -> None:
        self.id: str = section["workspace"]["id"]
        self.domain: str = section["workspace"]["domain"]
        self.name: str = section["workspace"]["name"]
        self.app, self.clock, self.timing = app, clock, timing
        self.feed = Feed()
        self.base_url = ""
        self.plan_blocks = True
        people = [Person(**{"team_id": self.id, **entry}) for entry in section.get("people", [])]
        people.append(Person(self.app.bot_user, self.app.name.lower(), self.id, real_name=self.app.name, is_bot=True))
        self.people = {person.id: person for person in people}
        self.groups = [Group(**{**each, "members": tuple(each["members"])}) for each in section.get("groups", [])]
        self.channels = {
            each["id"]: Channel(**{**each, "members": list(each["members"])}) for each in section.get("channels", [])
        }
        self.stacks: dict[str, list[View]] = {}
        self.homes: dict[str, View] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.files: dict[str, Json] = {}
        self.contents: dict[str, bytes] = {}
        self.scheduled: dict[str, Json] = {}
        self.tickets: set[str] = set()
        self.token_error: str | None = None
        """With what every method refuses the bot token; None while it is valid."""
        self.old_tokens: set[str] = set()
        """Bot tokens that were rotated."""
        self.calls: deque[Json] = deque(maxlen=CALLS_KEPT)
        self.on_event: Callable[[Json, Channel | None], None] = lambda _event, _channel: None
        self.keep: Callable[[Any], None] = lambda coroutine: coroutine.close()
        """Runs a coroutine in the background until the part stops."""
        self._ids = itertools.count(secrets.randbelow(36**5))
        self._last_ts = 0

    def rename_app(self, app: App) -> None:
        """Replace the app's registration."""
        self.app = app
        bot = self.people[app.bot_user]
        self.people[app.bot_user] = replace(bot, name=app.name.lower(), real_name=app.name)

    def new_id(self, prefix: str) -> str:
        """An id in Slack's form."""
        number, digits = next(self._ids), ""
        for _ in range(8):
            number, digit = divmod(number, 36)
            digits = _DIGITS[digit] + digits
        return f"{prefix}0A{digits}"

    def new_ts(self) -> str:
        """The next timestamp: unique in the workspace and later than every one before."""
        now = int(self.clock.now().timestamp() * 1_000_000)
        self._last_ts = max(now, self._last_ts + 1)
        return f"{self._last_ts // 1_000_000}.{self._last_ts % 1_000_000:06d}"

    # people and conversations

    def person(self, name: str) -> Person:
        """A person by id or by name; raises NotPossible."""
        for person in self.people.values():
            if name in (person.id, person.name):
                return person
        raise NotPossible("user_not_found", f"There is nobody called {name!r}.", status=404)

    def conversation(self, name: str) -> Channel:
        """A conversation by id or by name, with or without #; raises NotPossible."""
        channel = self.find_channel(name)
        if channel is None:
            raise NotPossible("channel_not_found", f"There is no channel {name!r}.", status=404)
        return channel

    def find_channel(self, name: str) -> Channel | None:
        """A conversation by id or by name, with or without #."""
        if channel := self.channels.get(name):
            return channel
        bare = name.removeprefix("#")
        return next((each for each in self.channels.values() if each.name == bare and not each.is_im), None)

    def direct(self, user: str) -> Channel:
        """The direct conversation of a person and the app, created if there is none."""
        return self.between(self.app.bot_user, user)

    def between(self, one: str, other: str) -> Channel:
        """The direct conversation of two members, created if there is none."""
        for channel in self.channels.values():
            if channel.is_im and {one, other} == set(channel.members):
                return channel
        name = self.app.name if one == self.app.bot_user else self.people[other].name
        channel = Channel(self.new_id("D"), name, [other, one], is_private=True, im_with=other)
        self.channels[channel.id] = channel
        self.feed.publish({"type": "state"}, {one, other})
        return channel

    def change_channel(self, channel: Channel, change: Json) -> None:
        """Archive, rename, share a channel or make it private, or the reverse; an app in it gets the event."""
        if "archived" in change and change["archived"] != channel.is_archived:
            channel.is_archived = change["archived"]
            self._happened(
                channel, "archive" if channel.is_archived else "unarchive", {"user": next(iter(self.people))}
            )
        if "name" in change and change["name"] != channel.name:
            channel.name = change["name"]
            self._happened(channel, "rename", {"channel": {"id": channel.id, "name": channel.name, "created": 0}})
        if "shared" in change and change["shared"] != channel.is_ext_shared:
            channel.is_ext_shared = change["shared"]
            self._happened(channel, "shared" if channel.is_ext_shared else "unshared", {})
        channel.is_private = change.get("private", channel.is_private)
        self.feed.publish({"type": "state"})

    def _happened(self, channel: Channel, what: str, fields: Json) -> None:
        kind = "group" if channel.is_private and what in ("archive", "unarchive", "rename") else "channel"
        event: Json = {"type": f"{kind}_{what}", "channel": channel.id, "event_ts": self.new_ts(), **fields}
        self.on_event(event, channel)

    # the app's installation

    def revoke(self, *, uninstall: bool = False) -> None:
        """Make the bot token useless, as an administrator does; `uninstall` removes the whole app."""
        self.token_error = "account_inactive" if uninstall else "token_revoked"
        tokens = {"oauth": [], "bot": [self.app.bot_user]}
        self.on_event({"type": "tokens_revoked", "tokens": tokens, "event_ts": self.new_ts()}, None)
        if uninstall:
            self.on_event({"type": "app_uninstalled", "event_ts": self.new_ts()}, None)

    def rotate(self) -> str:
        """A new bot token, in use from now on; the earlier ones are revoked."""
        self.old_tokens.add(self.app.bot_token)
        self.app = replace(self.app, bot_token=f"xoxb-sandbox-{secrets.token_hex(8)}")
        self.token_error = None
        return self.app.bot_token

    def is_local(self, person: Person) -> bool:
        """Whether the person is a member of this workspace and not a guest."""
        return person.team_id == self.id and not person.is_restricted and not person.is_ultra_restricted

    def sees(self, person: Person, channel: Channel) -> bool:
        """Whether a person may read a conversation."""
        return person.id in channel.members or (not channel.is_private and self.is_local(person))

    def viewers(self, channel: Channel) -> set[str]:
        """Everyone who may read a conversation."""
        return {person.id for person in self.people.values() if self.sees(person, channel)}

    def enter(self, channel: Channel, user: str) -> None:
        """Add a member."""
        if user not in channel.members:
            channel.members.append(user)
            self._membership("member_joined_channel", channel, user)

    def leave(self, channel: Channel, user: str) -> None:
        """Remove a member."""
        if user in channel.members:
            channel.members.remove(user)
            if user == self.app.bot_user:
                # Slack reports its own removal to an app as this alone (github.com/slackapi/bolt-js/issues/1847).
                kind = "group" if channel.is_private else "channel"
                self.on_event({"type": f"{kind}_left", "channel": channel.id, "event_ts": self.new_ts()}, None)
            self._membership("member_left_channel", channel, user)

    def _membership(self, kind: str, channel: Channel, user: str) -> None:
        event: Json = {
            "type": kind,
            "user": user,
            "channel": channel.id,
            "channel_type": channel.channel_type[0].upper(),
        }
        self.on_event({**event, "team": self.id, "event_ts": self.new_ts()}, channel)
        self.feed.publish({"type": "state"})

    # messages

    def message(self, channel: Channel, ts: str) -> Message | None:
        """The message with that `ts`, which may be ephemeral."""
        return channel.messages.get(ts)

    def post(self, message: Message) -> Message:
        """Add a message to its conversation and notify its readers."""
        channel = self.channels[message.channel]
        message.last_change = message.ts
        channel.messages[message.ts] = message
        if message.is_reply and message.thread_ts is not None:
            channel.replies.setdefault(message.thread_ts, []).append(message)
        self._tell("message", message)
        if message.is_reply and not message.ephemeral_to and (root := channel.messages.get(str(message.thread_ts))):
            root.thread_ts = root.ts
            root.status = None if message.bot_id else root.status
            self._tell("message_changed", root)
        if not message.ephemeral_to:
            event: Json = {**self.for_app(message), "channel": channel.id, "channel_type": channel.channel_type}
            self.on_event({**event, "event_ts": message.ts}, channel)
            if f"<@{self.app.bot_user}>" in message.text and message.bot_id is None:
                self.on_event({**event, "type": "app_mention", "event_ts": message.ts}, channel)
        return message

    def reveal(self, message: Message) -> None:
        """Make an ephemeral message visible to everyone."""
        message.ephemeral_to = None
        self._tell("message", message)

    def changed(self, message: Message, *, quietly: bool = False) -> None:
        """Notify a message's readers of an edit; `quietly` doesn't notify the app."""
        channel = self.channels[message.channel]
        message.last_change = self.new_ts()
        self._tell("message_changed", message)
        if not message.ephemeral_to and not quietly:
            event: Json = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": channel.id}
            event |= {"ts": message.last_change, "event_ts": message.last_change, "message": self.for_app(message)}
            self.on_event({**event, "channel_type": channel.channel_type}, channel)

    def remove(self, message: Message) -> None:
        """Remove a message."""
        channel = self.channels[message.channel]
        channel.messages.pop(message.ts, None)
        if message.is_reply and message in (replies := channel.replies.get(str(message.thread_ts), [])):
            replies.remove(message)
        deletion = {"type": "message_deleted", "channel": channel.id, "ts": message.ts}
        self.feed.publish(deletion, {message.ephemeral_to} if message.ephemeral_to else self.viewers(channel))
        if not message.ephemeral_to:
            event: Json = {"type": "message", "subtype": "message_deleted", "hidden": True, "channel": channel.id}
            event |= {"deleted_ts": message.ts, "ts": self.new_ts(), "channel_type": channel.channel_type}
            self.on_event(event, channel)

    def _tell(self, kind: str, message: Message) -> None:
        channel = self.channels[message.channel]
        whom = {message.ephemeral_to} if message.ephemeral_to else self.viewers(channel)
        self.feed.publish({"type": kind, "message": self.for_people(message)}, whom)

    def thread(self, message: Message) -> Json:
        """The fields of a root about its thread; empty for a message without replies."""
        replies = [each for each in self.channels[message.channel].replies.get(message.ts, []) if not each.ephemeral_to]
        if not replies:
            return {}
        users = list(dict.fromkeys(str(each.user or each.bot_id) for each in replies))
        counts: Json = {"reply_count": len(replies), "reply_users_count": len(users), "reply_users": users}
        return {**counts, "latest_reply": replies[-1].ts}

    def for_people(self, message: Message) -> Json:
        """A message as sent to the page."""
        body: Json = {"channel": message.channel, "ts": message.ts, "text": message.text}
        body |= {"username": message.username or self._name(message), "ephemeral": message.ephemeral_to is not None}
        body |= self._optional(message)
        if message.slash is not None:
            body["slash"] = message.slash
        if message.metadata is not None:
            body["metadata"] = message.metadata
        if message.status:
            body["status"] = message.status
        return body | self.thread(message)

    def for_app(self, message: Message, *, metadata: bool = False) -> Json:
        """A message as in the Web API and events."""
        body: Json = {"type": "message", "ts": message.ts, "text": message.text, "team": self.id}
        body |= self._optional(message)
        if message.app_id is not None:
            body |= {"app_id": message.app_id, "bot_profile": self.bot_profile()}
        if metadata and message.metadata is not None:
            body["metadata"] = message.metadata
        return body | self.thread(message)

    def _optional(self, message: Message) -> Json:
        reactions = [{"name": name, "users": who, "count": len(who)} for name, who in message.reactions.items()]
        fields: Json = {
            "user": message.user,
            "bot_id": message.bot_id,
            "thread_ts": message.thread_ts,
            "subtype": message.subtype,
            "blocks": message.blocks,
            "attachments": message.attachments,
            "files": message.files,
            "edited": message.edited,
            "reactions": reactions,
        }
        return {name: value for name, value in fields.items() if value}

    def _name(self, message: Message) -> str:
        if message.bot_id:
            return self.app.name
        person = self.people.get(message.user or "")
        return person.name if person else "slackbot"

    def bot_profile(self) -> Json:
        """The app's profile in its messages."""
        profile: Json = {"id": self.app.bot_id, "app_id": self.app.id, "name": self.app.name, "team_id": self.id}
        return {**profile, "deleted": False, "updated": 0, "icons": {}, "user_id": self.app.bot_user}

    def from_app(self, channel: Channel, **fields: Any) -> Message:
        """A message of the app that is not posted yet."""
        who = {"user": self.app.bot_user, "bot_id": self.app.bot_id, "app_id": self.app.id}
        return Message(channel.id, self.new_ts(), **{**who, **fields})

    def notice(self, user: str, text: str, *, error: bool = True) -> None:
        """Show a person a notice of Slack itself."""
        self.feed.publish({"type": "notice", "text": text, "error": error}, {user})

    # triggers and response urls

    def new_trigger(self, user: str, *, view_id: str | None = None, channel: str | None = None) -> str:
        """A trigger id for an action of a person, and its place."""
        now = self.clock.now()
        _forget_old(self.triggers, now - KEPT)
        number, words = secrets.randbelow(10**13), secrets.token_hex(16)
        trigger = Trigger(f"{number}.{secrets.randbelow(10**12)}.{words}", user, now, view_id, channel)
        self.triggers[trigger.id] = trigger
        return trigger.id

    def exchange(self, trigger_id: str) -> Trigger:
        """Use a trigger; raises SlackError if it is unknown, used or too old."""
        trigger = self.triggers.get(trigger_id)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("trigger_exchanged")
        if (self.clock.now() - trigger.made_at).total_seconds() > self.timing.trigger:
            raise SlackError("trigger_expired")
        self.triggers[trigger_id] = trigger.spent()
        return trigger

    def new_response_url(self, user: str, channel: str, message: Message | None = None) -> str:
        """A response url for a command or click."""
        name = f"{self.id}/{secrets.randbelow(10**13)}/{secrets.token_urlsafe(18)}"
        now = self.clock.now()
        _forget_old(self.response_urls, now - KEPT)
        self.response_urls[name] = ResponseUrl(name, user, channel, now, message.ts if message else None)
        return f"{self.base_url}/actions/{name}"

    def use_response_url(self, name: str) -> ResponseUrl:
        """Count one use; raises SlackError `used_url` or `expired_url`."""
        url = self.response_urls.get(name)
        if url is None:
            raise SlackError("invalid_url", status=404)
        if (self.clock.now() - url.made_at).total_seconds() > self.timing.response_url:
            raise SlackError("expired_url", status=404)
        if url.uses >= self.timing.response_url_uses:
            raise SlackError("used_url", status=404)
        self.response_urls[name] = replace(url, uses=url.uses + 1)
        return url

    # views

    def stack(self, user: str) -> list[View]:
        """A person's open modals, the top one last."""
        return self.stacks.setdefault(user, [])

    def views(self) -> Iterator[View]:
        """All open views of all people."""
        yield from itertools.chain.from_iterable(self.stacks.values())
        yield from self.homes.values()

    def show_top(self, user: str) -> None:
        """Send a person the modal that is now on top."""
        stack = self.stack(user)
        event: Json = {"type": "view_closed"}
        if stack:
            event = {"type": "view", "view": self.view_json(stack[-1]), "stack": len(stack)}
        self.feed.publish(event, {user})

    def view_json(self, view: View) -> Json:
        """A view as in the Web API and payloads."""
        body: Json = {"id": view.id, "team_id": self.id, "type": view.type, "blocks": view.blocks}
        body |= {"private_metadata": "", "callback_id": "", "external_id": "", "title": None, "submit": None}
        body |= {"close": None, "clear_on_close": False, "notify_on_close": False, **view.payload}
        body |= {"state": {"values": view.state}, "hash": view.hash, "root_view_id": view.root_id}
        body |= {"previous_view_id": view.previous_id, "app_id": self.app.id, "bot_id": self.app.bot_id}
        return {**body, "app_installed_team_id": self.id}

    def new_hash(self) -> str:
        """A view's version."""
        return f"{self.clock.now().timestamp():.0f}.{secrets.token_hex(4)}"


def _forget_old(entries: dict[str, Dated], before: datetime) -> None:
    while entries and (first := next(iter(entries.values()))).made_at < before:
        del entries[first.id]
