"""One command as it came from Slack: typed, clicked or filled in."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.model.attachment import Attachment
from services.model.people import Person, Place


@dataclass(frozen=True)
class Request:
    """One delivery of a command. Person and place come from Slack (signature or socket), never from the text."""

    person: Person
    place: Place
    text: str
    """The command without the slash word, such as `deploy edge01 --site berlin`, as Slack delivered it."""
    key: str
    """Identifies this delivery, so that an operation that it starts is started once."""
    trigger_id: str
    """Opens one modal within three seconds; a bearer secret."""
    said_by_click: bool
    now: datetime
    slash: str = "/registry"
    """Name of the slash command, for lines that people copy."""
    message_ts: str = ""
    """The message whose button was clicked."""
    thread_ts: str = ""
    """The thread of that message, or empty."""
    reference: str = ""
    """Identifies this request in the log and in messages about faults of the bot."""
    answer_by: float = math.inf
    """When a command that only reads has to have answered, on the event loop's clock."""
    attachments: Mapping[str, Attachment] = field(default_factory=dict)
    """Files of a form, by the names of their fields."""

    def line(self, text: str) -> str:
        """A command as people type it."""
        return f"{self.slash} {text}".rstrip()
