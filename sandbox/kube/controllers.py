"""The controllers' loop: reads every change and calls the controllers of the objects that it concerns."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

from sandbox.kube import upkeep, workloads
from sandbox.kube.cluster import Cluster, Deletion
from sandbox.kube.kubelet import ImagePull, Kubelet
from sandbox.kube.resources import (
    CLAIMS,
    CONFIG_MAPS,
    DAEMON_SETS,
    DEFINITIONS,
    DEPLOYMENTS,
    IP_ADDRESSES,
    JOBS,
    NAMESPACES,
    NODES,
    PODS,
    REPLICA_SETS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICE_CIDRS,
    SERVICES,
    STATEFUL_SETS,
    STORAGE_CLASSES,
    VOLUMES,
    Json,
    Key,
    Resource,
)
from sandbox.kube.seed import apply_namespaced_rights
from sandbox.kube.status import StatusError
from sandbox.kube.store import Change
from sandbox.speed import Speed

log = logging.getLogger(__name__)

Item = tuple[Key, str, str]
NAMESPACE_END = 2.5
"""A namespace's deletion takes this many times as long as a container's start (about 5 s on a real cluster)."""

_RECONCILERS: dict[Key, Callable[[Cluster, Json], None]] = {
    DEPLOYMENTS.key: workloads.deployment,
    REPLICA_SETS.key: workloads.replica_set,
    DAEMON_SETS.key: workloads.daemon_set,
    STATEFUL_SETS.key: workloads.stateful_set,
    JOBS.key: workloads.job,
    CLAIMS.key: upkeep.claim,
    VOLUMES.key: upkeep.volume,
    SERVICES.key: upkeep.endpoints,
    SERVICE_CIDRS.key: upkeep.service_range,
    DEFINITIONS.key: upkeep.definition,
}


_CONCERNED_BY: dict[Key, tuple[Resource, ...]] = {
    PODS.key: (CLAIMS,),
    CLAIMS.key: (PODS, VOLUMES),
    SECRETS.key: (PODS,),
    CONFIG_MAPS.key: (PODS,),
    SERVICE_ACCOUNTS.key: (REPLICA_SETS, STATEFUL_SETS, DAEMON_SETS, JOBS),
    NODES.key: (DAEMON_SETS, PODS),
    STORAGE_CLASSES.key: (CLAIMS,),
    VOLUMES.key: (CLAIMS, VOLUMES),
    IP_ADDRESSES.key: (SERVICE_CIDRS,),
}
"""Kinds to reconcile when an object of the key's kind changes (in its namespace, if it has one)."""


