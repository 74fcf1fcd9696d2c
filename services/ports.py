"""The map of everything outside: what the rules ask of Azure, Kubernetes and Slack.

Implemented in `services.gateways`, `services.store` and `bot`. Every call has a deadline and raises only
`services.model.errors`: `Unreachable` for what could not be asked, `NotAllowed` for a right that the bot lacks.
"""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from services.model.attachment import Attachment
from services.model.audit import AuditEntry, AuditRow, AuditSelection, ChainReport
from services.model.azure import (
    AcrRef,
    ArcCluster,
    ClusterRef,
    ConnectedRegistry,
    Extension,
    Image,
    Lock,
    Pending,
    Registry,
    ScopeMap,
    Token,
)
from services.model.contents import CloudTag, EdgeContents, EdgeQuestion
from services.model.kubernetes import (
    Certificate,
    DeployedWorkload,
    Node,
    PullSecret,
    Runtime,
    ServiceRanges,
    StorageClass,
    Workload,
    WorkloadSpec,
)
from services.model.people import Person
from services.model.secret import Secret
from services.model.watch import Watch
from services.policy.access import Policy
from services.policy.sites import GC_SCHEDULE, Site

# --- Azure ----------------------------------------------------------------------------------------------------------


class Providers(Protocol):
    """Resource providers of a subscription."""

    async def states(self, subscription: str, namespaces: Sequence[str]) -> Mapping[str, str]:
        """By namespace `Registered`, `Registering`, `NotRegistered` or `Unregistered`; in one request."""

    async def api_version(self, subscription: str, resource_type: str) -> str:
        """With which version requests for a resource type are sent (`Microsoft.Example/things`).

        Raises `VersionNotOffered` where the subscription's cloud offers none that the bot is tested with.
        """

    async def register(self, subscription: str, namespace: str) -> str:
        """Ask for registration; the state that the service answers with. Idempotent."""


class Registries(Protocol):
    """Cloud registries."""

    async def get(self, acr: AcrRef) -> Registry:
        """Raises `Absent`."""

    async def name_refusal(self, acr: AcrRef) -> str:
        """Why no registry can be created under this name, in the service's words; empty where one can.

        A name is unique in the whole cloud, whoever has it. Creates nothing.
        """

    async def create(self, acr: AcrRef, location: str) -> Pending:
        """Create a Premium registry with its data endpoint on and the admin user off. Idempotent."""

    async def enable_data_endpoint(self, acr: AcrRef) -> Pending:
        """Idempotent."""

    async def make_premium(self, acr: AcrRef) -> Pending:
        """Take it to the Premium tier. Idempotent."""

    async def delete(self, acr: AcrRef) -> Pending:
        """Delete it with everything in it. Idempotent; `done` when it does not exist."""

    async def owner(self, subscription: str, login_server: str) -> str:
        """The ARM id of the registry with this login server, if the bot sees it in the subscription; else empty."""

    async def import_image(
        self,
        acr: AcrRef,
        source: str,
        image: str,
        *,
        source_registry: str = "",
        credentials: tuple[str, Secret] | None = None,
    ) -> Pending:
        """Import `source` (`mcr.microsoft.com/hello-world:latest`) as `image` (`hello-world:latest`).

        From a private registry `source_registry` is its ARM id, and `source` has no host: the bot's own identity reads
        there. Or `credentials` are a name and a password of that registry. Never overwrites: raises `AlreadyExists`
        when the tag exists.
        """


class Images(Protocol):
    """Images in cloud registries."""

    async def get(self, acr: AcrRef, login_server: str, repository: str, reference: str) -> Image:
        """What a tag or digest stands for in a cloud registry, whose `login_server` is Azure's own word.

        Raises `Absent`: its code is `NAME_UNKNOWN` where there is no such repository.
        """

    async def any_tag(self, acr: AcrRef, login_server: str, repository: str) -> str:
        """The name of one of a repository's tags. Raises `Absent` where it has none, or there is no such repository."""

    async def tags(self, acr: AcrRef, login_server: str, repository: str) -> Mapping[str, CloudTag]:
        """All tags of a repository by name. Raises `Absent`, its code `NAME_UNKNOWN` where there is no repository."""

    async def tag(self, acr: AcrRef, login_server: str, repository: str, name: str) -> CloudTag:
        """One tag. Raises `Absent` where it has none of that name, or there is no such repository."""


