"""The workload controllers: Deployments create ReplicaSets; these, DaemonSets, StatefulSets and Jobs create Pods."""

import hashlib
import json
from collections.abc import Iterable

from sandbox import placement
from sandbox.kube.cluster import Cluster
from sandbox.kube.records import record
from sandbox.kube.resources import (
    CLAIMS,
    DAEMON_SETS,
    DEPLOYMENTS,
    JOBS,
    NODES,
    PODS,
    REPLICA_SETS,
    STATEFUL_SETS,
    Json,
    Resource,
    copied,
)
from sandbox.kube.status import StatusError

HASH = "pod-template-hash"
HASH_LETTERS = "bcdf2456789ghjkl"


def deployment(cluster: Cluster, obj: Json) -> None:
    """Scale a Deployment's ReplicaSets as its spec requires, and update its status from theirs."""
    spec = obj["spec"]
    owned = _owned(cluster, REPLICA_SETS, obj)
    wanted_hash = template_hash(spec["template"])
    new = next((one for one in owned if one["metadata"]["labels"].get(HASH) == wanted_hash), None)
    old = [one for one in owned if one is not new]
    if not spec.get("paused") and "deletionTimestamp" not in obj["metadata"]:
        recreates = spec["strategy"]["type"] == "Recreate"
        waits = recreates and any((one.get("status") or {}).get("replicas") for one in old)
        if recreates:
            _scale_down(cluster, obj, old)
        if new is None and not waits:
            new = _new_replica_set(cluster, obj, wanted_hash)
        elif new is not None and new["spec"]["replicas"] != spec["replicas"]:
            _scale(cluster, obj, new, spec["replicas"])
            new = cluster.get(REPLICA_SETS, new["metadata"]["namespace"], new["metadata"]["name"])
        if new is not None and (new.get("status") or {}).get("availableReplicas", 0) >= spec["replicas"]:
            _scale_down(cluster, obj, old)
    _deployment_status(cluster, obj, new)


