"""Watches as people see them: the confirmation before saving, the list. Pure."""

from collections.abc import Sequence
from datetime import datetime

from handlers.kit.message import Message
from services.watch import Watch


def subject(watch: Watch) -> str:
    """Such as `site berlin`, `cloud registry contosoacr`, `the whole fleet`; plain text."""
    raise NotImplementedError


def preview(watch: Watch, now: datetime, *, saves: str) -> Message:
    """Before it is saved: the schedule in words, the next three times, and a button that says `saves`."""
    raise NotImplementedError


def saved(watch: Watch, now: datetime) -> Message:
    """After it was saved."""
    raise NotImplementedError


def removed(watches: Sequence[Watch]) -> Message:
    """After `unwatch`."""
    raise NotImplementedError


def listing(watches: Sequence[Watch], now: datetime) -> Message:
    """The channel's watches with their next time, and buttons for now and unwatch."""
    raise NotImplementedError
