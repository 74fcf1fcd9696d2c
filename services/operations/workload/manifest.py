"""A manifest that somebody pasted: one Deployment of one container, of which only what is known to be harmless passes.

What stands in `_DEPLOYMENT` is let through, and everything else is refused by its place: a list of what is dangerous
would be older than Kubernetes. Nothing in it reaches the node, another namespace, a Secret or the API server's
credentials. Pure.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from services.model.errors import Invalid, InvalidRule
from services.model.redaction import scrub

LONGEST = 12_000
"""Characters."""
DEEPEST = 32
"""Levels of nesting."""
KIND, VERSION = "Deployment", "apps/v1"


@dataclass(frozen=True)
class Manifest:
    """What a manifest asks for. `pod` is the specification of its Pods, JSON, without image and pull secrets.

    `labels` are those of its Pods; `namespace`, `replicas` and `port` None where it does not say.
    """

    name: str
    namespace: str | None
    image: str
    replicas: int | None
    port: int | None
    pod: Mapping[str, Any]
    labels: Mapping[str, str]

    @property
    def digest(self) -> str:
        """A word for what of it goes into the Pods, to see whether a workload has it already."""
        content = json.dumps([self.pod, dict(self.labels)], sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:16]


# --- what is let through ----------------------------------------------------------------------------------------------


class _Value:
    """A value without further structure: a text, number, truth value, or one of those that are named."""

    def __init__(self, *only: object) -> None:
        self.only = only


_ANY, _TEXTS, _TABLE = _Value(), [_Value()], {"*": _Value()}
_PROBE = {
    "httpGet": {"path": _ANY, "port": _ANY, "scheme": _ANY},
    "tcpSocket": {"port": _ANY},
    "exec": {"command": _TEXTS},
    **dict.fromkeys(
        ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"), _ANY
    ),
}
_SECCOMP = {"type": _Value("RuntimeDefault")}
_CONTAINER = {
    "name": _ANY,
    "image": _ANY,
    "imagePullPolicy": _ANY,
    "command": _TEXTS,
    "args": _TEXTS,
    "workingDir": _ANY,
    "env": [{"name": _ANY, "value": _ANY}],
    "ports": [{"name": _ANY, "containerPort": _ANY, "protocol": _ANY}],
    "resources": {"requests": _TABLE, "limits": _TABLE},
    "livenessProbe": _PROBE,
    "readinessProbe": _PROBE,
    "startupProbe": _PROBE,
    "volumeMounts": [{"name": _ANY, "mountPath": _ANY, "subPath": _ANY, "readOnly": _ANY}],
    "securityContext": {
        "privileged": _Value(False),
        "allowPrivilegeEscalation": _Value(False),
        "readOnlyRootFilesystem": _ANY,
        "runAsNonRoot": _ANY,
        "runAsUser": _ANY,
        "runAsGroup": _ANY,
        "capabilities": {"drop": _TEXTS},
        "seccompProfile": _SECCOMP,
    },
}
_CONTAINER |= {
    "terminationMessagePath": _Value("/dev/termination-log"),
    "terminationMessagePolicy": _Value("File"),
}
_POD = {
    "containers": [_CONTAINER],
    "dnsPolicy": _Value("ClusterFirst"),
    "schedulerName": _Value("default-scheduler"),
    "volumes": [{"name": _ANY, "emptyDir": {"medium": _ANY, "sizeLimit": _ANY}}],
    "imagePullSecrets": [{"name": _ANY}],
    "restartPolicy": _Value("Always"),
    "terminationGracePeriodSeconds": _ANY,
    "nodeSelector": _TABLE,
    "enableServiceLinks": _ANY,
    "automountServiceAccountToken": _Value(False),
    "securityContext": {
        "runAsNonRoot": _ANY,
        "runAsUser": _ANY,
        "runAsGroup": _ANY,
        "fsGroup": _ANY,
        "seccompProfile": _SECCOMP,
    },
}
_ROLLING = {
    "type": _Value("RollingUpdate"),
    "rollingUpdate": dict.fromkeys(("maxSurge", "maxUnavailable"), _Value("25%")),
}
_DEPLOYMENT: Mapping[str, Any] = {
    "apiVersion": _Value(VERSION),
    "kind": _Value(KIND),
    "metadata": {"name": _ANY, "namespace": _ANY, "labels": _TABLE},
    "spec": {
        "replicas": _ANY,
        # Others are not let through: the bot's Deployment has these, which are the defaults.
        "strategy": _ROLLING,
        "progressDeadlineSeconds": _Value(600),
        "revisionHistoryLimit": _Value(10),
        "selector": {"matchLabels": _TABLE},
        "template": {"metadata": {"labels": _TABLE}, "spec": _POD},
    },
}
_SERVED = frozenset({"creationTimestamp", "generation", "managedFields", "resourceVersion", "selfLink", "uid"})
_SERVED_ANNOTATIONS = frozenset(
    {"kubectl.kubernetes.io/last-applied-configuration", "deployment.kubernetes.io/revision"}
)
"""What `kubectl get --output yaml` and a dry run of `kubectl create` write beside what people ask for."""
_FENCE = re.compile(r"\A\s*```\w*[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_OWN_LABELS = re.compile(r"(app\.kubernetes\.io/(name|managed-by)|registry-bot/.*)")
"""The bot finds its workloads by these, so they are its own."""
_HOST = re.compile(r"[^/]*[.:][^/]*|localhost")
"""The first part of a reference that is a host and no part of a repository's name."""