def template_hash(template: Json) -> str:
    """A short name for a Pod template."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":")).encode()
    return "".join(HASH_LETTERS[digit % 16] for digit in hashlib.sha256(text).digest()[:10])


def _new_replica_set(cluster: Cluster, deployment: Json, name: str) -> Json | None:
    metadata, spec = deployment["metadata"], deployment["spec"]
    template = copied(spec["template"])
    template["metadata"]["labels"] = (template["metadata"].get("labels") or {}) | {HASH: name}
    selector = copied(spec["selector"])
    selector["matchLabels"] = (selector.get("matchLabels") or {}) | {HASH: name}
    replica_set = _try_create(
        cluster,
        REPLICA_SETS,
        deployment,
        {
            "metadata": {
                "name": f"{metadata['name']}-{name}",
                "labels": template["metadata"]["labels"],
                "ownerReferences": [owner_reference(deployment)],
            },
            "spec": {"replicas": spec["replicas"], "selector": selector, "template": template},
        },
    )
    if replica_set is not None:
        text = f"Scaled up replica set {replica_set['metadata']['name']} from 0 to {spec['replicas']}"
        record(cluster, deployment, "ScalingReplicaSet", text, component="deployment-controller")
    return replica_set


def _scale(cluster: Cluster, deployment: Json, replica_set: Json, replicas: int) -> None:
    before = replica_set["spec"]["replicas"]
    cluster.change(REPLICA_SETS, replica_set, spec={"replicas": replicas})
    direction = "up" if replicas > before else "down"
    text = f"Scaled {direction} replica set {replica_set['metadata']['name']} from {before} to {replicas}"
    record(cluster, deployment, "ScalingReplicaSet", text, component="deployment-controller")


def _scale_down(cluster: Cluster, deployment: Json, old: Iterable[Json]) -> None:
    for replica_set in old:
        if replica_set["spec"]["replicas"]:
            _scale(cluster, deployment, replica_set, 0)


def _deployment_status(cluster: Cluster, deployment: Json, new: Json | None) -> None:
    current = cluster.store.get(DEPLOYMENTS.key, deployment["metadata"]["namespace"], deployment["metadata"]["name"])
    if current is None:
        return
    sets = _owned(cluster, REPLICA_SETS, deployment)
    states = [one.get("status") or {} for one in sets]
    mine = next((state for one, state in zip(sets, states, strict=True) if new and _uid(one) == _uid(new)), {})
    desired = current["spec"]["replicas"]
    replicas, ready, available = (
        sum(state.get(name, 0) for state in states) for name in ("replicas", "readyReplicas", "availableReplicas")
    )
    updated = mine.get("replicas", 0)
    status = {
        "observedGeneration": current["metadata"]["generation"],
        "replicas": replicas,
        "updatedReplicas": updated,
        "readyReplicas": ready,
        "availableReplicas": available,
        "unavailableReplicas": max(0, max(desired, replicas) - available),
    }
    status = {name: value for name, value in status.items() if value}
    enough = available >= desired - desired // 4
    complete = updated == replicas == available == desired and new is not None
    status["conditions"] = _deployment_conditions(cluster, current, new, enough=enough, complete=complete)
    _set_status(cluster, DEPLOYMENTS, current, status)


def _deployment_conditions(
    cluster: Cluster, deployment: Json, new: Json | None, *, enough: bool, complete: bool
) -> list[Json]:
    name = new["metadata"]["name"] if new else deployment["metadata"]["name"]
    if complete:
        progress = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    elif _overdue(cluster, deployment):
        progress = ("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    else:
        progress = ("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    if enough:
        available = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        available = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return [
        condition(cluster, deployment, kind, *values, updated=True)
        for kind, values in (("Available", available), ("Progressing", progress))
    ]


def _overdue(cluster: Cluster, deployment: Json) -> bool:
    conditions = (deployment.get("status") or {}).get("conditions") or []
    progress = next((one for one in conditions if one["type"] == "Progressing"), None)
    if progress is None:
        return False
    if progress["reason"] == "ProgressDeadlineExceeded":
        return bool((deployment.get("status") or {}).get("observedGeneration") == deployment["metadata"]["generation"])
    began = progress["lastUpdateTime"]
    limit = deployment["spec"].get("progressDeadlineSeconds", 600)
    return cluster.seconds_since(began) >= float(limit)


def condition(  # noqa: PLR0917 - the four words of a condition are its whole point
    cluster: Cluster, obj: Json, kind: str, status: str, reason: str, message: str, *, updated: bool = False
) -> Json:
    """A condition; its times change only when the condition does."""
    conditions: list[Json] = (obj.get("status") or {}).get("conditions") or []
    current = next((one for one in conditions if one["type"] == kind), None)
    new: Json = {"type": kind, "status": status, "reason": reason, "message": message}
    if current and all(current.get(name) == value for name, value in new.items()):
        return current
    same = current is not None and current["status"] == status
    new["lastTransitionTime"] = current["lastTransitionTime"] if current and same else cluster.now()
    return new | ({"lastUpdateTime": cluster.now()} if updated else {})


def replica_set(cluster: Cluster, obj: Json) -> None:
    """Create or delete Pods until their number is that of the ReplicaSet's spec."""
    pods = _owned(cluster, PODS, obj)
    active = [pod for pod in pods if is_active(pod)]
    desired = obj["spec"]["replicas"] if "deletionTimestamp" not in obj["metadata"] else len(active)
    for _ in range(desired - len(active)):
        new_pod = _pod(cluster, obj, {"generateName": f"{obj['metadata']['name']}-"})
        if new_pod is None:
            break
        text = f"Created pod: {new_pod['metadata']['name']}"
        record(cluster, obj, "SuccessfulCreate", text, component="replicaset-controller")
    for pod in sorted(active, key=is_ready)[: max(0, len(active) - desired)]:
        _delete_pod(cluster, pod)
        text = f"Deleted pod: {pod['metadata']['name']}"
        record(cluster, obj, "SuccessfulDelete", text, component="replicaset-controller")
    active = [pod for pod in _owned(cluster, PODS, obj) if is_active(pod)]
    ready = sum(map(is_ready, active))
    status = {
        "replicas": len(active),
        "fullyLabeledReplicas": len(active),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "observedGeneration": obj["metadata"]["generation"],
    }
    nonzero = {name: value for name, value in status.items() if value or name == "replicas"}
    _set_status(cluster, REPLICA_SETS, obj, nonzero)


