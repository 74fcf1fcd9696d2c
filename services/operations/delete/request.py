"""What a deletion is asked to do, and all words for what it sees."""

from dataclasses import dataclass
from enum import StrEnum, auto

from services.policy.sites import Site


@dataclass(frozen=True)
class DeleteOptions:
    """`cleanup`: its sync token and scope map go too, and the rights that name it in scope maps of those above."""

    cleanup: bool = False


@dataclass(frozen=True)
class DeleteRequest:
    """A connected registry that is to go."""

    name: str
    cleanup: bool


class Code(StrEnum):
    """All words that a finding can be. `handlers.views.procedures.delete` has their sentences."""

    CONNECTED_FOUND = auto()
    CONNECTED_ABSENT = auto()
    CONNECTED_BUSY = auto()
    CHILDREN = auto()
    EXTENSION_SERVES = auto()
    EXTENSION_UNCLEAR = auto()
    NO_EXTENSION = auto()
    IN_CONTACT = auto()
    SILENT_BY_SCHEDULE = auto()
    DEACTIVATED_FIRST = auto()
    UNSYNCED_DATA = auto()
    SYNC_ACCESS_STAYS = auto()
    TOKENS_IN_USE = auto()
    SCOPE_MAPS_IN_USE = auto()
    CLIENT_TOKENS_STAY = auto()
    ANCESTORS_KEEP = auto()


def delete_request(_site: Site, name: str, options: DeleteOptions) -> DeleteRequest:
    """Of this registry; what there is of it is for the checks to see."""
    return DeleteRequest(name, options.cleanup)
