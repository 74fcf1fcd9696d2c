"""The map of everything outside: what the rules ask of Azure, Kubernetes and Slack.

Implemented in `services.azure`, `services.kube` and `bot`. Every call has a deadline and raises only `services.errors`:
`Unreachable` for what could not be asked, `NotAllowed` for a right that the bot's identity lacks.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from services.secret import Secret
from services.values import (
    AcrRef,
    ArcCluster,
    ClusterRef,
    ConnectedRegistry,
    Extension,
    Node,
    Pending,
    Registry,
    Runtime,
    ScopeMap,
    ServiceRanges,
    StorageClass,
    Token,
)

# --- Azure ----------------------------------------------------------------------------------------------------------


class Providers(Protocol):
    """Resource providers of a subscription."""

    async def states(self, subscription: str, namespaces: Sequence[str]) -> Mapping[str, str]:
        """By namespace `Registered`, `Registering`, `NotRegistered` or `Unregistered`; in one request."""

    async def register(self, subscription: str, namespace: str) -> str:
        """Ask for registration; the state that the service answers with. Idempotent."""


class Registries(Protocol):
    """Cloud registries."""

    async def get(self, acr: AcrRef) -> Registry:
        """Raises `Absent`."""

    async def create(self, acr: AcrRef, location: str) -> Pending:
        """Create a Premium registry with its data endpoint on and the admin user off. Idempotent."""

    async def enable_data_endpoint(self, acr: AcrRef) -> Pending:
        """Idempotent."""

    async def import_image(self, acr: AcrRef, source: str, image: str) -> Pending:
        """Import `source` (`mcr.microsoft.com/hello-world:latest`) as `image` (`hello-world:latest`).

        Never overwrites: raises `Conflict` when the tag exists.
        """


class ScopeMaps(Protocol):
    """Scope maps of a cloud registry."""

    async def get(self, acr: AcrRef, name: str) -> ScopeMap:
        """Raises `Absent`."""

    async def put(self, acr: AcrRef, name: str, actions: Sequence[str], description: str) -> Pending:
        """Create or overwrite."""


class Tokens(Protocol):
    """Tokens of a cloud registry."""

    async def get(self, acr: AcrRef, name: str) -> Token:
        """Raises `Absent`."""

    async def put(self, acr: AcrRef, name: str, scope_map_id: str) -> Pending:
        """Create, or point to another scope map; enabled."""

    async def generate_password(self, acr: AcrRef, token_id: str, slot: str) -> Secret:
        """A new password in `slot` (`password1` or `password2`); the slot's earlier one stops working."""


class ConnectedRegistries(Protocol):
    """Connected registries of a cloud registry."""

    async def get(self, acr: AcrRef, name: str) -> ConnectedRegistry:
        """Raises `Absent`."""

    async def list(self, acr: AcrRef) -> tuple[ConnectedRegistry, ...]:
        """All of them, parents before children as the service lists them."""

    async def create(
        self,
        acr: AcrRef,
        name: str,
        *,
        token_id: str,
        mode: str,
        schedule: str,
        window: timedelta | None,
        message_ttl: timedelta,
        log_level: str,
    ) -> Pending:
        """Create it under the cloud registry. Idempotent with equal values."""


class Extensions(Protocol):
    """Arc extensions of a connected cluster."""

    async def list(self, cluster: ClusterRef) -> tuple[Extension, ...]:
        """All of them."""

    async def get(self, cluster: ClusterRef, name: str) -> Extension:
        """Raises `Absent`."""

    async def create(
        self,
        cluster: ClusterRef,
        name: str,
        *,
        settings: Mapping[str, str],
        protected: Mapping[str, Secret],
        release_train: str | None,
        version: str | None,
    ) -> Pending:
        """PUT a `microsoft.containerregistry.connectedregistry` extension with a system-assigned identity."""


class Clusters(Protocol):
    """Arc-enabled clusters."""

    async def get(self, cluster: ClusterRef) -> ArcCluster:
        """Raises `Absent`."""


class ArmOperations(Protocol):
    """Asynchronous operations."""

    async def poll(self, pending: Pending) -> Pending:
        """Ask once. A `done` one comes back when it succeeded; raises `Refused` when it failed."""


@dataclass(frozen=True)
class Azure:
    """Everything that the rules ask of Azure."""

    providers: Providers
    registries: Registries
    scope_maps: ScopeMaps
    tokens: Tokens
    connected: ConnectedRegistries
    extensions: Extensions
    clusters: Clusters
    operations: ArmOperations


# --- Kubernetes -----------------------------------------------------------------------------------------------------


class Cluster(Protocol):
    """One cluster, by its Kubernetes API."""

    async def version(self) -> str:
        """Of the API server, such as `v1.33.4`."""

    async def nodes(self) -> tuple[Node, ...]:
        """All nodes."""

    async def storage_classes(self) -> tuple[StorageClass, ...]:
        """All storage classes."""

    async def namespace_phase(self, name: str) -> str:
        """`Active`, `Terminating`, or empty when there is none."""

    async def has_cert_manager(self) -> bool:
        """Whether cert-manager is installed in this cluster by whomever (its CRDs, or its Deployment)."""

    async def service_ranges(self, hold_namespace: str = "default") -> ServiceRanges:
        """Ready ServiceCIDRs and addresses in use; older clusters: what a refusal names and Services use."""

    async def missing_rights(self, hold_namespace: str = "default") -> tuple[str, ...]:
        """Rights that a deployment needs and this identity lacks, as `create services in default`."""

    async def hold_address(self, address: str, namespace: str, operation: str) -> None:
        """Create the placeholder Service that proves `address` free. Idempotent for one operation.

        Raises `AddressTaken` or `AddressOutside`.
        """

    async def release_addresses(self, namespace: str, operation: str) -> tuple[str, ...]:
        """Delete the operation's placeholder Services; the addresses that were held. Waits until they are gone."""

    async def runtime(self, namespace: str) -> Runtime:
        """What the cluster shows of the connected registry that lives in `namespace`."""


class Kubernetes(Protocol):
    """Access to all clusters."""

    async def cluster(self, kubeconfig: str, context: str) -> Cluster:
        """The cluster behind a kubeconfig's context (`kubeconfig` empty: the default locations, or in-cluster)."""
