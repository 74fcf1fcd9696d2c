"""Messages in Slack that live: each shows one subject in one channel and is edited as the subject changes."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.model.incident import Incident

SubjectKind = Literal["operation", "incident", "summary"]


@dataclass(frozen=True)
class Subject:
    """What a message is about. `id` is an operation's, an incident's, or a summary's `watch:due` (Unix seconds)."""

    kind: SubjectKind
    id: str


@dataclass(frozen=True)
class Channel:
    """A channel of a workspace, by their Slack ids."""

    team: str
    id: str


@dataclass(frozen=True)
class LiveMessage:
    """The message about a subject in a channel, as far as it has come. Times are aware and in UTC."""

    subject: Subject
    channel: Channel
    ts: str = ""
    """Slack's timestamp, which identifies the message; empty until it is posted."""
    shown: int = -1
    """Revision of the subject that the message shows; -1: none, or an unknown one."""
    position: int = -1
    """How far its thread has come, in the numbers of the subject's replies."""
    reported: Incident | None = None
    """The incident as the thread last reported it."""
    pending: str = ""
    """Metadata mark of a post whose answer has not come: the post may be in the channel or not."""
    edited: datetime | None = None
    """When it was last posted or edited."""
