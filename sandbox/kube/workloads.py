"""The workload controllers: Deployments make ReplicaSets, and those and their like make Pods."""

import copy
import hashlib
import json
from collections.abc import Iterable

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
)
from sandbox.kube.status import StatusError

HASH = "pod-template-hash"
HASH_LETTERS = "bcdf2456789ghjkl"


def deployment(cluster: Cluster, found: Json) -> None:
    """Bring the ReplicaSets of a Deployment to what it asks for, and its status to what they say."""
    spec = found["spec"]
    owned = _owned(cluster, REPLICA_SETS, found)
    wanted_hash = template_hash(spec["template"])
    new = next((one for one in owned if one["metadata"]["labels"].get(HASH) == wanted_hash), None)
    old = [one for one in owned if one is not new]
    if not spec.get("paused") and "deletionTimestamp" not in found["metadata"]:
        recreates = spec["strategy"]["type"] == "Recreate"
        waits = recreates and any((one.get("status") or {}).get("replicas") for one in old)
        if recreates:
            _scale_down(cluster, found, old)
        if new is None and not waits:
            new = _new_replica_set(cluster, found, wanted_hash)
        elif new is not None and new["spec"]["replicas"] != spec["replicas"]:
            _scale(cluster, found, new, spec["replicas"])
            new = cluster.get(REPLICA_SETS, new["metadata"]["namespace"], new["metadata"]["name"])
        if new is not None and (new.get("status") or {}).get("availableReplicas", 0) >= spec["replicas"]:
            _scale_down(cluster, found, old)
    _deployment_status(cluster, found, new)


