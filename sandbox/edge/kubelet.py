"""Scheduler and kubelet for the Pods of the edge: the agents' own, and those that pull from a connected registry."""

import base64
import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox import placement
from sandbox.clock import Clock
from sandbox.edge import chart, pods, programs
from sandbox.edge.cluster import Cluster, RefusedError
from sandbox.edge.content import Content
from sandbox.edge.runtime import PullError, Runtime
from sandbox.speed import Speed

Object = dict[str, Any]
PROVISIONER = "sandbox.local/edge"
"""Claims of storage classes with this provisioner get their volume from the edge agent."""
FIRST_PULL_BACK_OFF, LONGEST_PULL_BACK_OFF = 10.0, 300.0
SHORT_BACK_OFF = 0.5
"""First back-off of pulls where containers start at once."""
EVICTED = (
    "The node was low on resource: ephemeral-storage. Threshold quantity: 6871947673, available: 412876Ki. "
    "Container connected-registry was using 5340192Ki, request is 0, has larger consumption of ephemeral-storage. "
)
"""A kubelet's message (kubernetes, pkg/kubelet/eviction/helpers.go)."""
HELLO = "Hello from Docker!\nThis message shows that your installation appears to be working correctly.\n"


@dataclass
class _Memory:
    """What the kubelet remembers of a Pod besides the Pod itself."""

    due: datetime
    applied: Object = field(default_factory=dict)
    pulls: int = 0
    log: tuple[str, str] = ("", "")


def of_the_edge(pod: Object) -> bool:
    """Whether a Pod is an agent's own, pulls from a connected registry, or has a program that may ask one."""
    own = pods.annotations(pod).get(chart.KUBELET) == "edge"
    return own or any(is_of_the_edge(container["image"]) for container in pod["spec"]["containers"])


