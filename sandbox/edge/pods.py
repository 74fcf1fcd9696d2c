"""Status objects and events of Pods, as a scheduler and a kubelet write them. Pure functions."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Image:
    """A parsed image reference: HOST/REPOSITORY[:TAG][@DIGEST]."""

    host: str
    repository: str
    reference: str
    """Tag or digest."""

    @property
    def text(self) -> str:
        """The reference in full, as events quote it."""
        return f"{self.host}/{self.repository}{'@' if self.reference.startswith('sha256:') else ':'}{self.reference}"


def image(text: str) -> Image:
    """Parse a reference; the host is empty if it has none."""
    name, at, digest = text.partition("@")
    first, slash, remainder = name.partition("/")
    host = first if slash and ("." in first or ":" in first or first == "localhost") else ""
    path = remainder if host else name
    repository, _, tag = path.partition(":")
    return Image(host, repository, digest if at else tag or "latest")


def annotations(pod: Object) -> dict[str, str]:
    """A Pod's annotations; an empty dict if it has none."""
    return pod["metadata"].get("annotations") or {}


def claims(pod: Object) -> list[str]:
    """The names of the volume claims that a Pod mounts."""
    volumes = pod["spec"].get("volumes") or []
    return [item["persistentVolumeClaim"]["claimName"] for item in volumes if item.get("persistentVolumeClaim")]


def pull_secrets(pod: Object) -> list[str]:
    """The names of the Secrets that a Pod pulls with."""
    return [item["name"] for item in pod["spec"].get("imagePullSecrets") or []]


def credentials(secret: Object | None, host: str) -> tuple[str, str] | None:
    """User and password for a host in a Secret of type kubernetes.io/dockerconfigjson, None if it has none."""
    try:
        text = base64.b64decode((secret or {}).get("data", {})[".dockerconfigjson"])
        auths = json.loads(text)["auths"]
        entry = next(value for key, value in auths.items() if _host(key) == _host(host))
        if entry.get("username"):
            return entry["username"], entry.get("password", "")
        user, _, password = base64.b64decode(entry["auth"]).decode().partition(":")
    except (KeyError, ValueError, StopIteration, TypeError, AttributeError):
        return None
    return user, password


def _host(text: str) -> str:
    return text.removeprefix("https://").removeprefix("http://").partition("/")[0].removesuffix(":443")


def running(
    pod: Object, now: datetime, *, ready: bool, restarts: int = 0, images: Mapping[str, str] | None = None
) -> Object:
    """The status of a Pod whose containers run; `images` has the digest of each image that was really pulled."""
    state = {"running": {"startedAt": stamp(now)}}
    return _status(pod, now, "Running", [_container(state, {}, ready, restarts)], images)


def crashing(
    pod: Object, now: datetime, *, restarts: int, exit_code: int, reason: str, images: Mapping[str, str] | None = None
) -> Object:
    """The status of a Pod whose containers keep ending."""
    name = pod["spec"]["containers"][0]["name"]
    text = f"back-off restarting failed container {name} in pod {pod['metadata']['name']}"
    state = {"waiting": {"reason": "CrashLoopBackOff", "message": text}}
    last = {"terminated": {"exitCode": exit_code, "reason": reason, "startedAt": stamp(now), "finishedAt": stamp(now)}}
    return _status(pod, now, "Running", [_container(state, last, False, restarts)], images)


def evicted(pod: Object, now: datetime, message: str) -> Object:
    """The status of a Pod that its node has evicted: the kubelet says why of the Pod, and not of a container."""
    ended = {"exitCode": 137, "reason": "Error", "startedAt": stamp(now), "finishedAt": stamp(now)}
    status = _status(pod, now, "Failed", [_container({"terminated": ended}, {}, False, 0)])
    return status | {"reason": "Evicted", "message": message}


def completed(status: Object, now: datetime, *, exit_code: int = 0) -> Object:
    """The status of a Pod that ran with `status` and whose containers have ended and are not restarted."""
    ended = {"exitCode": exit_code, "reason": "Error" if exit_code else "Completed", "finishedAt": stamp(now)}
    containers = [
        one | {"ready": False, "started": False, "state": {"terminated": ended | one["state"]["running"]}}
        for one in status["containerStatuses"]
    ]
    conditions = [
        one | {"status": "False", "reason": "PodFailed" if exit_code else "PodCompleted"}
        if one["type"] in {"Ready", "ContainersReady"}
        else one
        for one in status["conditions"]
    ]
    phase = "Failed" if exit_code else "Succeeded"
    return status | {"phase": phase, "containerStatuses": containers, "conditions": conditions}