class ScopeMaps(Protocol):
    """Scope maps of a cloud registry."""

    async def get(self, acr: AcrRef, name: str) -> ScopeMap:
        """Raises `Absent`."""

    async def put(self, acr: AcrRef, name: str, actions: Sequence[str], description: str) -> Pending:
        """Create or overwrite."""

    async def list(self, acr: AcrRef) -> tuple[ScopeMap, ...]:
        """All of them, the service's own ones too."""

    async def update(self, acr: AcrRef, name: str, actions: Sequence[str]) -> Pending:
        """Replace its actions and nothing else. Raises `Absent`."""

    async def delete(self, acr: AcrRef, name: str) -> Pending:
        """Idempotent; `done` when it does not exist. Tokens that have the scope map are left without any permission."""


class Tokens(Protocol):
    """Tokens of a cloud registry."""

    async def get(self, acr: AcrRef, name: str) -> Token:
        """Raises `Absent`."""

    async def list(self, acr: AcrRef) -> tuple[Token, ...]:
        """All of them."""

    async def put(self, acr: AcrRef, name: str, scope_map_id: str) -> Pending:
        """Create, or point to another scope map; enabled."""

    async def delete(self, acr: AcrRef, name: str) -> Pending:
        """Idempotent; `done` when it does not exist. Raises `Conflict` while a connected registry syncs with it."""

    async def generate_password(
        self, acr: AcrRef, token_id: str, slot: str, *, expires: datetime | None = None
    ) -> Secret:
        """A new password in `slot` (`password1` or `password2`); the slot's earlier one stops working."""

    async def end_password(self, acr: AcrRef, name: str, slot: str) -> Pending:
        """Let the password in `slot` stop working; the other one stays as it is. Idempotent. Raises `Absent`."""


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
        gc_enabled: bool = True,
        gc_schedule: str = GC_SCHEDULE,
        audit_logs: bool = False,
        parent: str = "",
    ) -> Pending:
        """Create it under the connected registry `parent`, by default under the cloud registry itself.

        Idempotent with equal values.
        """

    async def update(
        self,
        acr: AcrRef,
        name: str,
        *,
        schedule: str | None = None,
        window: timedelta | None = None,
        message_ttl: timedelta | None = None,
        log_level: str | None = None,
        notifications: Sequence[str] | None = None,
        gc_enabled: bool | None = None,
        gc_schedule: str | None = None,
        audit_logs: bool | None = None,
    ) -> Pending:
        """Change these settings and no others; None stays as it is. Idempotent.

        The edge learns of it with its next contact.
        """

    async def set_client_tokens(self, acr: AcrRef, name: str, token_ids: Sequence[str]) -> Pending:
        """Which client tokens (ARM ids) may pull from it: the whole list, which replaces the one before. Idempotent.

        The edge learns of it with its next sync.
        """

    async def deactivate(self, acr: AcrRef, name: str) -> Pending:
        """Free the activation; the instance that has it can no longer sync. Idempotent."""

    async def resync(self, acr: AcrRef, name: str) -> str:
        """Ask its runtime to sync everything once; the correlation id. Repeatable.

        Raises `Conflict` where no runtime is in contact, and `VersionNotOffered` where the cloud has no such action.
        """

    async def delete(self, acr: AcrRef, name: str) -> Pending:
        """Idempotent; `done` when it does not exist. Its sync token and scope map stay. Raises `Conflict`."""


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

    async def update(
        self,
        cluster: ClusterRef,
        name: str,
        *,
        settings: Mapping[str, str] | None = None,
        protected: Mapping[str, Secret] | None = None,
        release_train: str | None = None,
        version: str | None = None,
        auto_upgrade: bool | None = None,
    ) -> Pending:
        """Change these of an extension and leave everything else as it is. Raises `Absent`.

        `settings` are merged with those that it has; `protected` takes the place of all that it has, and what it does
        not name is deleted (Learn: Arc extensions).
        """

    async def delete(self, cluster: ClusterRef, name: str, *, force: bool = False) -> Pending:
        """Idempotent; `done` when the ARM resource does not exist.

        The cluster's agents uninstall the Helm release afterwards, as soon as they reach Azure (Learn: Arc extensions).
        With `force` Azure forgets the extension whether its cluster can ever do that or not.
        """


