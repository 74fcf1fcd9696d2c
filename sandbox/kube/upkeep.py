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


def new_namespace(cluster: Cluster, found: Json, certificate: str) -> None:
    """Every namespace has a service account and the cluster's CA."""
    name = found["metadata"]["name"]
    if "deletionTimestamp" in found["metadata"]:
        return
    if cluster.store.get(SERVICE_ACCOUNTS.key, name, "default") is None:
        cluster.create(SERVICE_ACCOUNTS, name, {"metadata": {"name": "default"}})
    if cluster.store.get(CONFIG_MAPS.key, name, ROOT_CERTIFICATE) is None:
        cluster.create(CONFIG_MAPS, name, {"metadata": {"name": ROOT_CERTIFICATE}, "data": {"ca.crt": certificate}})


def emptied_namespace(cluster: Cluster, found: Json) -> None:
    """Delete everything in a namespace that is being terminated; when nothing is left it goes too."""
    name = found["metadata"]["name"]
    left: dict[str, list[Json]] = {}
    for resource in list(cluster.catalogue.stored()):
        if not resource.namespaced:
            continue
        for one in cluster.store.items(resource.key, name):
            if "deletionTimestamp" not in one["metadata"]:
                cluster.delete(resource, name, one["metadata"]["name"], Deletion(propagation="Background"))
        remaining = cluster.store.items(resource.key, name)
        if remaining:
            left[resource.qualified] = remaining
    current = cluster.store.get(NAMESPACES.key, "", name)
    if current is None:
        return
    if not left:
        cluster.change(NAMESPACES, current, spec={"finalizers": []})
        return
    cluster.change(NAMESPACES, current, status={"conditions": _remaining(cluster, current, left)})


def _remaining(cluster: Cluster, found: Json, left: dict[str, list[Json]]) -> list[Json]:
    counts = ", ".join(f"{kind}. has {len(items)} resource instances" for kind, items in sorted(left.items()))
    finalizers: dict[str, int] = {}
    for one in (one for items in left.values() for one in items):
        for each in one["metadata"].get("finalizers") or []:
            finalizers[each] = finalizers.get(each, 0) + 1
    holders = ", ".join(f"{each} in {count} resource instances" for each, count in sorted(finalizers.items()))
    deleted = ("False", "ContentDeleted", "All content successfully deleted, may be waiting on finalization")
    content = ("True", "SomeResourcesRemain", f"Some resources are remaining: {counts}")
    held = ("False", "ContentHasNoFinalizers", "All content-preserving finalizers finished")
    if holders:
        held = ("True", "SomeFinalizersRemain", f"Some content in the namespace has finalizers remaining: {holders}")
    return [
        condition(cluster, found, "NamespaceDeletionContentFailure", *deleted),
        condition(cluster, found, "NamespaceContentRemaining", *content),
        condition(cluster, found, "NamespaceFinalizersRemaining", *held),
    ]


# --- volumes ---


def claim(cluster: Cluster, found: Json) -> None:
    """Bind a claim to a volume, or say why there is none."""
    metadata = found["metadata"]
    if "deletionTimestamp" in metadata:
        _release_claim(cluster, found)
        return
    if (found.get("status") or {}).get("phase") == "Bound":
        return
    name = found["spec"].get("storageClassName") or ""
    existing = _matching_volume(cluster, found, name)
    storage_class = cluster.store.get(STORAGE_CLASSES.key, "", name) if name else None
    if existing is not None:
        _bound(cluster, found, existing)
    elif not name:
        text = "no persistent volumes available for this claim and no storage class is set"
        _say(cluster, found, "FailedBinding", text, kind="Normal")
    elif storage_class is None:
        _say(cluster, found, "ProvisioningFailed", f'storageclass.storage.k8s.io "{name}" not found', kind="Warning")
    elif storage_class["volumeBindingMode"] == "WaitForFirstConsumer" and not _consumers(cluster, found):
        text = "waiting for first consumer to be created before binding"
        _say(cluster, found, "WaitForFirstConsumer", text, kind="Normal")
    else:
        volume = _provisioned(cluster, found, storage_class)
        _say(cluster, found, "ProvisioningSucceeded", f"Successfully provisioned volume {volume['metadata']['name']}")
        _bound(cluster, found, volume)


