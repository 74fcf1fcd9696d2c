"""The state of the cloud: what exists in the tenant, made from the world's `azure` section."""

import base64
import hashlib
import hmac
import secrets
import string
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sandbox.azure.environments import ENVIRONMENTS, PUBLIC, Environment
from sandbox.azure.errors import ArmError
from sandbox.azure.governance import DenyAssignment, Governance, Lock, Policy
from sandbox.azure.images import ImageStore, sample_image, split_reference

CLUSTER_SILENCE = timedelta(minutes=15)
"""A connected cluster is Offline this long after its last heartbeat (Microsoft Learn, Arc agent overview)."""
REGISTRY_SILENCE = timedelta(minutes=5)
"""A connected registry is Offline this long after the last contact of its runtime."""
PROTECTED_SETTINGS_LIFE = timedelta(hours=48)
"""How long undelivered protected settings are kept (Microsoft Learn, cluster extensions)."""

LETTERS = string.ascii_letters + string.digits
ProvisioningState = Literal["Creating", "Updating", "Deleting", "Succeeded", "Failed", "Canceled"]
SYSTEM_SCOPE_MAPS = {
    "_repositories_admin": ("content/read", "content/write", "content/delete", "metadata/read", "metadata/write"),
    "_repositories_pull": ("content/read",),
    "_repositories_pull_metadata_read": ("content/read", "metadata/read"),
    "_repositories_push": ("content/read", "content/write"),
    "_repositories_push_metadata_write": ("content/read", "content/write", "metadata/read", "metadata/write"),
}


def stamp(moment: datetime | None) -> str | None:
    """A moment as ARM writes it; None stays None."""
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None


@dataclass(frozen=True)
class Principal:
    """A service principal: an application of the tenant that may log in."""

    client_id: str
    client_secret: str
    name: str
    oid: str
    role: str = "Contributor"
    actions: tuple[str, ...] = ()
    """A custom role's actions, in place of `role`."""
    denied_actions: tuple[str, ...] = ()
    federated_subjects: tuple[str, ...] = ()
    """Subjects whose assertions are accepted, in this very case."""


@dataclass
class Origin:
    """Who made a resource and who changed it last (`systemData`)."""

    created_by: str
    created_at: datetime
    modified_by: str
    modified_at: datetime

    @classmethod
    def now(cls, by: str, at: datetime) -> "Origin":
        """The origin of a resource that was created just now."""
        return cls(by, at, by, at)

    def change(self, by: str, at: datetime) -> None:
        """Note a change."""
        self.modified_by, self.modified_at = by, at

    def body(self) -> dict[str, Any]:
        """As `systemData`."""
        return {
            "createdBy": self.created_by,
            "createdByType": "Application",
            "createdAt": stamp(self.created_at),
            "lastModifiedBy": self.modified_by,
            "lastModifiedByType": "Application",
            "lastModifiedAt": stamp(self.modified_at),
        }


@dataclass
class ResourceGroup:
    """A resource group."""

    name: str
    location: str
    tags: dict[str, str] = field(default_factory=dict)


@dataclass
class ScopeMap:
    """A named list of repository and gateway actions."""

    name: str
    actions: list[str]
    created: datetime
    origin: Origin
    description: str = ""
    built_in: bool = False
    state: ProvisioningState = "Succeeded"


@dataclass
class Password:
    """One of a token's two slots; the value itself is not kept."""

    name: str
    created: datetime
    expiry: datetime | None
    salt: bytes
    digest: bytes

    @classmethod
    def mint(cls, name: str, now: datetime, expiry: datetime | None) -> tuple["Password", str]:
        """A new password and its value, which is shown only once."""
        value = secret()
        salt = secrets.token_bytes(16)
        return cls(name, now, expiry, salt, _hashed(salt, value)), value

    def matches(self, value: str, now: datetime) -> bool:
        """Whether this value is valid at this moment."""
        return hmac.compare_digest(self.digest, _hashed(self.salt, value)) and (
            self.expiry is None or now < self.expiry
        )


def secret() -> str:
    """Letters and digits only, so that it needs no quoting in shells and connection strings."""
    return "".join(secrets.choice(LETTERS) for _ in range(52))


