"""One API server over HTTP: authentication, authorization, the verbs, and the forms of answers."""

import asyncio
import base64
import contextlib
import json
import logging
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import yaml
from aiohttp import web

from sandbox.faults import Fault, Faults
from sandbox.hangups import hangups
from sandbox.kube import discovery, requests, schemas
from sandbox.kube.cluster import Cluster, Options, as_served, as_stored
from sandbox.kube.kinds import unreadable
from sandbox.kube.logs import container_log, followed
from sandbox.kube.managed import applied
from sandbox.kube.patches import APPLY_PATCH, STRATEGIC_PATCH, patched
from sandbox.kube.rbac import ANONYMOUS, AUTHENTICATED, Attributes, Authorizer, User
from sandbox.kube.requests import Target
from sandbox.kube.resources import NAMESPACES, PODS, SERVICE_ACCOUNTS, TOKEN_REQUESTS, Json, Resource
from sandbox.kube.reviews import reviewed
from sandbox.kube.selectors import Match, fields_match, labels_match
from sandbox.kube.status import (
    FieldError,
    StatusError,
    bad_options,
    bad_request,
    conflict,
    expired,
    internal,
    invalid,
    method_not_allowed,
    no_such_resource,
    required,
    unauthorized,
    wrong,
)
from sandbox.kube.tables import partial, table
from sandbox.kube.watches import Selection, events

log = logging.getLogger(__name__)

DOCUMENTS = ["/api", "/api/v1", "/apis", "/healthz", "/livez", "/openapi/v2", "/openapi/v3", "/readyz", "/version"]
HEALTH = {"/healthz", "/livez", "/readyz"}
LARGEST_BODY = 3 * 1024 * 1024
REQUESTS_KEPT = 10_000
WATCH_LIST_SINCE = 32
LONGEST_WATCH = 3600.0
TOKEN_LIFE = 3600
SHORTEST_TOKEN_LIFE = 600
WARNINGS = web.RequestKey("warnings", list[str])
"""The key under which a request keeps the warnings for its answer."""


@dataclass(frozen=True)
class RecordedRequest:
    """One request, as the control API shows it."""

    method: str
    path: str
    query: Mapping[str, str]
    user: str
    status: int
    seconds: float

    def as_json(self) -> Json:
        """JSON form."""
        return {
            "method": self.method,
            "path": self.path,
            "query": dict(self.query),
            "user": self.user,
            "status": self.status,
            "seconds": round(self.seconds, 6),
        }


@dataclass(frozen=True)
class Call:
    """A request whose path names a kind that is served."""

    request: web.Request
    named: Target
    resource: Resource
    accepted: requests.Accepted
    user: User

    @property
    def home(self) -> str:
        """The object's namespace; empty for cluster-scoped kinds."""
        return self.named.namespace if self.resource.namespaced else ""