def _say(cluster: Cluster, found: Json, reason: str, text: str, *, kind: str = "Normal") -> None:
    record(cluster, found, reason, text, kind=kind, component="persistentvolume-controller")


def _provisioned(cluster: Cluster, found: Json, storage_class: Json) -> Json:
    metadata = found["metadata"]
    body = {
        "metadata": {
            "name": f"pvc-{metadata['uid']}",
            "annotations": {"pv.kubernetes.io/provisioned-by": storage_class["provisioner"]},
        },
        "spec": {
            "capacity": {"storage": found["spec"]["resources"]["requests"]["storage"]},
            "accessModes": found["spec"]["accessModes"],
            "persistentVolumeReclaimPolicy": storage_class["reclaimPolicy"],
            "storageClassName": storage_class["metadata"]["name"],
            "volumeMode": found["spec"].get("volumeMode", "Filesystem"),
            "hostPath": {"path": f"/var/lib/sandbox/{metadata['uid']}", "type": "DirectoryOrCreate"},
        },
    }
    return cluster.create(VOLUMES, "", body)


def _bound(cluster: Cluster, found: Json, volume: Json) -> None:
    metadata = found["metadata"]
    reference = {
        "kind": "PersistentVolumeClaim",
        "apiVersion": "v1",
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "uid": metadata["uid"],
    }
    cluster.change(VOLUMES, volume, spec={"claimRef": reference}, status={"phase": "Bound"})
    status = {"phase": "Bound", "accessModes": found["spec"]["accessModes"], "capacity": volume["spec"]["capacity"]}
    cluster.change(CLAIMS, found, spec={"volumeName": volume["metadata"]["name"]}, status=status)


def _matching_volume(cluster: Cluster, found: Json, name: str) -> Json | None:
    """The volume that was made for the claim, else any free one of its class."""
    wanted = found["spec"].get("volumeName")
    candidates = [
        volume
        for volume in cluster.store.items(VOLUMES.key)
        if (volume.get("status") or {}).get("phase") == "Available"
        and wanted in {None, volume["metadata"]["name"]}
        and (volume["spec"].get("storageClassName") or "") == name
    ]
    meant = [volume for volume in candidates if _is_meant_for(volume, found)]
    free = [volume for volume in candidates if "claimRef" not in volume["spec"]]
    return next(iter(meant + free), None)


def _is_meant_for(volume: Json, claim: Json) -> bool:
    reference, metadata = volume["spec"].get("claimRef") or {}, claim["metadata"]
    named: bool = (reference.get("namespace"), reference.get("name")) == (metadata["namespace"], metadata["name"])
    return named and bool(reference.get("uid", metadata["uid"]) == metadata["uid"])


def _consumers(cluster: Cluster, found: Json) -> list[Json]:
    metadata = found["metadata"]
    return [
        pod
        for pod in cluster.store.items(PODS.key, metadata["namespace"])
        for volume in pod["spec"].get("volumes") or []
        if (volume.get("persistentVolumeClaim") or {}).get("claimName") == metadata["name"]
    ]


def _release_claim(cluster: Cluster, found: Json) -> None:
    if _consumers(cluster, found):
        return
    finalizers = [one for one in found["metadata"].get("finalizers") or [] if one != CLAIM_PROTECTION]
    cluster.change(CLAIMS, found, metadata={"finalizers": finalizers})
    if finalizers:
        return
    name = found["spec"].get("volumeName")
    volume = cluster.store.get(VOLUMES.key, "", name) if name else None
    if volume is None:
        return
    if volume["spec"]["persistentVolumeReclaimPolicy"] == "Delete":
        cluster.delete(VOLUMES, "", volume["metadata"]["name"])
    else:
        cluster.change(VOLUMES, volume, status={"phase": "Released"})


def volume(cluster: Cluster, found: Json) -> None:
    """Let a volume go that is being deleted and not in use."""
    if "deletionTimestamp" not in found["metadata"]:
        return
    reference = found["spec"].get("claimRef")
    holder = cluster.store.get(CLAIMS.key, reference["namespace"], reference["name"]) if reference else None
    if holder is not None and holder["metadata"]["uid"] == (reference or {}).get("uid"):
        return
    finalizers = [one for one in found["metadata"].get("finalizers") or [] if one != VOLUME_PROTECTION]
    cluster.change(VOLUMES, found, metadata={"finalizers": finalizers})


