"""How the API server reads a request's path, query, headers and body."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from aiohttp import web

from sandbox.kube import protobuf
from sandbox.kube.cluster import Deletion, Options
from sandbox.kube.patches import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from sandbox.kube.rbac import Attributes
from sandbox.kube.resources import Catalogue, Json, Resource
from sandbox.kube.status import bad_options, bad_request, not_acceptable, unsupported, unsupported_media

ACCEPTED_BODIES = ("application/json", "application/yaml", "application/vnd.kubernetes.protobuf")
BODIES = {
    *ACCEPTED_BODIES,
    JSON_PATCH,
    MERGE_PATCH,
    STRATEGIC_PATCH,
    APPLY_PATCH,
    "application/octet-stream",
    "text/plain",
}
PROTOBUF = "application/vnd.kubernetes.protobuf"
FIELD_VALIDATIONS = ("Ignore", "Strict", "Warn")
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "GET": "get", "HEAD": "get", "DELETE": "delete"}
_OWN_SUBRESOURCES = {"status", "finalize"}


@dataclass(frozen=True)
class Target:
    """The object that a path names: `/apis/GROUP/VERSION/namespaces/NAMESPACE/PLURAL/NAME/SUBRESOURCE`."""

    group: str
    version: str
    plural: str
    namespace: str = ""
    name: str = ""
    subresource: str = ""

    def resource(self, catalogue: Catalogue) -> Resource | None:
        """The kind, if the cluster serves it."""
        return catalogue.find(self.group, self.version, self.plural)


def target(path: str) -> Target | None:
    """The object that a path names; None for paths outside the resources."""
    parts = [part for part in path.split("/") if part]
    if parts[:1] == ["api"] and len(parts) > 2:  # noqa: PLR2004
        group, version, remainder = "", parts[1], parts[2:]
    elif parts[:1] == ["apis"] and len(parts) > 3:  # noqa: PLR2004
        group, version, remainder = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if remainder[0] == "namespaces" and len(remainder) > 2 and remainder[2] not in _OWN_SUBRESOURCES:  # noqa: PLR2004
        namespace, remainder = remainder[1], remainder[2:]
    elif remainder[0] == "namespaces" and group == "":
        namespace = remainder[1] if len(remainder) > 1 else ""
    name, subresource = (*remainder[1:3], "", "")[:2]
    return Target(group, version, remainder[0], namespace, name, subresource)


def attributes(request: web.Request, named: Target | None) -> Attributes:
    """The action that authorization decides about."""
    verb = VERBS.get(request.method, request.method.lower())
    if named is None:
        return Attributes(request.method.lower(), path=request.path)
    if verb == "get" and not named.name:
        verb = "watch" if wants_watch(request) else "list"
    elif verb == "get" and wants_watch(request):
        verb = "watch"
    elif verb == "delete" and not named.name:
        verb = "deletecollection"
    return Attributes(verb, named.group, named.plural, named.subresource, named.namespace, named.name)


def wants_watch(request: web.Request) -> bool:
    """Whether the query requests a watch."""
    return request.query.get("watch", "").lower() in {"1", "true"}


@dataclass(frozen=True)
class Accepted:
    """The form of an answer."""

    table: bool = False
    metadata_only: bool = False
    discovery: str = ""
    yaml: bool = False


def accepted(header: str) -> Accepted:
    """The first form in an `Accept` header that can be served.

    Raises:
        StatusError: 406, when there is none.
    """
    for part in header.split(",") if header.strip() else ["*/*"]:
        kind, *parameters = [piece.strip() for piece in part.split(";")]
        options = dict(pair.split("=", 1) for pair in parameters if "=" in pair)
        form = _form(kind, options)
        if form is not None:
            return form
    raise not_acceptable(["application/json", "application/yaml"])


def _form(kind: str, options: Mapping[str, str]) -> Accepted | None:
    if kind in {"application/yaml", "text/yaml"} and "as" not in options:
        return Accepted(yaml=True)
    if kind not in {"application/json", "*/*", "application/*", "text/plain", "text/html"}:
        return None
    forms = {
        "": Accepted(),
        "Table": Accepted(table=True),
        "PartialObjectMetadata": Accepted(metadata_only=True),
        "PartialObjectMetadataList": Accepted(metadata_only=True),
        "APIGroupDiscoveryList": Accepted(discovery=options.get("v", "v2")),
    }
    return forms.get(options.get("as", ""))


async def body(request: web.Request) -> Any:
    """The request's body, read as JSON or YAML; None when there is none.

    Raises:
        StatusError: 400 or 415.
    """
    content = await request.read()
    if not content:
        return None
    kind = request.content_type
    if kind == PROTOBUF and content.startswith(protobuf.PREFIX):
        return protobuf.decoded(content)
    if kind not in BODIES:
        raise unsupported_media(ACCEPTED_BODIES)
    if kind in {"application/yaml", APPLY_PATCH}:
        try:
            return yaml.safe_load(content)
        except yaml.YAMLError as error:
            raise bad_request(f"error converting YAML to JSON: {error}") from error
    try:
        return json.loads(content)
    except ValueError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error


async def object_body(request: web.Request) -> Json:
    """The request's body, which has to be an object."""
    received = await body(request)
    if not isinstance(received, dict):
        raise bad_request("the body of the request has to be an object")
    return received