class Kubelet:
    """Runs the Pods that are `mine`. `look` does what is due and returns when to look again."""

    def __init__(
        self,
        cluster: Cluster,
        clock: Clock,
        speed: Speed,
        runtimes: Callable[[], Mapping[str, Runtime]],
        *,
        containers: programs.Programs,
        mine: Callable[[Object], bool] = of_the_edge,
    ) -> None:
        self._cluster, self._clock, self._speed = cluster, clock, speed
        self._runtimes, self._mine, self._containers = runtimes, mine, containers
        self._pods: dict[str, Object] = {}
        self._memory: dict[str, _Memory] = {}
        self._nodes: list[Object] = []
        self.trust_missing: Callable[[], bool] = lambda: False
        self.pulls_throttled: Callable[[], bool] = lambda: False
        """Whether the registry of the agents' own images refuses further pulls of the connected registry's image."""
        self.under_pressure: Callable[[], bool] = lambda: False
        """Whether nodes evict connected registries, since their disks are full."""
        self._content = Content(runtimes)
        self._pulled = 0
        self._failed_pulls: Counter[str] = Counter()

    async def close(self) -> None:
        """Stop serving the programs that run in Pods."""
        await self._content.close()

    def pulls(self) -> Object:
        """How many pulls from connected registries have succeeded, and how many failed for which reason."""
        return {"done": self._pulled, "failed": dict(self._failed_pulls)}

    def take(self, kind: str, pod: Object) -> None:
        """Apply an event of a watch."""
        if kind == "RESET":
            self._pods.clear()
        elif kind == "DELETED":
            self._pods.pop(pod["metadata"]["uid"], None)
            self._memory.pop(pod["metadata"]["uid"], None)
        else:
            self._pods[pod["metadata"]["uid"]] = pod

    def registry_pods(self, namespace: str) -> list[Object]:
        """The Pods in which a connected registry runs or should run."""
        return [
            pod
            for pod in self._pods.values()
            if pod["metadata"]["namespace"] == namespace
            and (pod["metadata"].get("labels") or {}).get(chart.APP) == chart.REGISTRY
            and chart.KUBELET in pods.annotations(pod)
        ]

    def started(self, pod: Object) -> bool:
        """Whether the Pod's containers have been created."""
        memory = self._memory.get(pod["metadata"]["uid"])
        if not pod["spec"].get("nodeName") or memory is None or memory.applied.get("phase") == "Failed":
            return False
        return memory.due <= self._clock.now()

    def pull_again(self) -> None:
        """End the back-off of all pulls, because the registry has new content."""
        for memory in self._memory.values():
            if memory.pulls:
                memory.due, memory.pulls = self._clock.now(), 1

    async def look(self) -> datetime | None:
        """Do what is due for every Pod. Returns when something will be due again; None if nothing is pending."""
        later: list[datetime] = []
        fresh = False
        for pod in list(self._pods.values()):
            if not self._mine(pod):
                continue
            if not pod["spec"].get("nodeName") and not fresh:
                self._nodes, fresh = await self._cluster.all("Node"), True
            try:
                due = await self._attend(pod)
            except RefusedError as error:
                if error.status not in {404, 409}:
                    raise
                due = None
            if due is not None:
                later.append(due)
        return min(later, default=None)

    async def _attend(self, pod: Object) -> datetime | None:
        now = self._clock.now()
        meta = pod["metadata"]
        if meta.get("deletionTimestamp"):
            await self._cluster.delete("Pod", meta["name"], meta["namespace"], at_once=True)
            self._pods.pop(meta["uid"], None)
            return None
        memory = self._memory.setdefault(meta["uid"], _Memory(now + timedelta(seconds=self._speed.container_start)))
        if not pod["spec"].get("nodeName"):
            if not await self._place(pod, memory):
                return now + timedelta(seconds=max(self._speed.agent_period, 0.2))
            memory.due = now + timedelta(seconds=self._speed.container_start)
        if memory.due > now:
            return memory.due
        if pods.annotations(pod).get(chart.KUBELET) == "edge":
            return await self._run_own(pod, memory)
        return await self._run_workload(pod, memory)

    async def _place(self, pod: Object, memory: _Memory) -> bool:
        """Bind a Pod to a node if one fits and its volumes exist."""
        reason = await self._unbound(pod)
        node = placement.node_for(pod["spec"], self._nodes)
        if reason is None and node is None:
            reason = f"{placement.refusals(pod['spec'], self._nodes)}."
        if reason is not None:
            text = f"0/{len(self._nodes)} nodes are available: {reason}"
            await self._patch(pod, memory, pods.unschedulable(pod, self._clock.now(), text))
            await self._tell(pod, "Warning", "FailedScheduling", text)
            return False
        await self._cluster.bind(pod, node or "")
        pod["spec"]["nodeName"] = node
        name = f"{pod['metadata']['namespace']}/{pod['metadata']['name']}"
        await self._tell(pod, "Normal", "Scheduled", f"Successfully assigned {name} to {node}")
        return True

    async def _unbound(self, pod: Object) -> str | None:
        for name in pods.claims(pod):
            claim = await self._cluster.find("PersistentVolumeClaim", name, pod["metadata"]["namespace"])
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found.'
            if (claim.get("status") or {}).get("phase") != "Bound":
                await self._provision(claim)
                return "pod has unbound immediate PersistentVolumeClaims."
        return None

    async def _provision(self, claim: Object) -> None:
        """Create a volume for a claim, if its class has this agent's provisioner."""
        name = claim["spec"].get("storageClassName")
        storage_class = await self._cluster.find("StorageClass", name) if name else None
        if not storage_class or storage_class.get("provisioner") != PROVISIONER:
            return
        meta = claim["metadata"]
        reference = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "uid": meta["uid"]}
        volume = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": f"pvc-{meta['uid']}"},
            "spec": {
                "capacity": {"storage": claim["spec"]["resources"]["requests"]["storage"]},
                "accessModes": claim["spec"]["accessModes"],
                "storageClassName": name,
                "persistentVolumeReclaimPolicy": "Delete",
                "claimRef": {**reference, "name": meta["name"], "namespace": meta["namespace"]},
                "hostPath": {"path": f"/var/lib/sandbox/{meta['uid']}"},
            },
        }
        try:
            await self._cluster.create(volume)
        except RefusedError as error:
            if error.status != 409:  # noqa: PLR2004
                raise

    async def _run_own(self, pod: Object, memory: _Memory) -> datetime | None:
        now, phase = self._clock.now(), memory.applied.get("phase")
        runtime = self._runtimes().get(pod["metadata"]["uid"])
        registry = (pod["metadata"].get("labels") or {}).get(chart.APP) == chart.REGISTRY
        if not registry:
            await self._patch(pod, memory, pods.running(pod, now, ready=True))
        elif phase == "Failed":
            return None
        elif phase == "Running" and self.under_pressure():
            await self._tell(pod, "Warning", "Evicted", EVICTED)
            await self._patch(pod, memory, pods.evicted(pod, now, EVICTED))
        elif phase != "Running" and self.pulls_throttled():
            return await self._own_pull_failed(pod, memory)
        elif runtime is not None:
            log = ("".join(f"{line}\n" for line in runtime.log), "".join(f"{line}\n" for line in runtime.previous_log))
            if runtime.health == "crashing":
                log = (log[1], log[1])
            if log != memory.log:
                await self._annotate(pod, {chart.LOG: log[0], chart.PREVIOUS_LOG: log[1]})
                memory.log = log
            if runtime.health == "crashing":
                code, reason = runtime.ending
                status = pods.crashing(pod, now, restarts=runtime.restarts, exit_code=code, reason=reason)
            else:
                ready = runtime.health == "ready"
                status = pods.running(pod, now, ready=ready, restarts=runtime.restarts)
            await self._patch(pod, memory, status)
        return None

    async def _own_pull_failed(self, pod: Object, memory: _Memory) -> datetime:
        text = pod["spec"]["containers"][0]["image"]
        image = pods.image(text)
        error = PullError(
            f"pulling from host {image.host} failed with status code [manifests {image.reference}]: "
            "429 Too Many Requests"
        )
        await self._pull_failed(pod, memory, text, error)
        return self._back_off(memory)

    async def _run_workload(self, pod: Object, memory: _Memory) -> datetime | None:
        now = self._clock.now()
        if (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
            return None
        if memory.applied.get("phase") in {"Running", "Succeeded", "Failed"}:
            if memory.applied["phase"] == "Running" and _runs_once(pod):
                await self._patch(pod, memory, pods.completed(memory.applied, now))
            return None
        digests: dict[str, str] = {}
        for text in _edge_images(pod):
            await self._tell(pod, "Normal", "Pulling", f'Pulling image "{text}"')
            try:
                digests[text] = await self._pull(pod, pods.image(text))
            except PullError as error:
                self._failed_pulls[str(error)] += 1
                await self._pull_failed(pod, memory, text, error)
                return self._back_off(memory)
            self._pulled += 1
            await self._tell(pod, "Normal", "Pulled", f'Successfully pulled image "{text}"')
        if words := programs.arguments(pod):
            await self._run_program(pod, memory, words, digests)
            return None
        if _ends(pod) and not _runs_once(pod):
            status = pods.crashing(pod, now, restarts=1, exit_code=0, reason="Completed", images=digests)
        else:
            status = pods.running(pod, now, ready=True, images=digests)
        await self._patch(pod, memory, status)
        if _ends(pod):
            await self._annotate(pod, {chart.LOG: HELLO, chart.PREVIOUS_LOG: "" if _runs_once(pod) else HELLO})
        if not _runs_once(pod):
            return None
        memory.due = now + timedelta(seconds=self._speed.container_start)
        return memory.due

    def _back_off(self, memory: _Memory) -> datetime:
        """When a pull is tried again, which is later after each one that failed."""
        first = FIRST_PULL_BACK_OFF if self._speed.container_start else SHORT_BACK_OFF
        seconds = min(first * 2 ** min(memory.pulls, 9), LONGEST_PULL_BACK_OFF)
        memory.pulls += 1
        memory.due = self._clock.now() + timedelta(seconds=seconds)
        return memory.due

    async def _run_program(self, pod: Object, memory: _Memory, words: list[str], digests: Mapping[str, str]) -> None:
        """Run a container's program to its end, and show its log and exit code."""
        environment = await self._environment(pod)
        await self._patch(pod, memory, pods.running(pod, self._clock.now(), ready=True, images=digests))
        code, log = await self._containers.run(words, environment | {"HTTPS_PROXY": await self._content.proxy()})
        await self._annotate(pod, {chart.LOG: log})
        await self._patch(pod, memory, pods.completed(memory.applied, self._clock.now(), exit_code=code))

    async def _environment(self, pod: Object) -> dict[str, str]:
        """The variables of a Pod's first container, with what they take from Secrets."""
        values = {}
        for variable in pod["spec"]["containers"][0].get("env") or ():
            reference = (variable.get("valueFrom") or {}).get("secretKeyRef")
            if reference is None:
                values[variable["name"]] = str(variable.get("value") or "")
            elif secret := await self._cluster.find("Secret", reference["name"], pod["metadata"]["namespace"]):
                content = (secret.get("data") or {}).get(reference["key"], "")
                values[variable["name"]] = base64.b64decode(content).decode(errors="replace")
        return values

    async def _pull(self, pod: Object, image: pods.Image) -> str:
        runtime = next((item for item in self._runtimes().values() if _bare(image.host) == item.place.address), None)
        url = f'"https://{image.host}/v2/{image.repository}/manifests/{image.reference}"'
        if runtime is None:
            raise PullError(f"failed to do request: Head {url}: dial tcp {image.host}:443: i/o timeout")
        if runtime.place.tls and (self.trust_missing() or not self._trusted(pod["spec"]["nodeName"])):
            raise PullError(
                f"failed to do request: Head {url}: tls: failed to verify certificate: "
                "x509: certificate signed by unknown authority"
            )
        if not runtime.place.tls:
            raise PullError(f"failed to do request: Head {url}: http: server gave HTTP response to HTTPS client")
        user, password = await self._credentials(pod, image.host)
        return await runtime.pull(image.repository, image.reference, user, password, await self._platform(pod))

    async def _platform(self, pod: Object) -> str:
        """Of the Pod's node, as os/architecture."""
        node = await self._cluster.find("Node", pod["spec"]["nodeName"]) or {}
        labels = node.get("metadata", {}).get("labels") or {}
        words = [labels.get(f"kubernetes.io/{key}", "") for key in ("os", "arch")]
        return "/".join(words) if all(words) else ""

    def _trusted(self, node: str) -> bool:
        """Whether the trust DaemonSet's Pod runs on the node."""
        return any(
            (pod["metadata"].get("labels") or {}).get(chart.APP) == chart.TRUST
            and pod["spec"].get("nodeName") == node
            and (pod.get("status") or {}).get("phase") == "Running"
            for pod in self._pods.values()
        )

    async def _credentials(self, pod: Object, host: str) -> tuple[str | None, str]:
        for name in pods.pull_secrets(pod):
            secret = await self._cluster.find("Secret", name, pod["metadata"]["namespace"])
            if credentials := pods.credentials(secret, host):
                return credentials
        return None, ""

    async def _pull_failed(self, pod: Object, memory: _Memory, image: str, error: PullError) -> None:
        full = pods.image(image).text
        resolving = "" if error.resolved else f'failed to resolve reference "{full}": '
        why = f'failed to pull and unpack image "{full}": {resolving}{error}'
        await self._tell(pod, "Warning", "Failed", f'Failed to pull image "{image}": {why}')
        await self._tell(pod, "Warning", "Failed", "Error: ErrImagePull")
        await self._tell(pod, "Normal", "BackOff", f'Back-off pulling image "{image}"')
        await self._tell(pod, "Warning", "Failed", "Error: ImagePullBackOff")
        message = f'Back-off pulling image "{image}": ErrImagePull: {why}'
        await self._patch(pod, memory, pods.waiting(pod, self._clock.now(), "ImagePullBackOff", message, image))

    async def _annotate(self, pod: Object, notes: Mapping[str, str | None]) -> None:
        """Set annotations; an empty one is removed, because an empty previous log would still count as a log."""
        meta, notes = pod["metadata"], {key: value or None for key, value in notes.items()}
        await self._cluster.patch("Pod", meta["name"], meta["namespace"], {"metadata": {"annotations": notes}})

    async def _patch(self, pod: Object, memory: _Memory, status: Object) -> None:
        """Write a status if it differs from the last one in more than times."""
        if _without_times(status) == _without_times(memory.applied):
            return
        meta = pod["metadata"]
        await self._cluster.patch("Pod", meta["name"], meta["namespace"], {"status": status}, part="status")
        memory.applied = status

    async def _tell(self, pod: Object, kind: str, reason: str, message: str) -> None:
        event = pods.event(pod, self._clock.now(), kind, reason, message)
        try:
            await self._cluster.create(event)
        except RefusedError as error:
            if error.status == 409:  # noqa: PLR2004
                meta = event["metadata"]
                body = {"lastTimestamp": event["lastTimestamp"]}
                await self._cluster.patch("Event", meta["name"], meta["namespace"], body)
            elif error.status not in {403, 404}:
                raise


def is_edge_image(text: str) -> bool:
    """Whether an image's host is an IP address, which at the edge only a connected registry has."""
    try:
        ipaddress.ip_address(_bare(pods.image(text).host))
    except ValueError:
        return False
    return True


def is_of_the_edge(text: str) -> bool:
    """Whether the Pods of an image are the edge's to run: it comes from there, or its program may ask there."""
    return is_edge_image(text) or programs.is_python(text)


def _bare(host: str) -> str:
    return re.sub(r":(443|80)$", "", host)


def _edge_images(pod: Object) -> list[str]:
    """The images of a Pod that come from an address, each once."""
    texts = [container["image"] for container in pod["spec"]["containers"]]
    return [text for text in dict.fromkeys(texts) if is_edge_image(text)]


def _ends(pod: Object) -> bool:
    """Whether the image's program prints a line and ends, as hello-world does, so that it is restarted forever."""
    return pods.image(pod["spec"]["containers"][0]["image"]).repository.rpartition("/")[2] == "hello-world"


def _runs_once(pod: Object) -> bool:
    """Whether its containers are not restarted after they end, as in a Job. Here every such program ends."""
    return bool(pod["spec"].get("restartPolicy", "Always") != "Always")


def _without_times(status: Any) -> Any:
    if isinstance(status, dict):
        times = {"lastTransitionTime", "startedAt", "finishedAt", "startTime"}
        return {key: _without_times(value) for key, value in status.items() if key not in times}
    if isinstance(status, list):
        return [_without_times(item) for item in status]
    return status