def parse(manifest: str) -> Manifest:
    """Raises `Invalid`, its `rule` `manifest.…`, with the place in the manifest where one is to blame."""
    document = _without_served(_document(manifest))
    if document.get("apiVersion") != VERSION:
        _refuse("manifest.version", str(document.get("apiVersion")))
    _compare(document, _DEPLOYMENT, "")
    if any(scrub(text) != text for text in _texts(document)):
        # It would be stored with the operation, and shown to whoever approves it.
        _refuse("manifest.secret", "")
    metadata, spec = document.get("metadata") or {}, document.get("spec") or {}
    template = spec.get("template") or {}
    pod: dict[str, Any] = dict(template.get("spec") or {})
    containers = pod.get("containers") or []
    if len(containers) != 1:
        _refuse("manifest.containers", "spec.template.spec.containers", count=len(containers))
    container = dict(containers[0])
    name, image = metadata.get("name"), container.pop("image", None)
    for value, place in ((name, "metadata.name"), (image, "spec.template.spec.containers[0].image")):
        if not isinstance(value, str) or not value:
            _refuse("manifest.missing", place)
        if "{{" in value:
            _refuse("manifest.template", place)
    namespace = metadata.get("namespace")
    if not isinstance(namespace, str | None):
        _refuse("manifest.type", "metadata.namespace")
    pod.pop("imagePullSecrets", None)
    # Pods get no credentials of the API server, whatever the namespace's default is.
    pod |= {"containers": [{"name": name, **container}], "automountServiceAccountToken": False}
    ports = container.get("ports") or []
    labels = (template.get("metadata") or {}).get("labels") or {}
    return Manifest(
        name=str(name),
        namespace=namespace,
        image=_without_host(str(image)),
        replicas=_number(spec.get("replicas"), "spec.replicas"),
        port=_number(ports[0].get("containerPort"), "containerPort") if ports else None,
        pod=pod,
        labels={key: str(value) for key, value in labels.items() if not _OWN_LABELS.fullmatch(key)},
    )


