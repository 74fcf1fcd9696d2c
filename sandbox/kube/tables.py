"""Tables: the columns that the server prints for `kubectl get`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sandbox.kube.kinds import is_default_class
from sandbox.kube.resources import Json, Key, Resource

NONE = "<none>"


@dataclass(frozen=True)
class Column:
    """One column; `wide` ones are shown with `-o wide` only."""

    name: str
    value: Callable[[Json], object]
    wide: bool = False
    type: str = "string"


def table(resource: Resource, objects: list[Json], now: datetime, metadata: Json, *, include: str = "Metadata") -> Json:
    """The Table of these objects; `include` says how much of each object a row carries."""
    columns = _columns(resource, now)
    carried: dict[str, Callable[[Json], Json | None]] = {"Object": lambda one: one, "None": lambda _: None}
    carry = carried.get(include, partial)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": column.name,
                "type": column.type,
                "format": "name" if column.name == "Name" else "",
                "description": "",
                "priority": 1 if column.wide else 0,
            }
            for column in columns
        ],
        "rows": [{"cells": [column.value(one) for column in columns], "object": carry(one)} for one in objects],
    }


def partial(obj: Json) -> Json:
    """Only the metadata."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def _columns(resource: Resource, now: datetime) -> list[Column]:
    name = Column("Name", _class_name if resource.plural == "storageclasses" else lambda one: one["metadata"]["name"])
    age = Column("Age", lambda one: duration(one["metadata"].get("creationTimestamp"), now))
    make = _COLUMNS.get(resource.key)
    if resource.key == ("", "events"):
        return [
            Column("Last Seen", lambda one: duration(one.get("lastTimestamp") or one.get("eventTime"), now)),
            *_EVENT,
        ]
    if make is None:
        return [name, age]
    columns = [column for column in make if not column.wide]
    if resource.key == ("batch", "jobs"):
        columns.append(Column("Duration", lambda one: _run_time(one, now)))
    if resource.key not in _AGELESS:
        columns.insert(_AGE_PLACE.get(resource.key, len(columns)), age)
    return [name, *columns, *(column for column in make if column.wide)]


def duration(start: str | None, now: datetime) -> str:
    """The time since `start`, in kubectl's form: `5s`, `3m10s`, `2h5m`, `4d1h`."""
    if not start:
        return "<unknown>"
    began = datetime.fromisoformat(start)
    seconds = max(0, int((now - began).total_seconds()))
    minutes, hours, days = seconds // 60, seconds // 3600, seconds // 86400
    for limit, value, text in (
        (120, seconds, f"{seconds}s"),
        (10, minutes, _pair(minutes, "m", seconds % 60, "s")),
        (180, minutes, f"{minutes}m"),
        (8, hours, _pair(hours, "h", minutes % 60, "m")),
        (48, hours, f"{hours}h"),
        (8, days, _pair(days, "d", hours % 24, "h")),
    ):
        if value < limit:
            return text
    return f"{days}d" if days < 365 * 2 else f"{days // 365}y{days % 365}d"


def _run_time(job: Json, now: datetime) -> str:
    began, ended = _status(job).get("startTime"), _status(job).get("completionTime")
    return duration(began, datetime.fromisoformat(ended) if ended else now) if began else ""


def _pair(large: int, large_unit: str, small: int, small_unit: str) -> str:
    return f"{large}{large_unit}{small}{small_unit}" if small else f"{large}{large_unit}"


def _status(obj: Json) -> Json:
    return obj.get("status") or {}


def _spec(obj: Json) -> Json:
    return obj.get("spec") or {}


def _pod_ready(obj: Json) -> str:
    statuses = _status(obj).get("containerStatuses") or []
    return f"{sum(bool(each.get('ready')) for each in statuses)}/{len(_spec(obj).get('containers') or [])}"


