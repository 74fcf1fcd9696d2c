"""The vocabulary: values that travel between rooms. All frozen, all plain; times are aware and in UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

# --- people and places in Slack -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Person:
    """Somebody in Slack, as the payload and `users.info` name them; ids decide, never names."""

    id: str
    name: str
    team: str
    groups: frozenset[str] = frozenset()
    """Ids and handles of the user groups they belong to."""
    is_guest: bool = False
    is_external: bool = False
    """Of another workspace (Slack Connect)."""
    tz: str = "UTC"


@dataclass(frozen=True)
class Place:
    """Where in Slack something was said."""

    team: str
    channel: str
    channel_name: str = ""
    is_shared: bool = False
    """Whether people of other organisations read this channel."""
    is_member: bool = True
    """Whether the bot is in this channel, so that it can post there."""


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


@dataclass(frozen=True)
class ScopeMap:
    """What a token may do. `actions` like `repositories/hello-world/content/read`, lower case, sorted."""

    id: str
    name: str
    actions: tuple[str, ...]
    provisioning_state: str = "Succeeded"


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


@dataclass(frozen=True)
class ExtensionStatus:
    """One line of an extension's `statuses` or its `errorInfo`."""

    code: str
    message: str
    level: str = "Error"


@dataclass(frozen=True)
class Extension:
    """An Arc extension in a cluster. Protected settings never come back from the service, so they are not here."""

    id: str
    name: str
    type: str
    provisioning_state: str
    settings: Mapping[str, str] = field(default_factory=dict)
    release_namespace: str = ""
    release_train: str = ""
    version: str = ""
    problems: tuple[ExtensionStatus, ...] = ()
    modified: datetime | None = None


@dataclass(frozen=True)
class ArcCluster:
    """A connected cluster. `connectivity` is `Connected`, `Connecting`, `Offline` or `Expired`."""

    id: str
    name: str
    location: str
    connectivity: str
    last_heartbeat: datetime | None = None
    kubernetes_version: str = ""
    distribution: str = ""


@dataclass(frozen=True)
class Pending:
    """An asynchronous ARM operation that can be followed from any process: plain strings, no secret.

    `url` is where its state is asked for (Azure-AsyncOperation or Location), empty when it was done at once; the signed
    URLs are several kB long and change with each answer.
    """

    target: str
    url: str = ""
    kind: Literal["done", "status", "location"] = "done"
    correlation_id: str = ""
    retry_after: float = 0
    facts: Mapping[str, str] = field(default_factory=dict)
    """What the first answer told and later work needs, such as a connected registry's `gateway_endpoint`."""


# --- what Kubernetes says -------------------------------------------------------------------------------------------


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
    pod_phase: str = ""
    waiting_reason: str = ""
    restarts: int = 0
    log: str = ""
    previous_log: str = ""
    warnings: tuple[str, ...] = ()


# --- observation and findings ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """The answer of one check. `code` is a word that the views know; `facts` fill in its sentence.

    `unknown` means that the question could not be asked (`facts["error"]` says why); it blocks only where the check
    says so.
    """

    check: str
    level: Literal["ok", "warning", "blocker", "unknown"]
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


# --- plans ----------------------------------------------------------------------------------------------------------

Effect = Literal["create", "change", "reuse", "delete", "verify", "hold"]


@dataclass(frozen=True)
class PlannedStep:
    """One line of a plan: which declared step (`services.steps`) with which parameters (JSON values, no secrets).

    `details` are facts for people: what is created, or old and new values of a change.
    """

    kind: str
    params: Mapping[str, object]
    effect: Effect
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def runs(self) -> bool:
        """Whether there is something to do; a reused thing is only shown."""
        return self.effect != "reuse"


@dataclass(frozen=True)
class Plan:
    """What an operation will do. `digest` is what approvers approve: over the steps and over what was observed."""

    steps: tuple[PlannedStep, ...]
    findings: tuple[Finding, ...]
    observed: Mapping[str, object]
    """What of the world the plan was made for, as flat facts (`registry.sku`: `Premium`), to tell what has changed."""
    digest: str
    made: datetime

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """What stands in the way."""
        return tuple(finding for finding in self.findings if finding.level == "blocker")
