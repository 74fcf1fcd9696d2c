"""The kinds of objects: group, version, names, scope, and verbs."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")
Json = dict[str, Any]
Key = tuple[str, str]
"""Group and plural, under which objects are stored."""

ALL_VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


def copied(value: T) -> T:
    """A copy of a JSON value with everything in it: several times faster than `copy.deepcopy`, which takes anything."""
    if isinstance(value, dict):
        # Most values are neither, and a call costs more than the question.
        return {key: copied(item) if isinstance(item, (dict, list)) else item for key, item in value.items()}  # type: ignore[return-value]  # mypy keeps it apart from T
    if isinstance(value, list):
        return [copied(item) if isinstance(item, (dict, list)) else item for item in value]  # type: ignore[return-value]  # the same
    return value


@dataclass(frozen=True)
class Resource:
    """One kind of object as the API serves it."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool
    short_names: tuple[str, ...] = ()
    subresources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = ALL_VERBS
    since: int = 0
    """The minor version of Kubernetes that first serves it."""
    singular: str = ""
    custom: bool = False
    """Whether a CustomResourceDefinition defines it."""
    stored_as: Key | None = None
    """The key of the kind under which its objects are stored, if it is another kind's second form."""

    @property
    def key(self) -> Key:
        """The key under which its objects are stored."""
        return self.stored_as or (self.group, self.plural)

    @property
    def api_version(self) -> str:
        """`v1` or `group/version`."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def qualified(self) -> str:
        """`services` or `deployments.apps`, as messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def has_status(self) -> bool:
        """Whether the status is a subresource."""
        return "status" in self.subresources


def _core(plural: str, kind: str, *short: str, **more: Any) -> Resource:
    return Resource("", "v1", plural, kind, namespaced=True, short_names=short, **more)


def _core_cluster(plural: str, kind: str, *short: str, **more: Any) -> Resource:
    return Resource("", "v1", plural, kind, namespaced=False, short_names=short, **more)


def _apps(plural: str, kind: str, *short: str, subresources: tuple[str, ...] = ("status", "scale")) -> Resource:
    return Resource("apps", "v1", plural, kind, True, short, subresources, ("all",))


def _review(group: str, plural: str, kind: str, *, namespaced: bool = False, since: int = 0) -> Resource:
    return Resource(group, "v1", plural, kind, namespaced, verbs=("create",), since=since)


NAMESPACES = _core_cluster("namespaces", "Namespace", "ns", subresources=("status", "finalize"))
NODES = _core_cluster("nodes", "Node", "no", subresources=("status",))
SERVICES = _core("services", "Service", "svc", subresources=("status",), categories=("all",))
PODS = _core("pods", "Pod", "po", subresources=("status", "log", "binding", "eviction"), categories=("all",))
SECRETS = _core("secrets", "Secret")
CONFIG_MAPS = _core("configmaps", "ConfigMap", "cm")
SERVICE_ACCOUNTS = _core("serviceaccounts", "ServiceAccount", "sa", subresources=("token",))
CLAIMS = _core("persistentvolumeclaims", "PersistentVolumeClaim", "pvc", subresources=("status",))
VOLUMES = _core_cluster("persistentvolumes", "PersistentVolume", "pv", subresources=("status",))
EVENTS = _core("events", "Event", "ev")
ENDPOINTS = _core("endpoints", "Endpoints", "ep")
DEPLOYMENTS = _apps("deployments", "Deployment", "deploy")
REPLICA_SETS = _apps("replicasets", "ReplicaSet", "rs")
STATEFUL_SETS = _apps("statefulsets", "StatefulSet", "sts")
DAEMON_SETS = _apps("daemonsets", "DaemonSet", "ds", subresources=("status",))
JOBS = Resource("batch", "v1", "jobs", "Job", True, subresources=("status",), categories=("all",))
STORAGE_CLASSES = Resource("storage.k8s.io", "v1", "storageclasses", "StorageClass", False, ("sc",))
SERVICE_CIDRS = Resource(
    "networking.k8s.io", "v1", "servicecidrs", "ServiceCIDR", False, subresources=("status",), since=33
)
IP_ADDRESSES = Resource("networking.k8s.io", "v1", "ipaddresses", "IPAddress", False, ("ip",), since=33)
ENDPOINT_SLICES = Resource("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice", True)
ROLES = Resource("rbac.authorization.k8s.io", "v1", "roles", "Role", True)
ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "rolebindings", "RoleBinding", True)
CLUSTER_ROLES = Resource("rbac.authorization.k8s.io", "v1", "clusterroles", "ClusterRole", False)
CLUSTER_ROLE_BINDINGS = Resource("rbac.authorization.k8s.io", "v1", "clusterrolebindings", "ClusterRoleBinding", False)
DEFINITIONS = Resource(
    "apiextensions.k8s.io",
    "v1",
    "customresourcedefinitions",
    "CustomResourceDefinition",
    False,
    ("crd", "crds"),
    ("status",),
    ("api-extensions",),
)