def _pod_status(obj: Json) -> str:
    if "deletionTimestamp" in obj["metadata"]:
        return "Terminating"
    for container in _status(obj).get("containerStatuses") or []:
        for kind in ("waiting", "terminated"):
            reason = (container.get("state") or {}).get(kind, {}).get("reason")
            if reason:
                return str(reason)
    return str(_status(obj).get("reason") or _status(obj).get("phase") or "Unknown")


def _ports(obj: Json) -> str:
    def port_text(port: Json) -> str:
        node = f":{port['nodePort']}" if port.get("nodePort") else ""
        return f"{port['port']}{node}/{port.get('protocol', 'TCP')}"

    return ",".join(port_text(port) for port in _spec(obj).get("ports") or []) or NONE


def _labels(labels: Json | None) -> str:
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def _template(obj: Json, field: str) -> str:
    containers = _spec(obj).get("template", {}).get("spec", {}).get("containers") or []
    return ",".join(str(each.get(field, "")) for each in containers)


def _node_status(obj: Json) -> str:
    ready = next((each for each in _status(obj).get("conditions") or [] if each["type"] == "Ready"), None)
    text = "Unknown" if ready is None else "Ready" if ready["status"] == "True" else "NotReady"
    return text + (",SchedulingDisabled" if _spec(obj).get("unschedulable") else "")


def _node_roles(obj: Json) -> str:
    prefix = "node-role.kubernetes.io/"
    return ",".join(key[len(prefix) :] for key in obj["metadata"].get("labels") or {} if key.startswith(prefix)) or NONE


def _node_address(obj: Json, kind: str) -> str:
    return next((each["address"] for each in _status(obj).get("addresses") or [] if each["type"] == kind), NONE)


def _node_info(obj: Json, field: str) -> str:
    return str((_status(obj).get("nodeInfo") or {}).get(field, "<unknown>"))


def _modes(obj: Json) -> str:
    short = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
    modes = _status(obj).get("accessModes") or (
        _spec(obj).get("accessModes") if obj["kind"] == "PersistentVolume" else []
    )
    return ",".join(short.get(mode, mode) for mode in modes or [])


def _capacity(obj: Json) -> str:
    holder = _status(obj) if obj["kind"] == "PersistentVolumeClaim" else _spec(obj)
    return str((holder.get("capacity") or {}).get("storage", ""))


def _phase(obj: Json) -> str:
    return "Terminating" if "deletionTimestamp" in obj["metadata"] else str(_status(obj).get("phase", ""))


def _attributes_class(obj: Json) -> str:
    return str(_spec(obj).get("volumeAttributesClassName") or "<unset>")


def _external_address(obj: Json) -> str:
    if _spec(obj).get("type") == "LoadBalancer":
        ingress = (_status(obj).get("loadBalancer") or {}).get("ingress") or []
        return ",".join(each.get("ip") or each.get("hostname", "") for each in ingress) or "<pending>"
    return ",".join(_spec(obj).get("externalIPs") or []) or str(_spec(obj).get("externalName") or NONE)


def _class_name(obj: Json) -> str:
    return f"{obj['metadata']['name']} (default)" if is_default_class(obj) else str(obj["metadata"]["name"])


def _parent(obj: Json) -> str:
    parent = _spec(obj).get("parentRef") or {}
    return f"{parent.get('resource')}/{parent.get('namespace')}/{parent.get('name')}"


def _endpoints(obj: Json) -> str:
    pairs = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or []
        for address in subset.get("addresses") or []
        for port in subset.get("ports") or []
    ]
    return ",".join(pairs) or NONE


def _integer(name: str, value: Callable[[Json], object]) -> Column:
    return Column(name, value, type="integer")