class Clusters(Protocol):
    """Arc-enabled clusters."""

    async def get(self, cluster: ClusterRef) -> ArcCluster:
        """Raises `Absent`."""


class Permissions(Protocol):
    """What the bot's own identity may do."""

    async def missing(self, arm_id: str, actions: Sequence[str]) -> tuple[str, ...]:
        """Those of the `actions` that no role gives it at this resource. Locks and deny assignments are not counted.

        Raises `Absent` for a resource that does not exist.
        """

    async def excessive(self, arm_id: str) -> tuple[str, ...]:
        """Patterns and actions that its roles give it at this resource and the bot never needs.

        `*`, and what lets it give out rights. Raises `Absent`.
        """

    async def locks(self, arm_id: str) -> tuple[Lock, ...]:
        """Management locks of this resource and of what is above it. One that is not among them may exist all the same.

        Raises `Absent`.
        """


class ArmOperations(Protocol):
    """Asynchronous operations."""

    async def poll(self, pending: Pending) -> Pending:
        """Ask once. A `done` one comes back when it succeeded; raises `Refused` when it failed.

        A deletion has succeeded when Azure answers that its target does not exist.
        """

    def note_written(self, arm_id: str) -> None:
        """Say that this was written within the last minute, by a process that is gone: a 404 for it is asked again.

        What this process writes needs no note.
        """


@dataclass(frozen=True)
class Azure:
    """Everything that the rules ask of Azure."""

    providers: Providers
    registries: Registries
    images: Images
    scope_maps: ScopeMaps
    tokens: Tokens
    connected: ConnectedRegistries
    extensions: Extensions
    clusters: Clusters
    permissions: Permissions
    operations: ArmOperations


# --- Kubernetes -----------------------------------------------------------------------------------------------------


ClusterIdentity = Literal["proven", "unproven"]


class Cluster(Protocol):
    """One cluster, by its Kubernetes API."""

    @property
    def identity(self) -> ClusterIdentity:
        """Whether the cluster itself says that it is the expected one. `unproven`: it has no Arc agents to say so."""

    async def version(self) -> str:
        """Of the API server, such as `v1.33.4`."""

    async def nodes(self) -> tuple[Node, ...]:
        """All nodes."""

    async def storage_classes(self) -> tuple[StorageClass, ...]:
        """All storage classes."""

    async def namespace_phase(self, name: str) -> str:
        """`Active`, `Terminating`, or empty when there is none."""

    async def has_cert_manager(self) -> bool:
        """Whether cert-manager's resource types are installed in this cluster, by whomever."""

    async def runs_cert_manager(self) -> bool:
        """Whether a Deployment of cert-manager is available: its resource types alone issue no certificate."""

    async def service_ranges(self, hold_namespace: str = "default") -> ServiceRanges:
        """Ready ServiceCIDRs and addresses in use; older clusters: what a refusal names and Services use."""

    async def missing_rights(self, hold_namespace: str = "default") -> tuple[str, ...]:
        """Rights that a deployment needs and this identity lacks, as `create services in default`."""

    async def missing_rights_to_remove(self) -> tuple[str, ...]:
        """The same for a removal, which writes nothing in the cluster itself."""

    async def hold_address(self, address: str, namespace: str, operation: str) -> None:
        """Create the placeholder Service that proves `address` free. Idempotent for one operation.

        Raises `AddressTaken` or `AddressOutside`.
        """

    async def release_addresses(self, namespace: str, operation: str) -> tuple[str, ...]:
        """Delete the operation's placeholder Services; the addresses that were held. Waits until they are gone."""

    async def missing_workload_rights(self, namespace: str) -> tuple[str, ...]:
        """Rights that workloads in a namespace need and this identity lacks."""

    async def missing_rights_to_rotate(self, namespace: str) -> tuple[str, ...]:
        """Rights that a new password of a workload there needs and this identity lacks."""

    async def missing_rights_to_read(self, namespace: str) -> tuple[str, ...]:
        """Rights that asking a connected registry by a Secret of the bot's own needs there and this identity lacks."""

    async def workload(self, namespace: str, name: str) -> DeployedWorkload | None:
        """The Deployment of this name with its Pods, whoever made it; None when there is none."""

    async def workloads_of(self, registry: str = "") -> tuple[DeployedWorkload, ...]:
        """All workloads that the bot has made with images of this connected registry, or any; by namespace and name."""

    async def workload_specs(self, registry: str) -> tuple[WorkloadSpec, ...]:
        """What those of this connected registry are, without a look at their Pods: one request."""

    async def put_workload(self, spec: WorkloadSpec) -> None:
        """Create the Deployment, or change it to this. Raises `WrongCluster`, as every write does."""

    async def try_workload(self, spec: WorkloadSpec) -> str:
        """What the API server has against the Deployment, by a dry run; empty where it would take it."""

    async def switch_pull_secret(self, namespace: str, name: str, secret: str) -> None:
        """Let a Deployment's Pods pull by another Secret; nothing else of it changes. Raises `WrongCluster`."""

    async def delete_workload(self, namespace: str, name: str, uid: str) -> None:
        """Delete this very Deployment; it is gone when its Pods are. Idempotent."""

    async def put_pull_secret(self, secret: PullSecret) -> None:
        """Create the Secret, in the place of one of that name. It can never be read."""

    async def delete_pull_secret(self, namespace: str, name: str) -> None:
        """Idempotent."""

    async def edge_contents(self, question: EdgeQuestion) -> Mapping[str, EdgeContents]:
        """What a connected registry in this cluster has, by repository. Takes up to a minute.

        A Job asks with pull secrets that the bot can't read. Raises `WrongCluster`, as every write does.
        """

    async def workloads(self, hosts: Collection[str]) -> tuple[Workload, ...]:
        """Whatever runs, or is about to run, images whose reference begins with one of these addresses; by name."""

    async def runtime(self, namespace: str) -> Runtime:
        """What the cluster shows of the connected registry that lives in `namespace`."""

    async def certificates(self, namespace: str) -> tuple[Certificate, ...]:
        """Of cert-manager, by name; none where it is not installed."""


