"""The fields of the built-in kinds: other fields in a body are unknown, and values of another type are refused.

The fields are those of the Kubernetes client's models, which are generated from the API server's own description.
Custom kinds are not checked.
"""

import re
from dataclasses import dataclass
from typing import Any

from kubernetes.aio.client import models

from sandbox.kube.resources import Json, Resource

_QUANTITIES = {"requests", "limits", "capacity", "allocatable", "allocatedResources", "hard", "used", "overhead"} | {
    *("default", "defaultRequest", "max", "min", "maxLimitRequestRatio", "sizeLimit", "divisor")
}
"""Fields whose quantities may be numbers as well as strings."""
_GO_TYPES = {
    "str": "string",
    "int": "int32",
    "bool": "bool",
    "float": "float64",
    "datetime": "string",
    "bytes": "[]uint8",
}
_TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "bytes": str,
    "datetime": str,
    "int": int,
    "float": (int, float),
    "bool": bool,
}
_LIST, _MAP = re.compile(r"List\[(.+)\]"), re.compile(r"Dict\[str, (.+)\]")


@dataclass(eq=False)
class WrongTypeError(Exception):
    """A value that its field can't hold; `struct` and `path` name the field as Go's JSON decoder does."""

    struct: str
    path: str
    expected: str
    actual: str

    def __str__(self) -> str:
        field = f"{self.struct}{self.path}"
        return f"json: cannot unmarshal {self.actual} into Go struct field {field} of type {self.expected}"


def pruned(resource: Resource, received: Json) -> tuple[Json, list[str]]:
    """The object without unknown fields, and the paths of these: `spec.containers[0].imag`.

    Raises:
        WrongTypeError: a field holds another type of value than it can.
    """
    model = _model(resource)
    if model is None:
        return received, []
    unknown: list[str] = []
    return dict(_object(received, model, _Place(model, ""), unknown)), unknown


def _model(resource: Resource) -> str | None:
    if resource.custom:
        return None
    kind = f"{resource.version.capitalize()}{resource.kind}"
    names = ("EventsV1Event",) if resource.group == "events.k8s.io" else (kind, f"Core{kind}")
    return next((name for name in names if hasattr(models, name)), None)


@dataclass(frozen=True)
class _Place:
    struct: str
    path: str
    """The path with list indexes, as in messages about unknown fields."""
    field: str = ""

    def below(self, name: str) -> str:
        return f"{self.path}.{name}" if self.path else name

    def refusal(self, expected: str, value: Any) -> WrongTypeError:
        path = re.sub(r"\[[^]]*\]", "", self.path)
        struct = re.sub(r"^(Core|Events)?V\d+((alpha|beta)\d+)?", "", self.struct)
        kinds = {bool: "bool", str: "string", list: "array", dict: "object"}
        return WrongTypeError(struct, f".{path}", expected, kinds.get(type(value), "number"))


def _object(value: Any, model: str, place: _Place, unknown: list[str]) -> Any:
    if not isinstance(value, dict):
        raise place.refusal(_go_type(model), value)
    fields = _fields(model)
    result = {}
    for name, inner in value.items():
        if name in fields:
            result[name] = _value(inner, fields[name], _Place(model, place.below(name), name), unknown)
        else:
            unknown.append(place.below(name))
    return result


def _value(value: Any, kind: str, place: _Place, unknown: list[str]) -> Any:
    if value is None or kind == "object":
        return value
    if match := _LIST.fullmatch(kind):
        if not isinstance(value, list):
            raise place.refusal(_go_type(kind), value)
        inner = match[1]
        return [
            _value(one, inner, _Place(place.struct, f"{place.path}[{at}]", place.field), unknown)
            for at, one in enumerate(value)
        ]
    if match := _MAP.fullmatch(kind):
        if not isinstance(value, dict):
            raise place.refusal(_go_type(kind), value)
        return {key: _value(one, match[1], place, unknown) for key, one in value.items()}
    if kind not in _TYPES:
        return _object(value, kind, place, unknown)
    amount = place.field in _QUANTITIES and isinstance(value, int | float)
    if isinstance(value, bool) is not (kind == "bool") or not (amount or isinstance(value, _TYPES[kind])):
        raise place.refusal(_go_type(kind), value)
    return value


def _fields(model: str) -> dict[str, str]:
    """Each field's type by its name in JSON."""
    model_class = getattr(models, model)
    names: dict[str, str] = model_class.attribute_map
    return {name: model_class.openapi_types[attribute] for attribute, name in names.items()}


def _go_type(kind: str) -> str:
    if match := _LIST.fullmatch(kind):
        return f"[]{_go_type(match[1])}"
    if match := _MAP.fullmatch(kind):
        return f"map[string]{_go_type(match[1])}"
    return _GO_TYPES.get(kind) or re.sub(r"^(?:[A-Z]\w*?)?V(\d\w*?)([A-Z]\w*)$", r"v\1.\2", kind)


def go_text(value: Any) -> str:
    """A value as Go prints it: `map[spec:map[replicas:x]]`."""
    if isinstance(value, dict):
        return f"map[{' '.join(f'{key}:{go_text(value[key])}' for key in sorted(value))}]"
    if isinstance(value, list):
        return f"[{' '.join(map(go_text, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return "<nil>" if value is None else str(value)
