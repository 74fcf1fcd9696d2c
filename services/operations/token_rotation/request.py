"""What a rotation is asked to do, and all words for what it sees and why it fails."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto

from services.operations.connection_string import Protocol
from services.policy.sites import Site


@dataclass(frozen=True)
class RotationOptions:
    """`expires` is when the new password ends by itself; None: never. `parent_protocol` as in `RotationRequest`."""

    expires: datetime | None = None
    parent_protocol: Protocol | None = None


@dataclass(frozen=True)
class RotationRequest:
    """A connected registry whose sync token gets a new password."""

    name: str
    expires: datetime | None
    parent_protocol: Protocol | None = None
    """By which it reaches the connected registry above it; None: nobody has said."""


@dataclass(frozen=True)
class InContact:
    """The runtime made contact after it was looked at; `last_activity` by Azure's clock."""

    last_activity: datetime


class Code(StrEnum):
    """All words that a finding can be. `handlers.views.procedures.token_rotation` has their sentences."""

    MANAGED_IDENTITY = auto()
    NOT_ACTIVATED = auto()
    GATEWAY_UNKNOWN = auto()
    IN_CONTACT = auto()
    BY_SCHEDULE = auto()
    OFFLINE = auto()

    TOKEN_FOUND = auto()
    TOKEN_ABSENT = auto()
    TOKEN_DISABLED = auto()
    TOKEN_SHARED = auto()
    SLOT_IDLE = auto()
    SLOTS_FULL = auto()

    EXTENSION_FOUND = auto()
    EXTENSION_ABSENT = auto()
    EXTENSION_BUSY = auto()
    EXTENSION_FAILED = auto()
    OTHER_SECRETS = auto()


class Cause(StrEnum):
    """A rotation's own causes of failure."""

    UPDATE_FAILED = auto()
    NO_CONTACT = auto()
    PASSWORD_REPLACED = auto()
    CUT_OFF = auto()


def rotation_request(_site: Site, name: str, options: RotationOptions) -> RotationRequest:
    """Of this registry; whether it exists is for the checks to see."""
    return RotationRequest(name, options.expires, options.parent_protocol)
