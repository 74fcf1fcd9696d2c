"""What a cluster shows of an installed connected registry: objects of its namespace, last log lines, warnings."""

from collections.abc import Iterable
from datetime import datetime

from services.gateways.kubernetes.api import Api
from services.gateways.kubernetes.nodes import node
from services.gateways.kubernetes.objects import Object, condition, is_true, phase, service_addresses
from services.gateways.kubernetes.rights import (
    CLAIM,
    GET_CLAIM,
    GET_LOG,
    GET_NAMESPACE,
    LIST_CERTIFICATES,
    LIST_DEPLOYMENTS,
    LIST_EVENTS,
    LIST_NODES,
    LIST_PODS,
    LIST_SERVICES,
    Right,
)
from services.gateways.kubernetes.together import together
from services.model.errors import Absent, NotAllowed, Refused
from services.model.kubernetes import Certificate, Runtime, RuntimePod
from services.model.redaction import scrub, short

LABEL = "app.kubernetes.io/name=connected-registry"
LOG_LINES, LOG_BYTES = 40, 64 * 2**10
WARNINGS = 10
UNSCHEDULABLE = "Unschedulable"
_HELD_UP = (
    "NamespaceDeletionDiscoveryFailure",
    "NamespaceDeletionGroupVersionParsingFailure",
    "NamespaceDeletionContentFailure",
    "NamespaceFinalizersRemaining",
)
"""Conditions of a namespace that does not go, gravest first (kubernetes, core/v1 NamespaceConditionType). That content
remains is no reason: every deletion begins so."""


async def runtime(api: Api, namespace: str) -> Runtime:
    """Everything at once; an empty `Runtime` when there is no such namespace. What is missing is left empty."""
    home = await _object(api, GET_NAMESPACE, namespace)
    if not home:
        return Runtime()
    labelled = {"labelSelector": LABEL}
    (deployments, services, claims, pods, events) = await together(
        [
            api.everything(LIST_DEPLOYMENTS.inside(namespace), labelled),
            api.everything(LIST_SERVICES.inside(namespace)),
            _object(api, GET_CLAIM.inside(namespace), CLAIM),
            api.everything(LIST_PODS.inside(namespace), labelled),
            api.everything(LIST_EVENTS.inside(namespace), {"fieldSelector": "type=Warning"}),
        ]
    )
    claim: Object = claims[0] if claims else {}
    pod = newest(pods)
    log, previous = await together(last_lines(api, namespace, pod, previous=previous) for previous in (False, True))
    end = ending(pod)
    return Runtime(
        namespace_phase=phase(home[0]),
        namespace_message=_held_up(home[0]),
        deployment_available=any(is_true(deployment, "Available") for deployment in deployments),
        service_addresses=tuple(address for service in services for address in service_addresses(service)),
        volume_phase="Terminating" if "deletionTimestamp" in claim.get("metadata", {}) else phase(claim),
        volume_class=str((claim.get("spec") or {}).get("storageClassName") or ""),
        volume_request=_requested_storage(claim),
        pod_phase=phase(pod),
        waiting_reason=waiting_reason(pod),
        pod_message=scrub(str((pod.get("status") or {}).get("message") or "")),
        restarts=_restarts(pod),
        ended_reason=str(end.get("reason") or ""),
        ended_message=scrub(str(end.get("message") or "")),
        exit_code=int(end.get("exitCode") or 0) if end else None,
        log=log,
        previous_log=previous,
        warnings=warnings(events),
        replicas=sum(int((deployment.get("spec") or {}).get("replicas") or 0) for deployment in deployments),
        ready_replicas=sum(
            int((deployment.get("status") or {}).get("readyReplicas") or 0) for deployment in deployments
        ),
        pods=tuple(map(_pod, sorted(pods, key=_weight, reverse=True))),
        unfit_nodes=await _unfit_nodes(api) if waiting_reason(pod) == UNSCHEDULABLE else (),
    )


async def certificates(api: Api, namespace: str) -> tuple[Certificate, ...]:
    """By name; none where the cluster does not know the kind, since cert-manager is not installed there."""
    try:
        items = await api.everything(LIST_CERTIFICATES.inside(namespace))
    except Absent:
        return ()
    return tuple(sorted(map(_certificate, items), key=lambda certificate: certificate.name))


