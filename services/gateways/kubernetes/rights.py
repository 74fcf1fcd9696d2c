"""Every right that the bot uses in a cluster, and why. The one list of them.

A request is made by exercising a right (`Api.ask`), so no request can need one that is not here. The manifests in
`deploy/rbac` are held equal to this list by a test.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Right:
    """One verb on one resource. Without a namespace: in the whole cluster; with names: on those objects only."""

    verb: str
    resource: str
    why: str
    group: str = ""
    namespace: str = ""
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        resource = f"{self.resource}.{self.group}" if self.group else self.resource
        named = f" {', '.join(self.names)}" if self.names else ""
        return f"{self.verb} {resource}{named}" + (f" in {self.namespace}" if self.namespace else "")

    def path(self, name: str = "") -> str:
        """Where the API server answers to it; `name` is the object's, for verbs on a single one."""
        resource, _, subresource = self.resource.partition("/")
        root = f"/apis/{self.group}/v1" if self.group else "/api/v1"
        namespace = f"/namespaces/{self.namespace}" if self.namespace else ""
        parts = [root + namespace, resource, name, subresource]
        return "/".join(part for part in parts if part)

    def inside(self, namespace: str) -> "Right":
        """The same right, exercised in one namespace."""
        return replace(self, namespace=namespace)


CLAIM = "connected-registry-pvc"
"""The runtime's volume claim (Learn: troubleshoot-connected-registry-arc)."""
CERTIFICATES_CRD = "certificates.cert-manager.io"

ARC_NAMESPACE, ARC_CONFIG = "azure-arc", "azure-clusterconfig"
"""Where the Arc agents keep the name of the Arc resource that they were installed for (azext_connectedk8s)."""

GET_ARC_CONFIG = Right("get", "configmaps", "which Arc-enabled cluster this is", names=(ARC_CONFIG,))
LIST_NODES = Right("list", "nodes", "the extension needs a ready linux/amd64 node")
LIST_STORAGE_CLASSES = Right(
    "list", "storageclasses", "the extension's volume needs a storage class", group="storage.k8s.io"
)
GET_NAMESPACE = Right("get", "namespaces", "nothing can be made in a namespace that is missing or goes away")
GET_CRD = Right(
    "get",
    "customresourcedefinitions",
    "the extension must not install cert-manager where there is one",
    group="apiextensions.k8s.io",
    names=(CERTIFICATES_CRD,),
)
LIST_SERVICE_CIDRS = Right("list", "servicecidrs", "where Service addresses come from", group="networking.k8s.io")
LIST_IP_ADDRESSES = Right("list", "ipaddresses", "which Service addresses are in use", group="networking.k8s.io")
LIST_SERVICES = Right("list", "services", "which Service addresses are in use, on clusters without IPAddress objects")
# The runtime's namespace goes away with its extension and takes every Role in it along: these have to be cluster-wide.
LIST_DEPLOYMENTS = Right(
    "list", "deployments", "whether the runtime is up, and which workloads there are", group="apps"
)
LIST_PODS = Right("list", "pods", "why the runtime is not up, and which images workloads run")
GET_LOG = Right(
    "get", "pods/log", "the runtime tells in its log why it can't activate or sync, a workload why it ended"
)
GET_CLAIM = Right("get", "persistentvolumeclaims", "whether the runtime has its volume", names=(CLAIM,))
LIST_EVENTS = Right("list", "events", "warnings name the cause of a failure")

LIST_CERTIFICATES = Right(
    "list", "certificates", "whether the runtime has the certificate that it serves with", group="cert-manager.io"
)

READING = (
    GET_ARC_CONFIG,
    LIST_NODES,
    LIST_STORAGE_CLASSES,
    GET_NAMESPACE,
    GET_CRD,
    LIST_SERVICE_CIDRS,
    LIST_IP_ADDRESSES,
    LIST_SERVICES,
    LIST_DEPLOYMENTS,
    LIST_PODS,
    GET_LOG,
    GET_CLAIM,
    LIST_EVENTS,
)
"""What checks and status need; none of them changes anything, and none reads a secret."""

SHOWING = (LIST_CERTIFICATES,)
"""What `extension show` tells besides; nothing depends on it."""

CREATE_SERVICE = Right("create", "services", "a placeholder Service proves an address free; a dry run names the range")
DELETE_SERVICE = Right("delete", "services", "the placeholder makes room for the extension's own Service")

CREATE_SECRET = Right("create", "secrets", "a workload pulls with the password in its pull secret")
DELETE_SECRET = Right("delete", "secrets", "a pull secret is replaced, and goes with its workload; it is never read")
CREATE_DEPLOYMENT = Right("create", "deployments", "a workload is a Deployment", group="apps")
PATCH_DEPLOYMENT = Right("patch", "deployments", "a workload gets another image or pull secret", group="apps")
DELETE_DEPLOYMENT = Right("delete", "deployments", "a workload is deleted", group="apps")

CREATE_JOB = Right("create", "jobs", "a Job asks the connected registry what it has", group="batch")
DELETE_JOB = Right("delete", "jobs", "the Job that has asked is deleted", group="batch")

ASK_ACCESS = Right("create", "selfsubjectaccessreviews", "which rights this identity has", group="authorization.k8s.io")
"""Everybody who is authenticated has it (the built-in role system:basic-user), so no manifest grants it."""


REMOVING = (GET_ARC_CONFIG, GET_NAMESPACE, LIST_PODS)
"""All rights that a removal uses: the Arc agents uninstall the extension, and the bot looks whether it is gone."""


def holding(namespace: str) -> tuple[Right, ...]:
    """What holding an address needs beyond reading; the namespace is the site's `hold_namespace`."""
    return CREATE_SERVICE.inside(namespace), DELETE_SERVICE.inside(namespace)


def deploying(namespace: str) -> tuple[Right, ...]:
    """All rights that a deployment uses."""
    return READING + holding(namespace)


def pulling(namespace: str) -> tuple[Right, ...]:
    """What workloads in a namespace need beyond reading."""
    rights = (CREATE_SECRET, DELETE_SECRET, CREATE_DEPLOYMENT, PATCH_DEPLOYMENT, DELETE_DEPLOYMENT)
    return tuple(right.inside(namespace) for right in rights)


def running_workloads(namespace: str) -> tuple[Right, ...]:
    """All rights that workloads in a namespace use."""
    reading = (GET_ARC_CONFIG, GET_NAMESPACE, LIST_NODES, LIST_DEPLOYMENTS, LIST_PODS, GET_LOG, LIST_EVENTS)
    return reading + pulling(namespace)


def rotating(namespace: str) -> tuple[Right, ...]:
    """All rights that a new password of a workload uses."""
    return running_workloads(namespace) + asking_edges(namespace)


def reading_for_a_while(namespace: str) -> tuple[Right, ...]:
    """All rights that asking a connected registry by a Secret of the bot's own uses."""
    secrets = CREATE_SECRET.inside(namespace), DELETE_SECRET.inside(namespace)
    return (GET_ARC_CONFIG, GET_NAMESPACE, LIST_PODS, GET_LOG, LIST_EVENTS, *secrets, *asking_edges(namespace))


def asking_edges(namespace: str) -> tuple[Right, ...]:
    """What asking a connected registry from a namespace needs beyond reading."""
    return CREATE_JOB.inside(namespace), DELETE_JOB.inside(namespace)
