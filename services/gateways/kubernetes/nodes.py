"""Nodes as the API server shows them, and why one takes no Pods."""

from services.gateways.kubernetes.objects import Object, is_true
from services.model.kubernetes import Node

_CONDITIONS = ("DiskPressure", "PIDPressure", "NetworkUnavailable")
"""A node of which one of these is true has a taint that no ordinary Pod tolerates (kubernetes.io: taint nodes by
condition). That of `MemoryPressure` is tolerated by every Pod that requests or limits a resource."""


def node(item: Object) -> Node:
    """Platform by its labels, else by what its kubelet reports."""
    status = item.get("status") or {}
    labels = item["metadata"].get("labels") or {}
    info = status.get("nodeInfo") or {}
    troubles: tuple[str, ...] = () if is_true(item, "Ready") else ("NotReady",)
    if (item.get("spec") or {}).get("unschedulable"):
        troubles += ("SchedulingDisabled",)
    troubles += tuple(kind for kind in _CONDITIONS if is_true(item, kind))
    return Node(
        item["metadata"]["name"],
        str(labels.get("kubernetes.io/os") or info.get("operatingSystem") or ""),
        str(labels.get("kubernetes.io/arch") or info.get("architecture") or ""),
        not troubles,
        labels,
        troubles,
    )