Route = Literal["direct", "arc"]
"""Whether a kubeconfig leads to the API server itself, or to an Arc proxy on the bot's machine."""


class Kubernetes(Protocol):
    """Access to all clusters."""

    async def cluster(
        self, kubeconfig: str, context: str, expected: ClusterRef | None = None, *, route: Route = "direct"
    ) -> Cluster:
        """The cluster behind a kubeconfig's context (`kubeconfig` empty: the default locations, or in-cluster).

        By the route `arc`, errors say in their `reason` which part of it fails: see `Unreachable`.
        Raises `WrongCluster` when it is another one than `expected`, the site's Arc-enabled cluster. Where it does not
        say which one it is, it is `unproven`: nothing is written there, and the bot's own cluster is refused.
        """


# --- the bot itself ---------------------------------------------------------------------------------------------------


class Configuration(Protocol):
    """The two files in force. They change under way, so ask each time."""

    @property
    def sites(self) -> Mapping[str, Site]:
        """By name."""

    @property
    def site_lines(self) -> Mapping[str, Mapping[str, int]]:
        """By the site's name, in which line of the site file a key such as `acr.name` stands; empty without a file."""

    @property
    def policy(self) -> Policy:
        """Who may do what."""


class Names(Protocol):
    """Names of things outside, for "did you mean" and for choosing; from memory, at most a little old."""

    async def connected(self, site: Site | None = None) -> tuple[str, ...]:
        """Connected registries at a site or everywhere. What could not be asked is left out; never raises."""


class Leases(Protocol):
    """Service addresses that operations have spoken for."""

    async def take(self, cluster: str, address: str, operation: str) -> bool:
        """Lease an address of the cluster (ARM id, lower case); False when another operation has it. Idempotent."""

    async def of_others(self, cluster: str, operation: str) -> frozenset[str]:
        """Addresses of the cluster that other operations have leased."""

    async def release(self, operation: str, *, but: str = "") -> None:
        """Give back all the operation's addresses except `but`."""