def daemon_set(cluster: Cluster, obj: Json) -> None:
    """One Pod on every node that the template selects."""
    template = obj["spec"]["template"]["spec"]
    generation = template_hash(obj["spec"]["template"])
    tolerations = [*(template.get("tolerations") or ()), *map(dict, placement.DAEMON_TOLERATIONS)]
    spec = template | {"tolerations": tolerations}
    nodes = [node["metadata"]["name"] for node in cluster.store.items(NODES.key) if not placement.refusal(spec, node)]
    pods = [pod for pod in _owned(cluster, PODS, obj) if is_active(pod)]
    stale = [pod for pod in pods if pod["metadata"]["labels"].get("controller-revision-hash") != generation]
    placed = {pod["spec"].get("nodeName") for pod in pods}
    if "deletionTimestamp" not in obj["metadata"]:
        for node in [node for node in nodes if node not in placed]:
            labels = {"controller-revision-hash": generation, "pod-template-generation": "1"}
            metadata = {"generateName": f"{obj['metadata']['name']}-", "labels": labels}
            _pod(cluster, obj, metadata, {"nodeName": node, "tolerations": tolerations})
        for pod in [pod for pod in pods if pod["spec"].get("nodeName") not in nodes or pod in stale]:
            _delete_pod(cluster, pod)
    pods = [pod for pod in _owned(cluster, PODS, obj) if is_active(pod)]
    ready = sum(map(is_ready, pods))
    current = [pod for pod in pods if pod["metadata"]["labels"].get("controller-revision-hash") == generation]
    status = {
        "currentNumberScheduled": len(pods),
        "numberMisscheduled": 0,
        "desiredNumberScheduled": len(nodes),
        "numberReady": ready,
        "observedGeneration": obj["metadata"]["generation"],
        "updatedNumberScheduled": len(current),
        "numberAvailable": ready,
        "numberUnavailable": len(nodes) - ready,
    }
    needed = {"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"}
    _set_status(cluster, DAEMON_SETS, obj, {name: value for name, value in status.items() if value or name in needed})


def stateful_set(cluster: Cluster, obj: Json) -> None:
    """Numbered Pods, one after the other, each with its own volume claims."""
    name, spec = obj["metadata"]["name"], obj["spec"]
    pods = {pod["metadata"]["name"]: pod for pod in _owned(cluster, PODS, obj)}
    names = [f"{name}-{number}" for number in range(spec["replicas"])]
    revision = f"{name}-{template_hash(spec['template'])}"
    if "deletionTimestamp" not in obj["metadata"]:
        missing = next((surplus for surplus in names if surplus not in pods or not is_ready(pods[surplus])), None)
        if missing and missing not in pods:
            _stateful_pod(cluster, obj, missing, revision)
        for surplus in [surplus for surplus in pods if surplus not in names]:
            _delete_pod(cluster, pods[surplus])
    active = [pod for pod in _owned(cluster, PODS, obj) if is_active(pod)]
    ready = sum(map(is_ready, active))
    status = {
        "observedGeneration": obj["metadata"]["generation"],
        "replicas": len(active),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "currentReplicas": len(active),
        "updatedReplicas": len(active),
        "currentRevision": revision,
        "updateRevision": revision,
        "collisionCount": 0,
    }
    _set_status(cluster, STATEFUL_SETS, obj, status)


