"""What a cluster says about itself: API groups, resource lists, version, and as much OpenAPI as clients look for."""

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
    found = _listed(catalogue, name, api_version)
    if not found:
        return None
    listed = [entry for one in found for entry in _entries(one)]
    full = f"{name}/{api_version}" if name else api_version
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": full, "resources": listed}


def _listed(catalogue: Catalogue, name: str, api_version: str) -> list[Resource]:
    """In the order of their names, which is the one in which `kubectl get all` shows them."""
    found = [one for one in catalogue if (one.group, one.version) == (name, api_version)]
    return sorted(found, key=lambda one: one.plural)


def _entries(one: Resource) -> list[Json]:
    entry: Json = {
        "name": one.plural,
        "singularName": one.singular or one.kind.lower(),
        "namespaced": one.namespaced,
        "kind": one.kind,
        "verbs": list(one.verbs),
    }
    entry |= {"shortNames": list(one.short_names)} if one.short_names else {}
    entry |= {"categories": list(one.categories)} if one.categories else {}
    entry["storageVersionHash"] = hashlib.sha256(one.qualified.encode()).hexdigest()[:11] + "="
    return [entry, *(_subresource(one, name) for name in one.subresources)]


_SUBRESOURCES: dict[str, tuple[str, str, str, list[str]]] = {
    "scale": ("autoscaling", "v1", "Scale", ["get", "patch", "update"]),
    "log": ("", "", "", ["get"]),
    "binding": ("", "", "Binding", ["create"]),
    "eviction": ("policy", "v1", "Eviction", ["create"]),
    "token": ("authentication.k8s.io", "v1", "TokenRequest", ["create"]),
    "finalize": ("", "", "", ["update"]),
    "status": ("", "", "", ["get", "patch", "update"]),
}


def _subresource(one: Resource, name: str) -> Json:
    group_name, api_version, kind, verbs = _SUBRESOURCES[name]
    entry: Json = {
        "name": f"{one.plural}/{name}",
        "singularName": "",
        "namespaced": one.namespaced,
        "kind": kind or one.kind,
        "verbs": verbs,
    }
    return ({"group": group_name, "version": api_version} if group_name else {}) | entry


def aggregated(catalogue: Catalogue, *, core: bool, form: str) -> Json:
    """`/api` or `/apis` with everything below them in one answer; `form` is `v2` or `v2beta1`."""
    known = {"": ["v1"]} if core else catalogue.groups()
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
        for name, versions in known.items()
    ]
    return {"kind": "APIGroupDiscoveryList", "apiVersion": f"{AGGREGATED}/{form}", "metadata": {}, "items": items}


def _aggregated(one: Resource) -> Json:
    entry: Json = {
        "resource": one.plural,
        "responseKind": {"group": one.group, "version": one.version, "kind": one.kind},
        "scope": "Namespaced" if one.namespaced else "Cluster",
        "singularResource": one.singular or one.kind.lower(),
        "verbs": list(one.verbs),
    }
    entry |= {"shortNames": list(one.short_names)} if one.short_names else {}
    entry |= {"categories": list(one.categories)} if one.categories else {}
    below = []
    for name in one.subresources:
        group_name, api_version, kind, verbs = _SUBRESOURCES[name]
        kind_of = {"group": group_name or one.group, "version": api_version or one.version, "kind": kind or one.kind}
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
    """`/openapi/v3/apis/GROUP/VERSION`: the paths with their parameters, and objects whose fields are left open."""
    found = [one for one in catalogue if _path(one) == path]
    if not found:
        return None
    schemas = {_schema_name(one): _schema(one) for one in found}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": git_version},
        "paths": {place: item for one in found for place, item in _paths(one).items()},
        "components": {"schemas": schemas},
    }


def _path(one: Resource) -> str:
    return f"apis/{one.group}/{one.version}" if one.group else f"api/{one.version}"


def _schema_name(one: Resource) -> str:
    return ".".join(["io.k8s.api", *(part for part in (one.group or "core", one.version, one.kind))])


def _schema(one: Resource) -> Json:
    named = {"apiVersion": {"type": "string"}, "kind": {"type": "string"}, "metadata": {"type": "object"}}
    return {
        "type": "object",
        "description": f"{one.kind} of {one.api_version}.",
        "properties": named,
        "x-kubernetes-group-version-kind": [_kind(one)],
        "x-kubernetes-preserve-unknown-fields": True,
    }


def _kind(one: Resource) -> Json:
    return {"group": one.group, "version": one.version, "kind": one.kind}


def _paths(one: Resource) -> Json:
    root = f"/{_path(one)}" + ("/namespaces/{namespace}" if one.namespaced else "") + f"/{one.plural}"
    answers = {"200": {"description": "OK"}}

    def operation(action: str) -> Json:
        named = {"x-kubernetes-action": action, "x-kubernetes-group-version-kind": _kind(one)}
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
