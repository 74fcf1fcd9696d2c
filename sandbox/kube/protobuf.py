r"""Bodies in the Kubernetes protobuf encoding, which kubectl and other Go clients use for built-in kinds.

Only reading is needed: every client that sends protobuf also accepts JSON. An encoded object is the prefix `k8s\0`
and a `runtime.Unknown` (1: type as apiVersion and kind, 2: the object's own message). Go writes fields that JSON would
leave out, so empty strings, and numbers and booleans whose absence means the same, are dropped.
"""

import base64
import functools
import json
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sandbox.kube.resources import Json
from sandbox.kube.status import bad_request

PREFIX = b"k8s\x00"
_WIRE_FORMAT = Path(__file__).with_name("wire_format.txt")
_SCALARS = {"string", "bytes", "bool", "int32", "int64", "double"}
_MEANINGLESS_ZEROS = {
    "hostPort",
    "nodePort",
    "healthCheckNodePort",
    "minReadySeconds",
    "generation",
    "observedGeneration",
    "hostNetwork",
    "hostPID",
    "hostIPC",
    "stdin",
    "stdinOnce",
    "tty",
    "readOnly",
    "paused",
    "publishNotReadyAddresses",
}
_VARINT, _FIXED64, _DELIMITED, _FIXED32 = 0, 1, 2, 5


@dataclass(frozen=True)
class _Field:
    name: str
    type: str
    shape: str
    """Empty, `[]`, `{}` or `^`, as in the wire format file."""


def decoded(content: bytes) -> Json:
    """The object in a protobuf body, as its JSON form.

    Raises:
        StatusError: 400, if it can't be read or its kind is unknown.
    """
    try:
        envelope = dict(_fields(content[len(PREFIX) :]))
        about = dict(_fields(envelope[1]))
        api_version, kind = about[1].decode(), about[2].decode()
        group, _, version = api_version.rpartition("/")
        message = f"{group.partition('.')[0] or 'core'}/{version}.{kind}"
        if message not in _messages():
            message = f"meta/v1.{kind}"
        return {"apiVersion": api_version, "kind": kind} | _message(message, envelope.get(2, b""))
    except (KeyError, IndexError, ValueError, AttributeError, struct.error) as error:
        raise bad_request(f"couldn't read the protobuf body: {error!r}") from error


@functools.cache
def _messages() -> dict[str, dict[int, _Field]]:
    messages: dict[str, dict[int, _Field]] = {}
    for line in _WIRE_FORMAT.read_text().splitlines():
        if line.startswith("#"):
            continue
        name, *fields = line.split()
        messages[name] = dict(map(_field, fields))
    return messages


def _field(text: str) -> tuple[int, _Field]:
    number, name, kind = text.split(":", 2)
    shape = next((mark for mark in ("[]", "{}", "^") if kind.startswith(mark)), "")
    return int(number), _Field(name, kind[len(shape) :], shape)


def _fields(content: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers and raw values: integers, or bytes."""
    at = 0
    while at < len(content):
        tag, at = _varint(content, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _varint(content, at)
            yield tag >> 3, value
            continue
        if kind == _DELIMITED:
            size, at = _varint(content, at)
        else:
            size = {_FIXED64: 8, _FIXED32: 4}[kind]
        if at + size > len(content):
            raise ValueError("the body ends early")
        yield tag >> 3, content[at : at + size]
        at += size


def _varint(content: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = content[at]
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
        if byte < 0x80:  # noqa: PLR2004
            return value, at


def _message(name: str, content: bytes) -> Json:
    fields = _messages()[name]
    result: Json = {}
    for number, raw in _fields(content):
        field = fields.get(number)
        if field is None:
            continue
        if field.shape == "{}":
            entry = dict(_fields(raw))
            key = entry.get(1, b"").decode()
            result.setdefault(field.name, {})[key] = _value(field.type, entry.get(2, b""))
            continue
        value = _value(field.type, raw)
        if field.shape == "[]":
            result.setdefault(field.name, []).append(value)
        elif field.shape == "^":
            result |= value
        elif value not in (None, "") and (value or field.name not in _MEANINGLESS_ZEROS):
            result[field.name] = value
    return result


def _value(kind: str, raw: Any) -> Any:
    if kind in _SCALARS:
        return _scalar(kind, raw)
    if special := _SPECIAL.get(kind):
        return special(dict(_fields(raw)))
    message = _message(kind, raw)
    return message.get("items", []) if kind.endswith(".ExtraValue") else message


def _scalar(kind: str, raw: Any) -> Any:
    match kind:
        case "string":
            return raw.decode()
        case "bytes":
            return base64.b64encode(raw).decode()
        case "bool":
            return bool(raw)
        case "double":
            return struct.unpack("<d", raw)[0]
        case _:
            return _signed(raw)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >= 1 << 63 else value


def _time(parts: dict[int, Any]) -> str | None:
    if not parts.get(1):
        return None
    return datetime.fromtimestamp(_signed(parts[1]), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _micro_time(parts: dict[int, Any]) -> str | None:
    seconds = _time(parts)
    return seconds and f"{seconds[:-1]}.{parts.get(2, 0) // 1000:06d}Z"


def _raw(parts: dict[int, Any]) -> Any:
    return json.loads(parts.get(1, b"") or b"null")


_SPECIAL: dict[str, Callable[[dict[int, Any]], Any]] = {
    "meta/v1.Time": _time,
    "meta/v1.MicroTime": _micro_time,
    "meta/v1.Duration": lambda parts: f"{_signed(parts.get(1, 0))}ns",
    "intstr.IntOrString": lambda parts: parts.get(3, b"").decode() if parts.get(1) else _signed(parts.get(2, 0)),
    "resource.Quantity": lambda parts: parts.get(1, b"").decode() or "0",
    "runtime.RawExtension": _raw,
    "meta/v1.FieldsV1": _raw,
}
