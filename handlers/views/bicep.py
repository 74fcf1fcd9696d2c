"""An operation's plan as a Bicep file: what of it Azure Resource Manager can be told as a state. Pure.

Bicep states resources and runs nothing, so passwords, imports, waiting and the cluster itself are left to the script. A
resource that exists already and has settings of others, such as the cloud registry or the scope map of a parent, would
be put back to what the file says: it is referred to, and never stated.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handlers.kit import blocks
from handlers.kit.language import t
from handlers.kit.message import File, Message
from handlers.kit.text import bold, code, escape
from handlers.views.operation import name, step_title
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations import certificates
from services.operations.command_line import iso
from services.operations.deploy.outputs import address_of
from services.policy.extensions import SERVICE_ADDRESS, TLS_AUTHORITY, TLS_CERTIFICATE, TLS_KEY, TLS_SECRET
from services.policy.sites import EXTENSION_TYPE, GC_SCHEDULE, RUNTIME_NAMESPACE, Site, sync_description

_ACR = "Microsoft.ContainerRegistry/registries"
VERSIONS: Mapping[str, str] = {
    _ACR: "2025-11-01",
    f"{_ACR}/scopeMaps": "2025-11-01",
    f"{_ACR}/tokens": "2025-11-01",
    f"{_ACR}/connectedRegistries": "2026-09-01-preview",
    "Microsoft.Kubernetes/connectedClusters": "2024-01-01",
    "Microsoft.KubernetesConfiguration/extensions": "2023-05-01",
}
"""By resource type the newest api-version that the bot itself uses, for a cloud that does not say what it offers."""
KINDS = frozenset({"create", "deploy", "extension deploy"})
"""Kinds of operation of which Bicep can state something."""
_STATED = frozenset({"acr.create", "scope_map.put", "sync_token.put", "connected.create", "extension.install"})
_CONNECTION_STRING = "connectionString"
_CERTIFICATE = {TLS_CERTIFICATE: "tlsCertificate", TLS_KEY: "tlsKey", TLS_AUTHORITY: "tlsAuthority"}
"""The file's parameters by the protected settings that they fill."""


@dataclass(frozen=True)
class Symbol:
    """An expression in the place of a value, such as `scopeMap.id`."""

    text: str


@dataclass(frozen=True)
class Resource:
    """A declaration of the file. `body` is None where the resource exists and is only referred to."""

    symbol: str
    type: str
    head: Mapping[str, object]
    body: Mapping[str, object] | None = None
    condition: str = ""

    def declaration(self, version: str) -> str:
        """As Bicep writes it, for an api-version."""
        keyword = "" if self.body is not None else " existing"
        condition = f"if ({self.condition}) " if self.condition else ""
        value = expression({**self.head, **(self.body or {})})
        return f"resource {self.symbol} '{self.type}@{version}'{keyword} = {condition}{value}"


def bicep(
    operation: Operation, site: Site, lines: Sequence[str], *, versions: Mapping[str, str], cloud: str
) -> Message:
    """The file, as `text`."""
    head = t("{operation} as a Bicep file", operation=bold(name(operation)))
    notes = [
        t(
            "It states what Azure Resource Manager can be told. What else the plan does stands in it as comments, with"
            " the lines of the script."
        )
    ]
    if operation.live:
        notes.append(
            t(
                "Cancel {operation} before you deploy it, so that the bot does not do the same meanwhile.",
                operation=code(operation.id),
            )
        )
    stem = f"{operation.kind}-{operation.target}-{operation.site}".replace(" ", "-")
    file = File(
        f"{stem}.bicep", f"{name(operation)}.bicep", text(operation, site, lines, versions=versions, cloud=cloud)
    )
    sections = (blocks.section(head), blocks.context(*notes))
    summary = t("{operation} as a Bicep file", operation=name(operation))
    return Message(escape(summary), sections, visibility="direct", file=file)


def none(operation: Operation) -> Message:
    """There is no such file of this operation."""
    sentence = t(
        "{operation} creates nothing that a Bicep file could state. `operation script` has its lines.",
        operation=code(operation.id),
    )
    return Message(sentence, (blocks.section(sentence),))


def is_stated(operation: Operation) -> bool:
    """Whether the plan creates something that Bicep can state."""
    return operation.kind in KINDS and any(step.kind in _STATED and step.runs for step in operation.planned)


