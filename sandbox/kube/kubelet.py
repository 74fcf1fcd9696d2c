"""The scheduler and the kubelets: they assign Pods to nodes, pull images, and start and end containers."""

import asyncio
import hashlib
from collections.abc import Iterator, Sequence
from typing import Protocol

from sandbox import placement
from sandbox.kube.cluster import Cluster
from sandbox.kube.records import record
from sandbox.kube.resources import CLAIMS, CONFIG_MAPS, NODES, PODS, SECRETS, Json, Key
from sandbox.kube.server import bind
from sandbox.speed import Speed

PLAYED_BY = "sandbox.local/kubelet"
"""Annotation on a Pod whose status another kubelet reports: `edge`. Only its deletion is handled here."""
FIRST_BACKOFF = 10.0
LONGEST_BACKOFF = 300.0


class PullRefusedError(Exception):
    """An image can't be pulled; the text is the container runtime's."""


class ImagePull(Protocol):
    """Pulls an image for a Pod."""

    async def __call__(self, cluster: str, image: str, secrets: Sequence[Json]) -> str:
        """The digest (`sha256:…`) of the image, pulled with the given pull secrets.

        Raises:
            PullRefusedError: it can't be pulled.
        """


async def any_image(cluster: str, image: str, secrets: Sequence[Json]) -> str:  # noqa: ARG001 - an ImagePull has these
    """Every image exists; its digest is derived from its name."""
    return "sha256:" + hashlib.sha256(image.encode()).hexdigest()


