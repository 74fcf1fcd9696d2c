"""Creates a cluster's initial objects in a real API server: the same as the stand-in's."""

import asyncio
from dataclasses import dataclass
from typing import Any

from sandbox.clock import Clock
from sandbox.controlplane.api import Api, Json, RefusedError
from sandbox.edge.kubelet import PROVISIONER
from sandbox.kube import seed
from sandbox.kube.cluster import Cluster
from sandbox.kube.resources import DEFINITIONS, NAMESPACES, NODES, SERVICE_CIDRS, SERVICES, STORAGE_CLASSES, Resource

VERSION = "v1.37.2"
"""The version whose kinds are created; the API server reports its own version."""
SERVER_SET = {"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"}
MADE_BY_CONTROLLERS = {"ipaddresses", "endpoints", "endpointslices", "events", "serviceaccounts"}
BUILT_IN_ROLES = {"cluster-admin", "admin", "edit", "view"}
TRIES = 100


@dataclass(frozen=True)
class Placed:
    """An object with the collection that it goes into."""

    resource: Resource
    path: str
    body: Json

    @property
    def address(self) -> str:
        """The object's path."""
        return f"{self.path}/{self.body['metadata']['name']}"


def collection(resource: Resource, namespace: str = "") -> str:
    """The path of all objects of a kind (in a namespace, if one is given)."""
    root = f"/apis/{resource.group}/{resource.version}" if resource.group else f"/api/{resource.version}"
    return root + (f"/namespaces/{namespace}" if namespace else "") + f"/{resource.plural}"


def placed(entry: dict[str, Any], kubelet: tuple[str, int], arc: dict[str, str] | None = None) -> list[Placed]:
    """Everything that is to be created, in order.

    `kubelet`: host and port at which every node's kubelet answers. `arc`: what the Arc agents know.
    """
    cluster = Cluster(entry["name"], VERSION, list(entry["service_cidrs"]), Clock())
    seed.seed(cluster, entry, arc)
    objects = [
        Placed(resource, collection(resource, found["metadata"].get("namespace", "")), _body(resource, found, kubelet))
        for resource in cluster.catalogue.stored()
        for found in cluster.store.items(resource.key)
        if not _is_there_already(resource, found["metadata"])
    ]
    first = {NAMESPACES.key: 0, DEFINITIONS.key: 1}
    return sorted(objects, key=lambda one: first.get(one.resource.key, 2))


async def put(api: Api, objects: list[Placed]) -> None:
    """Create the objects that don't exist."""
    for rank in (True, False):
        async with asyncio.TaskGroup() as group:
            for obj in objects:
                if (obj.resource.key in {NAMESPACES.key, DEFINITIONS.key}) is rank:
                    group.create_task(_put(api, obj))


async def _put(api: Api, obj: Placed) -> None:
    body = {**obj.body, "apiVersion": obj.resource.api_version, "kind": obj.resource.kind}
    created = await _created(api, obj, body)
    if created is None:
        return
    if body.get("status"):
        await api.merge(f"{obj.address}/status", {"status": body["status"]})
    if obj.resource.key == NODES.key:
        # Admission taints a new node as not ready; the simulated kubelet is ready at once.
        await api.merge(obj.address, {"spec": {"taints": body.get("spec", {}).get("taints")}})


async def _created(api: Api, obj: Placed, body: Json) -> Json | None:
    """Create an object; a custom kind is served only a moment after its definition."""
    for _ in range(TRIES):
        try:
            return await api.create(obj.path, body)
        except RefusedError as error:
            if not (obj.resource.custom and error.status == 404):  # noqa: PLR2004
                raise
            await asyncio.sleep(0.05)
    return None


def _is_there_already(resource: Resource, metadata: Json) -> bool:
    """The objects that the API server and the controllers create themselves."""
    if resource.plural in MADE_BY_CONTROLLERS:
        return True
    if resource.group.startswith("rbac."):
        return metadata["name"] in BUILT_IN_ROLES or metadata["name"].startswith("system:")
    if resource.key in {SERVICES.key, SERVICE_CIDRS.key}:
        return bool(metadata["name"] == "kubernetes")
    return resource.key == NAMESPACES.key and metadata["name"] in {
        "default",
        "kube-system",
        "kube-public",
        "kube-node-lease",
    }


def _body(resource: Resource, obj: Json, kubelet: tuple[str, int]) -> Json:
    metadata = {key: value for key, value in obj["metadata"].items() if key not in SERVER_SET}
    body = {key: value for key, value in obj.items() if key not in {"apiVersion", "kind"}} | {"metadata": metadata}
    if resource.key == NODES.key:
        # At this address the API server finds the node's kubelet.
        host, port = kubelet
        addresses = [one for one in body["status"]["addresses"] if one["type"] != "InternalIP"]
        answering = {
            "addresses": [{"type": "InternalIP", "address": host}, *addresses],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        return body | {"status": body["status"] | answering}
    if resource.key == STORAGE_CLASSES.key and body["provisioner"] == seed.PROVISIONER:
        return body | {"provisioner": PROVISIONER}
    if resource.custom:
        return body
    return {key: value for key, value in body.items() if key != "status"}