def template_hash(template: Json) -> str:
    """A short name for a Pod template."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":")).encode()
    return "".join(HASH_LETTERS[digit % 16] for digit in hashlib.sha256(text).digest()[:10])


def _new_replica_set(cluster: Cluster, found: Json, name: str) -> Json | None:
    metadata, spec = found["metadata"], found["spec"]
    template = copy.deepcopy(spec["template"])
    template["metadata"]["labels"] = (template["metadata"].get("labels") or {}) | {HASH: name}
    selector = copy.deepcopy(spec["selector"])
    selector["matchLabels"] = (selector.get("matchLabels") or {}) | {HASH: name}
    made = _try_create(
        cluster,
        REPLICA_SETS,
        found,
        {
            "metadata": {
                "name": f"{metadata['name']}-{name}",
                "labels": template["metadata"]["labels"],
                "ownerReferences": [owner_reference(found)],
            },
            "spec": {"replicas": spec["replicas"], "selector": selector, "template": template},
        },
    )
    if made is not None:
        text = f"Scaled up replica set {made['metadata']['name']} from 0 to {spec['replicas']}"
        record(cluster, found, "ScalingReplicaSet", text, component="deployment-controller")
    return made


def _scale(cluster: Cluster, found: Json, replica_set: Json, replicas: int) -> None:
    before = replica_set["spec"]["replicas"]
    cluster.change(REPLICA_SETS, replica_set, spec={"replicas": replicas})
    direction = "up" if replicas > before else "down"
    text = f"Scaled {direction} replica set {replica_set['metadata']['name']} from {before} to {replicas}"
    record(cluster, found, "ScalingReplicaSet", text, component="deployment-controller")


def _scale_down(cluster: Cluster, found: Json, old: Iterable[Json]) -> None:
    for one in old:
        if one["spec"]["replicas"]:
            _scale(cluster, found, one, 0)


def _deployment_status(cluster: Cluster, found: Json, new: Json | None) -> None:
    current = cluster.store.get(DEPLOYMENTS.key, found["metadata"]["namespace"], found["metadata"]["name"])
    if current is None:
        return
    sets = _owned(cluster, REPLICA_SETS, found)
    states = [one.get("status") or {} for one in sets]
    mine = next((state for one, state in zip(sets, states, strict=True) if new and _uid(one) == _uid(new)), {})
    wanted = current["spec"]["replicas"]
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
        "unavailableReplicas": max(0, max(wanted, replicas) - available),
    }
    status = {name: value for name, value in status.items() if value}
    enough = available >= wanted - wanted // 4
    complete = updated == replicas == available == wanted and new is not None
    status["conditions"] = _deployment_conditions(cluster, current, new, enough=enough, complete=complete)
    _set_status(cluster, DEPLOYMENTS, current, status)


def _deployment_conditions(
    cluster: Cluster, found: Json, new: Json | None, *, enough: bool, complete: bool
) -> list[Json]:
    name = new["metadata"]["name"] if new else found["metadata"]["name"]
    if complete:
        progress = ("True", "NewReplicaSetAvailable", f'ReplicaSet "{name}" has successfully progressed.')
    elif _overdue(cluster, found):
        progress = ("False", "ProgressDeadlineExceeded", f'ReplicaSet "{name}" has timed out progressing.')
    else:
        progress = ("True", "ReplicaSetUpdated", f'ReplicaSet "{name}" is progressing.')
    if enough:
        available = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        available = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    return [
        condition(cluster, found, kind, *values, updated=True)
        for kind, values in (("Available", available), ("Progressing", progress))
    ]


def _overdue(cluster: Cluster, found: Json) -> bool:
    known = (found.get("status") or {}).get("conditions") or []
    progress = next((one for one in known if one["type"] == "Progressing"), None)
    if progress is None:
        return False
    if progress["reason"] == "ProgressDeadlineExceeded":
        return bool((found.get("status") or {}).get("observedGeneration") == found["metadata"]["generation"])
    began = progress["lastUpdateTime"]
    limit = found["spec"].get("progressDeadlineSeconds", 600)
    return cluster.seconds_since(began) >= float(limit)


def condition(  # noqa: PLR0917 - the four words of a condition are its whole point
    cluster: Cluster, found: Json, kind: str, status: str, reason: str, message: str, *, updated: bool = False
) -> Json:
    """A condition, whose times change only when it does."""
    conditions: list[Json] = (found.get("status") or {}).get("conditions") or []
    known = next((one for one in conditions if one["type"] == kind), None)
    made: Json = {"type": kind, "status": status, "reason": reason, "message": message}
    if known and all(known.get(name) == value for name, value in made.items()):
        return known
    same = known is not None and known["status"] == status
    made["lastTransitionTime"] = known["lastTransitionTime"] if known and same else cluster.now()
    return made | ({"lastUpdateTime": cluster.now()} if updated else {})


def replica_set(cluster: Cluster, found: Json) -> None:
    """Make or delete Pods until there are as many as a ReplicaSet asks for."""
    pods = _owned(cluster, PODS, found)
    active = [pod for pod in pods if is_active(pod)]
    wanted = found["spec"]["replicas"] if "deletionTimestamp" not in found["metadata"] else len(active)
    for _ in range(wanted - len(active)):
        made = _pod(cluster, found, {"generateName": f"{found['metadata']['name']}-"})
        if made is None:
            break
        text = f"Created pod: {made['metadata']['name']}"
        record(cluster, found, "SuccessfulCreate", text, component="replicaset-controller")
    for pod in sorted(active, key=is_ready)[: max(0, len(active) - wanted)]:
        _delete_pod(cluster, pod)
        text = f"Deleted pod: {pod['metadata']['name']}"
        record(cluster, found, "SuccessfulDelete", text, component="replicaset-controller")
    active = [pod for pod in _owned(cluster, PODS, found) if is_active(pod)]
    ready = sum(map(is_ready, active))
    status = {
        "replicas": len(active),
        "fullyLabeledReplicas": len(active),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "observedGeneration": found["metadata"]["generation"],
    }
    kept = {name: value for name, value in status.items() if value or name == "replicas"}
    _set_status(cluster, REPLICA_SETS, found, kept)


def daemon_set(cluster: Cluster, found: Json) -> None:
    """One Pod on every node that the template selects."""
    template = found["spec"]["template"]["spec"]
    generation = template_hash(found["spec"]["template"])
    nodes = [node["metadata"]["name"] for node in cluster.store.items(NODES.key) if fits(node, template)]
    pods = [pod for pod in _owned(cluster, PODS, found) if is_active(pod)]
    stale = [pod for pod in pods if pod["metadata"]["labels"].get("controller-revision-hash") != generation]
    placed = {pod["spec"].get("nodeName") for pod in pods}
    if "deletionTimestamp" not in found["metadata"]:
        for node in [node for node in nodes if node not in placed]:
            labels = {"controller-revision-hash": generation, "pod-template-generation": "1"}
            metadata = {"generateName": f"{found['metadata']['name']}-", "labels": labels}
            _pod(cluster, found, metadata, {"nodeName": node})
        for pod in [pod for pod in pods if pod["spec"].get("nodeName") not in nodes or pod in stale]:
            _delete_pod(cluster, pod)
    pods = [pod for pod in _owned(cluster, PODS, found) if is_active(pod)]
    ready = sum(map(is_ready, pods))
    current = [pod for pod in pods if pod["metadata"]["labels"].get("controller-revision-hash") == generation]
    status = {
        "currentNumberScheduled": len(pods),
        "numberMisscheduled": 0,
        "desiredNumberScheduled": len(nodes),
        "numberReady": ready,
        "observedGeneration": found["metadata"]["generation"],
        "updatedNumberScheduled": len(current),
        "numberAvailable": ready,
        "numberUnavailable": len(nodes) - ready,
    }
    needed = {"currentNumberScheduled", "numberMisscheduled", "desiredNumberScheduled", "numberReady"}
    _set_status(cluster, DAEMON_SETS, found, {name: value for name, value in status.items() if value or name in needed})


def stateful_set(cluster: Cluster, found: Json) -> None:
    """Numbered Pods, one after the other, each with its own volume claims."""
    name, spec = found["metadata"]["name"], found["spec"]
    pods = {pod["metadata"]["name"]: pod for pod in _owned(cluster, PODS, found)}
    wanted = [f"{name}-{number}" for number in range(spec["replicas"])]
    revision = f"{name}-{template_hash(spec['template'])}"
    if "deletionTimestamp" not in found["metadata"]:
        missing = next((one for one in wanted if one not in pods or not is_ready(pods[one])), None)
        if missing and missing not in pods:
            _stateful_pod(cluster, found, missing, revision)
        for one in [one for one in pods if one not in wanted]:
            _delete_pod(cluster, pods[one])
    active = [pod for pod in _owned(cluster, PODS, found) if is_active(pod)]
    ready = sum(map(is_ready, active))
    status = {
        "observedGeneration": found["metadata"]["generation"],
        "replicas": len(active),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "currentReplicas": len(active),
        "updatedReplicas": len(active),
        "currentRevision": revision,
        "updateRevision": revision,
        "collisionCount": 0,
    }
    _set_status(cluster, STATEFUL_SETS, found, status)


def _stateful_pod(cluster: Cluster, found: Json, name: str, revision: str) -> None:
    namespace = found["metadata"]["namespace"]
    volumes = []
    for template in found["spec"].get("volumeClaimTemplates") or []:
        claim = f"{template['metadata']['name']}-{name}"
        volumes.append({"name": template["metadata"]["name"], "persistentVolumeClaim": {"claimName": claim}})
        if cluster.store.get(CLAIMS.key, namespace, claim) is None:
            body = {"metadata": {"name": claim, "labels": found["spec"]["selector"].get("matchLabels")}}
            _try_create(cluster, CLAIMS, found, body | {"spec": template["spec"]})
    labels = {"controller-revision-hash": revision, "statefulset.kubernetes.io/pod-name": name}
    template_spec = found["spec"]["template"]["spec"]
    own = {one["name"] for one in volumes}
    others = [one for one in template_spec.get("volumes") or [] if one["name"] not in own]
    more = {"volumes": [*others, *volumes], "hostname": name, "subdomain": found["spec"].get("serviceName", "")}
    _pod(cluster, found, {"name": name, "labels": labels}, more)


def job(cluster: Cluster, found: Json) -> None:
    """Run Pods until enough have succeeded."""
    spec, status = found["spec"], found.get("status") or {}
    pods = _owned(cluster, PODS, found)
    phases = [(pod.get("status") or {}).get("phase") for pod in pods]
    succeeded, failed = phases.count("Succeeded"), phases.count("Failed")
    active = sum(is_active(pod) for pod in pods)
    complete = succeeded >= spec["completions"]
    if not complete and not spec.get("suspend") and "deletionTimestamp" not in found["metadata"]:
        for _ in range(min(spec["parallelism"], spec["completions"] - succeeded) - active):
            if _pod(cluster, found, {"generateName": f"{found['metadata']['name']}-"}) is None:
                break
            active += 1
    new = {
        "startTime": status.get("startTime") or cluster.now(),
        "active": active,
        "succeeded": succeeded,
        "failed": failed,
    }
    new |= {"ready": sum(map(is_ready, pods)), "terminating": 0}
    shown = {name: value for name, value in new.items() if value or name in {"ready", "terminating"}}
    if complete:
        done = condition(
            cluster, found, "Complete", "True", "CompletionsReached", "Reached expected number of succeeded pods"
        )
        shown |= {"conditions": [done], "completionTime": status.get("completionTime") or cluster.now()}
    _set_status(cluster, JOBS, found, shown)


# --- shared ---


def owner_reference(owner: Json) -> Json:
    """What makes an object its controller's."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": owner["metadata"]["name"],
        "uid": _uid(owner),
        "controller": True,
        "blockOwnerDeletion": True,
    }


