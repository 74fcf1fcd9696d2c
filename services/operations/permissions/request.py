"""What a change of permissions is asked to do, and all words for what it sees."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum, auto

from services.model.errors import Invalid
from services.operations.sync_settings import valid_repository
from services.policy.sites import Site


@dataclass(frozen=True)
class PermissionsOptions:
    """The repositories that are to be synced, or no longer; only one of both holds any."""

    add: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class PermissionsRequest:
    """A connected registry, and the repositories that it gets or loses."""

    name: str
    add: tuple[str, ...]
    remove: tuple[str, ...]


@dataclass(frozen=True)
class EdgeSynced:
    """A sync has ended since the change."""

    last_sync: datetime


@dataclass(frozen=True)
class EdgeSilent:
    """The edge is not in contact, and learns of the change when it is."""

    state: str
    next_contact: datetime | None


class Code(StrEnum):
    """All words that a finding can be. `handlers.views.procedures.permissions` has their sentences."""

    MANAGED_IDENTITY = auto()
    SCOPE_MAP_ABSENT = auto()
    SCOPE_MAP_SYSTEM = auto()
    SCOPE_MAP_SHARED = auto()
    SCOPE_MAPS_FOUND = auto()
    PERMISSIONS_FIT = auto()
    PERMISSIONS_TOO_MANY = auto()

    REPOSITORIES_FOUND = auto()
    REPOSITORIES_EMPTY = auto()
    REPOSITORIES_EMPTY_FOR_NOW = auto()
    REPOSITORIES_ABSENT = auto()
    NOTHING_LEFT = auto()
    BELOW = auto()
    ANCESTORS_KEEP = auto()
    UNSYNCED_DATA = auto()
    CLIENTS_LOSE = auto()
    NO_CLIENT_LOSES = auto()
    WORKLOADS_LOSE = auto()
    NO_WORKLOAD_LOSES = auto()

    IN_CONTACT = auto()
    NOT_IN_CONTACT = auto()


def permissions_request(_site: Site, name: str, options: PermissionsOptions) -> PermissionsRequest:
    """Raises `Invalid` for what can't be a repository, and when none is named.

    One that is to go is only compared: the scope map may have a pattern that the bot would not write.
    """
    add = tuple(dict.fromkeys(map(valid_repository, options.add)))
    remove = tuple(dict.fromkeys(repository.lower() for repository in options.remove))
    if not add and not remove:
        raise Invalid("repository", "", "missing")
    return PermissionsRequest(name, add, remove)
