"""The vocabulary: values that travel between rooms. All frozen, all plain; times are aware and in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

# --- people and places in Slack -------------------------------------------------------------------------------------


# --- names of Azure resources ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class AcrRef:
    """The cloud registry."""

    subscription: str
    resource_group: str
    name: str

    @property
    def id(self) -> str:
        """The ARM id."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/Microsoft.ContainerRegistry/registries/{self.name}"

    def connected_id(self, name: str) -> str:
        """The ARM id of its connected registry `name`."""
        return f"{self.id}/connectedRegistries/{name}"


@dataclass(frozen=True)
class ClusterRef:
    """The Arc-enabled cluster."""

    subscription: str
    resource_group: str
    name: str

    @property
    def id(self) -> str:
        """The ARM id."""
        group = f"/subscriptions/{self.subscription}/resourceGroups/{self.resource_group}"
        return f"{group}/providers/Microsoft.Kubernetes/connectedClusters/{self.name}"


@dataclass(frozen=True)
class Lock:
    """A management lock. `scope` is the ARM id of what bears it, which need not be the resource that it is about."""

    scope: str
    level: Literal["ReadOnly", "CanNotDelete"]


@dataclass(frozen=True)
class Subscription:
    """A subscription that an identity can see."""

    id: str
    name: str


def resource_group(arm_id: str) -> str:
    """The resource group in an ARM id, as it is written there; empty where there is none."""
    return _segment_after("resourcegroups", arm_id)


def subscription(arm_id: str) -> str:
    """The subscription in an ARM id, as it is written there; empty where there is none."""
    return _segment_after("subscriptions", arm_id)


def _segment_after(word: str, arm_id: str) -> str:
    parts = arm_id.split("/")
    lower = [part.lower() for part in parts]
    return parts[lower.index(word) + 1] if word in lower[:-1] else ""


def resource_name(arm_id: str) -> str:
    """The name at the end of an ARM id, in lower case: ARM's names have no case. Empty for an empty id."""
    return arm_id.rpartition("/")[2].casefold()


# --- what Azure says ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Registry:
    """An Azure Container Registry."""

    id: str
    name: str
    location: str
    sku: str
    data_endpoint: bool
    login_server: str
    provisioning_state: str
    data_endpoint_hosts: tuple[str, ...] = ()
    public_network_access: str = ""
    """`Enabled` or `Disabled`."""
    default_action: str = ""
    """Of its network rules: `Allow`, or `Deny` for whoever is not listed; empty where it has none."""
    admin_user: bool = False


@dataclass(frozen=True)
class ScopeMap:
    """What a token may do. `actions` like `repositories/hello-world/content/read`, lower case, sorted."""

    id: str
    name: str
    actions: tuple[str, ...]
    provisioning_state: str = "Succeeded"
    system_defined: bool = False
    """Whether it is one of the service's own, such as `_repositories_pull`, which nobody can change or delete."""


@dataclass(frozen=True)
class Image:
    """What a tag of a repository stands for.

    `digest` is that of the index, or of the manifest where there is none; `platforms` are the manifests below the
    index (or that one manifest) by digest, each with its platform such as `linux/amd64`, empty where it names none.
    """

    digest: str
    platforms: Mapping[str, str]

    @property
    def digests(self) -> frozenset[str]:
        """Every digest under which a node may report that it has this image."""
        return frozenset({self.digest, *self.platforms})


@dataclass(frozen=True)
class PasswordSlot:
    """One of a token's two passwords: `password1` or `password2`. Its value is never readable again."""

    name: str
    created: datetime | None = None
    expires: datetime | None = None


@dataclass(frozen=True)
class Token:
    """A token of an Azure Container Registry; a sync token when a connected registry uses it."""

    id: str
    name: str
    scope_map_id: str
    enabled: bool
    passwords: tuple[PasswordSlot, ...] = ()
    provisioning_state: str = "Succeeded"


@dataclass(frozen=True)
class StatusDetail:
    """One complaint of a connected registry's runtime, such as `DiskError`."""

    type: str
    code: str
    description: str
    at: datetime | None = None
    correlation_id: str = ""
    available_gib: float | None = None
    total_gib: float | None = None
    """Of the disk; since 2026-09-01-preview, and None where the service does not say."""

    @property
    def is_of_disk(self) -> bool:
        """Whether the disk is the reason. Older runtimes had codes such as `DISK_STORAGE_FULL` (Azure/acr#534)."""
        return self.type.casefold() == "disk" or self.code.casefold().startswith("disk")


