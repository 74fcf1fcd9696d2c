"""Brings a cluster back to what it held at the start, without the five seconds that a namespace's deletion takes."""

import asyncio
from collections.abc import Sequence

from sandbox.controlplane.api import Api, Json
from sandbox.controlplane.world import Placed, put

NAMESPACED = (
    "/apis/apps/v1/namespaces/{}/deployments",
    "/apis/apps/v1/namespaces/{}/daemonsets",
    "/apis/apps/v1/namespaces/{}/replicasets",
    "/apis/apps/v1/namespaces/{}/controllerrevisions",
    "/api/v1/namespaces/{}/pods",
    "/api/v1/namespaces/{}/services",
    "/api/v1/namespaces/{}/persistentvolumeclaims",
    "/api/v1/namespaces/{}/secrets",
    "/api/v1/namespaces/{}/configmaps",
    "/api/v1/namespaces/{}/serviceaccounts",
    "/api/v1/namespaces/{}/endpoints",
    "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
    "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "/apis/clusterconfig.azure.com/v1beta1/namespaces/{}/extensionconfigs",
    "/api/v1/namespaces/{}/events",
)
"""In the order in which they are emptied: what makes others comes before them."""
CLUSTER_WIDE = (
    "/api/v1/persistentvolumes",
    "/api/v1/nodes",
    "/apis/storage.k8s.io/v1/storageclasses",
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "/apis/networking.k8s.io/v1/servicecidrs",
    "/apis/networking.k8s.io/v1/ipaddresses",
    "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "/apis/rbac.authorization.k8s.io/v1/clusterroles",
)
OWN_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
MANAGED_ADDRESS = "ipaddress.kubernetes.io/managed-by"
BOOTSTRAPPED = "kubernetes.io/bootstrapping"
ROUNDS = 200
PAUSE = 0.02


class Reset:
    """For one cluster; `start` is what it is to hold."""

    def __init__(self, api: Api, start: Sequence[Placed]) -> None:
        self._api, self._start = api, list(start)
        self._kept = {one.address for one in start}
        spaces = [one.body["metadata"]["name"] for one in start if one.resource.plural == "namespaces"]
        self._spaces = {*OWN_NAMESPACES, *spaces}

    async def run(self) -> None:
        """Delete what has come, and create again what has gone."""
        listed = (await self._api.get("/api/v1/namespaces"))["items"]
        strangers = [item["metadata"]["name"] for item in listed if item["metadata"]["name"] not in self._spaces]
        kept = [item["metadata"]["name"] for item in listed if item["metadata"]["name"] in self._spaces]
        async with asyncio.TaskGroup() as group:
            for name in strangers:
                group.create_task(self._remove(name))
            for name in kept:
                group.create_task(self._tidy(name))
        for path in CLUSTER_WIDE:
            await self._tidy_collection(path)
        await put(self._api, self._start)

    async def _remove(self, namespace: str) -> None:
        """Empty a namespace and finish its deletion, as the namespace controller would after its pause."""
        path = f"/api/v1/namespaces/{namespace}"
        await self._api.delete(path)
        for _ in range(ROUNDS):
            if not await self._empty(namespace):
                break
            await asyncio.sleep(PAUSE)
        found = await self._api.find(path)
        if found is not None:
            await self._api.replace(f"{path}/finalize", found | {"spec": {"finalizers": []}})

    async def _empty(self, namespace: str) -> bool:
        """Delete everything in a namespace; whether anything had been there."""
        there = False
        for path in NAMESPACED:
            inside = path.format(namespace)
            items = await self._items(inside)
            there = there or bool(items)
            for item in items:
                await self._delete(inside, item)
        return there

    async def _tidy(self, namespace: str) -> None:
        """Delete what has come into a namespace that stays."""
        for path in NAMESPACED:
            if not path.endswith(("/endpoints", "/endpointslices", "/serviceaccounts", "/configmaps")):
                await self._tidy_collection(path.format(namespace))

    async def _tidy_collection(self, path: str) -> None:
        for item in await self._items(path):
            meta = item["metadata"]
            if (
                f"{path}/{meta['name']}" in self._kept
                or meta.get("ownerReferences")
                or _is_the_clusters_own(path, item)
            ):
                continue
            await self._delete(path, item)

    async def _items(self, path: str) -> list[Json]:
        found = await self._api.find(path)
        return list((found or {}).get("items") or ())

    async def _delete(self, path: str, item: Json) -> None:
        meta = item["metadata"]
        if meta.get("finalizers") and not path.endswith("/servicecidrs"):
            await self._api.merge(f"{path}/{meta['name']}", {"metadata": {"finalizers": None}})
        await self._api.delete(f"{path}/{meta['name']}")


def _is_the_clusters_own(path: str, item: Json) -> bool:
    """What the API server or a controller made for itself."""
    meta = item["metadata"]
    labels = meta.get("labels") or {}
    if path.endswith("/ipaddresses"):
        return MANAGED_ADDRESS in labels
    if "/rbac." in path:
        return BOOTSTRAPPED in labels or meta["name"].startswith(("system:", "kubeadm:"))
    return path.endswith(("/services", "/servicecidrs")) and bool(meta["name"] == "kubernetes")
