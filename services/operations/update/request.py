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
    """What is to change; None stays as it is.

    `notifications` replace the whole list, and an empty tuple clears it. Client tokens are named, and those that nobody
    names stay in the list.
    """

    schedule: str | None = None
    window: timedelta | None = None
    message_ttl: timedelta | None = None
    log_level: str | None = None
    notifications: tuple[str, ...] | None = None
    gc_enabled: bool | None = None
    gc_schedule: str | None = None
    audit_logs: bool | None = None
    add_client_tokens: tuple[str, ...] = ()
    remove_client_tokens: tuple[str, ...] = ()


@dataclass(frozen=True)
class UpdateRequest:
    """A connected registry, and the settings that it is to have."""

    name: str
    options: UpdateOptions


class Code(StrEnum):
    """All words that a finding can be. `handlers.views.procedures.update` has their sentences."""

    WINDOW_MISSING = auto()
    NOT_IN_CONTACT = auto()
    NEXT_CONTACT = auto()
    CLIENT_TOKENS_EXIST = auto()
    CLIENT_TOKENS_ABSENT = auto()
    CLIENT_TOKENS_DISABLED = auto()
    CLIENT_TOKENS_TOO_MANY = auto()
    WORKLOADS_LOSE = auto()
    NO_WORKLOAD_LOSES = auto()


class Cause(StrEnum):
    """A change's own causes of failure."""

    NOT_TAKEN = auto()


def update_request(_site: Site, name: str, options: UpdateOptions) -> UpdateRequest:
    """Raises `Invalid` for a value that breaks a rule, and when nothing is to change."""
    if options == UpdateOptions():
        raise Invalid("schedule", "", "update.nothing")
    if options.schedule is not None:
        valid_schedule(options.schedule)
    if options.gc_schedule is not None:
        valid_schedule(options.gc_schedule, "gc_schedule")
    if options.window is not None:
        valid_window(options.window)
    if options.message_ttl is not None:
        valid_message_ttl(options.message_ttl)
    for pattern in options.notifications or ():
        if not NOTIFICATION.fullmatch(pattern):
            raise Invalid("notification", pattern, "notification.pattern")
    removed = {token.casefold() for token in options.remove_client_tokens}
    if both := next((token for token in options.add_client_tokens if token.casefold() in removed), None):
        raise Invalid("add_client_token", both, "client_token.both")
    return UpdateRequest(name, options)