def text(
    operation: Operation,
    site: Site,
    lines: Sequence[str],
    *,
    versions: Mapping[str, str] = VERSIONS,
    cloud: str = "",
) -> str:
    """The file itself.

    Args:
        operation: One that `is_stated`.
        site: Its site.
        lines: Those of the script, by the plan's steps.
        versions: By resource type the api-version that the cloud offers.
        cloud: Its name in `az cloud list`; empty for the public one.
    """
    digest = operation.plan.digest if operation.plan else ""
    stated = _stated(operation, site)
    subscription, group = _scope(operation, site)
    parts = [
        _comment(f"{name(operation)}: the plan {digest} of {operation.id}, as far as Bicep can state it."),
        _comment(
            f"Deploy it: az deployment group create --subscription {subscription} --resource-group {group}"
            " --template-file FILE"
        ),
        *([_comment(f"The Azure CLI has to be in this cloud: az cloud set --name {cloud}")] if cloud else []),
        "targetScope = 'resourceGroup'",
    ]
    if any(resource.condition for resource in stated.values()):
        parts += _parameters(operation, site)
    parts += [resource.declaration(versions[resource.type]) for resource in _references(operation, site, stated)]
    for index, (step, line) in enumerate(zip(operation.planned, lines, strict=True)):
        title = f"{index + 1}. {step_title(operation.kind, step)}"
        if resource := stated.get(index):
            parts.append(f"{_comment(title)}\n{resource.declaration(versions[resource.type])}")
        elif step.runs:
            parts.append("\n".join((_comment(f"{title}: not by Bicep"), *map(_comment, line.splitlines()))))
    return "\n\n".join(parts) + "\n"


def _parameters(operation: Operation, site: Site) -> Iterator[str]:
    """The secrets, which are in no file: passwords are made by an action, and Bicep has none."""
    acr = site.acr_ref
    [params] = [step.params for step in operation.planned if step.kind == "extension.install"]
    how = (
        "Deploy the file without it first, which leaves the extension out. Then give what this prints: az acr"
        f" connected-registry get-settings --name {operation.target} --registry {acr.name} --resource-group"
        f" {acr.resource_group} --subscription {acr.subscription} --parent-protocol"
        f" {params.get('parent_protocol', 'https')} --generate-password {str(params['slot'])[-1]}"
        " --query ACR_REGISTRY_CONNECTION_STRING --output tsv"
    )
    yield _parameter(_CONNECTION_STRING, how)
    if params.get("certificate"):
        for key, command in certificates.commands(site).items():
            yield _parameter(_CERTIFICATE[key], f"PEM in base64. Give what this prints: {command}")


def _parameter(name: str, description: str) -> str:
    return f"@secure()\n@description({quoted(description)})\nparam {name} string = ''"


def _scope(operation: Operation, site: Site) -> tuple[str, str]:
    """Subscription and resource group of the deployment: Bicep reaches others only by modules."""
    ref = site.cluster_ref if operation.kind == "extension deploy" else site.acr_ref
    return ref.subscription, ref.resource_group


def _stated(operation: Operation, site: Site) -> dict[int, Resource]:
    """By the plan's steps what they create."""
    cluster, resources = site.cluster_ref, dict[int, Resource]()
    is_reached = (cluster.subscription, cluster.resource_group) == _scope(operation, site)
    created = {step.kind for step in operation.planned if step.runs}
    for index, step in enumerate(operation.planned):
        if step.kind not in _STATED or not step.runs:
            continue
        head = {"parent": Symbol("registry"), "name": step.params["name"]}
        match step.kind:
            case "acr.create":
                settings = {"adminUserEnabled": False, "dataEndpointEnabled": True}
                place = {"name": step.params["name"], "location": step.params["location"]}
                resources[index] = Resource(
                    "registry", _ACR, place, {"sku": {"name": "Premium"}, "properties": settings}
                )
            case "scope_map.put":
                description, actions = sync_description(operation.target), step.params["actions"]
                properties = {"description": description, "actions": actions}
                resources[index] = Resource("scopeMap", f"{_ACR}/scopeMaps", head, {"properties": properties})
            case "sync_token.put":
                properties = {"scopeMapId": Symbol("scopeMap.id"), "status": "enabled"}
                resources[index] = Resource("syncToken", f"{_ACR}/tokens", head, {"properties": properties})
            case "connected.create":
                resources[index] = _connected_registry(site, step)
            case "extension.install" if is_reached:
                resources[index] = _extension(operation, step, after_registry="connected.create" in created)
    return resources


