"""One cluster by its Kubernetes API (`services.ports.Cluster`): short questions here, longer ones in modules beside."""

from collections.abc import Collection, Mapping

from services.gateways.kubernetes import contents, deployments, placeholders, ranges, runtime, workloads
from services.gateways.kubernetes.api import Api
from services.gateways.kubernetes.nodes import node
from services.gateways.kubernetes.objects import Object, phase
from services.gateways.kubernetes.rights import (
    ARC_CONFIG,
    ARC_NAMESPACE,
    ASK_ACCESS,
    CERTIFICATES_CRD,
    GET_ARC_CONFIG,
    GET_CRD,
    GET_NAMESPACE,
    LIST_DEPLOYMENTS,
    LIST_NODES,
    LIST_STORAGE_CLASSES,
    REMOVING,
    Right,
    deploying,
    reading_for_a_while,
    rotating,
    running_workloads,
)
from services.gateways.kubernetes.together import together
from services.gateways.kubernetes.translation import SERVICE, understood
from services.model.azure import ClusterRef
from services.model.contents import EdgeContents, EdgeQuestion
from services.model.errors import Absent, Conflict, NotAllowed, Refused, WrongCluster
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
from services.ports import ClusterIdentity

_ARC_KEYS = ("AZURE_SUBSCRIPTION_ID", "AZURE_RESOURCE_GROUP", "AZURE_RESOURCE_NAME")
_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"


