"""What a removal is asked to do, and all words for what it sees and why it fails."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum, auto

from services.policy.sites import Site

NO_EXTENSION = "none"
"""Typed in place of an extension's name: none of the site's extensions is this connected registry's."""


@dataclass(frozen=True)
class RemoveOptions:
    """`extension` says whose the site's extension is, where that can't be seen: its name, or `NO_EXTENSION`.

    `without_cluster`: the cluster is gone for good, so nothing is asked of it and nothing is said about it.
    """

    extension: str = ""
    keep_client_tokens: bool = False
    without_cluster: bool = False


@dataclass(frozen=True)
class Creations:
    """What an operation has made, and what alone may go when it is rolled back.

    `created` names by kind of step what it created; `granted` and `revoked` are the actions that scope maps got from it
    and lost by it, by name.
    """

    created: Mapping[str, str]
    granted: Mapping[str, tuple[str, ...]]
    revoked: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class RemoveRequest:
    """A connected registry that is to go, with what belongs to it; or only the `creations` of one operation.

    `leaves_shared`: others may use what a rollback leaves. Of what is `uncertain` nobody knows whether it was made.
    """

    name: str
    options: RemoveOptions
    creations: Creations | None = None
    leaves_shared: bool = False
    uncertain: tuple[str, ...] = ()


@dataclass(frozen=True)
class RollbackOptions:
    """What the operation has made, by the names of its steps. Stored with the rollback.

    `created` names by kind of step what did not exist before; `granted` and `revoked` are the actions that scope maps
    got and lost, by name; of what is `uncertain` nobody knows whether the operation has made it.
    """

    operation: str
    created: Mapping[str, str] = field(default_factory=dict)
    granted: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    revoked: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    leaves_shared: bool = False
    uncertain: tuple[str, ...] = ()


class Code(StrEnum):
    """All words that a finding of a removal can be. `handlers.views.procedures.remove` has their sentences."""

    CONNECTED_FOUND = auto()
    CONNECTED_ABSENT = auto()
    CONNECTED_BUSY = auto()
    CONNECTED_STAYS = auto()
    CONNECTED_STAYS_ACTIVE = auto()

    STAYS = auto()
    RIGHTS_KEPT = auto()
    UNCERTAIN = auto()
    IN_USE = auto()
    CHILDREN = auto()
    UNSYNCED_DATA = auto()
    ACTIVE_ELSEWHERE = auto()

    EXTENSION_FOUND = auto()
    EXTENSION_ABSENT = auto()
    EXTENSION_OTHERS = auto()
    EXTENSION_UNCLEAR = auto()
    EXTENSION_CHOSEN_OTHERS = auto()
    EXTENSION_CHOSEN_ABSENT = auto()

    CLIENT_TOKENS = auto()
    CLIENT_TOKENS_KEPT = auto()
    TOKENS_IN_USE = auto()
    SCOPE_MAPS_IN_USE = auto()
    ANCESTORS_KEEP = auto()

    AGENTS_AWAY = auto()
    CLUSTER_LEFT_OUT = auto()
    KUBERNETES_REACHED = auto()
    RIGHTS_COMPLETE = auto()
    RIGHTS_MISSING = auto()
    OWN_WORKLOADS = auto()
    WORKLOADS = auto()
    NO_WORKLOADS = auto()


class Cause(StrEnum):
    """A removal's own causes of failure."""

    NAMESPACE_STAYS = auto()
    EXTENSION_REPLACED = auto()


def remove_request(_site: Site, name: str, options: RemoveOptions) -> RemoveRequest:
    """Of this registry; what there is of it is for the checks to see."""
    return RemoveRequest(name, options)
