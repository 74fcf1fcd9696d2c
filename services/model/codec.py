"""Values to JSON and back. JSON's own types pass as they are; others carry a tag.

The values of the model have their tags here. What a kind of operation stores beside them (its request, what its steps
hand on) it declares itself, and whoever opens the store hands in a `Codec` that knows both.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from typing import Any

from services.model import azure, errors, health, incident, operation, people, plan

TAG = "$"
MODEL: Mapping[str, type[Any]] = {
    "Finding": plan.Finding,
    "Plan": plan.Plan,
    "PlannedStep": plan.PlannedStep,
    "Place": people.Place,
    "Pending": azure.Pending,
    "StatusDetail": azure.StatusDetail,
    "SyncResult": azure.SyncResult,
    "Asked": operation.ApprovalRequest,
    "Ended": operation.Outcome,
    "PasswordLeft": operation.PasswordLeft,
    "StillUnderWay": operation.StillUnderWay,
    "Paused": operation.Paused,
    "Target": health.Target,
    "Sighting": health.Sighting,
    "DiskSample": health.DiskSample,
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
    "WrongCluster": errors.WrongCluster,
    "AgentsAway": errors.AgentsAway,
    "NoAccess": errors.NoAccess,
    "AddressTaken": errors.AddressTaken,
    "AddressOutside": errors.AddressOutside,
    "Failure": errors.Failure,
}
"""By the tag that is stored. A tag stays when its class gets another name; for one class the first tag is written."""


class Codec:
    """Encodes and decodes the model's values and those of `classes`, by their tags."""

    def __init__(self, classes: Mapping[str, type[Any]] | None = None) -> None:
        self._classes = {**MODEL, **(classes or {})}
        self._tags = {kind: tag for tag, kind in reversed(self._classes.items())}

    def encode(self, value: object) -> Any:  # noqa: PLR0911 - a table of kinds
        """JSON for a value; raises `TypeError` for anything that has no tag, above all for a `Secret`."""
        match value:
            case None | bool() | int() | float() | str():
                return value
            case Mapping():
                return {str(key): self.encode(item) for key, item in value.items()}
            case tuple() | list():
                return [self.encode(item) for item in value]
            case frozenset() | set():
                return {TAG: "set", "items": sorted(self.encode(item) for item in value)}
            case datetime():
                return {TAG: "time", "at": value.isoformat()}
            case date():
                return {TAG: "day", "on": value.isoformat()}
            case timedelta():
                return {TAG: "duration", "seconds": value.total_seconds()}
            case IPv4Address() | IPv6Address():
                return str(value)
        tag = self._tags.get(type(value))
        if tag is not None and is_dataclass(value):
            return {TAG: tag, **{item.name: self.encode(getattr(value, item.name)) for item in fields(value)}}
        raise TypeError(f"{type(value).__name__} is not to be stored")

    def decode(self, value: Any) -> Any:  # noqa: PLR0911 - likewise
        """The value behind this JSON; lists come back as tuples.

        Fields that no longer exist are dropped. A value of a class that is gone comes back as a mapping of its fields.
        """
        if isinstance(value, list):
            return tuple(self.decode(item) for item in value)
        if not isinstance(value, dict):
            return value
        tag = value.get(TAG)
        match tag:
            case "set":
                return frozenset(self.decode(item) for item in value["items"])
            case "time":
                return datetime.fromisoformat(value["at"])
            case "day":
                return date.fromisoformat(value["on"])
            case "duration":
                return timedelta(seconds=value["seconds"])
        decoded = {key: self.decode(item) for key, item in value.items() if key != TAG}
        if tag is None or tag not in self._classes:
            return decoded
        kind = self._classes[tag]
        names = {item.name for item in fields(kind)}  # another version may have stored more
        return kind(**{name: item for name, item in decoded.items() if name in names})

    def dumps(self, value: object) -> str:
        """`encode` as text: what a database's JSON column is given."""
        return json.dumps(self.encode(value))

    def loads(self, text: str | bytes) -> Any:
        """`decode` of such a text."""
        return self.decode(json.loads(text))


_MODEL = Codec()
encode, decode = _MODEL.encode, _MODEL.decode
"""For the model's own values."""
