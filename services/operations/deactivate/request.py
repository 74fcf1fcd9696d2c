"""What a deactivation is asked to do, and how it ends."""

from dataclasses import dataclass
from enum import StrEnum, auto

from services.policy.sites import Site


@dataclass(frozen=True)
class DeactivateOptions:
    """There is nothing to choose."""


@dataclass(frozen=True)
class DeactivateRequest:
    """A connected registry that is to give its activation up."""

    name: str


@dataclass(frozen=True)
class Deactivated:
    """The registry was shown as Inactive after Azure had accepted the deactivation."""


class Code(StrEnum):
    """All words that a finding of a deactivation can be. `handlers.views.procedures.deactivate` has their sentences."""

    ACTIVE = auto()
    INACTIVE_ALREADY = auto()
    EXTENSION_STAYS = auto()
    NO_EXTENSION = auto()
    CHILDREN_STOP = auto()


class Cause(StrEnum):
    """A deactivation's own causes of failure."""

    STILL_ACTIVE = auto()


def deactivate_request(_site: Site, name: str, _options: DeactivateOptions) -> DeactivateRequest:
    """Of this registry; whether it exists is for the checks to see."""
    return DeactivateRequest(name)