_EVENT = [
    Column("Type", lambda one: one.get("type", "")),
    Column("Reason", lambda one: one.get("reason", "")),
    Column(
        "Object", lambda one: f"{one['involvedObject'].get('kind', '').lower()}/{one['involvedObject'].get('name')}"
    ),
    Column("Message", lambda one: one.get("message", "")),
    Column("Name", lambda one: one["metadata"]["name"], wide=True),
]
_WORKLOAD_WIDE = [
    Column("Containers", lambda one: _template(one, "name"), wide=True),
    Column("Images", lambda one: _template(one, "image"), wide=True),
    Column("Selector", lambda one: _labels((_spec(one).get("selector") or {}).get("matchLabels")), wide=True),
]

_AGELESS = {("networking.k8s.io", "ipaddresses"), ("apiextensions.k8s.io", "customresourcedefinitions")}
_AGE_PLACE = {("", "nodes"): 2}
"""Position of the age among the columns that aren't wide; for other kinds it comes last."""

_COLUMNS: dict[Key, list[Column]] = {
    ("", "namespaces"): [Column("Status", lambda one: _status(one).get("phase", ""))],
    ("", "nodes"): [
        Column("Status", _node_status),
        Column("Roles", _node_roles),
        Column("Version", lambda one: _node_info(one, "kubeletVersion")),
        Column("Internal-IP", lambda one: _node_address(one, "InternalIP"), wide=True),
        Column("External-IP", lambda one: _node_address(one, "ExternalIP"), wide=True),
        Column("OS-Image", lambda one: _node_info(one, "osImage"), wide=True),
        Column("Kernel-Version", lambda one: _node_info(one, "kernelVersion"), wide=True),
        Column("Container-Runtime", lambda one: _node_info(one, "containerRuntimeVersion"), wide=True),
    ],
    ("", "services"): [
        Column("Type", lambda one: _spec(one).get("type", "")),
        Column("Cluster-IP", lambda one: _spec(one).get("clusterIP") or NONE),
        Column("External-IP", _external_address),
        Column("Port(s)", _ports),
        Column("Selector", lambda one: _labels(_spec(one).get("selector")), wide=True),
    ],
    ("", "pods"): [
        Column("Ready", _pod_ready),
        Column("Status", _pod_status),
        Column(
            "Restarts",
            lambda one: str(sum(each.get("restartCount", 0) for each in _status(one).get("containerStatuses") or [])),
        ),
        Column("IP", lambda one: _status(one).get("podIP") or NONE, wide=True),
        Column("Node", lambda one: _spec(one).get("nodeName") or NONE, wide=True),
        Column("Nominated Node", lambda one: _status(one).get("nominatedNodeName") or NONE, wide=True),
        Column("Readiness Gates", lambda _: NONE, wide=True),
    ],
    ("", "secrets"): [
        Column("Type", lambda one: one.get("type", "")),
        _integer("Data", lambda one: len(one.get("data") or {})),
    ],
    ("", "configmaps"): [_integer("Data", lambda one: len(one.get("data") or {}) + len(one.get("binaryData") or {}))],
    ("", "serviceaccounts"): [_integer("Secrets", lambda one: len(one.get("secrets") or []))],
    ("", "persistentvolumeclaims"): [
        Column("Status", _phase),
        Column("Volume", lambda one: _spec(one).get("volumeName", "")),
        Column("Capacity", _capacity),
        Column("Access Modes", _modes),
        Column("StorageClass", lambda one: _spec(one).get("storageClassName", "")),
        Column("VolumeAttributesClass", _attributes_class),
        Column("VolumeMode", lambda one: _spec(one).get("volumeMode", ""), wide=True),
    ],
    ("", "persistentvolumes"): [
        Column("Capacity", _capacity),
        Column("Access Modes", _modes),
        Column("Reclaim Policy", lambda one: _spec(one).get("persistentVolumeReclaimPolicy", "")),
        Column("Status", _phase),
        Column(
            "Claim",
            lambda one: "/".join((_spec(one).get("claimRef") or {}).get(key, "") for key in ("namespace", "name")),
        ),
        Column("StorageClass", lambda one: _spec(one).get("storageClassName", "")),
        Column("VolumeAttributesClass", _attributes_class),
        Column("Reason", lambda one: _status(one).get("reason", "")),
        Column("VolumeMode", lambda one: _spec(one).get("volumeMode", ""), wide=True),
    ],
    ("apps", "deployments"): [
        Column("Ready", lambda one: f"{_status(one).get('readyReplicas', 0)}/{_spec(one).get('replicas', 0)}"),
        _integer("Up-to-date", lambda one: _status(one).get("updatedReplicas", 0)),
        _integer("Available", lambda one: _status(one).get("availableReplicas", 0)),
        *_WORKLOAD_WIDE,
    ],
    ("apps", "replicasets"): [
        _integer("Desired", lambda one: _spec(one).get("replicas", 0)),
        _integer("Current", lambda one: _status(one).get("replicas", 0)),
        _integer("Ready", lambda one: _status(one).get("readyReplicas", 0)),
        *_WORKLOAD_WIDE,
    ],
    ("apps", "statefulsets"): [
        Column("Ready", lambda one: f"{_status(one).get('readyReplicas', 0)}/{_spec(one).get('replicas', 0)}"),
        *_WORKLOAD_WIDE[:2],
    ],
    ("apps", "daemonsets"): [
        _integer("Desired", lambda one: _status(one).get("desiredNumberScheduled", 0)),
        _integer("Current", lambda one: _status(one).get("currentNumberScheduled", 0)),
        _integer("Ready", lambda one: _status(one).get("numberReady", 0)),
        _integer("Up-to-date", lambda one: _status(one).get("updatedNumberScheduled", 0)),
        _integer("Available", lambda one: _status(one).get("numberAvailable", 0)),
        Column("Node Selector", lambda one: _labels(_spec(one)["template"]["spec"].get("nodeSelector"))),
        *_WORKLOAD_WIDE,
    ],
    ("networking.k8s.io", "servicecidrs"): [Column("CIDRs", lambda one: ",".join(_spec(one).get("cidrs") or []))],
    ("networking.k8s.io", "ipaddresses"): [Column("ParentRef", _parent)],
    ("apiextensions.k8s.io", "customresourcedefinitions"): [
        Column("Created At", lambda one: one["metadata"].get("creationTimestamp", "")),
    ],
    ("", "endpoints"): [Column("Endpoints", _endpoints)],
    ("discovery.k8s.io", "endpointslices"): [
        Column("AddressType", lambda one: one.get("addressType", "")),
        Column("Ports", lambda one: ",".join(str(port["port"]) for port in one.get("ports") or []) or "<unset>"),
        Column(
            "Endpoints", lambda one: ",".join(each["addresses"][0] for each in one.get("endpoints") or []) or "<unset>"
        ),
    ],
    ("batch", "jobs"): [
        Column("Status", lambda one: "Complete" if _status(one).get("completionTime") else "Running"),
        Column("Completions", lambda one: f"{_status(one).get('succeeded', 0)}/{_spec(one).get('completions', 1)}"),
    ],
    ("coordination.k8s.io", "leases"): [Column("Holder", lambda one: _spec(one).get("holderIdentity", ""))],
    ("storage.k8s.io", "storageclasses"): [
        Column("Provisioner", lambda one: one.get("provisioner", "")),
        Column("ReclaimPolicy", lambda one: one.get("reclaimPolicy", "")),
        Column("VolumeBindingMode", lambda one: one.get("volumeBindingMode", "")),
        Column("AllowVolumeExpansion", lambda one: bool(one.get("allowVolumeExpansion"))),
    ],
    ("rbac.authorization.k8s.io", "rolebindings"): [
        Column("Role", lambda one: f"{one['roleRef']['kind']}/{one['roleRef']['name']}"),
    ],
    ("rbac.authorization.k8s.io", "clusterrolebindings"): [
        Column("Role", lambda one: f"{one['roleRef']['kind']}/{one['roleRef']['name']}"),
    ],
}
