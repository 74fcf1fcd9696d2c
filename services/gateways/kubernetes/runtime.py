"""What a cluster shows of an installed connected registry: objects of its namespace, last log lines, warnings."""

from collections.abc import Iterable

from services.gateways.kubernetes.api import Api, Object
from services.gateways.kubernetes.ranges import addresses
from services.gateways.kubernetes.rights import (
    CLAIM,
    GET_CLAIM,
    GET_LOG,
    GET_NAMESPACE,
    LIST_DEPLOYMENTS,
    LIST_EVENTS,
    LIST_PODS,
    LIST_SERVICES,
    Right,
)
from services.gateways.kubernetes.together import together
from services.model.errors import Absent, Refused
from services.model.kubernetes import Runtime
from services.model.redaction import scrub

LABEL = "app.kubernetes.io/name=connected-registry"
LOG_LINES, LOG_BYTES = 40, 64 * 2**10
WARNINGS = 10


async def runtime(api: Api, namespace: str) -> Runtime:
    """Everything at once; an empty `Runtime` when there is no such namespace. What it lacks is told as empty."""
    space = await _one(api, GET_NAMESPACE, namespace)
    if not space:
        return Runtime()
    labelled = {"labelSelector": LABEL}
    (deployments, services, claim, pods, events) = await together(
        [
            api.everything(LIST_DEPLOYMENTS.inside(namespace), labelled),
            api.everything(LIST_SERVICES.inside(namespace)),
            _one(api, GET_CLAIM.inside(namespace), CLAIM),
            api.everything(LIST_PODS.inside(namespace), labelled),
            api.everything(LIST_EVENTS.inside(namespace), {"fieldSelector": "type=Warning"}),
        ]
    )
    pod = newest(pods)
    log, previous = await together(_log(api, namespace, pod, previous=previous) for previous in (False, True))
    return Runtime(
        namespace_phase=phase(space),
        deployment_available=any(_is_available(item) for item in deployments),
        service_addresses=tuple(address for item in services for address in addresses(item)),
        volume_phase=phase(claim),
        volume_class=str(_first(claim, "spec").get("storageClassName") or ""),
        pod_phase=phase([pod]),
        waiting_reason=waiting_reason(pod),
        restarts=sum(int(item.get("restartCount") or 0) for item in _containers(pod)),
        log=log,
        previous_log=previous,
        warnings=warnings(events),
    )


def newest(pods: Iterable[Object]) -> Object:
    """The Pod that counts: the Deployment's youngest that isn't on its way out; empty when there is none.

    The DaemonSet that distributes trust to the nodes has Pods beside it.
    """
    return max(pods, key=_weight, default={})


def _weight(pod: Object) -> tuple[bool, bool, str]:
    meta = pod["metadata"]
    owners = {owner.get("kind") for owner in meta.get("ownerReferences") or ()}
    return "DaemonSet" not in owners, "deletionTimestamp" not in meta, str(meta.get("creationTimestamp") or "")


def phase(objects: list[Object]) -> str:
    """The phase of the only object; empty when there is none."""
    return str(_first(objects, "status").get("phase") or "")


def waiting_reason(pod: Object) -> str:
    """Why a Pod doesn't run: what a container waits for (`CrashLoopBackOff`), or `Unschedulable`."""
    for container in _containers(pod):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            return str(waiting["reason"])
    for condition in (pod.get("status") or {}).get("conditions") or ():
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return str(condition.get("reason") or "")
    return ""


def warnings(events: Iterable[Object]) -> tuple[str, ...]:
    """`Reason: message` of warning events, each once, newest last."""
    real = sorted((event for event in events if event.get("type") == "Warning"), key=_time)
    texts = [scrub(f"{event.get('reason', '')}: {event.get('message', '')}") for event in real]
    return tuple(reversed(dict.fromkeys(reversed(texts))))[-WARNINGS:]


async def _one(api: Api, right: Right, name: str) -> list[Object]:
    try:
        return [await api.ask(right, name)]
    except Absent:
        return []


async def _log(api: Api, namespace: str, pod: Object, *, previous: bool) -> str:
    """Empty when the container hasn't started, or (previous) never restarted: the API server answers 400 then."""
    containers = (pod.get("spec") or {}).get("containers") or ()
    if not containers:
        return ""
    query = {"container": str(containers[0]["name"]), "tailLines": str(LOG_LINES), "limitBytes": str(LOG_BYTES)}
    try:
        text = await api.text(
            GET_LOG.inside(namespace), pod["metadata"]["name"], query | ({"previous": "true"} if previous else {})
        )
    except (Absent, Refused):
        return ""
    return scrub(text)


def _is_available(deployment: Object) -> bool:
    conditions = (deployment.get("status") or {}).get("conditions") or ()
    return any(item.get("type") == "Available" and item.get("status") == "True" for item in conditions)


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _first(objects: list[Object], part: str) -> Object:
    return (objects[0].get(part) or {}) if objects else {}


def _time(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
