"""Kubernetes' objects: plain dicts as the API server sends them, and what is read alike from several kinds of them."""

from typing import Any

Object = dict[str, Any]


def condition(item: Object, kind: str) -> Object:
    """The condition of this type in an object's status; empty when it has none."""
    conditions = (item.get("status") or {}).get("conditions") or ()
    return next((entry for entry in conditions if entry.get("type") == kind), {})


def is_true(item: Object, kind: str) -> bool:
    """Whether an object's condition of this type is true: neither false, nor unknown, nor missing."""
    return condition(item, kind).get("status") == "True"


def phase(item: Object) -> str:
    """The phase in an object's status; empty when it has none."""
    return str((item.get("status") or {}).get("phase") or "")


def service_addresses(service: Object) -> list[str]:
    """A Service's cluster addresses; none when it is headless or an alias."""
    spec = service.get("spec") or {}
    addresses = spec.get("clusterIPs") or [spec.get("clusterIP")]
    return [address for address in addresses if address and address != "None"]