def is_active(pod: Json) -> bool:
    """Whether a Pod counts: neither on its way out nor finished."""
    finished = (pod.get("status") or {}).get("phase") in {"Succeeded", "Failed"}
    return "deletionTimestamp" not in pod["metadata"] and not finished


def is_ready(pod: Json) -> bool:
    """Whether a Pod's Ready condition holds."""
    conditions = (pod.get("status") or {}).get("conditions") or []
    return any(one["type"] == "Ready" and one["status"] == "True" for one in conditions)


def fits(node: Json, spec: Json) -> bool:
    """Whether a Pod may run on a node: selector, required affinity, taints."""
    labels = node["metadata"].get("labels") or {}
    if any(labels.get(key) != value for key, value in (spec.get("nodeSelector") or {}).items()):
        return False
    affinity = ((spec.get("affinity") or {}).get("nodeAffinity") or {}).get(
        "requiredDuringSchedulingIgnoredDuringExecution"
    ) or {}
    terms = affinity.get("nodeSelectorTerms") or []
    if terms and not any(_term_fits(term, labels) for term in terms):
        return False
    if (node.get("spec") or {}).get("unschedulable"):
        return False
    taints = [
        one for one in (node.get("spec") or {}).get("taints") or [] if one["effect"] in {"NoSchedule", "NoExecute"}
    ]
    return all(any(_tolerates(one, taint) for one in spec.get("tolerations") or []) for taint in taints)