def _hashed(salt: bytes, value: str) -> bytes:
    return hashlib.sha256(salt + value.encode()).digest()


@dataclass
class Token:
    """A token of a registry: a name with up to two passwords, bound to a scope map."""

    name: str
    scope_map: str
    """Name of the scope map."""
    created: datetime
    origin: Origin
    status: str = "enabled"
    passwords: dict[str, Password] = field(default_factory=dict)
    state: ProvisioningState = "Succeeded"

    def opens(self, value: str, now: datetime) -> bool:
        """Whether this password logs the token in."""
        return self.status == "enabled" and any(held.matches(value, now) for held in self.passwords.values())


@dataclass
class SyncResult:
    """`registrySyncResult` of newer api-versions."""

    trigger: str = "InitialSync"
    state: str = "NotActivated"
    started: datetime | None = None
    ended: datetime | None = None
    succeeded: datetime | None = None

    def body(self) -> dict[str, Any]:
        """As ARM shows it."""
        return {
            "syncTrigger": self.trigger,
            "syncState": self.state,
            "lastSyncStartTime": stamp(self.started),
            "lastSyncEndTime": stamp(self.ended),
            "lastSuccessfulSyncEndTime": stamp(self.succeeded),
        }


@dataclass
class ConnectedRegistry:
    """The cloud's side of one connected registry."""

    name: str
    mode: str
    token: str
    """Name of the sync token; empty with a managed identity."""
    origin: Origin
    identity: dict[str, Any] | None = None
    """Its user-assigned identity as ARM shows it; with one it has no sync token."""
    parent: str | None = None
    """Name of the parent connected registry; None below the cloud registry."""
    schedule: str = "* * * * *"
    sync_window: str | None = None
    message_ttl: str = "P2D"
    client_tokens: list[str] = field(default_factory=list)
    notifications: list[str] = field(default_factory=list)
    log_level: str = "Information"
    audit_log: str = "Disabled"
    gc_enabled: bool = True
    gc_schedule: str = "0 0 * * *"
    state: ProvisioningState = "Succeeded"
    activation: str = "Inactive"
    instance: str | None = None
    """The on-premises instance that holds the activation."""
    connection_state: str = "Offline"
    """As last reported; `connection` is what the service shows."""
    heard_at: datetime | None = None
    """When its runtime was last in contact; None after it has signed off, or when the state was set by hand."""
    last_activity: datetime | None = None
    last_sync: datetime | None = None
    version: str | None = None
    login_server: dict[str, Any] = field(default_factory=dict)
    status_details: list[dict[str, Any]] = field(default_factory=list)
    sync_result: SyncResult = field(default_factory=SyncResult)
    resync: bool = False
    """Whether a full sync was requested that the runtime has not done yet."""
    follow: Callable[[datetime], None] | None = field(default=None, repr=False)
    """Where no runtime reports: updates the state to a moment; called before it is shown."""

    def bring_up(self, now: datetime) -> None:
        """Update the state to this moment."""
        if self.follow is not None:
            self.follow(now)

    def connection(self, now: datetime) -> str:
        """The connection state: as reported, or Offline when the runtime has been silent too long."""
        if self.heard_at is not None and now - self.heard_at >= REGISTRY_SILENCE:
            return "Offline"
        return self.connection_state

    def deactivate(self) -> None:
        """Free the activation; the running instance can no longer sync."""
        self.activation, self.instance = "Inactive", None
        self.connection_state, self.heard_at = "Offline", None
        self.version, self.login_server, self.status_details = None, {}, []
        self.sync_result = SyncResult()


