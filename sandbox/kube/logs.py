"""Container logs, which are kept in Pods' annotations."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping

from sandbox.kube.resources import PODS, Json
from sandbox.kube.status import bad_request
from sandbox.kube.store import Store

LOG = "sandbox.local/log"
PREVIOUS_LOG = "sandbox.local/previous-log"
"""Annotations on a Pod; with the suffix `.CONTAINER` they belong to that container alone."""


def container_log(pod: Json, query: Mapping[str, str]) -> str:
    """The answer of `pods/log`.

    Raises:
        StatusError: 400, when there is no such container, or it has not been started.
    """
    container = _container(pod, query.get("container", ""))
    name = pod["metadata"]["name"]
    previous = query.get("previous", "").lower() in {"1", "true"}
    text = written(pod, container, previous=previous)
    if previous and text is None:
        raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    state = _state(pod, container)
    if text is None and "waiting" in state:
        why = state["waiting"].get("reason", "ContainerCreating")
        reason = f"is waiting to start: {why}"
        if why in {"ImagePullBackOff", "ErrImagePull"}:
            reason = "is waiting to start: trying and failing to pull image"
        raise bad_request(f'container "{container}" in pod "{name}" {reason}')
    text = text or ""
    if query.get("tailLines"):
        lines = text.splitlines(keepends=True)
        count = int(query["tailLines"])
        text = "".join(lines[-count:]) if count else ""
    if query.get("limitBytes"):
        text = text.encode()[: int(query["limitBytes"])].decode(errors="ignore")
    return text


def written(pod: Json, container: str, *, previous: bool = False) -> str | None:
    """The log of one container, or None if there is none."""
    annotations = pod["metadata"].get("annotations") or {}
    key = PREVIOUS_LOG if previous else LOG
    text = annotations.get(f"{key}.{container}", annotations.get(key))
    return text if text is None else str(text)


def _container(pod: Json, name: str) -> str:
    names = [one["name"] for one in pod["spec"]["containers"]]
    first = [one["name"] for one in pod["spec"].get("initContainers") or []]
    if name in [*names, *first]:
        return name
    if name:
        raise bad_request(f"container {name} is not valid for pod {pod['metadata']['name']}")
    if len(names) > 1 and "kubectl.kubernetes.io/default-container" not in (pod["metadata"].get("annotations") or {}):
        listed = " ".join(names)
        init = f" or one of the init containers: [{' '.join(first)}]" if first else ""
        raise bad_request(
            f"a container name must be specified for pod {pod['metadata']['name']}, choose one of: [{listed}]{init}"
        )
    return str(names[0])


def _state(pod: Json, container: str) -> Json:
    statuses = (pod.get("status") or {}).get("containerStatuses") or []
    state = next((one.get("state") for one in statuses if one["name"] == container), None)
    return dict(state or {"waiting": {"reason": "ContainerCreating"}})


async def followed(store: Store, pod: Json, query: Mapping[str, str]) -> AsyncIterator[str]:
    """The text written from now on, until the Pod is deleted or finished."""
    container = _container(pod, query.get("container", ""))
    namespace, name, uid = pod["metadata"]["namespace"], pod["metadata"]["name"], pod["metadata"]["uid"]
    text_so_far = written(pod, container) or ""
    while True:
        revision = store.revision
        current = store.get(PODS.key, namespace, name)
        if current is None or current["metadata"]["uid"] != uid:
            return
        text = written(current, container) or ""
        if text != text_so_far:
            yield text.removeprefix(text_so_far)
            text_so_far = text
        if (current.get("status") or {}).get("phase") in {"Succeeded", "Failed"}:
            return
        with contextlib.suppress(asyncio.CancelledError):
            await store.changed(revision)
            continue
        return
