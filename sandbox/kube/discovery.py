"""Discovery documents: API groups, resource lists, version, and as much OpenAPI as clients need."""

import hashlib

from sandbox.kube.resources import Catalogue, Json, Resource

DRY_RUN = {"name": "dryRun", "in": "query", "schema": {"type": "string", "uniqueItems": True}}
VALIDATION = {"name": "fieldValidation", "in": "query", "schema": {"type": "string", "uniqueItems": True}}

AGGREGATED = "apidiscovery.k8s.io"


def version(git_version: str) -> Json:
    """`/version`."""
    _, minor, _ = git_version.split(".")
    return {
        "major": "1",
        "minor": minor,
        "gitVersion": git_version,
        "gitCommit": hashlib.sha1(git_version.encode(), usedforsecurity=False).hexdigest(),
        "gitTreeState": "clean",
        "buildDate": "2025-08-13T00:00:00Z",
        "goVersion": "go1.24.5",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def core_versions(address: str) -> Json:
    """`/api`."""
    served = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
    return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": served}


def groups(catalogue: Catalogue) -> Json:
    """`/apis`."""
    listed = [_group(name, versions) for name, versions in catalogue.groups().items()]
    return {"kind": "APIGroupList", "apiVersion": "v1", "groups": listed}


def group(catalogue: Catalogue, name: str) -> Json | None:
    """`/apis/GROUP`, or None."""
    versions = catalogue.groups().get(name)
    return {"kind": "APIGroup", "apiVersion": "v1"} | _group(name, versions) if versions else None


def _group(name: str, versions: list[str]) -> Json:
    listed = [{"groupVersion": f"{name}/{one}", "version": one} for one in versions]
    return {"name": name, "versions": listed, "preferredVersion": listed[0]}


def resources(catalogue: Catalogue, name: str, api_version: str) -> Json | None:
    """`/api/v1` or `/apis/GROUP/VERSION`, or None."""
    entries = _listed(catalogue, name, api_version)
    if not entries:
        return None
    listed = [entry for one in entries for entry in _entries(one)]
    full = f"{name}/{api_version}" if name else api_version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": full, "resources": listed}


def _listed(catalogue: Catalogue, name: str, api_version: str) -> list[Resource]:
    """In the order of their names, in which `kubectl get all` prints them."""
    resources = [one for one in catalogue if (one.group, one.version) == (name, api_version)]
    return sorted(resources, key=lambda one: one.plural)


def _entries(resource: Resource) -> list[Json]:
    entry: Json = {
        "name": resource.plural,
        "singularName": resource.singular or resource.kind.lower(),
        "namespaced": resource.namespaced,
        "kind": resource.kind,
        "verbs": list(resource.verbs),
    }
    entry |= {"shortNames": list(resource.short_names)} if resource.short_names else {}
    entry |= {"categories": list(resource.categories)} if resource.categories else {}
    entry["storageVersionHash"] = hashlib.sha256(resource.qualified.encode()).hexdigest()[:11] + "="
    return [entry, *(_subresource(resource, name) for name in resource.subresources)]


_SUBRESOURCES: dict[str, tuple[str, str, str, list[str]]] = {
    "scale": ("autoscaling", "v1", "Scale", ["get", "patch", "update"]),
    "log": ("", "", "", ["get"]),
    "binding": ("", "", "Binding", ["create"]),
    "eviction": ("policy", "v1", "Eviction", ["create"]),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ["create"]),
    "finalize": ("", "", "", ["update"]),
    "status": ("", "", "", ["get", "patch", "update"]),
}


def _subresource(resource: Resource, name: str) -> Json:
    group_name, api_version, kind, verbs = _SUBRESOURCES[name]
    entry: Json = {
        "name": f"{resource.plural}/{name}",
        "singularName": "",
        "namespaced": resource.namespaced,
        "kind": kind or resource.kind,
        "verbs": verbs,
    }
    return ({"group": group_name, "version": api_version} if group_name else {}) | entry