@dataclass
class Registry:
    """A container registry with everything below it."""

    name: str
    group: str
    location: str
    sku: str
    created: datetime
    origin: Origin
    data_endpoint: bool = False
    admin_user: bool = False
    admin_passwords: list[str] = field(default_factory=lambda: [secret(), secret()])
    settings: dict[str, Any] = field(default_factory=dict)
    """Further properties as they were put (network rules, policies, role assignment mode)."""
    tags: dict[str, str] = field(default_factory=dict)
    identity: dict[str, Any] | None = None
    state: ProvisioningState = "Succeeded"
    login_server: str = ""
    suffix: str = "azurecr.io"
    label: str = ""
    """`-` and the hash of its domain name label; empty without one."""
    replications: dict[str, str] = field(default_factory=dict)
    """Regions beside its own to which it is replicated, by the names of the replications."""
    scope_maps: dict[str, ScopeMap] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    connected: dict[str, ConnectedRegistry] = field(default_factory=dict)
    images: ImageStore = field(default_factory=ImageStore)
    trouble: Callable[[datetime], ArmError | None] | None = field(default=None, repr=False)
    """Returns the error with which the service answers requests about it at a moment; None if there is none."""

    def __post_init__(self) -> None:
        for name, actions in SYSTEM_SCOPE_MAPS.items():
            wide = [f"repositories/*/{action}" for action in actions]
            self.scope_maps[name] = ScopeMap(name, wide, self.created, self.origin, built_in=True)

    @property
    def host(self) -> str:
        """The name that the service would give it."""
        return f"{self.name.lower()}{self.label}.{self.suffix}"

    @property
    def gateway(self) -> str:
        """The name of its dedicated data endpoint, where connected registries report."""
        return f"{self.name.lower()}{self.label}.{self.location}.data.{self.suffix}"

    def actions(self, token: Token) -> list[str]:
        """What a token may do; nothing when its scope map is gone."""
        scope_map = self.scope_maps.get(token.scope_map.lower())
        return scope_map.actions if scope_map else []


@dataclass
class Extension:
    """A cluster extension as ARM keeps it."""

    name: str
    extension_type: str
    origin: Origin
    generation: int
    auto_upgrade: bool = True
    release_train: str = "Stable"
    version: str | None = None
    current_version: str | None = None
    release_namespace: str | None = None
    target_namespace: str | None = None
    settings: dict[str, str] = field(default_factory=dict)
    protected: dict[str, str] = field(default_factory=dict)
    principal: str | None = None
    state: ProvisioningState = "Creating"
    statuses: list[dict[str, Any]] = field(default_factory=list)
    error: dict[str, Any] | None = None
    operation: str | None = None
    """Id of the operation of the current generation."""
    delivered: bool = False
    """Whether the agent has received the current generation."""


@dataclass
class Cluster:
    """An Arc-connected cluster."""

    name: str
    group: str
    location: str
    agent_key: str
    last_heard: datetime
    origin: Origin
    kube: str | None = None
    """Name of the world's Kubernetes cluster; with None no agent will connect, and extensions finish on their own."""
    principal: str = field(default_factory=lambda: str(uuid.uuid4()))
    kubernetes_version: str = "1.33.4"
    nodes: int = 1
    agent_version: str = "1.29.3"
    status: str | None = None
    """Connectivity status set by hand; None lets the heartbeats decide."""
    unattended: bool = False
    """Whether no agent has reported yet. Until one does, extensions finish on their own."""
    extensions: dict[str, Extension] = field(default_factory=dict)
    leaving: list[Extension] = field(default_factory=list)
    """Extensions gone from ARM of which the agent has not yet reported `Deleted`."""
    generations: int = 0
    follow: Callable[[datetime], None] | None = field(default=None, repr=False)
    """Where no agent reports: updates `last_heard` to a moment; called before it is shown."""

    def connectivity(self, now: datetime) -> str:
        """Connected, Offline or what was set by hand."""
        if self.follow is not None:
            self.follow(now)
        if self.status is not None:
            return self.status
        silent = (self.has_agent or self.follow is not None) and now - self.last_heard >= CLUSTER_SILENCE
        return "Offline" if silent else "Connected"

    @property
    def has_agent(self) -> bool:
        """Whether an agent at the edge installs the extensions."""
        return self.kube is not None and not self.unattended

    def next_generation(self) -> int:
        """Generations only grow, over all extensions of the cluster."""
        self.generations += 1
        return self.generations