@dataclass(frozen=True)
class SyncResult:
    """How the last full sync went: `registrySyncResult`, since 2026-01-01-preview (SDK 15.1.0b1).

    `trigger` is `InitialSync`, `ManualResync`, `RecoveryService` or `SyncTokenUpdate`; `state` `NotActivated`,
    `Pending`, `Syncing`, `Succeeded`, `Failed` or `TimedOut`. `succeeded` is when the last good one ended.
    """

    trigger: str
    state: str
    succeeded: datetime | None = None

    @property
    def is_failure(self) -> bool:
        """Whether it brought not everything that it should."""
        return self.state.casefold() in {"failed", "timedout"}


@dataclass(frozen=True)
class ConnectedRegistry:
    """The edge copy, a child resource of the cloud registry.

    `mode` is `ReadOnly` or `ReadWrite`; `connection_state` `Online`, `Offline`, `Syncing` or `Unhealthy`; `activation`
    `Active` or `Inactive`; `schedule` a cron expression in UTC (`* * * * *` is continuous); `parent` the name of the
    parent connected registry, empty under the cloud registry.
    """

    id: str
    name: str
    mode: str
    connection_state: str
    activation: str
    provisioning_state: str
    token_id: str
    schedule: str
    window: timedelta | None
    message_ttl: timedelta | None
    parent: str = ""
    gateway_endpoint: str = ""
    login_server: str = ""
    version: str = ""
    last_sync: datetime | None = None
    last_activity: datetime | None = None
    client_token_ids: tuple[str, ...] = ()
    status_details: tuple[StatusDetail, ...] = ()
    log_level: str = ""
    audit_logs: bool | None = None
    """Whether it sends audit logs; None where the service does not say."""
    notifications: tuple[str, ...] = ()
    """Patterns such as `hello-world:push` of what it reports to Event Grid."""
    gc_enabled: bool | None = None
    """Whether its garbage collection is on; None where the service does not say."""
    gc_schedule: str = ""
    """When garbage is collected, a cron expression in UTC; empty where the service does not say."""
    sync_result: SyncResult | None = None
    """None where the api-version does not have it."""


@dataclass(frozen=True)
class ExtensionStatus:
    """One line of an extension's `statuses` or its `errorInfo`."""

    code: str
    message: str
    level: str = "Error"


@dataclass(frozen=True)
class Extension:
    """An Arc extension in a cluster. Of protected settings the service shows the keys alone: `secrets`."""

    id: str
    name: str
    type: str
    provisioning_state: str
    settings: Mapping[str, str] = field(default_factory=dict)
    release_namespace: str = ""
    release_train: str = ""
    version: str = ""
    problems: tuple[ExtensionStatus, ...] = ()
    """Its `errorInfo` and every status that is no mere information."""
    information: tuple[ExtensionStatus, ...] = ()
    """Its other statuses."""
    auto_upgrade: bool | None = None
    """Whether Azure installs newer minor versions by itself."""
    modified: datetime | None = None
    secrets: tuple[str, ...] = ()


@dataclass(frozen=True)
class ArcCluster:
    """A connected cluster.

    `connectivity` is `Connected`, `Connecting`, `Offline`, `Expired` or (api-version 2026-05-01) `AgentNotInstalled`.
    """

    id: str
    name: str
    location: str
    connectivity: str
    last_heartbeat: datetime | None = None
    kubernetes_version: str = ""
    distribution: str = ""
    agent_version: str = ""
    node_count: int | None = None
    certificate_expires: datetime | None = None
    """Of the agents' managed identity; they renew it while the cluster is connected."""


@dataclass(frozen=True)
class Pending:
    """An asynchronous ARM operation that can be followed from any process: plain strings, no secret.

    `url` is where its state is asked for (Azure-AsyncOperation or Location), empty when it was done at once; the signed
    URLs are several kB long and change with each answer. A deletion (`gone`) is over when its target is absent.
    """

    target: str
    url: str = ""
    kind: Literal["done", "status", "location", "gone"] = "done"
    correlation_id: str = ""
    retry_after: float = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the first answer told and later work needs, such as a connected registry's `gateway_endpoint`."""


# --- what Kubernetes says -------------------------------------------------------------------------------------------


# --- observation and findings ---------------------------------------------------------------------------------------


# --- plans ----------------------------------------------------------------------------------------------------------