def _term_fits(term: Json, labels: Json) -> bool:
    for one in term.get("matchExpressions") or []:
        value, values = labels.get(one["key"]), one.get("values") or []
        holds = {
            "In": value in values,
            "NotIn": value not in values,
            "Exists": value is not None,
            "DoesNotExist": value is None,
        }
        if not holds.get(one["operator"], False):
            return False
    return True


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") not in {None, "", taint["effect"]}:
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in {None, "", taint["key"]}
    return bool(toleration.get("key") == taint["key"]) and toleration.get("value", "") == taint.get("value", "")


def _pod(cluster: Cluster, owner: Json, metadata: Json, more: Json | None = None) -> Json | None:
    template = owner["spec"]["template"]
    above = template["metadata"]
    merged = metadata | {
        "labels": (above.get("labels") or {}) | (metadata.get("labels") or {}),
        "annotations": dict(above.get("annotations") or {}),
        "ownerReferences": [owner_reference(owner)],
    }
    spec = copy.deepcopy(template["spec"]) | (more or {})
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


def _uid(found: Json) -> str:
    return str(found["metadata"]["uid"])


def _set_status(cluster: Cluster, resource: Resource, found: Json, status: Json) -> None:
    """Replace the whole status; counters that are zero are left out, as the real controllers leave them."""
    metadata = found["metadata"]
    current = cluster.store.get(resource.key, metadata["namespace"], metadata["name"])
    if current is not None and current["metadata"]["uid"] == _uid(found) and (current.get("status") or {}) != status:
        cluster.store.put(resource.key, current | {"status": status})
