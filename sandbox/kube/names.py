"""Rules for names, labels and keys, with the API server's texts."""

import ipaddress
import re
from collections.abc import Mapping

from sandbox.kube.resources import Json, Resource
from sandbox.kube.status import FieldError, required, wrong

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_LABEL_1035 = "[a-z]([-a-z0-9]*[a-z0-9])?"
_KEY = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_VALUE = f"({_KEY})?"
_CONFIG_KEY = "[-._a-zA-Z0-9]+"

LONGEST_LABEL = 63
LONGEST_NAME = 253

_LABELS = {"namespaces"}
_LABELS_1035 = {"services"}
_FREE_OF_RULES = {"roles", "rolebindings", "clusterroles", "clusterrolebindings"}


def name_errors(resource: Resource, name: str, *, minor: int) -> list[str]:
    """What is wrong with an object's name."""
    if resource.plural in _FREE_OF_RULES:
        if name in {".", ".."}:
            return [f"may not be '{name}'"]
        return [f"may not contain '{character}'" for character in "/%" if character in name]
    if resource.plural in _LABELS_1035 and not resource.custom:
        # Services may be RFC 1123 labels from 1.36 on (RelaxedServiceNameValidation); before, a letter comes first.
        return label_1035(name) if minor < 36 else label(name)  # noqa: PLR2004
    if resource.plural in _LABELS:
        return label(name)
    if resource.plural == "ipaddresses":
        return address(name)
    return subdomain(name)


def address(value: str) -> list[str]:
    """What is wrong with a name that has to be an IP address."""
    try:
        canonical = str(ipaddress.ip_address(value))
    except ValueError:
        return ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"]
    return [] if value == canonical else [f'must be in canonical form ("{canonical}")']


def label(value: str) -> list[str]:
    """What is wrong with an RFC 1123 label."""
    text = (
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end "
        "with an alphanumeric character"
    )
    return _checked(value, _LABEL, LONGEST_LABEL, text, "my-name", "123-abc")


def label_1035(value: str) -> list[str]:
    """What is wrong with an RFC 1035 label."""
    text = (
        "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
        "character, and end with an alphanumeric character"
    )
    return _checked(value, _LABEL_1035, LONGEST_LABEL, text, "my-name", "abc-123")


def subdomain(value: str) -> list[str]:
    """What is wrong with an RFC 1123 subdomain."""
    text = (
        "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start "
        "and end with an alphanumeric character"
    )
    return _checked(value, _SUBDOMAIN, LONGEST_NAME, text, "example.com")


def config_key(value: str) -> list[str]:
    """What is wrong with a key of a ConfigMap or Secret."""
    text = "a valid config key must consist of alphanumeric characters, '-', '_' or '.'"
    return _checked(value, _CONFIG_KEY, LONGEST_NAME, text, "key.name", "KEY_NAME", "key-name")


def label_errors(labels: Mapping[str, object], path: str) -> list[FieldError]:
    """What is wrong with an object's labels."""
    errors = [wrong(path, key, problem) for key in labels for problem in _label_key(key)]
    text = (
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start "
        "and end with an alphanumeric character"
    )
    for value in map(str, labels.values()):
        problems = _checked(value, _VALUE, LONGEST_LABEL, text, "MyValue", "my_value", "12345")
        errors += [wrong(path, value, problem) for problem in problems]
    return errors


def metadata_errors(resource: Resource, body: Json, *, minor: int) -> list[FieldError]:
    """What is wrong with an object's metadata."""
    metadata = body["metadata"]
    name = metadata.get("name", "")
    problems: list[FieldError] = []
    if not name:
        problems.append(required("metadata.name", "name or generateName is required"))
    else:
        problems += [wrong("metadata.name", name, problem) for problem in name_errors(resource, name, minor=minor)]
    problems += label_errors(metadata.get("labels") or {}, "metadata.labels")
    annotations = metadata.get("annotations") or {}
    problems += [
        wrong("metadata.annotations", key, problem) for key in annotations for problem in _label_key(key.lower())
    ]
    if sum(len(key) + len(str(value)) for key, value in annotations.items()) > LARGEST_ANNOTATIONS:
        text = f"may not be more than {LARGEST_ANNOTATIONS} bytes"
        problems.append(FieldError("FieldValueTooLong", "metadata.annotations", detail=text))
    return problems


LARGEST_ANNOTATIONS = 256 * 1024


def _label_key(key: str) -> list[str]:
    prefix, slash, name = key.rpartition("/")
    text = (
        "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with "
        "an alphanumeric character"
    )
    problems = [f"prefix part {problem}" for problem in (subdomain(prefix) if slash else [])]
    if not name:
        return [*problems, "name part must be non-empty"]
    return problems + [
        f"name part {problem}" for problem in _checked(name, _KEY, LONGEST_LABEL, text, "MyName", "my.name", "123-abc")
    ]


def _checked(value: str, pattern: str, longest: int, text: str, *examples: str) -> list[str]:
    problems = [f"must be no more than {longest} bytes"] if len(value.encode()) > longest else []
    if not re.fullmatch(pattern, value):
        listed = " or ".join(f"'{one}', " for one in examples)
        problems.append(f"{text} (e.g. {listed}regex used for validation is '{pattern}')")
    return problems