TOKEN_REQUESTS = _review("authentication.k8s.io", "tokenrequests", "TokenRequest")
"""The kind that is posted to `serviceaccounts/token`; it is not served on its own."""

BUILT_IN = (
    NAMESPACES,
    NODES,
    SERVICES,
    PODS,
    SECRETS,
    CONFIG_MAPS,
    SERVICE_ACCOUNTS,
    CLAIMS,
    VOLUMES,
    EVENTS,
    ENDPOINTS,
    DEPLOYMENTS,
    REPLICA_SETS,
    STATEFUL_SETS,
    DAEMON_SETS,
    JOBS,
    STORAGE_CLASSES,
    SERVICE_CIDRS,
    IP_ADDRESSES,
    ENDPOINT_SLICES,
    ROLES,
    ROLE_BINDINGS,
    CLUSTER_ROLES,
    CLUSTER_ROLE_BINDINGS,
    DEFINITIONS,
    _core("limitranges", "LimitRange", "limits"),
    _core("podtemplates", "PodTemplate"),
    _core("replicationcontrollers", "ReplicationController", "rc", subresources=("status",), categories=("all",)),
    Resource("batch", "v1", "cronjobs", "CronJob", True, ("cj",), ("status",), ("all",)),
    _core("resourcequotas", "ResourceQuota", "quota", subresources=("status",)),
    Resource("events.k8s.io", "v1", "events", "Event", True, ("ev",), stored_as=EVENTS.key),
    Resource("coordination.k8s.io", "v1", "leases", "Lease", True),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", True, ("netpol",)),
    Resource("networking.k8s.io", "v1", "ingresses", "Ingress", True, ("ing",), ("status",)),
    Resource("networking.k8s.io", "v1", "ingressclasses", "IngressClass", False),
    Resource("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", True, ("pdb",), ("status",)),
    Resource("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", False, ("pc",)),
    Resource("storage.k8s.io", "v1", "csidrivers", "CSIDriver", False),
    Resource(
        "admissionregistration.k8s.io", "v1", "validatingwebhookconfigurations", "ValidatingWebhookConfiguration", False
    ),
    Resource(
        "admissionregistration.k8s.io", "v1", "mutatingwebhookconfigurations", "MutatingWebhookConfiguration", False
    ),
    Resource("apiregistration.k8s.io", "v1", "apiservices", "APIService", False, subresources=("status",)),
    _review("authorization.k8s.io", "selfsubjectaccessreviews", "SelfSubjectAccessReview"),
    _review("authorization.k8s.io", "selfsubjectrulesreviews", "SelfSubjectRulesReview"),
    _review("authorization.k8s.io", "subjectaccessreviews", "SubjectAccessReview"),
    _review("authorization.k8s.io", "localsubjectaccessreviews", "LocalSubjectAccessReview", namespaced=True),
    _review("authentication.k8s.io", "tokenreviews", "TokenReview"),
    _review("authentication.k8s.io", "selfsubjectreviews", "SelfSubjectReview", since=28),
)


class Catalogue:
    """The kinds that one cluster serves, built in and custom."""

    def __init__(self, minor: int) -> None:
        self._built_in = [resource for resource in BUILT_IN if resource.since <= minor]
        self._custom: dict[Key, tuple[Resource, ...]] = {}
        self._index()

    def __iter__(self) -> Iterator[Resource]:
        return iter(self._served.values())

    def find(self, group: str, version: str, plural: str) -> Resource | None:
        """The kind at `/apis/GROUP/VERSION/PLURAL` (or `/api/v1/PLURAL`), if it is served."""
        return self._served.get((group, version, plural))

    def serves(self, group: str, version: str) -> bool:
        """Whether there is any kind in that version of the group."""
        return any((one.group, one.version) == (group, version) for one in self)

    def of_kind(self, api_version: str, kind: str) -> Resource | None:
        """The kind that an object's own `apiVersion` and `kind` name."""
        return self._kinds.get((api_version, kind))

    def stored(self) -> Iterator[Resource]:
        """The kinds that have stored objects of their own."""
        keys: set[Key] = set()
        for resource in self:
            if resource.stored_as is None and "list" in resource.verbs and resource.key not in keys:
                keys.add(resource.key)
                yield resource

    def groups(self) -> dict[str, list[str]]:
        """Group to versions, without the core group."""
        by_group: dict[str, list[str]] = {}
        for resource in self:
            versions = by_group.setdefault(resource.group, [])
            if resource.version not in versions:
                versions.append(resource.version)
        by_group.pop("", None)
        return by_group

    def define(self, key: Key, resources: Iterable[Resource]) -> None:
        """Serve a custom kind, replacing its earlier definition."""
        self._custom[key] = tuple(resources)
        self._index()

    def withdraw(self, key: Key) -> None:
        """Stop serving a custom kind."""
        self._custom.pop(key, None)
        self._index()

    def _index(self) -> None:
        resources = [*self._built_in, *(one for several in self._custom.values() for one in several)]
        self._served = {(one.group, one.version, one.plural): one for one in resources}
        self._kinds = {(one.api_version, one.kind): one for one in resources}