@dataclass
class Cloud:
    """One tenant with one subscription. All keys are lower case, because ARM ignores case."""

    tenant: str
    subscription: str
    subscription_name: str
    principals: dict[str, Principal]
    groups: dict[str, ResourceGroup] = field(default_factory=dict)
    providers: dict[str, str] = field(default_factory=dict)
    """Registration states by namespace; one that is absent is NotRegistered."""
    registries: dict[str, Registry] = field(default_factory=dict)
    """By name, which is unique in the whole cloud."""
    clusters: dict[tuple[str, str], Cluster] = field(default_factory=dict)
    managed_clusters: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    public_images: dict[str, frozenset[str]] = field(default_factory=dict)
    offers: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Api-versions that a resource type was told to offer, by its full name; the others offer the usual ones."""
    governance: Governance = field(default_factory=Governance)
    taken_names: frozenset[str] = frozenset()
    """Names of registries that belong to other people; a registry's name is unique in the world."""
    visible_after: float = 0
    """Seconds until what was made can be read."""
    environment: Environment = PUBLIC
    page_size: int = 100
    """Connected registries on a page of their list."""
    minted: set[str] = field(default_factory=set)
    """Passwords of tokens in clear, for tests that look for them where they must not be."""

    def group(self, name: str) -> ResourceGroup | None:
        """The resource group of that name."""
        return self.groups.get(name.lower())

    def registry(self, group: str, name: str) -> Registry | None:
        """The registry of that name, when it lies in this group."""
        registry = self.registries.get(name.lower())
        return registry if registry and registry.group.lower() == group.lower() else None

    def registry_at(self, host: str) -> Registry | None:
        """The registry whose login server or data endpoint this host name is."""
        name = host.lower().partition(".")[0].partition("-")[0]
        registry = self.registries.get(name)
        return registry if registry and host.lower() in (registry.host, registry.gateway) else None

    def scope(self, name: str) -> str | None:
        """The ARM id of `subscription`, or of a group, registry or cluster by name; ids stay as they are."""
        subscription = f"/subscriptions/{self.subscription}"
        if name.startswith("/") or name.lower() == "subscription":
            return name.rstrip("/") if name.startswith("/") else subscription
        if group := self.group(name):
            return f"{subscription}/resourceGroups/{group.name}"
        if registry := self.registries.get(name.lower()):
            return self.registry_id(registry)
        return next((self.cluster_id(one) for one in self.clusters.values() if one.name.lower() == name.lower()), None)

    def cluster(self, group: str, name: str) -> Cluster | None:
        """The connected cluster of that name in this group."""
        return self.clusters.get((group.lower(), name.lower()))

    def cluster_id(self, cluster: Cluster) -> str:
        """Its ARM id."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{cluster.group}"
            f"/providers/Microsoft.Kubernetes/connectedClusters/{cluster.name}"
        )

    def registry_id(self, registry: Registry) -> str:
        """Its ARM id."""
        return (
            f"/subscriptions/{self.subscription}/resourceGroups/{registry.group}"
            f"/providers/Microsoft.ContainerRegistry/registries/{registry.name}"
        )


def from_world(section: dict[str, Any], now: datetime) -> Cloud:
    """The cloud as described by the world's `azure` section."""
    subscription = section["subscription"]
    principals = [_principal(entry) for entry in section["principals"]]
    environment = ENVIRONMENTS[section.get("cloud", PUBLIC.name)]
    cloud = Cloud(
        environment=environment,
        tenant=str(section["tenant"]).lower(),
        subscription=str(subscription["id"]).lower(),
        subscription_name=subscription.get("name", "Sandbox"),
        page_size=int(section.get("page_size", 100)),
        principals={principal.client_id: principal for principal in principals},
    )
    for entry in section.get("resource_groups", ()):
        cloud.groups[entry["name"].lower()] = ResourceGroup(
            entry["name"], environment.place(entry.get("location", "westeurope"))
        )
    cloud.providers = {name.lower(): state for name, state in section.get("providers", {}).items()}
    cloud.public_images = {
        host.lower(): frozenset(references) for host, references in section.get("public_images", {}).items()
    }
    origin = Origin.now(principals[0].client_id, now)
    for entry in section.get("registries", ()):
        registry = _registry(entry, environment, origin, now)
        label_scope = registry.settings.get("autoGeneratedDomainNameLabelScope", "")
        registry.label = domain_label(cloud, registry.group, registry.name, label_scope)
        cloud.registries[registry.name.lower()] = registry
    for entry in section.get("connected_clusters", ()):
        cluster = _cluster(entry, environment, origin, now)
        cloud.clusters[cluster.group.lower(), cluster.name.lower()] = cluster
    for entry in section.get("managed_clusters", ()):
        cloud.managed_clusters[entry["resource_group"].lower(), entry["name"].lower()] = entry
    cloud.taken_names = frozenset(name.lower() for name in section.get("taken_names", ()))
    cloud.visible_after = float(section.get("visible_after", 0))
    cloud.governance = _governance(cloud, section)
    return cloud


