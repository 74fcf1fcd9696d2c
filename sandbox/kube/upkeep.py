"""The other controllers: namespaces, volumes, Service endpoints and ranges, and custom kinds."""

import ipaddress

from sandbox.kube.cluster import DELETED_RANGE, Cluster, Deletion
from sandbox.kube.records import record
from sandbox.kube.resources import (
    CLAIMS,
    CONFIG_MAPS,
    DEFINITIONS,
    ENDPOINT_SLICES,
    ENDPOINTS,
    IP_ADDRESSES,
    NAMESPACES,
    PODS,
    SERVICE_ACCOUNTS,
    SERVICE_CIDRS,
    SERVICES,
    STORAGE_CLASSES,
    VOLUMES,
    Json,
    Resource,
)
from sandbox.kube.status import StatusError
from sandbox.kube.workloads import condition, is_ready, owner_reference

ROOT_CERTIFICATE = "kube-root-ca.crt"
CLAIM_PROTECTION = "kubernetes.io/pvc-protection"
VOLUME_PROTECTION = "kubernetes.io/pv-protection"


def new_namespace(cluster: Cluster, namespace: Json, certificate: str) -> None:
    """Every namespace has a service account and the cluster's CA."""
    name = namespace["metadata"]["name"]
    if "deletionTimestamp" in namespace["metadata"]:
        return
    if cluster.store.get(SERVICE_ACCOUNTS.key, name, "default") is None:
        cluster.create(SERVICE_ACCOUNTS, name, {"metadata": {"name": "default"}})
    if cluster.store.get(CONFIG_MAPS.key, name, ROOT_CERTIFICATE) is None:
        cluster.create(CONFIG_MAPS, name, {"metadata": {"name": ROOT_CERTIFICATE}, "data": {"ca.crt": certificate}})


def emptied_namespace(cluster: Cluster, namespace: Json) -> None:
    """Delete everything in a namespace that is being terminated; when nothing is left, delete the namespace too."""
    name = namespace["metadata"]["name"]
    leftovers: dict[str, list[Json]] = {}
    for resource in list(cluster.catalogue.stored()):
        if not resource.namespaced:
            continue
        for obj in cluster.store.items(resource.key, name):
            if "deletionTimestamp" not in obj["metadata"]:
                cluster.delete(resource, name, obj["metadata"]["name"], Deletion(propagation="Background"))
        remaining = cluster.store.items(resource.key, name)
        if remaining:
            leftovers[resource.qualified] = remaining
    current = cluster.store.get(NAMESPACES.key, "", name)
    if current is None:
        return
    if not leftovers:
        cluster.change(NAMESPACES, current, spec={"finalizers": []})
        return
    cluster.change(NAMESPACES, current, status={"conditions": _remaining(cluster, current, leftovers)})


