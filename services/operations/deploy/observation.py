"""What a deployment looks at before it decides, each question asked once, all at once, each with a deadline."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from services.model.azure import ArcCluster, ConnectedRegistry, Extension, Registry, ScopeMap, Token
from services.model.errors import DomainError
from services.model.kubernetes import Node, Runtime, ServiceRanges, StorageClass

T = TypeVar("T")


@dataclass(frozen=True)
class Seen(Generic[T]):
    """An answer."""

    value: T


@dataclass(frozen=True)
class Unasked:
    """No answer: the question could not be asked, and `error` says why. Never to be read as "no"."""

    error: DomainError


Answer = Seen[T] | Unasked


@dataclass(frozen=True)
class Observation:
    """The world around one connected registry's deployment to one site. None as a value means: there is none."""

    providers: Answer[Mapping[str, str]]
    registry: Answer[Registry | None]
    connected: Answer[tuple[ConnectedRegistry, ...]]
    scope_map: Answer[ScopeMap | None]
    token: Answer[Token | None]
    cluster: Answer[ArcCluster | None]
    extensions: Answer[tuple[Extension, ...]]
    kubernetes_version: Answer[str]
    nodes: Answer[tuple[Node, ...]]
    storage_classes: Answer[tuple[StorageClass, ...]]
    namespace_phase: Answer[str]
    cert_manager: Answer[bool]
    ranges: Answer[ServiceRanges]
    missing_rights: Answer[tuple[str, ...]]
    runtime: Answer[Runtime | None]
    """Only read when the namespace of the runtime exists."""
    leased: frozenset[str] = frozenset()
    """Service addresses that other operations at this cluster hold in the database."""
