"""What a resync is asked to do, and all words for what it sees and why it fails."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto

from services.policy.sites import Site


@dataclass(frozen=True)
class ResyncOptions:
    """There is nothing to choose."""


@dataclass(frozen=True)
class ResyncRequest:
    """A connected registry that is to sync everything."""

    name: str


@dataclass(frozen=True)
class ResyncRequested:
    """Azure has taken the request; `before` is when the last sync had ended then."""

    before: datetime | None


@dataclass(frozen=True)
class Resynced:
    """The full sync has ended well."""

    ended: datetime | None


class Code(StrEnum):
    """All words that a finding can be. `handlers.views.procedures.resync` has their sentences."""

    NOT_OFFERED = auto()
    OFFERED = auto()
    NOT_ACTIVATED = auto()
    OFFLINE = auto()
    IN_CONTACT = auto()


class Cause(StrEnum):
    """A resync's own causes of failure."""

    NOT_ATTACHED = auto()
    SYNC_FAILED = auto()


def resync_request(_site: Site, name: str, _options: ResyncOptions) -> ResyncRequest:
    """Of this registry; whether it exists is for the checks to see."""
    return ResyncRequest(name)