class Audit(Protocol):
    """Who did what, in a chain of rows to which rows are only added."""

    async def record(self, row: AuditRow) -> None:
        """Add a row; rows are never changed."""

    async def newest(
        self, selection: AuditSelection, *, before: int | None = None, limit: int
    ) -> tuple[AuditEntry, ...]:
        """The newest rows of a selection, newest first; only those before a number, where it is given."""

    async def count(self, selection: AuditSelection) -> int:
        """How many rows a selection has."""

    def lines(self, selection: AuditSelection) -> AsyncIterator[str]:
        """A selection as JSON Lines, oldest first, each with its hash."""

    async def verify(self) -> ChainReport:
        """Read the chain, up to the first row at which it breaks."""


class Deliveries(Protocol):
    """Which of Slack's deliveries have arrived, at any process."""

    async def first(self, key: str) -> bool:
        """Whether this delivery arrives for the first time; any later call gets False."""


class Slack(Protocol):
    """What commands ask of Slack itself."""

    async def ping(self) -> None:
        """One round trip; raises `Unreachable`."""

    async def current(self, person_id: str) -> Person:
        """Somebody as Slack has them now; one who has left is external. Raises what Slack answers otherwise."""

    async def members(self, group: str) -> frozenset[str] | None:
        """Ids of the people in a user group (id or handle); None when Slack does not list groups."""

    async def readers(self, channel: str, person: str) -> frozenset[str] | None:
        """Ids of the people who read a conversation, in which `person` is; None when Slack would not say."""

    @property
    def reads_files(self) -> bool:
        """Whether the app may read what people attach to a form."""

    async def text_of(self, attachment: Attachment, most: int) -> str:
        """The text of a file of at most so many bytes, in UTF-8.

        Raises `Invalid` for any other content, and what Slack answers otherwise.
        """

    async def groups_problem(self) -> str:
        """Slack's error code for why it does not list user groups, such as `missing_scope`; empty when it does."""


class MessageBoard(Protocol):
    """Where the messages about operations, or about incidents, live."""

    def changed(self, subject: str) -> None:
        """Show what is new about an operation or an incident (its id). Returns at once, and never raises."""


class Reports(Protocol):
    """What posts summaries."""

    async def post_now(self, watch: Watch) -> None:
        """Post a watch's summary in its channel; raises `services.model.errors`."""


# --- the durable engine -----------------------------------------------------------------------------------------------


JsonObject = Mapping[str, Any]
"""What the engine stores."""

Run = tuple[str, int]
"""An operation's id and the number of an attempt; 0 is its planning."""

Standing = Literal["present", "absent", "lost"]
"""The engine has a run or is about to have it, has never had it, or has given it up."""


class Work(Protocol):
    """What the workflows call. Answers are JSON objects; domain errors are answers, not exceptions."""

    async def prepare(self, operation: str) -> JsonObject:
        """Make the plan, and queue the operation when nobody has to approve it. `{}`."""

    async def granted(self, around: str = "") -> JsonObject:
        """`{"runs": [{"operation": …, "attempt": …}]}` whose turn it is.

        With `around` only of that operation and of those that lock what it locks.
        """

    async def waits(self, operation: str) -> bool:
        """Whether a run does nothing but wait for other operations, which it starts."""

    async def confirm(self, operation: str, attempt: int) -> JsonObject:
        """Compare the world with what was approved. `{"steps": [indices]}`; none when it must not run."""

    async def begin(self, operation: str, index: int) -> JsonObject:
        """Begin a step. `{"state": "done" | "going" | "stopped", …}`, with `"freed"` where it gave back locks."""

    async def wait(self, operation: str, index: int, token: JsonObject) -> JsonObject:
        """Wait for what `begin` began. `{"state": "done" | "stopped", …}`."""

    async def end(self, operation: str, outcome: JsonObject) -> None:
        """Tidy up and say how it ended."""


class Starter(Protocol):
    """The durable engine, as operations use it. A start that is repeated does nothing."""

    async def prepare(self, operation: str) -> None:
        """Start planning."""

    async def grant(self, around: str = "") -> None:
        """Start every run whose turn it is. Never raises: the next call repeats what failed.

        With `around` only that operation's and those that lock what it locks: no other turn comes when it is queued
        or ends.
        """

    async def standings(self, runs: Collection[Run]) -> Mapping[Run, Standing]:
        """How the engine stands to each of these runs."""
