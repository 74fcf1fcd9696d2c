"""The values of a workspace."""

from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

Json = dict[str, Any]


@dataclass(eq=False)
class SlackError(Exception):
    """A Web API refusal: HTTP 200 with `ok: false`, unless `status` says otherwise."""

    error: str
    messages: tuple[str, ...] = ()
    """`response_metadata.messages` of the answer."""
    extra: Json = field(default_factory=dict)
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> Json:
        """The answer in Slack's form."""
        body: Json = {"ok": False, "error": self.error, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": list(self.messages)}
        return body


@dataclass(eq=False)
class NotPossible(Exception):
    """A person can't do that. `error` is Slack's code, `message` is what Slack shows or what to do instead."""

    error: str
    message: str = ""
    status: int = 200
    extra: Json = field(default_factory=dict)

    def body(self) -> Json:
        """The control API's answer."""
        return {"ok": False, "error": self.error, "message": self.message or self.error, **self.extra}


@dataclass(frozen=True)
class Person:
    """A member of this workspace, or of another one (then `team_id` is that one's)."""

    id: str
    name: str
    team_id: str
    real_name: str = ""
    email: str = ""
    tz: str = "Europe/London"
    locale: str = "en-US"
    is_restricted: bool = False
    is_ultra_restricted: bool = False
    is_admin: bool = False
    is_bot: bool = False
    deleted: bool = False


@dataclass(frozen=True)
class Group:
    """A user group."""

    id: str
    handle: str
    name: str
    members: tuple[str, ...]


@dataclass(frozen=True)
class Command:
    """A slash command that the app registered."""

    command: str
    description: str = ""
    usage_hint: str = ""
    url: str | None = None
    should_escape: bool = False


@dataclass
class Message:
    """A message. `ephemeral_to` is the only person who sees it; `slash` is the text of a typed command."""

    channel: str
    ts: str
    text: str = ""
    user: str | None = None
    bot_id: str | None = None
    app_id: str | None = None
    username: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    metadata: Json | None = None
    thread_ts: str | None = None
    subtype: str | None = None
    edited: Json | None = None
    ephemeral_to: str | None = None
    slash: str | None = None
    files: list[Json] = field(default_factory=list)
    reactions: dict[str, list[str]] = field(default_factory=dict)
    streaming: bool = False
    stream_until: datetime | None = None
    status: str | None = None
    last_change: str = ""
    """The `ts` of the latest edit, whether it is shown or not."""
    state: dict[str, Json] = field(default_factory=dict)
    """Each person's choices in this message's menus: person id -> block_id -> action_id -> value."""

    @property
    def is_reply(self) -> bool:
        """Whether it is in a thread and isn't its root."""
        return self.thread_ts is not None and self.thread_ts != self.ts

    @property
    def at_top(self) -> bool:
        """Whether the channel itself shows it."""
        return not self.is_reply or self.subtype == "thread_broadcast"


@dataclass
class Channel:
    """A conversation and its messages, oldest first."""

    id: str
    name: str
    members: list[str]
    is_private: bool = False
    is_ext_shared: bool = False
    is_archived: bool = False
    im_with: str | None = None
    """The person on the other side of a direct conversation; between two people, the second one."""
    messages: dict[str, Message] = field(default_factory=dict)
    replies: dict[str, list[Message]] = field(default_factory=dict)
    read: dict[str, str] = field(default_factory=dict)
    """Person id -> `ts` of the last message that they have read."""

    @property
    def is_im(self) -> bool:
        """Whether this is a direct conversation."""
        return self.im_with is not None

    @property
    def channel_type(self) -> str:
        """Its name in events."""
        return "im" if self.is_im else "group" if self.is_private else "channel"


@dataclass
class View:
    """A modal or a Home tab as sent by the app, with the person's inputs."""

    id: str
    type: str
    user: str
    payload: Json
    hash: str
    root_id: str
    previous_id: str | None = None
    state: Json = field(default_factory=dict)
    """block_id -> action_id -> value."""
    opened_in: str | None = None
    """The conversation in which the person opened it."""

    @property
    def blocks(self) -> list[Json]:
        """The view's blocks."""
        blocks: list[Json] = self.payload["blocks"]
        return blocks

    @property
    def external_id(self) -> str:
        """The app's own id for it; empty if it has none."""
        return str(self.payload.get("external_id") or "")


@dataclass(frozen=True)
class Trigger:
    """The right to open one view, once and within seconds."""

    id: str
    user: str
    made_at: datetime
    view_id: str | None = None
    channel: str | None = None
    used: bool = False

    def spent(self) -> "Trigger":
        """The trigger marked as used."""
        return replace(self, used=True)


@dataclass(frozen=True)
class ResponseUrl:
    """The right to answer a command or click without being a member."""

    id: str
    user: str
    channel: str
    made_at: datetime
    message_ts: str | None = None
    uses: int = 0


@dataclass(frozen=True)
class Timing:
    """Slack's own durations in seconds. All but `ack` pass on the sandbox's clock."""

    ack: float = 3
    """How long an app may take to acknowledge; real time, because a real process answers."""
    trigger: float = 3
    response_url: float = 30 * 60
    response_url_uses: int = 5
    retries: tuple[float, ...] = (0, 60, 300)
    refresh_warning: float = 10
    connection: float = 18_060
    stream: float = 306
    status: float = 120
