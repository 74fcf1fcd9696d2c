"""What a cluster's Kubernetes API answers."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Node:
    """A node of a cluster."""

    name: str
    os: str
    architecture: str
    ready: bool


@dataclass(frozen=True)
class StorageClass:
    """A storage class."""

    name: str
    default: bool


@dataclass(frozen=True)
class ServiceRanges:
    """Where a cluster's Service addresses come from and which are in use.

    `source` says how this was learnt: `ServiceCIDR` objects, or the `refusal` of a create outside (older clusters; it
    names the first range only).
    """

    ranges: tuple[str, ...]
    used: frozenset[str]
    source: Literal["ServiceCIDR", "refusal"]


@dataclass(frozen=True)
class Runtime:
    """What a cluster shows of an installed connected registry, for verification and for the cause of a failure.

    `log` and `previous_log` are the last lines of the runtime's log (scrubbed of secrets), `warnings` the texts of
    warning events, newest last.
    """

    namespace_phase: str = ""
    deployment_available: bool = False
    service_addresses: tuple[str, ...] = ()
    volume_phase: str = ""
    volume_class: str = ""
    volume_request: str = ""
    pod_phase: str = ""
    waiting_reason: str = ""
    restarts: int = 0
    log: str = ""
    previous_log: str = ""
    warnings: tuple[str, ...] = ()