def _remaining(cluster: Cluster, namespace: Json, remaining: dict[str, list[Json]]) -> list[Json]:
    counts = ", ".join(f"{kind}. has {len(items)} resource instances" for kind, items in sorted(remaining.items()))
    finalizers: dict[str, int] = {}
    for obj in (obj for items in remaining.values() for obj in items):
        for finalizer in obj["metadata"].get("finalizers") or []:
            finalizers[finalizer] = finalizers.get(finalizer, 0) + 1
    holders = ", ".join(f"{finalizer} in {count} resource instances" for finalizer, count in sorted(finalizers.items()))
    deleted = ("False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization")
    content = ("True", "SomeResourcesRemain", f"Some resources are remaining: {counts}")
    blocked = ("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
    if holders:
        blocked = ("True", "SomeFinalizersRemain", f"Some content in the namespace has finalizers remaining: {holders}")
    return [
        condition(cluster, namespace, "NamespaceDeletionContentFailure", *deleted),
        condition(cluster, namespace, "NamespaceContentRemaining", *content),
        condition(cluster, namespace, "NamespaceFinalizersRemaining", *blocked),
    ]


# --- volumes ---


def claim(cluster: Cluster, claim: Json) -> None:
    """Bind a claim to a volume, or record an event that says why it can't be bound."""
    metadata = claim["metadata"]
    if "deletionTimestamp" in metadata:
        _release_claim(cluster, claim)
        return
    if (claim.get("status") or {}).get("phase") in {"Bound", "Lost"}:
        if cluster.store.get(VOLUMES.key, "", claim["spec"].get("volumeName") or "") is None:
            _lost(cluster, claim)
        return
    name = claim["spec"].get("storageClassName") or ""
    existing = _matching_volume(cluster, claim, name)
    storage_class = cluster.store.get(STORAGE_CLASSES.key, "", name) if name else None
    if existing is not None:
        _bound(cluster, claim, existing)
    elif not name:
        text = "no persistent volumes available for this claim and no storage class is set"
        _say(cluster, claim, "FailedBinding", text, kind="Normal")
    elif storage_class is None:
        _say(cluster, claim, "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found', kind="Warning")
    elif storage_class["volumeBindingMode"] == "WaitForFirstConsumer" and not _consumers(cluster, claim):
        text = "waiting for first consumer to be created before binding"
        _say(cluster, claim, "WaitForFirstConsumer", text, kind="Normal")
    else:
        volume = _provisioned(cluster, claim, storage_class)
        _say(cluster, claim, "ProvisioningSucceeded", f"Successfully provisioned volume {volume['metadata']['name']}")
        _bound(cluster, claim, volume)


def _say(cluster: Cluster, obj: Json, reason: str, text: str, *, kind: str = "Normal") -> None:
    record(cluster, obj, reason, text, kind=kind, component="persistentvolume-controller")


def _lost(cluster: Cluster, obj: Json) -> None:
    """A claim whose volume somebody has removed (kubernetes, pkg/controller/volume/persistentvolume)."""
    if (obj.get("status") or {}).get("phase") != "Lost":
        cluster.change(CLAIMS, obj, status={"phase": "Lost"})
        text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!"
        _say(cluster, obj, "ClaimLost", text, kind="Warning")


def _provisioned(cluster: Cluster, obj: Json, storage_class: Json) -> Json:
    metadata = obj["metadata"]
    body = {
        "metadata": {
            "name": f"pvc-{metadata['uid']}",
            "annotations": {"pv.kubernetes.io/provisioned-by": storage_class["provisioner"]},
        },
        "spec": {
            "capacity": {"storage": obj["spec"]["resources"]["requests"]["storage"]},
            "accessModes": obj["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": storage_class["reclaimPolicy"],
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": obj["spec"].get("volumeMode", "Filesystem"),
            "hostPath": {"path": f"/var/lib/sandbox/{metadata['uid']}", "type": "DirectoryOrCreate"},
        },
    }
    return cluster.create(VOLUMES, "", body)


def _bound(cluster: Cluster, obj: Json, volume: Json) -> None:
    metadata = obj["metadata"]
    reference = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    cluster.change(VOLUMES, volume, spec={"claimRef": reference}, status={"phase": "Bound"})
    status = {"phase": "Bound", "accessModes": obj["spec"]["accessModes"], "capacity": volume["spec"]["capacity"]}
    cluster.change(CLAIMS, obj, spec={"volumeName": volume["metadata"]["name"]}, status=status)


def _matching_volume(cluster: Cluster, obj: Json, name: str) -> Json | None:
    """The volume that was created for the claim, else any free one of its class."""
    volume_name = obj["spec"].get("volumeName")
    candidates = [
        volume
        for volume in cluster.store.items(VOLUMES.key)
        if (volume.get("status") or {}).get("phase") == "Available"
        and volume_name in {None, volume["metadata"]["name"]}
        and (volume["spec"].get("storageClassName") or "") == name
    ]
    meant = [volume for volume in candidates if _is_meant_for(volume, obj)]
    free = [volume for volume in candidates if "claimRef" not in volume["spec"]]
    return next(iter(meant + free), None)


def _is_meant_for(volume: Json, claim: Json) -> bool:
    reference, metadata = volume["spec"].get("claimRef") or {}, claim["metadata"]
    named: bool = (reference.get("namespace"), reference.get("name")) == (metadata["namespace"], metadata["name"])
    return named and bool(reference.get("uid", metadata["uid"]) == metadata["uid"])


def _consumers(cluster: Cluster, obj: Json) -> list[Json]:
    metadata = obj["metadata"]
    return [
        pod
        for pod in cluster.store.items(PODS.key, metadata["namespace"])
        for volume in pod["spec"].get("volumes") or []
        if (volume.get("persistentVolumeClaim") or {}).get("claimName") == metadata["name"]
    ]


def _release_claim(cluster: Cluster, obj: Json) -> None:
    if _consumers(cluster, obj):
        return
    finalizers = [one for one in obj["metadata"].get("finalizers") or [] if one != CLAIM_PROTECTION]
    cluster.change(CLAIMS, obj, metadata={"finalizers": finalizers})
    if finalizers:
        return
    name = obj["spec"].get("volumeName")
    volume = cluster.store.get(VOLUMES.key, "", name) if name else None
    if volume is None:
        return
    if volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
        cluster.delete(VOLUMES, "", volume["metadata"]["name"])
    else:
        cluster.change(VOLUMES, volume, status={"phase": "Released"})


def volume(cluster: Cluster, obj: Json) -> None:
    """Remove a volume that is being deleted and is not in use."""
    if "deletionTimestamp" not in obj["metadata"]:
        return
    reference = obj["spec"].get("claimRef")
    holder = cluster.store.get(CLAIMS.key, reference["namespace"], reference["name"]) if reference else None
    if holder is not None and holder["metadata"]["uid"] == (reference or {}).get("uid"):
        return
    finalizers = [one for one in obj["metadata"].get("finalizers") or [] if one != VOLUME_PROTECTION]
    cluster.change(VOLUMES, obj, metadata={"finalizers": finalizers})


# --- Services ---


def endpoints(cluster: Cluster, service: Json) -> None:
    """Write the endpoints of a Service."""
    metadata, selector = service["metadata"], service["spec"].get("selector")
    if not selector or "deletionTimestamp" in metadata or service["spec"]["type"] == "ExternalName":
        return
    pods = [
        pod
        for pod in cluster.store.items(PODS.key, metadata["namespace"])
        if selector.items() <= (pod["metadata"].get("labels") or {}).items() and (pod.get("status") or {}).get("podIP")
    ]
    ports = [
        {"port": _number(port), "protocol": port["protocol"]} | ({"name": port["name"]} if "name" in port else {})
        for port in service["spec"].get("ports") or []
    ]
    ready = [_address(pod) for pod in pods if is_ready(pod)]
    waiting = [_address(pod) for pod in pods if not is_ready(pod)]
    subset: Json = {"addresses": ready} if ready else {}
    subset |= {"notReadyAddresses": waiting} if waiting else {}
    subsets = [subset | {"ports": ports}] if subset else []
    _put(cluster, ENDPOINTS, service, service["metadata"]["name"], {"subsets": subsets} if subsets else {})
    _put_slice(cluster, service, pods, ports)


def _number(port: Json) -> int:
    return int(port["targetPort"]) if isinstance(port.get("targetPort"), int) else int(port["port"])


def _address(pod: Json) -> Json:
    reference = {"kind": "Pod", **{key: pod["metadata"][key] for key in ("namespace", "name", "uid")}}
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"].get("nodeName"), "targetRef": reference}


def _put_slice(cluster: Cluster, service: Json, pods: list[Json], ports: list[Json]) -> None:
    members = [
        {
            "addresses": [pod["status"]["podIP"]],
            "conditions": {"ready": is_ready(pod), "serving": is_ready(pod), "terminating": False},
            "nodeName": pod["spec"].get("nodeName"),
            "targetRef": _address(pod)["targetRef"],
        }
        for pod in pods
    ]
    named = [{"name": ""} | port for port in ports]
    name = f"{service['metadata']['name']}-{service['metadata']['uid'][:5]}"
    labels = {
        "kubernetes.io/service-name": service["metadata"]["name"],
        "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
    }
    body = {"addressType": "IPv4", "endpoints": members, "ports": named}
    _put(cluster, ENDPOINT_SLICES, service, name, body, labels=labels)


def _put(
    cluster: Cluster, resource: Resource, service: Json, name: str, body: Json, *, labels: Json | None = None
) -> None:
    namespace = service["metadata"]["namespace"]
    existing = cluster.store.get(resource.key, namespace, name)
    owner = [owner_reference(service)]
    if existing is None:
        try:
            cluster.create(
                resource, namespace, {"metadata": {"name": name, "labels": labels, "ownerReferences": owner}} | body
            )
        except StatusError:
            return  # the namespace is being deleted
    elif {key: existing.get(key) for key in body} != body:
        cluster.store.put(resource.key, existing | body)


def service_range(cluster: Cluster, obj: Json) -> None:
    """A range is ready until it is deleted; then it stays until none of its addresses is in use."""
    if "deletionTimestamp" not in obj["metadata"]:
        ready = condition(cluster, obj, "Ready", "True", "", "Kubernetes Service CIDR is ready")
        cluster.change(SERVICE_CIDRS, obj, status={"conditions": [ready]})
        return
    others = [
        cidr
        for one in cluster.store.items(SERVICE_CIDRS.key)
        if "deletionTimestamp" not in one["metadata"]
        for cidr in one["spec"]["cidrs"]
    ]
    if _orphans(cluster, obj["spec"]["cidrs"], others):
        text = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
        not_ready = condition(cluster, obj, "Ready", "False", "Terminating", text)
        cluster.change(SERVICE_CIDRS, obj, status={"conditions": [not_ready]})
        return
    finalizers = [one for one in obj["metadata"].get("finalizers") or [] if one != DELETED_RANGE]
    cluster.change(SERVICE_CIDRS, obj, metadata={"finalizers": finalizers})


def _orphans(cluster: Cluster, mine: list[str], others: list[str]) -> bool:
    networks = [ipaddress.ip_network(one) for one in mine]
    other_networks = [ipaddress.ip_network(one) for one in others]
    for name in cluster.store.names(IP_ADDRESSES.key):
        address = ipaddress.ip_address(name)
        if any(address in network for network in networks) and not any(
            address in network for network in other_networks
        ):
            return True
    return False


# --- custom kinds and owners ---


def definition(cluster: Cluster, obj: Json) -> None:
    """Mark a custom kind as served, or remove its objects when it is deleted."""
    spec = obj["spec"]
    if "deletionTimestamp" in obj["metadata"]:
        return
    accepted = condition(cluster, obj, "NamesAccepted", "True", "NoConflicts", "no conflicts found")
    established = condition(
        cluster, obj, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted"
    )
    stored = [version["name"] for version in spec["versions"] if version.get("storage")]
    status = {"conditions": [accepted, established], "acceptedNames": spec["names"], "storedVersions": stored}
    cluster.change(DEFINITIONS, obj, status=status)


def services_of(cluster: Cluster, pod: Json) -> list[Json]:
    """The Services that select a Pod."""
    labels = (pod["metadata"].get("labels") or {}).items()
    return [
        one
        for one in cluster.store.items(SERVICES.key, pod["metadata"]["namespace"])
        if one["spec"].get("selector") and one["spec"]["selector"].items() <= labels
    ]