def aggregated(catalogue: Catalogue, *, core: bool, form: str) -> Json:
    """`/api` or `/apis` with everything below them in one answer; `form` is `v2` or `v2beta1`."""
    groups = {"": ["v1"]} if core else catalogue.groups()
    items = [
        {
            "metadata": {"name": name, "creationTimestamp": None} if name else {"creationTimestamp": None},
            "versions": [
                {
                    "version": one,
                    "resources": [_aggregated(resource) for resource in _listed(catalogue, name, one)],
                    "freshness": "Current",
                }
                for one in versions
            ],
        }
        for name, versions in groups.items()
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": f"{AGGREGATED}/{form}", "metadata": {}, "items": items}


def _aggregated(resource: Resource) -> Json:
    entry: Json = {
        "resource": resource.plural,
        "responseKind": {"group": resource.group, "version": resource.version, "kind": resource.kind},
        "scope": "Namespaced" if resource.namespaced else "Cluster",
        "singularResource": resource.singular or resource.kind.lower(),
        "verbs": list(resource.verbs),
    }
    entry |= {"shortNames": list(resource.short_names)} if resource.short_names else {}
    entry |= {"categories": list(resource.categories)} if resource.categories else {}
    below = []
    for name in resource.subresources:
        group_name, api_version, kind, verbs = _SUBRESOURCES[name]
        kind_of = {
            "group": group_name or resource.group,
            "version": api_version or resource.version,
            "kind": kind or resource.kind,
        }
        below.append({"subresource": name, "responseKind": kind_of, "verbs": verbs})
    return entry | ({"subresources": below} if below else {})


def openapi_index(catalogue: Catalogue) -> Json:
    """`/openapi/v3`."""
    served = dict.fromkeys(_path(one) for one in catalogue)
    return {
        "paths": {
            path: {"serverRelativeURL": f"/openapi/v3/{path}?hash={hashlib.sha256(path.encode()).hexdigest()[:16]}"}
            for path in served
        }
    }


def openapi(catalogue: Catalogue, path: str, git_version: str) -> Json | None:
    """`/openapi/v3/apis/GROUP/VERSION`: the paths with their parameters, and objects without declared fields."""
    resources = [one for one in catalogue if _path(one) == path]
    if not resources:
        return None
    schemas = {
        f"io.k8s.api.{resource.group or 'core'}.{resource.version}.{resource.kind}": _schema(resource)
        for resource in resources
    }
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": git_version},
        "paths": {place: item for one in resources for place, item in _paths(one).items()},
        "components": {"schemas": schemas},
    }


def _path(resource: Resource) -> str:
    return f"apis/{resource.group}/{resource.version}" if resource.group else f"api/{resource.version}"


def _schema(resource: Resource) -> Json:
    named = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    return {
        "type": "object",
        "description": f"{resource.kind} of {resource.api_version}.",
        "properties": named,
        "x-kubernetes-group-version-kind": [_kind(resource)],
        "x-kubernetes-preserve-unknown-fields": True,
    }


def _kind(resource: Resource) -> Json:
    return {"group": resource.group, "version": resource.version, "kind": resource.kind}


def _paths(resource: Resource) -> Json:
    root = f"/{_path(resource)}" + ("/namespaces/{namespace}" if resource.namespaced else "") + f"/{resource.plural}"
    answers = {"200": {"description": "OK"}}

    def operation(action: str) -> Json:
        named = {"x-kubernetes-action": action, "x-kubernetes-group-version-kind": _kind(resource)}
        return named | {"parameters": [DRY_RUN, VALIDATION], "responses": answers}

    return {
        root: {"get": operation("list"), "post": operation("post")},
        root + "/{name}": {"get": operation("get"), "put": operation("put"), "patch": operation("patch")},
    }


OPENAPI_V2_PROTOBUF = b"\x0a\x032.0\x12\x15\x0a\x0aKubernetes\x12\x07unknown"
"""`swagger: "2.0"` and an `info` block of an OpenAPI 2 document in protobuf, which is how client-go asks for it."""


def openapi_v2(git_version: str) -> Json:
    """`/openapi/v2` without definitions."""
    return {"swagger": "2.0", "info": {"title": "Kubernetes", "version": git_version}, "paths": {}, "definitions": {}}
