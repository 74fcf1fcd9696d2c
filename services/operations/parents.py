"""The way from a connected registry to the one that it syncs through, as its connection string names it.

Azure shows the endpoint and not the protocol, so whoever asks for a new connection string has to name that (azure-cli:
`az acr connected-registry get-settings --parent-protocol`).
"""

from enum import StrEnum, auto

from services.model.azure import ConnectedRegistry
from services.model.plan import Finding
from services.operations.checks import blocker, ok, warning
from services.operations.connection_string import Protocol


class ParentCode(StrEnum):
    """Findings of `way_to_parent`. `handlers.views.procedures.words` has their sentences."""

    PARENT_PROTOCOL_UNKNOWN = auto()
    PARENT_REACHED = auto()
    PARENT_PLAIN_HTTP = auto()
    PARENT_ENDPOINT_UNKNOWN = auto()
    PARENT_IS_CLOUD = auto()


def way_to_parent(registry: ConnectedRegistry, protocol: Protocol | None) -> Finding | None:
    """Whether a new connection string can name its parent. The cloud registry is reached by HTTPS alone."""
    if not registry.parent:
        return blocker(ParentCode.PARENT_IS_CLOUD) if protocol == "http" else None
    facts = {"parent": registry.parent, "endpoint": registry.gateway_endpoint, "protocol": protocol}
    if protocol is None:
        return blocker(ParentCode.PARENT_PROTOCOL_UNKNOWN, **facts)
    if not registry.gateway_endpoint:
        return blocker(ParentCode.PARENT_ENDPOINT_UNKNOWN, **facts)
    if protocol == "http":
        return warning(ParentCode.PARENT_PLAIN_HTTP, **facts)
    return ok(ParentCode.PARENT_REACHED, **facts)


def parent_params(registry: ConnectedRegistry, protocol: Protocol | None) -> dict[str, object]:
    """The parameters of a step that sends a connection string; none below the cloud registry."""
    return {"parent_protocol": protocol} if registry.parent and protocol else {}
