"""What a removal is asked to do, and all words for what it sees and why it fails."""

from dataclasses import dataclass
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
class RemoveRequest:
    """A connected registry that is to go, with what belongs to it."""

    name: str
    options: RemoveOptions


class Code(StrEnum):
    """All words that a finding of a removal can be. `handlers.views.procedures.remove` has their sentences."""

    CONNECTED_FOUND = auto()
    CONNECTED_ABSENT = auto()
    CONNECTED_BUSY = auto()
    CONNECTED_STAYS = auto()
    CONNECTED_STAYS_ACTIVE = auto()

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
    DELETION_HELD = auto()
    EXTENSION_REPLACED = auto()


def remove_request(_site: Site, name: str, options: RemoveOptions) -> RemoveRequest:
    """Of this registry; what there is of it is for the checks to see."""
    return RemoveRequest(name, options)
