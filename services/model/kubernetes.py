"""What a cluster's Kubernetes API answers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.model.secret import Secret


@dataclass(frozen=True)
class Node:
    """A node of a cluster.

    `ready`: it takes Pods. If not, `troubles` say why, in the words of `kubectl get nodes` and of its conditions:
    `NotReady`, `SchedulingDisabled` (cordoned), `DiskPressure`.
    """

    name: str
    os: str
    architecture: str
    ready: bool
    labels: Mapping[str, str] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()

    @property
    def runs_extension(self) -> bool:
        """Whether its platform is the one that the extension has images for (Learn: Arc extensions)."""
        return (self.os, self.architecture) == ("linux", "amd64")

    @property
    def described(self) -> str:
        """Its name, with the troubles that it has."""
        return f"{self.name} ({', '.join(self.troubles)})" if self.troubles else self.name


@dataclass(frozen=True)
class StorageClass:
    """A storage class."""

    name: str
    default: bool


@dataclass(frozen=True)
class ServiceRanges:
    """Where a cluster's Service addresses come from and which are in use.

    `source` says how this was learnt: `ServiceCIDR` objects, the `refusal` of a create outside (older clusters; it
    names the first range only), or the `site file`. There `listed` are the only addresses to choose from, and `used`
    those of them which Azure shows to be in use.
    """

    ranges: tuple[str, ...]
    used: frozenset[str]
    source: Literal["ServiceCIDR", "refusal", "site file"]
    listed: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workload:
    """What runs images of some registry: the owner of Pods, such as a ReplicaSet without its hash, or a Pod alone."""

    namespace: str
    name: str
    images: tuple[str, ...]


@dataclass(frozen=True)
class Certificate:
    """A Certificate of cert-manager. `message` says why it is not ready; `not_after` is when it ends."""

    name: str
    ready: bool
    message: str = ""
    not_after: datetime | None = None


PULL_REASONS = frozenset(
    {"ImagePullBackOff", "ErrImagePull", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError"}
    | {"RegistryUnavailable", "SignatureValidationFailed"}
)
"""Why a container waits whose image the node could not pull: the kubelet's reasons (kubernetes, pkg/kubelet/images)."""
START_REASONS = frozenset({"CreateContainerConfigError", "CreateContainerError", "RunContainerError"})
"""Why one waits that the node could not start (kubernetes, pkg/kubelet/kuberuntime)."""


@dataclass(frozen=True)
class RuntimePod:
    """A Pod of the runtime. `waiting_reason` is why it does not run, such as `CrashLoopBackOff`; empty when it does."""

    name: str
    node: str
    phase: str
    waiting_reason: str = ""
    restarts: int = 0


@dataclass(frozen=True)
class Runtime:
    """What a cluster shows of an installed connected registry, for verification and for the cause of a failure.

    `log` and `previous_log` are the last lines of the runtime's log (scrubbed of secrets), `warnings` the texts of
    warning events, newest last. `replicas` are the Pods that its Deployment should have, 0 without a Deployment;
    `pod_phase`, `waiting_reason` and `restarts` are those of the Pod that counts, the youngest of `pods`, and so is
    how a container of it ended the last time: `ended_reason`, such as `OOMKilled`, `ended_message` and `exit_code`;
    empty and None where none has ended. `pod_message` is what its node says of a Pod that it has evicted or refused,
    `unfit_nodes` why nodes take no Pods, where it has none. `namespace_message` is what a namespace waits for that is
    being deleted, and a claim that is being deleted has the phase `Terminating`.
    """

    namespace_phase: str = ""
    deployment_available: bool = False
    replicas: int = 0
    ready_replicas: int = 0
    service_addresses: tuple[str, ...] = ()
    volume_phase: str = ""
    volume_class: str = ""
    volume_request: str = ""
    pod_phase: str = ""
    waiting_reason: str = ""
    restarts: int = 0
    ended_reason: str = ""
    log: str = ""
    previous_log: str = ""
    warnings: tuple[str, ...] = ()
    pods: tuple[RuntimePod, ...] = ()
    ended_message: str = ""
    exit_code: int | None = None
    pod_message: str = ""
    unfit_nodes: tuple[str, ...] = ()
    namespace_message: str = ""


@dataclass(frozen=True)
class WorkloadSpec:
    """A Deployment of one container that pulls from connected registry `registry`.

    `image` is the whole reference, with the edge's address; `pull_secret` the name of the Secret that it pulls by.
    `pod` is the rest of its Pods' specification as a manifest had it, `labels` those of its Pods beside the bot's own,
    and `manifest` a word for both; all empty without a manifest. What is read from a cluster has the word alone.
    """

    namespace: str
    name: str
    registry: str
    image: str
    replicas: int
    port: int | None
    pull_secret: str
    manifest: str = ""
    pod: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class WorkloadPod:
    """A Pod of a workload by its first container.

    `image_id` is what the node has pulled (`HOST/REPOSITORY@sha256:…`), empty before; `state` is `waiting`, `running`,
    `terminated`, `failed` (its node has evicted or refused the Pod) or empty, with its `reason` and `message`;
    `exit_code` is of its last end; `warnings` are events, newest last; `log` has the last lines of a container
    that ended badly, scrubbed of secrets.
    """

    name: str
    node: str
    image: str
    image_id: str
    state: str
    reason: str
    message: str
    exit_code: int | None = None
    warnings: tuple[str, ...] = ()
    log: str = ""
    pull_secret: str = ""
    """The Secret that it pulls by; empty where it has none."""


@dataclass(frozen=True)
class DeployedWorkload:
    """A Deployment as the cluster shows it. `managed`: the bot made it; `refusal`: why the cluster makes no Pods."""

    spec: WorkloadSpec
    uid: str
    managed: bool
    pods: tuple[WorkloadPod, ...]
    refusal: str = ""


@dataclass(frozen=True)
class PullSecret:
    """What a workload pulls by from `server`: user and password of a client token."""

    namespace: str
    name: str
    workload: str
    registry: str
    server: str
    user: str
    password: Secret