def waiting(pod: Object, now: datetime, reason: str, message: str, refused: str) -> Object:
    """The status of a Pod that lacks one image (`refused`, as written in the Pod)."""
    creating = {"waiting": {"reason": "ContainerCreating"}}
    missing = {"waiting": {"reason": reason, "message": message}}
    containers = [
        _container(missing if item["image"] == refused else creating, {}, False, 0)
        for item in pod["spec"]["containers"]
    ]
    return _status(pod, now, "Pending", containers)


def unschedulable(pod: Object, now: datetime, message: str) -> Object:
    """The status of a Pod that fits no node."""
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}
    conditions = (pod.get("status") or {}).get("conditions") or []
    since = next((item.get("lastTransitionTime") for item in conditions if item["type"] == "PodScheduled"), None)
    return {"phase": "Pending", "conditions": [{**condition, "lastTransitionTime": since or stamp(now)}]}


def _container(state: Object, last: Object, ready: bool, restarts: int) -> Object:
    return {"ready": ready, "started": ready, "restartCount": restarts, "state": state, "lastState": last}


def _status(
    pod: Object, now: datetime, phase: str, containers: list[Object], images: Mapping[str, str] | None = None
) -> Object:
    """A status; a single container status applies to all containers."""
    ready = all(item["ready"] for item in containers)
    word = "True" if ready else "False"
    conditions = [("PodScheduled", "True"), ("Initialized", "True"), ("ContainersReady", word), ("Ready", word)]
    specs = pod["spec"]["containers"]
    shared = containers if len(containers) == len(specs) else containers * len(specs)
    return {
        "phase": phase,
        "startTime": (pod.get("status") or {}).get("startTime") or stamp(now),
        "hostIP": "127.0.0.1",
        "podIP": _address(pod),
        "podIPs": [{"ip": _address(pod)}],
        "conditions": [
            {"type": kind, "status": status, "lastTransitionTime": stamp(now)} for kind, status in conditions
        ],
        "containerStatuses": [
            {
                "name": spec["name"],
                "image": spec["image"],
                "imageID": _image_id(spec["image"], images or {}) if phase == "Running" else "",
                **status,
            }
            for spec, status in zip(specs, shared, strict=True)
        ],
    }


def event(pod: Object, now: datetime, kind: str, reason: str, message: str) -> Object:
    """An event about a Pod; an identical event has the same name."""
    meta = pod["metadata"]
    mark = hashlib.sha256(f"{meta['uid']}{reason}{message}".encode()).hexdigest()[:16]
    reference = {
        "apiVersion": "v1",
        "kind": "Pod",
        "name": meta["name"],
        "namespace": meta["namespace"],
        "uid": meta["uid"],
    }
    component = "default-scheduler" if reason in {"Scheduled", "FailedScheduling"} else "kubelet"
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": f"{meta['name']}.{mark}", "namespace": meta["namespace"]},
        "involvedObject": reference,
        "type": kind,
        "reason": reason,
        "message": message,
        "source": {"component": component},
        "reportingComponent": component,
        "firstTimestamp": stamp(now),
        "lastTimestamp": stamp(now),
        "count": 1,
    }


def stamp(moment: datetime) -> str:
    """A time as Kubernetes writes it."""
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def _image_id(text: str, digests: Mapping[str, str]) -> str:
    reference = image(text)
    official = not reference.host and "/" not in reference.repository
    place = f"{reference.host or 'docker.io'}/{'library/' if official else ''}{reference.repository}"
    digest = digests.get(text) or "sha256:" + hashlib.sha256(text.encode()).hexdigest()
    return f"{place}@{digest}"


def _address(pod: Object) -> str:
    number = int(hashlib.sha256(pod["metadata"]["uid"].encode()).hexdigest()[:4], 16)
    return f"10.244.{number >> 8}.{(number & 255) or 1}"
