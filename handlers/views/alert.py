"""An incident as people see it: its one message, its thread's lines, its details. Pure."""

from collections.abc import Sequence
from datetime import datetime

from handlers.kit.message import Message
from services.watch import Health, Incident, Sighting


def card(incident: Incident) -> Message:
    """The incident's one message, at every stage."""
    raise NotImplementedError


def line(before: Incident | None, after: Incident) -> str:
    """What the thread is told of a change, in mrkdwn; empty when it has nothing to add. Loud ones are `is_loud`."""
    raise NotImplementedError


def is_loud(before: Incident | None, after: Incident) -> bool:
    """Whether the channel hears of the thread's line too: when it got worse."""
    raise NotImplementedError


def details(incident: Incident, seen: Sequence[tuple[Sighting, Health]], now: datetime) -> Message:
    """Everything about one incident, for `alert show`: `seen` are the registries that it is about."""
    raise NotImplementedError


def answer(incident: Incident) -> Message:
    """The private answer to `alert acknowledge` and `alert snooze`."""
    raise NotImplementedError


def listing(incidents: Sequence[Incident]) -> Message:
    """Open incidents, worst first."""
    raise NotImplementedError