def _certificate(item: Object) -> Certificate:
    ready, status = condition(item, "Ready"), item.get("status") or {}
    moment = status.get("notAfter")
    return Certificate(
        item["metadata"]["name"],
        ready.get("status") == "True",
        "" if ready.get("status") == "True" else scrub(str(ready.get("message") or ready.get("reason") or "")),
        datetime.fromisoformat(moment) if isinstance(moment, str) else None,
    )


def _pod(item: Object) -> RuntimePod:
    return RuntimePod(
        item["metadata"]["name"],
        str((item.get("spec") or {}).get("nodeName") or ""),
        phase(item),
        waiting_reason(item),
        _restarts(item),
    )


def newest(pods: Iterable[Object]) -> Object:
    """The Pod that counts: the Deployment's youngest that isn't on its way out; empty when there is none.

    The DaemonSet that distributes trust to the nodes has Pods beside it, which say nothing of the runtime.
    """
    return max((pod for pod in pods if _weight(pod)[0]), key=_weight, default={})


def _weight(pod: Object) -> tuple[bool, bool, str]:
    meta = pod["metadata"]
    owners = {owner.get("kind") for owner in meta.get("ownerReferences") or ()}
    return "DaemonSet" not in owners, "deletionTimestamp" not in meta, str(meta.get("creationTimestamp") or "")


def waiting_reason(pod: Object) -> str:
    """Why a Pod doesn't run: what a container waits for (`CrashLoopBackOff`), `Unschedulable`, or why its node ends it.

    A kubelet that evicts or refuses a Pod says so (`Evicted`, `OutOfcpu`) of the Pod alone, never of a container.
    """
    status = pod.get("status") or {}
    if phase(pod) == "Failed" and status.get("reason"):
        return str(status["reason"])
    for container in _containers(pod):
        waiting = (container.get("state") or {}).get("waiting") or {}
        if waiting.get("reason"):
            return str(waiting["reason"])
    scheduled = condition(pod, "PodScheduled")
    return str(scheduled.get("reason") or "") if scheduled.get("status") == "False" else ""


def warnings(events: Iterable[Object]) -> tuple[str, ...]:
    """`Reason: message` of warning events, each once, newest last."""
    in_order = sorted((event for event in events if event.get("type") == "Warning"), key=_time)
    texts = [scrub(f"{event.get('reason', '')}: {event.get('message', '')}") for event in in_order]
    return tuple(reversed(dict.fromkeys(reversed(texts))))[-WARNINGS:]


async def _object(api: Api, right: Right, name: str) -> list[Object]:
    """The object of this name, as a list of one; empty when there is none."""
    try:
        return [await api.ask(right, name)]
    except Absent:
        return []


async def last_lines(api: Api, namespace: str, pod: Object, *, previous: bool) -> str:
    """Of a Pod's log, without secrets.

    Empty when the container hasn't started, or (previous) never restarted: the API server answers 400 then.
    """
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


def _requested_storage(claim: Object) -> str:
    requests = ((claim.get("spec") or {}).get("resources") or {}).get("requests") or {}
    return str(requests.get("storage") or "")


def _restarts(pod: Object) -> int:
    return sum(int(item.get("restartCount") or 0) for item in _containers(pod))


def ending(pod: Object) -> Object:
    """How the first container that has ended did so: now, or before it was started again; empty where none has."""
    states = [item.get(key) or {} for item in _containers(pod) for key in ("state", "lastState")]
    return next((state["terminated"] for state in states if state.get("terminated")), {})


def _held_up(namespace: Object) -> str:
    """What a namespace that is being deleted waits for, in the cluster's words; empty where it says nothing."""
    if phase(namespace) != "Terminating":
        return ""
    conditions = (condition(namespace, kind) for kind in _HELD_UP if is_true(namespace, kind))
    return short(next((str(item.get("message") or "") for item in conditions), ""))


async def _unfit_nodes(api: Api) -> tuple[str, ...]:
    """Names of linux/amd64 nodes that take no Pods, each with the reason; empty where they can't be listed.

    Since 1.34.2 the scheduler does not name the taints any more that keep a Pod off (kubernetes#134740).
    """
    try:
        nodes = map(node, await api.everything(LIST_NODES))
    except NotAllowed:
        return ()
    return tuple(item.described for item in nodes if item.runs_extension and not item.ready)


def _containers(pod: Object) -> list[Object]:
    status = pod.get("status") or {}
    return [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]


def _time(event: Object) -> str:
    return str(event.get("lastTimestamp") or event.get("eventTime") or event["metadata"].get("creationTimestamp") or "")
