"""What a change of settings is asked to do, and all words for what it sees and why it fails."""

import re
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum, auto

from services.model.errors import Invalid
from services.operations.sync_settings import valid_message_ttl, valid_schedule, valid_window
from services.policy.sites import Site

NOTIFICATION = re.compile(r"[^\s:@]+(:[^\s:@]+)?(@sha256:[0-9a-f]{64})?:(push|delete|\*)", re.IGNORECASE)
"""`name[:tag][@digest]:action` (REST reference, notificationsList)."""


@dataclass(frozen=True)
class UpdateOptions:
    """What is to change; None stays as it is. `notifications` replace the whole list, and an empty tuple clears it."""

    schedule: str | None = None
    window: timedelta | None = None
    message_ttl: timedelta | None = None
    log_level: str | None = None
    notifications: tuple[str, ...] | None = None


@dataclass(frozen=True)
class UpdateRequest:
    """A connected registry, and the settings that it is to have."""

    name: str
    options: UpdateOptions


class Code(StrEnum):
    """All words that a finding can be. `handlers.views.procedures.update` has their sentences."""

    CONNECTED_FOUND = auto()
    CONNECTED_ABSENT = auto()
    CONNECTED_BUSY = auto()
    WINDOW_MISSING = auto()
    NOT_IN_CONTACT = auto()
    NEXT_CONTACT = auto()
    ACTIONS_COMPLETE = auto()
    ACTIONS_MISSING = auto()


class Cause(StrEnum):
    """A change's own causes of failure."""

    NOT_TAKEN = auto()


def update_request(_site: Site, name: str, options: UpdateOptions) -> UpdateRequest:
    """Raises `Invalid` for a value that breaks a rule, and when nothing is to change."""
    if options == UpdateOptions():
        raise Invalid("schedule", "", "update.nothing")
    if options.schedule is not None:
        valid_schedule(options.schedule)
    if options.window is not None:
        valid_window(options.window)
    if options.message_ttl is not None:
        valid_message_ttl(options.message_ttl)
    for pattern in options.notifications or ():
        if not NOTIFICATION.fullmatch(pattern):
            raise Invalid("notification", pattern, "notification.pattern")
    return UpdateRequest(name, options)


def site_names(site: Site, request: UpdateRequest) -> dict[str, object]:
    """Facts for sentences and command lines."""
    return {**site.names, "name": request.name}