def _references(operation: Operation, site: Site, stated: Mapping[int, Resource]) -> Iterator[Resource]:
    """What exists already and the stated resources are parts of, or point to."""
    symbols = {resource.symbol for resource in stated.values()}
    params = {step.kind: step.params for step in operation.planned}
    if symbols - {"extension", "registry"} and "registry" not in symbols:
        yield Resource("registry", _ACR, {"name": site.acr_ref.name})
    if "syncToken" in symbols and "scopeMap" not in symbols:
        head = {"parent": Symbol("registry"), "name": params["sync_token.put"]["scope_map"]}
        yield Resource("scopeMap", f"{_ACR}/scopeMaps", head)
    if "connectedRegistry" in symbols and "syncToken" not in symbols:
        head = {"parent": Symbol("registry"), "name": params["connected.create"]["token"]}
        yield Resource("syncToken", f"{_ACR}/tokens", head)
    if "extension" in symbols:
        yield Resource("cluster", "Microsoft.Kubernetes/connectedClusters", {"name": site.cluster_ref.name})


def _connected_registry(site: Site, step: PlannedStep) -> Resource:
    params: Mapping[str, Any] = step.params
    sync = {
        "tokenId": Symbol("syncToken.id"),
        "schedule": params["schedule"],
        **({"syncWindow": iso(params["window"])} if params["window"] else {}),
        "messageTtl": iso(params["message_ttl"]),
    }
    parent = {"id": site.acr_ref.connected_id(params["parent"])} if params.get("parent") else {}
    properties = {
        "mode": params["mode"],
        "parent": {**parent, "syncProperties": sync},
        "clientTokenIds": (),
        "notificationsList": (),
        "logging": {
            "logLevel": params["log_level"],
            "auditLogStatus": "Enabled" if params.get("audit_logs") else "Disabled",
        },
        "garbageCollection": {
            "enabled": params.get("gc_enabled", True),
            "schedule": params.get("gc_schedule", GC_SCHEDULE),
        },
    }
    head = {"parent": Symbol("registry"), "name": params["name"]}
    return Resource("connectedRegistry", f"{_ACR}/connectedRegistries", head, {"properties": properties})


def _extension(operation: Operation, step: PlannedStep, *, after_registry: bool) -> Resource:
    params: Mapping[str, Any] = step.params
    holds = (str(other.params["address"]) for other in operation.planned if other.kind.startswith("service_ip."))
    address = address_of(operation) or next(holds, "")
    settings = {**params["settings"], **({SERVICE_ADDRESS: address} if address else {})}
    secrets = {_CONNECTION_STRING: _CONNECTION_STRING, **(_CERTIFICATE if params.get("certificate") else {})}
    protected: dict[str, object] = {key: Symbol(parameter) for key, parameter in secrets.items()}
    if params.get("tls_secret"):
        protected[TLS_SECRET] = params["tls_secret"]
    release = {"releaseTrain": params["release_train"], "version": params["version"]}
    properties = {
        "extensionType": EXTENSION_TYPE,
        # Azure refuses a version that is to stay and to be upgraded.
        "autoUpgradeMinorVersion": not params["version"],
        **{key: value for key, value in release.items() if value},
        "scope": {"cluster": {"releaseNamespace": RUNTIME_NAMESPACE}},
        "configurationSettings": settings,
        "configurationProtectedSettings": protected,
    }
    body = {
        "identity": {"type": "SystemAssigned"},
        "properties": properties,
        **({"dependsOn": (Symbol("connectedRegistry"),)} if after_registry else {}),
    }
    head = {"scope": Symbol("cluster"), "name": params["name"]}
    kind = "Microsoft.KubernetesConfiguration/extensions"
    condition = " && ".join(f"!empty({parameter})" for parameter in secrets.values())
    return Resource("extension", kind, head, body, condition=condition)


def expression(value: object, indent: str = "") -> str:
    """A value as Bicep writes it."""
    deeper = f"{indent}  "
    match value:
        case Symbol():
            return value.text
        case bool():
            return str(value).lower()
        case int():
            return str(value)
        case Mapping():
            items = [f"{deeper}{_key(key)}: {expression(item, deeper)}" for key, item in value.items()]
            return "\n".join(("{", *items, f"{indent}}}")) if items else "{}"
        case tuple() | list():
            elements = [f"{deeper}{expression(item, deeper)}" for item in value]
            return "\n".join(("[", *elements, f"{indent}]")) if elements else "[]"
    return quoted(str(value))


def quoted(string: str) -> str:
    """A string of Bicep, in which nothing is interpolated (Learn: Bicep data types)."""
    marks = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return "'" + "".join(marks.get(mark, mark) for mark in string).replace("${", "\\${") + "'"


def _key(key: str) -> str:
    return key if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", key) else quoted(key)


def _comment(sentence: str) -> str:
    """On one line, whatever is in it."""
    return f"// {' '.join(sentence.split())}"
