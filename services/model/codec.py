"""Values to JSON and back. JSON's own types pass as they are; others carry a tag."""

from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from services.model import azure, errors, health, incident, operation, people, plan

TAG = "$"
KINDS: dict[str, type[Any]] = {
    "Finding": plan.Finding,
    "Plan": plan.Plan,
    "PlannedStep": plan.PlannedStep,
    "Place": people.Place,
    "Pending": azure.Pending,
    "StatusDetail": azure.StatusDetail,
    "Asked": operation.Asked,
    "Ended": operation.Ended,
    "Target": health.Target,
    "Sighting": health.Sighting,
    "Incident": incident.Incident,
    "Memo": incident.Memo,
    "NotFound": errors.NotFound,
    "Invalid": errors.Invalid,
    "Denied": errors.Denied,
    "Stale": errors.Stale,
    "Unreachable": errors.Unreachable,
    "Unreadable": errors.Unreadable,
    "NotAuthenticated": errors.NotAuthenticated,
    "NotAllowed": errors.NotAllowed,
    "Throttled": errors.Throttled,
    "Absent": errors.Absent,
    "Conflict": errors.Conflict,
    "AlreadyExists": errors.AlreadyExists,
    "Busy": errors.Busy,
    "Refused": errors.Refused,
    "Locked": errors.Locked,
    "SubscriptionUnknown": errors.SubscriptionUnknown,
    "ResourceGroupUnknown": errors.ResourceGroupUnknown,
    "ProviderNotRegistered": errors.ProviderNotRegistered,
    "VersionNotOffered": errors.VersionNotOffered,
    "NotOfferedInRegion": errors.NotOfferedInRegion,
    "NameTaken": errors.NameTaken,
    "AddressTaken": errors.AddressTaken,
    "AddressOutside": errors.AddressOutside,
    "Failure": errors.Failure,
}
"""By the tag that is stored. A tag stays when its class gets another name; for one class the first tag is written."""
TAGS: dict[type[Any], str] = {kind: tag for tag, kind in reversed(KINDS.items())}


def encode(value: object) -> Any:  # noqa: PLR0911 - a table of kinds
    """JSON for a value of the model; raises `TypeError` for anything else, above all for a `Secret`."""
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
    tag = TAGS.get(type(value))
    if tag is not None and is_dataclass(value):
        return {TAG: tag, **{item.name: encode(getattr(value, item.name)) for item in fields(value)}}
    raise TypeError(f"{type(value).__name__} is not to be stored")


def decode(value: Any) -> Any:  # noqa: PLR0911 - likewise
    """The value that `encode` made this JSON of; lists come back as tuples. Fields that no longer exist are dropped."""
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