class Kubelet:
    """Plays the scheduler and every kubelet of one cluster."""

    def __init__(self, cluster: Cluster, *, speed: Speed, pull: ImagePull) -> None:
        self._cluster = cluster
        self._speed = speed
        self._pull = pull
        self._starting: dict[str, asyncio.Task[None]] = {}
        self.hurried = False
        """Whether containers start at once, regardless of the speed, while a cluster is being set up."""

    async def close(self) -> None:
        """Stop everything that is starting."""
        tasks = list(self._starting.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def busy(self) -> list[asyncio.Task[None]]:
        """The Pods that are being started."""
        return list(self._starting.values())

    def look(self, pod: Json) -> None:
        """Do the next step for a Pod."""
        uid = pod["metadata"]["uid"]
        if "deletionTimestamp" in pod["metadata"]:
            if task := self._starting.pop(uid, None):
                task.cancel()
            self._end(pod)
        elif not pod["spec"].get("nodeName"):
            self._schedule(pod)
        elif uid not in self._starting and _may_start(pod):
            task = asyncio.create_task(self._start(pod))
            self._starting[uid] = task
            task.add_done_callback(lambda _: self._starting.pop(uid, None))

    def _end(self, pod: Json) -> None:
        if not pod["metadata"].get("finalizers"):
            self._cluster.force_delete(PODS, pod)

    # --- scheduling ---

    def _schedule(self, pod: Json) -> None:
        why = self._claims_missing(pod)
        nodes = self._cluster.store.items(NODES.key)
        fitting = [node for node in nodes if not placement.refusal(pod["spec"], node)]
        if not why and not fitting:
            why = _none_of(len(nodes), placement.refusals(pod["spec"], nodes))
        if why:
            self._unschedulable(pod, why)
            return
        load = [other["spec"].get("nodeName") for other in self._cluster.store.items(PODS.key)]
        node = min(fitting, key=lambda one: load.count(one["metadata"]["name"]))["metadata"]["name"]
        bind(self._cluster, pod, node)
        metadata = pod["metadata"]
        text = f"Successfully assigned {metadata['namespace']}/{metadata['name']} to {node}"
        record(self._cluster, pod, "Scheduled", text, component="default-scheduler")

    def _claims_missing(self, pod: Json) -> str:
        namespace = pod["metadata"]["namespace"]
        for volume in pod["spec"].get("volumes") or []:
            name = (volume.get("persistentVolumeClaim") or {}).get("claimName")
            if not name:
                continue
            claim = self._cluster.store.get(CLAIMS.key, namespace, name)
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if (claim.get("status") or {}).get("phase") != "Bound":
                count = len(self._cluster.store.items(NODES.key))
                return _none_of(count, "pod has unbound immediate PersistentVolumeClaims")
        return ""

    def _unschedulable(self, pod: Json, why: str) -> None:
        conditions = (pod.get("status") or {}).get("conditions") or []
        condition: Json = next((one for one in conditions if one["type"] == "PodScheduled"), {})
        if condition.get("message") == why:
            return
        updated = self._condition("PodScheduled", "False", reason="Unschedulable", message=why)
        self._cluster.change(PODS, pod, status={"phase": "Pending", "conditions": [updated]})
        record(self._cluster, pod, "FailedScheduling", why, kind="Warning", component="default-scheduler")

    # --- starting ---

    async def _start(self, pod: Json) -> None:
        self._waiting(pod, {}, "ContainerCreating", "")
        backoff = FIRST_BACKOFF
        await self._pause(self._speed.container_start)
        while missing := self._mounts_missing(pod):
            text = f'MountVolume.SetUp failed for volume "{missing[0]}" : {missing[1]}'
            self._say(pod, "FailedMount", text, kind="Warning")
            await self._pause(backoff)
        images: dict[str, str] = {}
        for container in _containers(pod):
            while container["image"] not in images:
                try:
                    image = container["image"]
                    self._say(pod, "Pulling", f'Pulling image "{image}"')
                    namespace = pod["metadata"]["namespace"]
                    references = pod["spec"].get("imagePullSecrets") or []
                    secrets = [
                        self._cluster.store.get(SECRETS.key, namespace, one.get("name", "")) for one in references
                    ]
                    digest = await self._pull(self._cluster.name, image, [one for one in secrets if one is not None])
                    self._say(pod, "Pulled", f'Successfully pulled image "{image}"')
                    images[container["image"]] = image_id(image, digest)
                except PullRefusedError as error:
                    await self._pull_failed(pod, container["image"], str(error), backoff)
                    backoff = min(backoff * 2, LONGEST_BACKOFF)
            self._say(pod, "Created", f"Created container: {container['name']}")
            self._say(pod, "Started", f"Started container {container['name']}")
        state = {"running": {"startedAt": self._cluster.now()}}
        statuses = [_container_status(one, state, started=True, image=images[one["image"]]) for one in _containers(pod)]
        names = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
        conditions = [self._condition(kind, "True") for kind in names]
        status = self._addresses(pod) | {"phase": "Running", "conditions": conditions, "containerStatuses": statuses}
        self._cluster.change(PODS, pod, status=status)
        if pod["spec"].get("restartPolicy") != "Always":
            await self._pause(self._speed.container_start)
            self._finished(pod, images)

    async def _pause(self, seconds: float) -> None:
        await self._cluster.clock.sleep(0 if self.hurried else seconds)

    async def _pull_failed(self, pod: Json, image: str, why: str, backoff: float) -> None:
        text = f'Failed to pull image "{image}": {why}'
        self._say(pod, "Failed", text, kind="Warning")
        self._say(pod, "Failed", "Error: ErrImagePull", kind="Warning")
        self._waiting(pod, {image: why}, "ErrImagePull", why)
        self._say(pod, "BackOff", f'Back-off pulling image "{image}"')
        self._waiting(pod, {image: why}, "ImagePullBackOff", f'Back-off pulling image "{image}": {why}')
        await self._pause(backoff)

    def _mounts_missing(self, pod: Json) -> tuple[str, str] | None:
        namespace = pod["metadata"]["namespace"]
        kinds: tuple[tuple[str, str, str, Key], ...] = (
            ("secret", "secretName", "secret", SECRETS.key),
            ("configMap", "name", "configmap", CONFIG_MAPS.key),
        )
        for volume in pod["spec"].get("volumes") or []:
            for kind, field, label, key in kinds:
                source = volume.get(kind)
                if not source or source.get("optional"):
                    continue
                if self._cluster.store.get(key, namespace, source.get(field, "")) is None:
                    return volume["name"], f'{label} "{source.get(field)}" not found'
        return None

    # --- statuses ---

    def _waiting(self, pod: Json, refused: Json, reason: str, message: str) -> None:
        statuses = []
        for container in _containers(pod):
            mine = not refused or container["image"] in refused
            state = {"reason": reason if mine else "ContainerCreating"} | (
                {"message": message} if mine and message else {}
            )
            statuses.append(_container_status(container, {"waiting": state}, started=False))
        conditions = [
            self._condition("PodReadyToStartContainers", "True"),
            self._condition("Initialized", "True"),
            *(
                self._condition(
                    kind,
                    "False",
                    reason="ContainersNotReady",
                    message=f"containers with unready status: [{' '.join(one['name'] for one in _containers(pod))}]",
                )
                for kind in ("Ready", "ContainersReady")
            ),
            self._condition("PodScheduled", "True"),
        ]
        status = self._addresses(pod) | {"phase": "Pending", "conditions": conditions, "containerStatuses": statuses}
        self._cluster.change(PODS, pod, status=status)

    def _finished(self, pod: Json, images: dict[str, str]) -> None:
        now = self._cluster.now()
        state = {"terminated": {"exitCode": 0, "reason": "Completed", "startedAt": now, "finishedAt": now}}
        statuses = [
            _container_status(one, state, started=False, image=images[one["image"]]) for one in _containers(pod)
        ]
        conditions = [
            self._condition(kind, status, reason="PodCompleted")
            for kind, status in (("Initialized", "True"), ("Ready", "False"), ("ContainersReady", "False"))
        ]
        conditions.append(self._condition("PodScheduled", "True"))
        self._cluster.change(
            PODS, pod, status={"phase": "Succeeded", "conditions": conditions, "containerStatuses": statuses}
        )

    def _addresses(self, pod: Json) -> Json:
        digest = hashlib.sha256(pod["metadata"]["uid"].encode()).digest()
        address = f"10.244.{digest[0]}.{digest[1] or 1}"
        node = self._cluster.store.get(NODES.key, "", pod["spec"]["nodeName"]) or {}
        host = next((one["address"] for one in (node.get("status") or {}).get("addresses") or []), "")
        status: Json = {"podIP": address, "podIPs": [{"ip": address}], "startTime": self._cluster.now()}
        return status | ({"hostIP": host, "hostIPs": [{"ip": host}]} if host else {})

    def _condition(self, kind: str, status: str, *, reason: str = "", message: str = "") -> Json:
        condition: Json = {
            "type": kind,
            "status": status,
            "lastProbeTime": None,
            "lastTransitionTime": self._cluster.now(),
        }
        return condition | ({"reason": reason} if reason else {}) | ({"message": message} if message else {})

    def _say(self, pod: Json, reason: str, text: str, *, kind: str = "Normal") -> None:
        record(self._cluster, pod, reason, text, kind=kind, component="kubelet", host=pod["spec"].get("nodeName", ""))


def image_id(image: str, digest: str) -> str:
    """What a kubelet reports as `imageID`: the repository with its registry, and the digest."""
    name = image.partition("@")[0]
    head, slash, last = name.rpartition("/")
    repository = head + slash + last.partition(":")[0]
    first = repository.partition("/")[0]
    if "/" not in repository:
        repository = f"docker.io/library/{repository}"
    elif "." not in first and ":" not in first and first != "localhost":
        repository = f"docker.io/{repository}"
    pinned = image.partition("@")[2]
    return f"{repository}@{pinned or digest}"


def _none_of(count: int, why: str) -> str:
    return (
        f"0/{count} nodes are available: {why}. preemption: 0/{count} nodes are available: "
        f"{count} Preemption is not helpful for scheduling."
    )


def _containers(pod: Json) -> Iterator[Json]:
    yield from pod["spec"]["containers"]


def _container_status(container: Json, state: Json, *, started: bool, image: str = "") -> Json:
    identity = "containerd://" + hashlib.sha256(f"{container['name']}{image}".encode()).hexdigest() if image else ""
    status: Json = {
        "name": container["name"],
        "image": container["image"],
        "imageID": image,
        "ready": started,
        "started": started,
        "restartCount": 0,
        "state": state,
        "lastState": {},
    }
    return status | ({"containerID": identity} if identity else {})


def _may_start(pod: Json) -> bool:
    """Whether a Pod has not started yet, and no other part of the sandbox plays it."""
    status, annotations = pod.get("status") or {}, pod["metadata"].get("annotations") or {}
    is_new = status.get("phase", "Pending") == "Pending" and not status.get("containerStatuses")
    return is_new and not annotations.get(PLAYED_BY)