def patch_type(request: web.Request, resource: Resource) -> str:
    """The patch type that the Content-Type names.

    Raises:
        StatusError: 415, if this kind doesn't support that patch type.
    """
    types = [JSON_PATCH, MERGE_PATCH, *([] if resource.custom else [STRATEGIC_PATCH]), APPLY_PATCH]
    if request.content_type not in types:
        raise unsupported_media(types)
    return request.content_type


def options(request: web.Request) -> Options:
    """The options of a write."""
    query = request.query
    agent = request.headers.get("User-Agent", "unknown").split("/")[0]
    return Options(
        dry_run=_dry_run(query.getall("dryRun", [])),
        manager=query.get("fieldManager") or agent or "unknown",
        force=query.get("force", "").lower() in {"1", "true"},
    )


def field_validation(request: web.Request) -> str:
    """How unknown fields are treated: `Strict`, `Warn` or `Ignore`.

    Raises:
        StatusError: 422, for any other word.
    """
    mode = request.query.get("fieldValidation") or "Warn"
    if mode not in FIELD_VALIDATIONS:
        kind = {"POST": "CreateOptions", "PUT": "UpdateOptions"}.get(request.method, "PatchOptions")
        raise bad_options(kind, unsupported("fieldValidation", mode, ("", *FIELD_VALIDATIONS)))
    return mode


def deletion(request: web.Request, received: Any) -> Deletion:
    """The options of a deletion, from the body (DeleteOptions) or else the query."""
    sent = received if isinstance(received, dict) else {}
    query = request.query
    grace = sent.get("gracePeriodSeconds", query.get("gracePeriodSeconds"))
    orphan = sent.get("orphanDependents", query.get("orphanDependents"))
    propagation = sent.get("propagationPolicy") or query.get("propagationPolicy") or ""
    if propagation not in {"", "Orphan", "Foreground", "Background"}:
        policies = ("Foreground", "Background", "Orphan", "nil")
        raise bad_options("DeleteOptions", unsupported("propagationPolicy", propagation, policies))
    conditions = sent.get("preconditions") or {}
    return Deletion(
        dry_run=_dry_run([*(sent.get("dryRun") or []), *query.getall("dryRun", [])]),
        grace=None if grace is None else int(grace),
        propagation=propagation or ("Orphan" if orphan in {True, "true"} else ""),
        uid=conditions.get("uid") or "",
        revision=conditions.get("resourceVersion") or "",
    )


def _dry_run(values: list[str]) -> bool:
    wrong = [one for one in values if one not in {"All", ""}]
    if wrong:
        raise bad_options("CreateOptions", unsupported("dryRun", values, ("All",)))
    return "All" in values