class KubernetesCluster:
    """Implements `ports.Cluster` with one set of credentials.

    `identity` says whether the cluster was compared with the site's Arc resource; without such a comparison there is
    nothing to prove, and it counts as proven.
    """

    def __init__(self, api: Api, identity: ClusterIdentity = "proven") -> None:
        self._api = api
        self.identity: ClusterIdentity = identity
        self.name = api.name

    @understood
    async def arc_resource(self) -> ClusterRef | None:
        """Which Arc-enabled cluster this is, by its agents' ConfigMap; None when there is none or it can't be read."""
        try:
            config = await self._api.ask(GET_ARC_CONFIG.inside(ARC_NAMESPACE), ARC_CONFIG)
        except (Absent, NotAllowed):
            return None
        data = config.get("data")
        names = [str(data.get(key) or "") for key in _ARC_KEYS] if isinstance(data, dict) else [""]
        return ClusterRef(*names) if all(names) else None

    async def version(self) -> str:
        """Needs no right: anybody may ask."""
        return await self._api.version()

    @understood
    async def nodes(self) -> tuple[Node, ...]:
        """Of all pages, also those that are cordoned: they are not ready."""
        return tuple(map(node, await self._api.everything(LIST_NODES)))

    @understood
    async def storage_classes(self) -> tuple[StorageClass, ...]:
        """A class is the default one by its annotation."""
        classes = [item["metadata"] for item in await self._api.everything(LIST_STORAGE_CLASSES)]
        return tuple(
            StorageClass(meta["name"], (meta.get("annotations") or {}).get(_DEFAULT_CLASS) == "true")
            for meta in classes
        )

    @understood
    async def namespace_phase(self, name: str) -> str:
        """The phase in its status."""
        try:
            namespace = await self._api.ask(GET_NAMESPACE, name)
        except Absent:
            return ""
        return phase(namespace)

    async def has_cert_manager(self) -> bool:
        """By its CRDs: they are what a second installation collides with, and nothing of it works without them."""
        try:
            await self._api.ask(GET_CRD, CERTIFICATES_CRD)
        except Absent:
            return False
        return True

    @understood
    async def runs_cert_manager(self) -> bool:
        """By the name that its charts and manifests give it, else by the images of all Deployments."""
        name = {"labelSelector": "app.kubernetes.io/name=cert-manager"}
        deployments_of_it = await self._api.everything(LIST_DEPLOYMENTS, name) or [
            deployment
            for deployment in await self._api.everything(LIST_DEPLOYMENTS)
            if any("cert-manager" in image for image in workloads.images(deployment["spec"]["template"]))
        ]
        return any((deployment.get("status") or {}).get("availableReplicas") for deployment in deployments_of_it)

    @understood
    async def service_ranges(self, hold_namespace: str = "default") -> ServiceRanges:
        """See `ranges`."""
        return await ranges.service_ranges(self._api, hold_namespace)

    async def missing_rights(self, hold_namespace: str = "default") -> tuple[str, ...]:
        """One SelfSubjectAccessReview for each right, all at once."""
        return await self._missing(deploying(hold_namespace))

    async def missing_workload_rights(self, namespace: str) -> tuple[str, ...]:
        """The same for workloads in a namespace."""
        return await self._missing(running_workloads(namespace))

    async def missing_rights_to_rotate(self, namespace: str) -> tuple[str, ...]:
        """The same for a new password of a workload there."""
        return await self._missing(rotating(namespace))

    async def missing_rights_to_read(self, namespace: str) -> tuple[str, ...]:
        """The same for asking a connected registry from there by a Secret of the bot's own."""
        return await self._missing(reading_for_a_while(namespace))

    async def missing_rights_to_remove(self) -> tuple[str, ...]:
        """Likewise."""
        return await self._missing(REMOVING)

    @understood
    async def hold_address(self, address: str, namespace: str, operation: str) -> None:
        """See `placeholders`. Raises `WrongCluster` in a cluster that is not proven to be the right one."""
        self._prove()
        await placeholders.hold(self._api, address, namespace, operation)

    @understood
    async def release_addresses(self, namespace: str, operation: str) -> tuple[str, ...]:
        """See `placeholders`."""
        return await placeholders.release(self._api, namespace, operation)

    @understood
    async def workloads(self, hosts: Collection[str]) -> tuple[Workload, ...]:
        """Of all Pods that have not ended, those with an image whose reference begins with one of these addresses."""
        return await workloads.workloads(self._api, hosts)

    @understood
    async def runtime(self, namespace: str) -> Runtime:
        """See `runtime`."""
        return await runtime.runtime(self._api, namespace)

    @understood
    async def certificates(self, namespace: str) -> tuple[Certificate, ...]:
        """See `runtime`."""
        return await runtime.certificates(self._api, namespace)

    @understood
    async def workload(self, namespace: str, name: str) -> DeployedWorkload | None:
        """See `deployments`, as for the five below. Writes raise `WrongCluster` as `hold_address` does."""
        return await deployments.workload(self._api, namespace, name)

    @understood
    async def workloads_of(self, registry: str = "") -> tuple[DeployedWorkload, ...]:
        """All workloads that the bot has made with images of this connected registry, or of any."""
        return await deployments.workloads_of(self._api, registry)

    @understood
    async def workload_specs(self, registry: str) -> tuple[WorkloadSpec, ...]:
        """The same without their Pods."""
        return await deployments.workload_specs(self._api, registry)

    @understood
    async def put_workload(self, spec: WorkloadSpec) -> None:
        """Create the Deployment, or change it to this. Raises `WrongCluster` as `hold_address` does."""
        self._prove()
        await deployments.put_workload(self._api, spec)

    @understood
    async def try_workload(self, spec: WorkloadSpec) -> str:
        """By a dry run, which changes nothing. A namespace that is missing is somebody else's finding."""
        try:
            await deployments.put_workload(self._api, spec, dry_run=True)
        except Absent:
            return ""
        except (Refused, Conflict) as error:
            return error.message
        return ""

    @understood
    async def switch_pull_secret(self, namespace: str, name: str, secret: str) -> None:
        """Likewise."""
        self._prove()
        await deployments.switch_pull_secret(self._api, namespace, name, secret)

    @understood
    async def delete_workload(self, namespace: str, name: str, uid: str) -> None:
        """Delete this very Deployment; it is gone when its Pods are. Idempotent; raises `WrongCluster`."""
        self._prove()
        await deployments.delete_workload(self._api, namespace, name, uid)

    @understood
    async def put_pull_secret(self, secret: PullSecret) -> None:
        """Create the Secret in the place of one that may be there. Raises `WrongCluster`."""
        self._prove()
        await deployments.put_pull_secret(self._api, secret)

    async def delete_pull_secret(self, namespace: str, name: str) -> None:
        """Idempotent. Raises `WrongCluster`."""
        self._prove()
        await deployments.delete_pull_secret(self._api, namespace, name)

    @understood
    async def edge_contents(self, question: EdgeQuestion) -> Mapping[str, EdgeContents]:
        """See `contents`. Raises `WrongCluster`."""
        self._prove()
        return await contents.contents(self._api, question)

    def _prove(self) -> None:
        """Nothing is written into a cluster that has not said that it is the right one."""
        if self.identity != "proven":
            raise WrongCluster(SERVICE, self._api.name, "ClusterUnproven", reason="unproven")

    async def _missing(self, rights: tuple[Right, ...]) -> tuple[str, ...]:
        answers = await together([self._has(right) for right in rights])
        return tuple(str(right) for right, has in zip(rights, answers, strict=True) if not has)

    async def _has(self, right: Right) -> bool:
        resource, _, subresource = right.resource.partition("/")
        attributes = {
            "verb": right.verb,
            "group": right.group,
            "resource": resource,
            "subresource": subresource,
            "namespace": right.namespace,
            "name": right.names[0] if right.names else "",
        }
        body: Object = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
        }
        answer = await self._api.ask(ASK_ACCESS, body=body)
        return bool((answer.get("status") or {}).get("allowed"))