class Controllers:
    """Everything inside a cluster that acts on its objects."""

    def __init__(self, cluster: Cluster, *, speed: Speed, pull: ImagePull, certificate: str) -> None:
        self._cluster = cluster
        self._speed = speed
        self._certificate = certificate
        self._kubelet = Kubelet(cluster, speed=speed, pull=pull)
        self._seen = 0
        self._dependents: dict[str, set[Item]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._emptying: set[str] = set()
        self._emptied: set[str] = set()
        self._deadlines: set[tuple[str, int]] = set()

    async def settle(self) -> None:
        """Finish everything that is pending at once, container starts included, as if it were long ago."""
        self._kubelet.hurried, self._cluster.records_events = True, False
        self._look()
        while self._kubelet.busy:
            await asyncio.gather(*self._kubelet.busy, return_exceptions=True)
            self._look()
        self._kubelet.hurried, self._cluster.records_events = False, True

    async def run(self) -> None:
        """Act on changes until cancelled."""
        try:
            while True:
                self._look()
                await self._cluster.store.changed(self._seen)
        finally:
            await self._kubelet.close()
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _look(self) -> None:
        while self._seen < self._cluster.store.revision:
            work: dict[Item, None] = {}
            for change in self._changes():
                self._seen = change.revision
                self._index(change)
                work.update(dict.fromkeys(self._concerned(change)))
            for item in work:
                # An object that can't be reconciled does not stop the others.
                try:
                    self._reconcile(item)
                except Exception:
                    log.exception("controller failed on %s", "/".join((*item[0], *item[1:])))

    def _changes(self) -> list[Change]:
        try:
            return list(self._cluster.store.since(self._seen))
        except StatusError:  # there are more changes than the history holds, or it was compacted
            revision = self._cluster.store.revision
            return [
                Change(revision, "ADDED", resource.key, one, None)
                for resource in self._cluster.catalogue.stored()
                for one in self._cluster.store.items(resource.key)
            ]

    def _index(self, change: Change) -> None:
        for reference in change.object["metadata"].get("ownerReferences") or []:
            items = self._dependents.setdefault(reference["uid"], set())
            if change.type == "DELETED":
                items.discard(_item(change.key, change.object))
            else:
                items.add(_item(change.key, change.object))

    # --- which objects a change concerns ---

    def _concerned(self, change: Change) -> Iterator[Item]:
        obj, namespace = change.object, change.object["metadata"].get("namespace", "")
        yield _item(change.key, obj)
        for reference in obj["metadata"].get("ownerReferences") or []:
            resource = self._cluster.catalogue.of_kind(reference["apiVersion"], reference["kind"])
            if resource is not None:
                yield resource.key, namespace, reference["name"]
        if change.key == PODS.key:
            yield from (_item(SERVICES.key, one) for one in upkeep.services_of(self._cluster, obj))
        for resource in _CONCERNED_BY.get(change.key, ()):
            yield from self._all(resource, namespace if resource.namespaced else "")
        if change.type == "DELETED":
            uid = change.object["metadata"]["uid"]
            if change.key == DEFINITIONS.key:
                spec = change.object["spec"]
                key = (spec["group"], spec["names"]["plural"])
                for obj in self._cluster.store.items(key):
                    self._cluster.store.remove(key, obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
            for item in list(self._dependents.pop(uid, ())):
                self._collect(item, uid)
            if namespace:
                yield NAMESPACES.key, "", namespace

    def _all(self, resource: Resource, namespace: str = "") -> Iterator[Item]:
        return (_item(resource.key, one) for one in self._cluster.store.items(resource.key, namespace))

    def _collect(self, item: Item, owner: str) -> None:
        obj, resource = self._cluster.store.get(*item), self._resource(item[0])
        if obj is None or resource is None or "deletionTimestamp" in obj["metadata"]:
            return
        owners = [one for one in obj["metadata"].get("ownerReferences") or [] if one["uid"] != owner]
        if owners:
            self._cluster.change(resource, obj, metadata={"ownerReferences": owners})
        else:
            self._cluster.delete(resource, item[1], item[2], Deletion(propagation="Background"))

    def _resource(self, key: Key) -> Resource | None:
        return next((one for one in self._cluster.catalogue.stored() if one.key == key), None)

    # --- reconciling ---

    def _reconcile(self, item: Item) -> None:
        key = item[0]
        obj = self._cluster.store.get(*item)
        if obj is None:
            return
        finalizers = obj["metadata"].get("finalizers") or []
        if "deletionTimestamp" in obj["metadata"] and {"orphan", "foregroundDeletion"} & set(finalizers):
            self._let_go(item, obj, finalizers)
        elif key == PODS.key:
            self._kubelet.look(obj)
        elif key == NAMESPACES.key:
            self._namespace(obj)
        elif reconcile := _RECONCILERS.get(key):
            reconcile(self._cluster, obj)
            if key == DEPLOYMENTS.key:
                metadata = obj["metadata"]
                watched = (metadata["uid"], metadata["generation"])
                if watched not in self._deadlines:
                    self._deadlines.add(watched)
                    self._own(
                        self._deadline(metadata["namespace"], metadata["name"], obj["spec"]["progressDeadlineSeconds"])
                    )

    def _let_go(self, item: Item, obj: Json, finalizers: list[str]) -> None:
        resource, uid = self._resource(item[0]), obj["metadata"]["uid"]
        if resource is None:
            return
        dependents = list(self._dependents.get(uid, ()))
        if "orphan" in finalizers:
            for dependent in dependents:
                left_behind, kind = self._cluster.store.get(*dependent), self._resource(dependent[0])
                if left_behind is not None and kind is not None:
                    references = left_behind["metadata"].get("ownerReferences") or []
                    owners = [one for one in references if one["uid"] != uid]
                    self._cluster.change(kind, left_behind, metadata={"ownerReferences": owners})
            self._dependents.pop(uid, None)
        elif dependents:
            for dependent in dependents:
                self._collect(dependent, uid)
            return
        remaining = [one for one in finalizers if one not in {"orphan", "foregroundDeletion"}]
        self._cluster.change(resource, obj, metadata={"finalizers": remaining})

    def _namespace(self, namespace: Json) -> None:
        uid = namespace["metadata"]["uid"]
        if "deletionTimestamp" not in namespace["metadata"]:
            upkeep.new_namespace(self._cluster, namespace, self._certificate)
            apply_namespaced_rights(self._cluster, namespace["metadata"]["name"])
        elif uid in self._emptied:
            upkeep.emptied_namespace(self._cluster, namespace)
        elif uid not in self._emptying:
            self._emptying.add(uid)
            self._own(self._empty(namespace["metadata"]["name"], uid))

    async def _empty(self, name: str, uid: str) -> None:
        await self._cluster.clock.sleep(self._speed.container_start * NAMESPACE_END)
        self._emptied.add(uid)
        namespace = self._cluster.store.get(NAMESPACES.key, "", name)
        if namespace is not None and namespace["metadata"]["uid"] == uid:
            upkeep.emptied_namespace(self._cluster, namespace)

    async def _deadline(self, namespace: str, name: str, seconds: float) -> None:
        await self._cluster.clock.sleep(seconds + 1)
        self._reconcile((DEPLOYMENTS.key, namespace, name))

    def _own(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.create_task(self._guarded(work))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    @staticmethod
    async def _guarded(work: Coroutine[Any, Any, None]) -> None:
        with contextlib.suppress(StatusError):
            await work


def _item(key: Key, obj: Json) -> Item:
    return key, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