def _stateful_pod(cluster: Cluster, obj: Json, name: str, revision: str) -> None:
    namespace = obj["metadata"]["namespace"]
    volumes = []
    for template in obj["spec"].get("volumeClaimTemplates") or []:
        claim = f"{template['metadata']['name']}-{name}"
        volumes.append({"name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim}})
        if cluster.store.get(CLAIMS.key, namespace, claim) is None:
            body = {"metadata": {"name": claim, "labels": obj["spec"]["selector"].get("matchLabels")}}
            _try_create(cluster, CLAIMS, obj, body | {"spec": template["spec"]})
    labels = {"controller-revision-hash": revision, "statefulset.kubernetes.io/pod-name": name}
    template_spec = obj["spec"]["template"]["spec"]
    own = {one["name"] for one in volumes}
    others = [one for one in template_spec.get("volumes") or [] if one["name"] not in own]
    spec_extra = {"volumes": [*others, *volumes], "hostname": name, "subdomain": obj["spec"].get("serviceName", "")}
    _pod(cluster, obj, {"name": name, "labels": labels}, spec_extra)


def job(cluster: Cluster, obj: Json) -> None:
    """Run Pods until enough have succeeded."""
    spec, status = obj["spec"], obj.get("status") or {}
    pods = _owned(cluster, PODS, obj)
    phases = [(pod.get("status") or {}).get("phase") for pod in pods]
    succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
    active = sum(is_active(pod) for pod in pods)
    complete, failing = succeeded >= spec["completions"], failed > spec["backoffLimit"]
    if not complete and not failing and not spec.get("suspend") and "deletionTimestamp" not in obj["metadata"]:
        for _ in range(min(spec["parallelism"], spec["completions"] - succeeded) - active):
            if _pod(cluster, obj, {"generateName": f"{obj['metadata']['name']}-"}) is None:
                break
            active += 1
    new = {
        "startTime": status.get("startTime") or cluster.now(),
        "active": active,
        "succeeded": succeeded,
        "failed": failed,
    }
    new |= {"ready": sum(map(is_ready, pods)), "terminating": 0}
    new_status = {name: value for name, value in new.items() if value or name in {"ready", "terminating"}}
    if complete:
        done = condition(
            cluster, obj, "Complete", "True", "CompletionsReached", "Reached expected number of succeeded pods"
        )
        new_status |= {"conditions": [done], "completionTime": status.get("completionTime") or cluster.now()}
    elif failing:
        text = "Job has reached the specified backoff limit"
        new_status |= {"conditions": [condition(cluster, obj, "Failed", "True", "BackoffLimitExceeded", text)]}
    _set_status(cluster, JOBS, obj, new_status)


# --- shared ---


def owner_reference(owner: Json) -> Json:
    """The owner reference that makes an object its controller's."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": _uid(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_active(pod: Json) -> bool:
    """Whether a Pod is active: neither being deleted nor finished."""
    finished = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
    return "deletionTimestamp" not in pod["metadata"] and not finished


def is_ready(pod: Json) -> bool:
    """Whether a Pod's Ready condition is true."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def _pod(cluster: Cluster, owner: Json, metadata: Json, spec_extra: Json | None = None) -> Json | None:
    template = owner["spec"]["template"]
    above = template["metadata"]
    merged = metadata | {
        "labels": (above.get("labels") or {}) | (metadata.get("labels") or {}),
        "annotations": dict(above.get("annotations") or {}),
        "ownerReferences": [owner_reference(owner)],
    }
    spec = copied(template["spec"]) | (spec_extra or {})
    return _try_create(cluster, PODS, owner, {"metadata": merged, "spec": spec})


def _try_create(cluster: Cluster, resource: Resource, owner: Json, body: Json) -> Json | None:
    try:
        return cluster.create(resource, owner["metadata"]["namespace"], body)
    except StatusError as error:
        text = f"Error creating: {error.message}"
        record(cluster, owner, "FailedCreate", text, kind="Warning", component="controller-manager")
        return None


def _delete_pod(cluster: Cluster, pod: Json) -> None:
    metadata = pod["metadata"]
    if "deletionTimestamp" not in metadata:
        cluster.delete(PODS, metadata["namespace"], metadata["name"])


def _owned(cluster: Cluster, resource: Resource, owner: Json) -> list[Json]:
    return [
        one
        for one in cluster.store.items(resource.key, owner["metadata"]["namespace"])
        if any(each["uid"] == _uid(owner) for each in one["metadata"].get("ownerReferences") or [])
    ]


def _uid(obj: Json) -> str:
    return str(obj["metadata"]["uid"])


def _set_status(cluster: Cluster, resource: Resource, obj: Json, status: Json) -> None:
    """Replace the whole status; counters that are zero are left out, as the real controllers leave them."""
    metadata = obj["metadata"]
    current = cluster.store.get(resource.key, metadata["namespace"], metadata["name"])
    if current is not None and current["metadata"]["uid"] == _uid(obj) and (current.get("status") or {}) != status:
        cluster.store.put(resource.key, current | {"status": status})