# --- Services ---


def endpoints(cluster: Cluster, service: Json) -> None:
    """Who stands behind a Service."""
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
    _put_endpoints(cluster, service, pods, ports)
    _put_slice(cluster, service, pods, ports)


def _number(port: Json) -> int:
    return int(port["targetPort"]) if isinstance(port.get("targetPort"), int) else int(port["port"])


def _address(pod: Json) -> Json:
    reference = {"kind": "Pod", **{key: pod["metadata"][key] for key in ("namespace", "name", "uid")}}
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"].get("nodeName"), "targetRef": reference}


def _put_endpoints(cluster: Cluster, service: Json, pods: list[Json], ports: list[Json]) -> None:
    ready = [_address(pod) for pod in pods if is_ready(pod)]
    waiting = [_address(pod) for pod in pods if not is_ready(pod)]
    subset: Json = {"addresses": ready} if ready else {}
    subset |= {"notReadyAddresses": waiting} if waiting else {}
    subsets = [subset | {"ports": ports}] if subset else []
    _put(cluster, ENDPOINTS, service, service["metadata"]["name"], {"subsets": subsets} if subsets else {})


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
    known = cluster.store.get(resource.key, namespace, name)
    owner = [owner_reference(service)]
    if known is None:
        try:
            cluster.create(
                resource, namespace, {"metadata": {"name": name, "labels": labels, "ownerReferences": owner}} | body
            )
        except StatusError:
            return  # the namespace is on its way out
    elif {key: known.get(key) for key in body} != body:
        cluster.store.put(resource.key, known | body)


def service_range(cluster: Cluster, found: Json) -> None:
    """A range is ready until it is deleted, and then stays as long as one of its addresses is in use."""
    if "deletionTimestamp" not in found["metadata"]:
        ready = condition(cluster, found, "Ready", "True", "", "Kubernetes Service CIDR is ready")
        cluster.change(SERVICE_CIDRS, found, status={"conditions": [ready]})
        return
    others = [
        cidr
        for one in cluster.store.items(SERVICE_CIDRS.key)
        if "deletionTimestamp" not in one["metadata"]
        for cidr in one["spec"]["cidrs"]
    ]
    if _orphans(cluster, found["spec"]["cidrs"], others):
        text = "There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR"
        held = condition(cluster, found, "Ready", "False", "Terminating", text)
        cluster.change(SERVICE_CIDRS, found, status={"conditions": [held]})
        return
    finalizers = [one for one in found["metadata"].get("finalizers") or [] if one != DELETED_RANGE]
    cluster.change(SERVICE_CIDRS, found, metadata={"finalizers": finalizers})


def _orphans(cluster: Cluster, mine: list[str], others: list[str]) -> bool:
    networks = [ipaddress.ip_network(one) for one in mine]
    kept = [ipaddress.ip_network(one) for one in others]
    for name in cluster.store.names(IP_ADDRESSES.key):
        address = ipaddress.ip_address(name)
        if any(address in network for network in networks) and not any(address in network for network in kept):
            return True
    return False


# --- custom kinds and owners ---


def definition(cluster: Cluster, found: Json) -> None:
    """Say that a custom kind is served, or take its objects away with it."""
    spec = found["spec"]
    if "deletionTimestamp" in found["metadata"]:
        return
    accepted = condition(cluster, found, "NamesAccepted", "True", "NoConflicts", "no conflicts found")
    established = condition(
        cluster, found, "Established", "True", "InitialNamesAccepted", "the initial names have been accepted"
    )
    stored = [version["name"] for version in spec["versions"] if version.get("storage")]
    status = {"conditions": [accepted, established], "acceptedNames": spec["names"], "storedVersions": stored}
    cluster.change(DEFINITIONS, found, status=status)


def services_of(cluster: Cluster, pod: Json) -> list[Json]:
    """The Services that select a Pod."""
    labels = (pod["metadata"].get("labels") or {}).items()
    return [
        one
        for one in cluster.store.items(SERVICES.key, pod["metadata"]["namespace"])
        if one["spec"].get("selector") and one["spec"]["selector"].items() <= labels
    ]