@dataclass
class ApiServer:
    """Serves one cluster."""

    cluster: Cluster
    faults: Faults
    users: dict[str, User]
    """By bearer token."""
    expiries: dict[str, datetime] = field(default_factory=dict)
    """When tokens of service accounts end, by token."""
    requests: deque[RecordedRequest] = field(default_factory=lambda: deque(maxlen=REQUESTS_KEPT))
    offline: bool = False

    def __post_init__(self) -> None:
        self.authorizer = Authorizer(self.cluster.store)
        self._streams: set[asyncio.Task[Any]] = set()

    def app(self, control: list[web.RouteDef]) -> web.Application:
        """The application: the control routes first, everything else is the API's."""
        app = web.Application(client_max_size=LARGEST_BODY)
        app.router.add_routes(control)
        app.router.add_route("*", "/{path:.*}", self.handle)
        return app

    def go_offline(self) -> None:
        """Stop answering, and break open watches."""
        self.offline = True
        self.end_streams()

    def end_streams(self) -> None:
        """Break open watches and followed logs."""
        for task in self._streams:
            task.cancel()

    @hangups
    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request."""
        began = time.perf_counter()
        fault = self.faults.take("kube", f"{request.method} /{self.cluster.name}{request.path}")
        if fault and fault.action == "delay":
            await self.cluster.clock.sleep(fault.seconds)
        if self.offline or (fault and fault.action == "drop"):
            return _hang_up(request)
        user = ANONYMOUS
        try:
            user = self._authenticated(request)
            _raise(fault)
            answer = await self._answer(request, user)
        except StatusError as error:
            answer = _error(error)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            # A body or parameter of the wrong shape, which a server with typed objects refuses while decoding.
            log.info("unreadable request", exc_info=error)
            answer = _error(bad_request(f"the request could not be decoded: {error}"))
        except web.HTTPRequestEntityTooLarge:
            answer = _error(StatusError(413, "RequestEntityTooLarge", f"limit is {LARGEST_BODY}"))
        for text in request.get(WARNINGS, ()):
            answer.headers.add("Warning", f"299 - {json.dumps(text)}")
        self.requests.append(
            RecordedRequest(
                request.method, request.path, request.query, user.name, answer.status, time.perf_counter() - began
            )
        )
        if fault and fault.action == "lose_reply":
            return _hang_up(request)
        return answer

    # --- authentication ---

    def _authenticated(self, request: web.Request) -> User:
        header = request.headers.get("Authorization", "")
        if not header:
            return ANONYMOUS
        scheme, _, token = header.partition(" ")
        user = self.users.get(token.strip()) if scheme.lower() == "bearer" else None
        if (expiry := self.expiries.get(token.strip())) is not None and self.cluster.clock.now() >= expiry:
            user = None
        if user is None:
            raise unauthorized()
        impersonated = request.headers.get("Impersonate-User")
        if not impersonated:
            return user
        self.authorizer.check(user, Attributes("impersonate", resource="users", name=impersonated))
        groups = request.headers.getall("Impersonate-Group", [])
        return (
            ANONYMOUS if impersonated == ANONYMOUS.name and not groups else User(impersonated, (*groups, AUTHENTICATED))
        )

    # --- routing ---

    async def _answer(self, request: web.Request, user: User) -> web.StreamResponse:
        named = requests.target(request.path)
        self.authorizer.check(user, requests.attributes(request, named))
        if named is None:
            return self._document(request)
        resource = named.resource(self.cluster.catalogue)
        if resource is None and not self.cluster.catalogue.serves(named.group, named.version):
            return web.Response(status=404, text="404 page not found\n")
        if resource is None or (named.subresource and named.subresource not in resource.subresources):
            raise no_such_resource()
        form = (
            requests.Accepted() if named.subresource == "log" else requests.accepted(request.headers.get("Accept", ""))
        )
        call = Call(request, named, resource, form, user)
        if resource.namespaced and not named.namespace and (named.name or request.method == "POST"):
            raise method_not_allowed(None, "")
        if named.subresource and named.subresource != "status":
            return await self._subresource(call)
        return await self._verb(call)

    async def _verb(self, call: Call) -> web.StreamResponse:
        method, named = call.request.method, bool(call.named.name)
        if requests.attributes(call.request, call.named).verb not in call.resource.verbs:
            raise method_not_allowed(call.resource, requests.VERBS.get(method, method.lower()))
        if method in {"GET", "HEAD"}:
            if requests.wants_watch(call.request):
                return await self._watch(call)
            return self._get(call) if named else self._list(call)
        if method == "POST" and not named:
            return await self._create(call)
        if method == "PUT" and named:
            received = as_stored(call.resource, _pruned(call, await requests.object_body(call.request)))
            name = received.get("metadata", {}).get("name")
            if name != call.named.name:
                raise bad_request(
                    f"the name of the object ({name or ''}) does not match the name on the URL ({call.named.name})"
                )
            _check_kind(call.resource, received)
            return self._respond(call, self._put(call, received))
        if method == "PATCH" and named:
            return await self._patch(call)
        if method == "DELETE":
            return await (self._delete(call) if named else self._delete_collection(call))
        raise method_not_allowed(None, "")

    async def _subresource(self, call: Call) -> web.StreamResponse:
        handlers: dict[str, Callable[[Call], Awaitable[web.StreamResponse]]] = {
            "log": self._log,
            "binding": self._bind,
            "eviction": self._evict,
            "scale": self._scale,
            "token": self._token,
            "finalize": self._finalize,
        }
        return await handlers[call.named.subresource](call)

    # --- documents ---

    def _document(self, request: web.Request) -> web.StreamResponse:
        if request.method not in {"GET", "HEAD"}:
            raise method_not_allowed(None, "")
        path, header = request.path.rstrip("/") or "/", request.headers.get("Accept", "")
        if path in HEALTH or path.rpartition("/")[0] in HEALTH:
            return web.Response(text="ok")
        if path == "/openapi/v2":
            if "proto-openapi" in header:
                protobuf = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
                return web.Response(body=discovery.OPENAPI_V2_PROTOBUF, headers={"Content-Type": protobuf})
            return web.json_response(discovery.openapi_v2(self.cluster.version))
        form = requests.accepted(header).discovery
        document = self._found_document(path, form, request.host)
        if document is None:
            return web.Response(status=404, text="404 page not found\n")
        kind = "application/json"
        if form and path in {"/api", "/apis"}:
            kind = f"application/json;g={discovery.AGGREGATED};v={form};as=APIGroupDiscoveryList"
        return web.Response(body=_compact(document), headers={"Content-Type": kind})

    def _found_document(self, path: str, form: str, host: str) -> Json | None:  # noqa: PLR0911 - one for each document
        catalogue, version = self.cluster.catalogue, self.cluster.version
        if path in {"/api", "/apis"} and form:
            return discovery.aggregated(catalogue, core=path == "/api", form=form)
        fixed: dict[str, Callable[[], Json]] = {
            "/": lambda: {"paths": DOCUMENTS},
            "/version": lambda: discovery.version(version),
            "/api": lambda: discovery.core_versions(host),
            "/apis": lambda: discovery.groups(catalogue),
            "/openapi/v3": lambda: discovery.openapi_index(catalogue),
        }
        if path in fixed:
            return fixed[path]()
        root, *path_parts = path.split("/")[1:]
        match root, path_parts:
            case "api", [core]:
                return discovery.resources(catalogue, "", core)
            case "apis", [group]:
                return discovery.group(catalogue, group)
            case "apis", [group, served]:
                return discovery.resources(catalogue, group, served)
            case "openapi", ["v3", *place]:
                return discovery.openapi(catalogue, "/".join(place), version)
        return None

    # --- reading ---

    def _get(self, call: Call) -> web.Response:
        obj = self.cluster.get(call.resource, call.home, call.named.name)
        return self._respond(call, obj)

    def _list(self, call: Call) -> web.Response:
        query = call.request.query
        _check_revision(query.get("resourceVersion", ""), self.cluster.store.revision)
        if query.get("sendInitialEvents"):
            raise _bad_list_options("sendInitialEvents", "sendInitialEvents is forbidden for list")
        if query.get("resourceVersionMatch") and not query.get("resourceVersion"):
            text = "resourceVersionMatch is forbidden unless resourceVersion is provided"
            raise _bad_list_options("resourceVersionMatch", text)
        match = self._match(call)
        items = [one for one in self.cluster.store.items(call.resource.key, call.home) if match(one)]
        revision = str(self.cluster.store.revision)
        metadata: Json = {"resourceVersion": revision}
        limit = int(query.get("limit") or 0)
        if query.get("continue"):
            start, metadata["resourceVersion"] = self._continued(query["continue"])
            items = [one for one in items if _place(one) > start]
        if limit and len(items) > limit:
            metadata["continue"] = _token(_place(items[limit - 1]), metadata["resourceVersion"])
            if not query.get("labelSelector") and not query.get("fieldSelector"):
                metadata["remainingItemCount"] = len(items) - limit
            items = items[:limit]
        return self._respond_list(call, items, metadata)

    def _continued(self, token: str) -> tuple[tuple[str, str], str]:
        try:
            position = json.loads(base64.urlsafe_b64decode(token + "=="))
            place, revision = (position["namespace"], position["name"]), position["rv"]
        except (ValueError, KeyError, TypeError) as error:
            raise bad_request(f"continue key is not valid: {error}") from error
        try:
            self.cluster.store.since(int(revision))
        except StatusError:
            raise expired(
                "The provided continue parameter is too old to display a consistent list result. "
                "You can start a new list without the continue parameter."
            ) from None
        return place, revision

    def _match(self, call: Call) -> Match:
        query = call.request.query
        labels = labels_match(query.get("labelSelector", ""))
        fields = fields_match(query.get("fieldSelector", ""), call.resource.plural)
        name = call.named.name
        return lambda one: labels(one) and fields(one) and (not name or one["metadata"]["name"] == name)

    async def _watch(self, call: Call) -> web.StreamResponse:
        query = call.request.query
        selection = self._selection(call)
        response = web.StreamResponse(
            headers={"Content-Type": "application/json", "Cache-Control": "no-cache, private"}
        )
        bookmark = {"kind": call.resource.kind, "apiVersion": call.resource.api_version}
        if call.accepted.table:
            bookmark = {"kind": "Table", "apiVersion": "meta.k8s.io/v1"}
        lines = events(self.cluster.store, selection, lambda one: self._form(call, one), bookmark)
        return await self._stream(call.request, response, lines, float(query.get("timeoutSeconds") or LONGEST_WATCH))

    def _selection(self, call: Call) -> Selection:
        query = call.request.query
        revision = query.get("resourceVersion", "")
        current = self.cluster.store.revision
        _check_revision(revision, current)
        bookmarks = query.get("allowWatchBookmarks", "").lower() in {"1", "true"}
        initial = query.get("sendInitialEvents", "").lower()
        if initial and self.cluster.minor < WATCH_LIST_SINCE:
            text = "sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled"
            raise _bad_list_options("sendInitialEvents", text)
        if initial and query.get("resourceVersionMatch") != "NotOlderThan":
            text = "sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
            raise _bad_list_options("resourceVersionMatch", text)
        everything = initial in {"1", "true"} or (revision in {"", "0"} and initial != "false")
        return Selection(
            key=call.resource.key,
            namespace=call.home,
            match=self._match(call),
            revision=None if everything else int(revision or current),
            bookmarks=bookmarks,
            initial_end=bookmarks and initial in {"1", "true"},
        )

    async def _stream(
        self, request: web.Request, response: web.StreamResponse, lines: AsyncIterator[bytes], seconds: float
    ) -> web.StreamResponse:
        await response.prepare(request)

        async def write() -> None:
            async for line in lines:
                await response.write(line)

        task = asyncio.create_task(write())
        self._streams.add(task)
        try:
            await asyncio.wait([task], timeout=seconds)
        finally:
            self._streams.discard(task)
            ended = not task.done()
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, ConnectionError):
                await task
        if self.offline:
            return _hang_up(request)
        if ended or not task.cancelled():
            with contextlib.suppress(ConnectionError):
                await response.write_eof()
        return response

    # --- writing ---

    async def _create(self, call: Call) -> web.Response:
        received = await requests.object_body(call.request)
        if call.resource.verbs == ("create",):
            answer = reviewed(call.resource, received, call.user, self.authorizer, self.users.get)
            return self._respond(call, answer, 201)
        received = as_stored(call.resource, _pruned(call, received))
        obj = self.cluster.create(_storage(call.resource), call.home, received, requests.options(call.request))
        return self._respond(call, obj, 201)

    def _put(self, call: Call, new: Json) -> Json:
        named = call.named
        options = requests.options(call.request)
        resource = _storage(call.resource)
        return self.cluster.update(resource, call.home, named.name, new, options, part=named.subresource)

    async def _patch(self, call: Call) -> web.Response:
        how = requests.patch_type(call.request, call.resource)
        patch = await requests.body(call.request)
        if how == APPLY_PATCH:
            return self._apply(call, patch)
        current = self.cluster.get(call.resource, call.home, call.named.name)
        new = _pruned_after_patch(call, patch, patched(current, patch, how), how)
        _check_kind(call.resource, new)
        if new["metadata"].get("name") != call.named.name:
            name = new["metadata"].get("name", "")
            raise bad_request(f"the name of the object ({name}) does not match the name on the URL ({call.named.name})")
        return self._respond(call, self._put(call, new))

    def _apply(self, call: Call, config: Any) -> web.Response:
        options = requests.options(call.request)
        if not call.request.query.get("fieldManager"):
            raise bad_options("PatchOptions", required("fieldManager", "is required for apply patch"))
        if not isinstance(config, dict) or not config.get("kind") or not config.get("apiVersion"):
            raise bad_request("error decoding YAML: Object 'Kind' is missing")
        _check_kind(call.resource, config)
        # Server-side apply refuses unknown fields, regardless of the requested field validation.
        try:
            _, unknown = schemas.pruned(call.resource, config)
            why = f".{unknown[0]}: field not declared in schema" if unknown else ""
        except schemas.WrongTypeError as error:
            why = f"{error.path}: expected {error.expected}, got {error.actual}"
        if why:
            metadata = config.get("metadata") or {}
            subject = f"{metadata.get('namespace', '')}/{metadata.get('name', '')}"
            kind = f"{call.resource.group}/{call.resource.version}, Kind={call.resource.kind}"
            raise StatusError(500, "", f"failed to create typed patch object ({subject}; {kind}): {why}")
        named = call.named
        config = config | {"metadata": (config.get("metadata") or {}) | {"name": named.name}}
        if call.resource.namespaced:
            config["metadata"]["namespace"] = call.home
        old = self.cluster.store.get(call.resource.key, call.home, named.name)
        if old is None and (named.subresource or config["metadata"].get("uid")):
            self.cluster.get(call.resource, call.home, named.name)
        new = applied(old, config, options.manager, self.cluster.now(), force=options.force)
        entries = _unless_same(old, new["metadata"].pop("managedFields", []))
        by_cluster = Options(dry_run=options.dry_run, managed=entries)
        if old is None:
            obj = self.cluster.create(call.resource, call.home, new, by_cluster)
            code = 201
        else:
            part = named.subresource
            obj = self.cluster.update(call.resource, call.home, named.name, new, by_cluster, part=part)
            code = 200
        return self._respond(call, obj, code)

    async def _delete(self, call: Call) -> web.Response:
        deletion = requests.deletion(call.request, await requests.body(call.request))
        answer, _ = self.cluster.delete(_storage(call.resource), call.home, call.named.name, deletion)
        return self._respond(call, answer)

    async def _delete_collection(self, call: Call) -> web.Response:
        deletion = requests.deletion(call.request, await requests.body(call.request))
        match = self._match(call)
        objects = [obj for obj in self.cluster.store.items(call.resource.key, call.home) if match(obj)]
        for obj in objects:
            metadata = obj["metadata"]
            self.cluster.delete(_storage(call.resource), metadata.get("namespace", ""), metadata["name"], deletion)
        return self._respond_list(call, objects, {"resourceVersion": str(self.cluster.store.revision)})

    # --- subresources ---

    async def _log(self, call: Call) -> web.StreamResponse:
        if call.request.method not in {"GET", "HEAD"}:
            raise method_not_allowed(None, "")
        pod = self.cluster.get(PODS, call.home, call.named.name)
        query = call.request.query
        text = container_log(pod, query)
        if query.get("follow", "").lower() not in {"1", "true"}:
            return web.Response(text=text, content_type="text/plain")

        async def lines() -> AsyncIterator[bytes]:
            yield text.encode()
            async for addition in followed(self.cluster.store, pod, query):
                yield addition.encode()

        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        return await self._stream(call.request, response, lines(), LONGEST_WATCH)

    async def _bind(self, call: Call) -> web.Response:
        received = await requests.object_body(call.request)
        node = (received.get("target") or {}).get("name")
        if not node:
            raise invalid(call.resource, call.named.name, [required("target.name")])
        pod = self.cluster.get(PODS, call.home, call.named.name)
        assigned = pod["spec"].get("nodeName")
        if assigned:
            kind = Resource("", "v1", "pods/binding", "Binding", namespaced=True)
            raise conflict(kind, call.named.name, f'pod {call.named.name} is already assigned to node "{assigned}"')
        if not requests.options(call.request).dry_run:
            bind(self.cluster, pod, node)
        return self._success(201)

    async def _evict(self, call: Call) -> web.Response:
        deletion = requests.deletion(call.request, (await requests.object_body(call.request)).get("deleteOptions"))
        self.cluster.delete(PODS, call.home, call.named.name, deletion)
        return self._success(201)

    async def _scale(self, call: Call) -> web.Response:
        obj = self.cluster.get(call.resource, call.home, call.named.name)
        if call.request.method in {"GET", "HEAD"}:
            return self._respond(call, _scale_of(obj))
        if call.request.method == "PATCH":
            how = requests.patch_type(call.request, call.resource)
            scale = patched(_scale_of(obj), await requests.body(call.request), how)
        else:
            scale = await requests.object_body(call.request)
        replicas = (scale.get("spec") or {}).get("replicas", 0)
        metadata = {"resourceVersion": scale["metadata"].get("resourceVersion")} if scale.get("metadata") else {}
        new = obj | {"spec": obj["spec"] | {"replicas": replicas}, "metadata": obj["metadata"] | metadata}
        named, options = call.named, requests.options(call.request)
        return self._respond(call, _scale_of(self.cluster.update(call.resource, call.home, named.name, new, options)))

    async def _token(self, call: Call) -> web.Response:
        account = self.cluster.get(SERVICE_ACCOUNTS, call.home, call.named.name)
        received = await requests.body(call.request) or {}
        namespace, name = call.home, call.named.name
        groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED)
        token = secrets.token_urlsafe(32)
        user = User(f"system:serviceaccount:{namespace}:{name}", groups, account["metadata"]["uid"])
        self.users[token] = user
        spec = {"audiences": ["https://kubernetes.default.svc"], "expirationSeconds": TOKEN_LIFE} | (
            received.get("spec") or {}
        )
        if spec["expirationSeconds"] < SHORTEST_TOKEN_LIFE:
            path, text = "spec.expirationSeconds", "may not specify a duration less than 10 minutes"
            raise invalid(TOKEN_REQUESTS, "", [wrong(path, spec["expirationSeconds"], text)])
        answer: Json = {
            "kind": TOKEN_REQUESTS.kind,
            "apiVersion": TOKEN_REQUESTS.api_version,
            "metadata": {"name": name},
        }
        self.expiries[token] = self.cluster.clock.now() + timedelta(seconds=spec["expirationSeconds"])
        status = {"token": token, "expirationTimestamp": f"{self.expiries[token]:%Y-%m-%dT%H:%M:%SZ}"}
        return self._respond(call, answer | {"spec": spec, "status": status}, 201)

    async def _finalize(self, call: Call) -> web.Response:
        received = await requests.object_body(call.request)
        name = call.named.name
        namespace = self.cluster.get(NAMESPACES, "", name)
        finalizers = (received.get("spec") or {}).get("finalizers") or []
        return self._respond(call, self.cluster.change(NAMESPACES, namespace, spec={"finalizers": finalizers}))

    # --- answers ---

    def _form(self, call: Call, obj: Json) -> Json:
        served = obj if obj.get("kind") == "Status" else as_served(call.resource, obj)
        if call.accepted.table and served.get("kind") != "Status":
            metadata = {"resourceVersion": served["metadata"].get("resourceVersion", "")}
            return self._table(call, [obj], metadata)
        if call.accepted.metadata_only and served.get("kind") != "Status":
            return partial(served)
        return served

    def _table(self, call: Call, objects: list[Json], metadata: Json) -> Json:
        include = call.request.query.get("includeObject", "Metadata")
        return table(call.resource, objects, self.cluster.clock.now(), metadata, include=include)

    def _respond(self, call: Call, obj: Json, code: int = 200) -> web.Response:
        tabular = call.accepted.table and call.request.method == "GET" and not call.named.subresource
        body = self._form(call, obj) if tabular or call.accepted.metadata_only else as_served_or_status(call, obj)
        return _rendered(body, code, as_yaml=call.accepted.yaml)

    def _respond_list(self, call: Call, objects: list[Json], metadata: Json) -> web.Response:
        resource = call.resource
        if call.accepted.table and call.request.method == "GET":
            return _rendered(self._table(call, objects, metadata), 200)
        items = [as_served(resource, one) for one in objects]
        body: Json = {"kind": f"{resource.kind}List", "apiVersion": resource.api_version}
        if call.accepted.metadata_only:
            items = [partial(one) for one in items]
            body = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
        elif not resource.custom:
            # Items of built-in lists carry neither kind nor apiVersion: those of the list apply.
            items = [{key: value for key, value in one.items() if key not in {"kind", "apiVersion"}} for one in items]
        return _rendered(body | {"metadata": metadata, "items": items}, 200, as_yaml=call.accepted.yaml)

    @staticmethod
    def _success(code: int) -> web.Response:
        return _rendered(
            {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": code}, code
        )


def as_served_or_status(call: Call, obj: Json) -> Json:
    """An object in the requested version; statuses, scales and reviews as they are."""
    return as_served(call.resource, obj) if obj.get("kind") in {call.resource.kind, "Event"} else obj


def bind(cluster: Cluster, pod: Json, node: str) -> Json:
    """Assign a Pod to a node."""
    conditions = [one for one in (pod.get("status") or {}).get("conditions") or [] if one["type"] != "PodScheduled"]
    scheduled = {"type": "PodScheduled", "status": "True", "lastProbeTime": None, "lastTransitionTime": cluster.now()}
    return cluster.change(PODS, pod, spec={"nodeName": node}, status={"conditions": [*conditions, scheduled]})


def _storage(resource: Resource) -> Resource:
    if resource.stored_as is None:
        return resource
    return Resource("", "v1", resource.plural, resource.kind, resource.namespaced)


def _scale_of(obj: Json) -> Json:
    metadata = {
        key: obj["metadata"][key] for key in ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")
    }
    labels = (obj["spec"].get("selector") or {}).get("matchLabels") or {}
    status: Json = {"replicas": (obj.get("status") or {}).get("replicas", 0)}
    if labels:
        status["selector"] = ",".join(f"{key}={value}" for key, value in sorted(labels.items()))
    spec = {"replicas": obj["spec"].get("replicas", 0)}
    return {"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": metadata, "spec": spec, "status": status}


def _unless_same(old: Json | None, entries: list[Json]) -> list[Json]:
    """The object's current `managedFields`, times included, if ownership of fields hasn't changed."""

    def ownership(listed: list[Json]) -> set[str]:
        return {json.dumps(one["fieldsV1"]) + one["manager"] + one["operation"] for one in listed}

    entries_before: list[Json] = (old or {"metadata": {}})["metadata"].get("managedFields") or []
    return entries_before if ownership(entries_before) == ownership(entries) else entries


def _check_kind(resource: Resource, received: Json) -> None:
    kind = received.get("kind") or resource.kind
    api_version = received.get("apiVersion") or resource.api_version
    if kind != resource.kind or (api_version != resource.api_version and resource.stored_as is None):
        raise bad_request(f"{kind} in version {json.dumps(api_version)} cannot be handled as a {resource.kind}")


def _pruned(call: Call, received: Json) -> Json:
    """The body without unknown fields. They cause warnings, or a refusal if the client requests it."""
    validation = requests.field_validation(call.request)
    if received.get("kind") not in {None, call.resource.kind}:
        return received
    try:
        kept_fields, unknown = schemas.pruned(call.resource, received)
    except schemas.WrongTypeError as error:
        raise unreadable(call.resource, str(error)) from error
    texts = [f'unknown field "{path}"' for path in unknown]
    if texts and validation == "Strict":
        raise unreadable(call.resource, f"strict decoding error: {', '.join(texts)}")
    if validation == "Warn":
        call.request[WARNINGS] = texts
    return kept_fields


def _pruned_after_patch(call: Call, patch: Any, new: Json, how: str) -> Json:
    """The same for the result of a patch, with the other words of its refusal."""
    try:
        return _pruned(call, new)
    except StatusError as error:
        if error.code != 400:  # noqa: PLR2004
            raise
        value = schemas.go_text(patch) if how == STRATEGIC_PATCH else _compact(new).decode()
        refused = wrong("patch", value, error.message.partition(f"as a {call.resource.kind}: ")[2])
        causes = [{"reason": refused.type, "message": refused.body, "field": refused.field}]
        raise StatusError(422, "Invalid", f' "" is invalid: {refused}', {"causes": causes}) from error


def _check_revision(revision: str, current: int) -> None:
    if not revision:
        return
    if not revision.isdigit():
        text = f'resourceVersion: Invalid value: "{revision}": strconv.ParseUint: parsing "{revision}": invalid syntax'
        raise StatusError(400, "BadRequest", text)
    if int(revision) > current:
        details = {"causes": [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]}
        text = f"Timeout: Too large resource version: {revision}, current: {current}"
        raise StatusError(504, "Timeout", text, details | {"retryAfterSeconds": 1})


def _bad_list_options(name: str, why: str) -> StatusError:
    return bad_options("ListOptions", FieldError("FieldValueForbidden", name, detail=why))


def _place(obj: Json) -> tuple[str, str]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _token(place: tuple[str, str], revision: str) -> str:
    return base64.urlsafe_b64encode(
        _compact({"v": "meta.k8s.io/v1", "rv": revision, "namespace": place[0], "name": place[1]})
    ).decode()


def _compact(document: Json) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _rendered(document: Json, code: int, *, as_yaml: bool = False) -> web.Response:
    if as_yaml:
        return web.Response(status=code, text=yaml.safe_dump(document), content_type="application/yaml")
    return web.Response(status=code, body=_compact(document), headers={"Content-Type": "application/json"})


def _error(error: StatusError) -> web.Response:
    body = _compact(error.body())
    headers = {"Content-Type": "application/json"} | error.headers
    if error.code == 429 and "Retry-After" not in headers:  # noqa: PLR2004
        headers["Retry-After"] = "1"
    return web.Response(status=error.code, body=body, headers=headers)


def _raise(fault: Fault | None) -> None:
    if fault is None or fault.action != "fail":
        return
    if fault.code == "InternalServerError":
        raise internal(fault.message) if fault.status == 500 else StatusError(fault.status, "", fault.message)  # noqa: PLR2004
    raise StatusError(fault.status, fault.code, fault.message, {}, dict(fault.headers))


def _hang_up(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=503)