def _document(text: str) -> Mapping[str, Any]:
    """The one Deployment in a text of YAML or JSON."""
    if len(text) > LONGEST:
        _refuse("manifest.length", str(len(text)), most=LONGEST)
    # As it was copied from a chat or a page.
    text = _FENCE.sub(r"\1\n", text).replace("\u00a0", " ")
    try:
        # An alias repeats what stands elsewhere, and a few bytes of them can fill the memory.
        depth = 0
        for event in yaml.parse(text, yaml.SafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
                _refuse("manifest.alias", str(event.start_mark.line + 1 if event.start_mark else 1))
        documents = [document for document in yaml.load_all(text, _Loader) if document is not None]
    except Invalid:
        raise
    except Exception as error:  # noqa: BLE001 - PyYAML raises whatever its conversions do, even AttributeError
        if "{{" in text:
            _refuse("manifest.template", "")
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or type(error).__name__
        _refuse("manifest.yaml", problem, line=mark.line + 1 if mark else 0)
    kinds = [str(document.get("kind") or "?") if isinstance(document, dict) else "?" for document in documents]
    if "?" in kinds:
        _refuse("manifest.missing", "kind")
    if others := sorted({kind for kind in kinds if kind != KIND}):
        _refuse("manifest.kind", ", ".join(others))
    if len(documents) != 1:
        _refuse("manifest.number", str(len(documents)))
    only: Mapping[str, Any] = documents[0]
    return only


def _without_served(document: Mapping[str, Any]) -> dict[str, Any]:
    """The Deployment as people write it, without what the API server and kubectl add."""

    def asked_for(metadata: object) -> object:
        if not isinstance(metadata, dict):
            return metadata
        left = {key: value for key, value in metadata.items() if key not in _SERVED}
        annotations = left.get("annotations")
        if annotations is None or (isinstance(annotations, dict) and _SERVED_ANNOTATIONS.issuperset(annotations)):
            left.pop("annotations", None)
        return left

    own = {key: value for key, value in document.items() if key != "status"}
    spec = own.get("spec")
    for place in (own, spec.get("template") if isinstance(spec, dict) else None):
        if isinstance(place, dict) and "metadata" in place:
            place["metadata"] = asked_for(place["metadata"])
    return own


class _Loader(yaml.SafeLoader):
    """Refuses keys that appear twice: the API server and people would read different ones."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value]
        if twice := next((key for key in keys if keys.count(key) > 1), None):
            _refuse("manifest.twice", str(twice))
        return super().construct_mapping(node, deep)


def _compare(value: object, shape: object, at: str) -> None:
    """Raises `Invalid` for the first place that the shape does not have."""
    match shape:
        case _Value(only=only):
            if not isinstance(value, str | int | float | bool | None):
                _refuse("manifest.type", at)
            if only and value not in only:
                _refuse("manifest.field", at)
        case [inner]:
            for item, place in _items(value, at):
                _compare(item, inner, place)
        case dict():
            for key, item, place in _entries(value, at):
                if key not in shape and "*" not in shape:
                    _refuse("manifest.field", place)
                _compare(item, shape.get(key, shape.get("*")), place)


def _items(value: object, at: str) -> Iterator[tuple[object, str]]:
    """Those of a list, with their places. One that is empty says nothing, and would be taken for something later."""
    if not isinstance(value, list | None):
        _refuse("manifest.type", at)
    for index, item in enumerate(value or ()):
        if item is None:
            _refuse("manifest.type", f"{at}[{index}]")
        yield item, f"{at}[{index}]"


def _entries(value: object, at: str) -> Iterator[tuple[str, object, str]]:
    if not isinstance(value, dict | None):
        _refuse("manifest.type", at)
    for key, item in (value or {}).items():
        place = f"{at}.{key}" if at else str(key)
        if not isinstance(key, str):
            _refuse("manifest.field", place)
        yield key, item, place


def _texts(value: object) -> Iterator[str]:
    """Each text in it, and what an environment variable is called with what it is."""
    match value:
        case {"name": name, "value": content}:
            yield f"{name}={content}"
        case dict():
            for item in value.values():
                yield from _texts(item)
        case list():
            for item in value:
                yield from _texts(item)
        case str():
            yield value


def _number(value: object, at: str) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        _refuse("manifest.type", at)
    return value


def _without_host(image: str) -> str:
    """The reference in the cloud registry: whichever registry it names, Pods pull it from the edge."""
    host, slash, path = image.partition("/")
    return path if slash and _HOST.fullmatch(host) else image


def _refuse(rule: InvalidRule, place: str, **facts: object) -> NoReturn:
    raise Invalid("manifest", place, rule, facts)