def _governance(cloud: Cloud, section: dict[str, Any]) -> Governance:
    governance = Governance(subscription_state=section["subscription"].get("state", "Enabled"))
    for entry in section.get("locks", ()):
        governance.locks[entry["name"]] = Lock(**entry | {"scope": _scope(cloud, entry)})
    for entry in section.get("deny_assignments", ()):
        actions = {"actions": tuple(entry["actions"])} if "actions" in entry else {}
        governance.deny_assignments[entry["name"]] = DenyAssignment(entry["name"], _scope(cloud, entry), **actions)
    for entry in section.get("policies", ()):
        lists = {key: tuple(entry[key]) for key in ("types", "allowed_locations") if key in entry}
        governance.policies[entry["name"]] = Policy(**entry | {"scope": _scope(cloud, entry)} | lists)
    return governance


def _scope(cloud: Cloud, entry: dict[str, Any]) -> str:
    scope = cloud.scope(entry.get("scope", "subscription"))
    if scope is None:
        raise ValueError(f"{entry['name']}: scope {entry['scope']!r} is no id and no name of this world")
    return scope


def domain_label(cloud: Cloud, group: str, name: str, scope: str) -> str:
    """What a domain name label adds to a registry's name: `-` and a hash of everything within which it is reused."""
    places = {
        "tenantreuse": (cloud.tenant,),
        "subscriptionreuse": (cloud.subscription,),
        "resourcegroupreuse": (cloud.subscription, group.lower()),
        "noreuse": (str(uuid.uuid4()),),
    }
    if scope.lower() not in places:
        return ""
    digest = hashlib.sha256("/".join((*places[scope.lower()], name.lower())).encode()).digest()
    return "-" + base64.b32encode(digest).decode().lower().translate(str.maketrans("234567", "abcdef"))[:16]


def _principal(entry: dict[str, Any]) -> Principal:
    client_id = str(entry["client_id"]).lower()
    return Principal(
        client_id=client_id,
        client_secret=entry.get("client_secret", ""),
        name=entry.get("name", client_id),
        oid=entry.get("oid", str(uuid.uuid5(uuid.NAMESPACE_URL, client_id))),
        role=entry.get("role", "Contributor"),
        actions=tuple(entry.get("actions", ())),
        denied_actions=tuple(entry.get("denied_actions", ())),
        federated_subjects=tuple(entry.get("federated_subjects", ())),
    )


def _registry(entry: dict[str, Any], environment: Environment, origin: Origin, now: datetime) -> Registry:
    registry = Registry(
        name=entry["name"],
        group=entry["resource_group"],
        location=environment.place(entry.get("location", "westeurope")),
        sku=entry.get("sku", "Premium"),
        created=now,
        origin=origin,
        suffix=environment.suffix,
        data_endpoint=entry.get("data_endpoint", False),
        admin_user=entry.get("admin_user", False),
    )
    if scope := entry.get("domain_name_label_scope"):
        registry.settings["autoGeneratedDomainNameLabelScope"] = scope
    for reference in entry.get("images", ()):
        repository, tag = split_reference(reference)
        registry.images.put(repository, tag, sample_image(reference), now)
    return registry


def _cluster(entry: dict[str, Any], environment: Environment, origin: Origin, now: datetime) -> Cluster:
    return Cluster(
        name=entry["name"],
        group=entry["resource_group"],
        location=environment.place(entry.get("location", "westeurope")),
        agent_key=entry.get("agent_key", "sandbox-agent-key"),
        last_heard=now,
        origin=origin,
        kube=entry.get("kube"),
        unattended=entry.get("unattended", False),
        status=entry.get("connectivity_status"),
    )
