"""Values to JSON and back. JSON's own types pass as they are; others carry a tag."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from services.model import azure, errors, health, incident, operation, people, plan
from services.model.errors import DomainError

TAG = "$"
KINDS: dict[str, type[Any]] = {
    kind.__name__: kind
    for kind in (
        plan.Finding,
        people.Place,
        plan.Plan,
        plan.PlannedStep,
        azure.Pending,
        operation.Asked,
        operation.Ended,
        azure.StatusDetail,
        health.Target,
        health.Sighting,
        incident.Incident,
        incident.Memo,
        *(kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, DomainError)),
    )
}


def encode(value: object) -> Any:  # noqa: C901, PLR0911 - a table of kinds
    """JSON for a value of the vocabulary; raises TypeError for anything else, above all for a `Secret`."""
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Mapping():
            return {str(key): encode(item) for key, item in value.items()}
        case tuple() | list():
            return [encode(item) for item in value]
        case frozenset() | set():
            return {TAG: "set", "items": sorted(encode(item) for item in value)}
        case datetime():
            return {TAG: "time", "at": value.isoformat()}
        case date():
            return {TAG: "day", "on": value.isoformat()}
        case timedelta():
            return {TAG: "duration", "seconds": value.total_seconds()}
        case IPv4Address() | IPv6Address():
            return str(value)
    name = type(value).__name__
    if is_dataclass(value) and KINDS.get(name) is type(value):
        return {TAG: name, **{item.name: encode(getattr(value, item.name)) for item in fields(value)}}
    if isinstance(value, Exception):
        return {TAG: "Unreachable", "service": "", "target": name}
    raise TypeError(f"{name} is not to be stored")


def decode(value: Any) -> Any:  # noqa: PLR0911 - likewise
    """The value that `encode` made this JSON of; lists come back as tuples. Fields that are no more are left out."""
    if isinstance(value, list):
        return tuple(decode(item) for item in value)
    if not isinstance(value, dict):
        return value
    tag = value.get(TAG)
    if tag is None:
        return {key: decode(item) for key, item in value.items()}
    if tag == "set":
        return frozenset(decode(item) for item in value["items"])
    if tag == "time":
        return datetime.fromisoformat(value["at"])
    if tag == "day":
        return date.fromisoformat(value["on"])
    if tag == "duration":
        return timedelta(seconds=value["seconds"])
    kind = KINDS[tag]
    known = {item.name for item in fields(kind)}
    return kind(**{key: decode(item) for key, item in value.items() if key in known})
