"""Resets a cluster to its initial objects, without the five seconds that a namespace's deletion takes."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from http import HTTPStatus
from typing import Any

from sandbox.controlplane.api import Api, Json, RefusedError
from sandbox.controlplane.world import Placed, put

NAMESPACED = (
    "/apis/apps/v1/deployments",
    "/apis/apps/v1/daemonsets",
    "/apis/apps/v1/replicasets",
    "/apis/apps/v1/controllerrevisions",
    "/api/v1/pods",
    "/api/v1/services",
    "/api/v1/persistentvolumeclaims",
    "/api/v1/secrets",
    "/api/v1/configmaps",
    "/api/v1/serviceaccounts",
    "/api/v1/endpoints",
    "/apis/discovery.k8s.io/v1/endpointslices",
    "/apis/rbac.authorization.k8s.io/v1/rolebindings",
    "/apis/rbac.authorization.k8s.io/v1/roles",
    "/apis/clusterconfig.azure.com/v1beta1/extensionconfigs",
    "/api/v1/events",
)
"""The kinds that are reset in namespaces."""
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
EVERYWHERE = {"kube-root-ca.crt", "default"}
"""A ConfigMap and a ServiceAccount that the controllers create in every namespace."""
ROUNDS = 200
PAUSE = 0.02


class Reset:
    """The reset of one cluster; `start` has its initial objects."""

    def __init__(self, api: Api, start: Sequence[Placed]) -> None:
        self._api, self._start = api, list(start)
        self._kept = {one.address for one in start}
        spaces = [one.body["metadata"]["name"] for one in start if one.resource.plural == "namespaces"]
        self._spaces = {*OWN_NAMESPACES, *spaces}

    async def run(self) -> None:
        """Delete what was added, and create what was deleted."""
        listed = await self._everything(("/api/v1/namespaces", *NAMESPACED, *CLUSTER_WIDE))
        doomed = {
            item["metadata"]["name"]
            for address, item in listed.items()
            if address.startswith("/api/v1/namespaces/") and item["kind"] == "Namespace"
        } - self._spaces
        await self._all(self._api.delete(f"/api/v1/namespaces/{name}") for name in doomed)
        inside = {address: item for address, item in listed.items() if "namespace" in item["metadata"]}
        for _ in range(ROUNDS):
            # Delete what was added to namespaces that stay, and everything in those that don't.
            await self._all(
                self._delete(address, item)
                for address, item in inside.items()
                if item["metadata"]["namespace"] in doomed or self._has_come(address, item)
            )
            if not doomed:
                break
            inside = await self._everything(NAMESPACED)
            if not any(item["metadata"]["namespace"] in doomed for item in inside.values()):
                break
            await asyncio.sleep(PAUSE)
        await self._all(self._finish(name) for name in doomed)
        await self._sweep_cluster(listed)
        await put(self._api, [one for one in self._start if one.address not in listed])

    async def release(self) -> None:
        """Reset only what namespaces don't separate: Service addresses, and cluster-wide objects."""
        listed = await self._everything(("/api/v1/services", *CLUSTER_WIDE))
        strange = [
            (address, item)
            for address, item in listed.items()
            if item["metadata"].get("namespace", "") not in {"", *OWN_NAMESPACES} and address not in self._kept
        ]
        await self._all(self._delete(address, item) for address, item in strange)
        await self._sweep_cluster(listed)

    async def _everything(self, paths: Iterable[str]) -> dict[str, Json]:
        lists = await asyncio.gather(*(self._items(path) for path in paths))
        return {address: item for listed in lists for address, item in listed}

    def _has_come(self, address: str, item: Json) -> bool:
        """Whether an object of a namespace that stays was added: it is neither initial nor the cluster's own."""
        meta = item["metadata"]
        if meta["namespace"] not in self._spaces or address in self._kept or meta.get("ownerReferences"):
            return False
        if "/endpoints" in address or "/endpointslices/" in address or meta["name"] in EVERYWHERE:
            return False
        return not _is_the_clusters_own(address, item)

    async def _finish(self, namespace: str) -> None:
        """Finish a namespace's deletion, as the namespace controller would after its pause."""
        path = f"/api/v1/namespaces/{namespace}"
        while (obj := await self._api.find(path)) is not None:
            try:
                await self._api.replace(f"{path}/finalize", obj | {"spec": {"finalizers": []}})
            except RefusedError as error:
                # The controller has changed the namespace meanwhile, or finished its deletion.
                if error.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT}:
                    raise

    async def _sweep_cluster(self, listed: dict[str, Json]) -> None:
        await self._all(
            self._delete(address, item)
            for address, item in listed.items()
            if item["kind"] != "Namespace"
            and "namespace" not in item["metadata"]
            and address not in self._kept
            and not _is_the_clusters_own(address, item)
        )

    async def _items(self, path: str) -> list[tuple[str, Json]]:
        """All objects of a kind with their paths; empty if the kind isn't served."""
        document = await self._api.find(path)
        root, _, plural = path.rpartition("/")
        items = []
        for item in (document or {}).get("items") or ():
            meta = item["metadata"]
            space = f"/namespaces/{meta['namespace']}" if "namespace" in meta else ""
            kind = str(document["kind"]).removesuffix("List") if document else ""
            items.append((f"{root}{space}/{plural}/{meta['name']}", item | {"kind": kind}))
        return items

    async def _delete(self, address: str, item: Json) -> None:
        """Delete an object, then its finalizers: a controller restores them on objects that are not being deleted."""
        await self._api.delete(address)
        if item["metadata"].get("finalizers"):
            await self._api.merge(address, {"metadata": {"finalizers": None}})

    async def _all(self, work: Iterable[Coroutine[Any, Any, None]]) -> None:
        await asyncio.gather(*work)


def _is_the_clusters_own(address: str, item: Json) -> bool:
    """Whether the API server or a controller created it for itself."""
    meta = item["metadata"]
    labels = meta.get("labels") or {}
    if "/ipaddresses/" in address:
        return MANAGED_ADDRESS in labels
    if "/rbac." in address:
        return BOOTSTRAPPED in labels or meta["name"].startswith(("system:", "kubeadm:"))
    if meta.get("namespace", "").startswith("kube-") and "/services/" not in address:
        return True
    return ("/services/" in address or "/servicecidrs/" in address) and bool(meta["name"] == "kubernetes")
