"""Label and field selectors: parsed from their query form, matched against objects."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.kube.resources import Json
from sandbox.kube.status import bad_request

Match = Callable[[Json], bool]

_SET = re.compile(r"^\s*(?P<key>[^\s,=!()]+)\s+(?P<how>in|notin)\s*\(\s*(?P<values>[^)]*)\)\s*$")
_EQUAL = re.compile(r"^\s*(?P<key>[^\s,=!()]+)\s*(?P<how>==|=|!=)\s*(?P<value>[^\s,=!()]*)\s*$")
_EXISTS = re.compile(r"^\s*(?P<not>!?)\s*(?P<key>[^\s,=!()]+)\s*$")
_COMMA = re.compile(r",(?![^(]*\))")
_NODE_READY = re.compile(r"^(?P<key>[^=!]+)(?P<how>==|=|!=)(?P<value>.*)$")


def labels_match(text: str) -> Match:
    """The predicate of a `labelSelector` parameter.

    Raises:
        StatusError: 400, when it can't be parsed.
    """
    tests = [_label_test(part) for part in _COMMA.split(text) if part.strip()]
    return lambda found: all(test(found["metadata"].get("labels") or {}) for test in tests)


def _label_test(part: str) -> Callable[[Mapping[str, str]], bool]:
    if match := _SET.match(part):
        key, values = match["key"], {value.strip() for value in match["values"].split(",")}
        if match["how"] == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    if match := _EQUAL.match(part):
        key, value = match["key"], match["value"]
        if match["how"] == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if match := _EXISTS.match(part):
        key, expected = match["key"], not match["not"]
        return lambda labels: (key in labels) is expected
    raise bad_request(f"unable to parse requirement: found '{part.strip()}', expected: identifier")


def selector_matches(selector: Json | None, labels: Mapping[str, str]) -> bool:
    """Whether a selector inside an object (`matchLabels`, `matchExpressions`) matches these labels."""
    if selector is None:
        return False
    equal = all(labels.get(key) == value for key, value in (selector.get("matchLabels") or {}).items())
    return equal and all(_expression(one, labels) for one in selector.get("matchExpressions") or [])


def _expression(expression: Json, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case _:
            return key not in labels


_FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
        "spec.hostNetwork",
    ),
    "services": ("spec.clusterIP", "spec.type"),
    "nodes": ("spec.unschedulable",),
    "secrets": ("type",),
    "namespaces": ("status.phase",),
    "replicasets": ("status.replicas",),
    "jobs": ("status.successful",),
    "ipaddresses": (),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
        "regarding.kind",
        "regarding.namespace",
        "regarding.name",
        "regarding.uid",
    ),
}


_OWN_WORDS = {"pods", "nodes", "events", "namespaces", "secrets", "services", "extensionconfigs", "connectedclusters"}
"""Kinds that refuse an unsupported field selector in other words (measured on 1.37)."""


def fields_match(text: str, plural: str) -> Match:
    """The predicate of a `fieldSelector` parameter.

    Raises:
        StatusError: 400, if it can't be parsed or names a field that this kind doesn't support.
    """
    tests = [_field_test(part.strip(), plural) for part in text.split(",") if part.strip()]
    return lambda found: all(test(found) for test in tests)


def _field_test(part: str, plural: str) -> Match:
    match = _NODE_READY.match(part)
    if match is None:
        raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
    path, value, expected = match["key"].strip(), match["value"].strip(), match["how"] != "!="
    if path not in {"metadata.name", "metadata.namespace", *_FIELDS.get(plural, ())}:
        raise bad_request(
            f"field label not supported: {path}"
            if plural in _OWN_WORDS
            else f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'
        )
    steps = path.replace("regarding.", "involvedObject.").split(".")
    return lambda candidate: (_text(_at(candidate, steps)) == value) is expected


def _at(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
