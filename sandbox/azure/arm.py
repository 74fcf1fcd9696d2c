"""Azure Resource Manager: what stands between a request and the resource provider that answers it.

Authentication, throttling, api-versions, permissions, routing without regard to case, error bodies, and the headers
of asynchronous operations.
"""

import inspect
import json
import secrets
import time
import uuid
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from aiohttp import web

from sandbox.azure.cloud import Cloud, Principal
from sandbox.azure.entra import Signer, unverified
from sandbox.azure.errors import ArmError, invalid, not_allowed, not_registered
from sandbox.azure.operations import Operation, Operations
from sandbox.azure.shapes import Shape, read
from sandbox.azure.throttle import Throttle
from sandbox.azure.versions import NAMESPACES, ResourceType
from sandbox.clock import Clock
from sandbox.speed import Speed

ROLES: dict[str, tuple[str, ...]] = {
    "Owner": ("*",),
    "Contributor": ("*",),
    "Reader": ("*/read",),
    "Container Registry Configuration Reader and Data Access Configuration Reader": (
        "microsoft.containerregistry/*/read",
        "microsoft.resources/*/read",
    ),
    "Container Registry Contributor and Data Access Configuration Administrator": (
        "microsoft.containerregistry/*",
        "microsoft.resources/*/read",
    ),
    "Kubernetes Extension Contributor": (
        "microsoft.kubernetesconfiguration/extensions/*",
        "microsoft.kubernetes/connectedclusters/read",
        "microsoft.resources/*/read",
    ),
}
"""Allowed actions in lower case; the narrower roles follow Azure's documentation of built-in roles."""
ROLE_EXCEPTIONS = {"Contributor": ("microsoft.authorization/*/write", "microsoft.authorization/*/delete")}
"""Actions that a role does not allow although its patterns do."""
ACTION = web.RequestKey("action", str)
"""What a request's caller has to be allowed to do, as soon as its route is known."""
WRITES = ("PUT", "PATCH", "POST", "DELETE")
ALWAYS_REGISTERED = ("Microsoft.Resources", "Microsoft.Authorization")


def is_allowed(principal: Principal, action: str) -> bool:
    """Whether the principal's role, or its custom role, allows an action."""
    required = action.lower()
    granted = principal.actions or ROLES[principal.role]
    exceptions = () if principal.actions else ROLE_EXCEPTIONS.get(principal.role, ())
    denied = any(fnmatchcase(required, pattern.lower()) for pattern in (*principal.denied_actions, *exceptions))
    return not denied and any(fnmatchcase(required, pattern.lower()) for pattern in granted)


@dataclass(frozen=True)
class Call:
    """One request after the checks that every resource needs."""

    method: str
    path: str
    names: Mapping[str, str]
    """What stands in the route's braces, in the caller's case."""
    query: Mapping[str, str]
    body: dict[str, Any]
    api_version: str
    base: str
    """`https://host` as the caller wrote it, for absolute URLs."""
    principal: Principal
    now: datetime

    @property
    def prompt(self) -> bool:
        """Whether this api-version answers as the recordings of 2026 do, which finish more at once than older ones."""
        return self.api_version >= "2026"

    @property
    def properties(self) -> dict[str, Any]:
        """The body's `properties`; empty when there are none."""
        properties: dict[str, Any] = self.body.get("properties") or {}
        return properties


@dataclass(frozen=True)
class Answer:
    """An answer; a body of None is empty."""

    status: int = 200
    body: dict[str, Any] | None = None
    headers: dict[str, str] = field(default_factory=dict)


Handler = Callable[[Call], Answer | Awaitable[Answer]]


@dataclass(frozen=True)
class Route:
    """A handler with what the checks before it need to know."""

    handler: Handler
    kind: ResourceType
    action: str
    """What the caller must be allowed to do; names of the route stand in braces."""
    body: Shape
    """What the body has to look like."""


@dataclass
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    named: "tuple[str, _Node] | None" = None
    routes: dict[str, Route] = field(default_factory=dict)


class Router:
    """Routes by path segment; literals are matched without regard to case."""

    def __init__(self) -> None:
        self._root = _Node()

    def add(
        self, method: str, template: str, handler: Handler, *, kind: ResourceType, action: str, body: Shape = dict
    ) -> None:
        """Serve `METHOD template`; `{name}` in it takes one whole segment."""
        node = self._root
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                if node.named is None:
                    node.named = (segment[1:-1], _Node())
                node = node.named[1]
            else:
                node = node.literals.setdefault(segment.lower(), _Node())
        node.routes[method] = Route(handler, kind, action, body)

    def find(self, path: str) -> tuple[dict[str, Route], dict[str, str]] | None:
        """The routes of a path by method, and its names; None for a path that nothing serves."""
        return _walk(self._root, path.strip("/").split("/"))


def _walk(node: _Node, segments: list[str]) -> tuple[dict[str, Route], dict[str, str]] | None:
    """The routes below `node`: a literal comes first, and a name is tried where the literal leads nowhere."""
    if not segments:
        return (node.routes, {}) if node.routes else None
    first, *remaining = segments
    literal = node.literals.get(first.lower())
    if literal is not None and (match := _walk(literal, remaining)) is not None:
        return match
    if node.named is None:
        return None
    name, below = node.named
    match = _walk(below, remaining)
    return (match[0], {name: first} | match[1]) if match is not None else None


@dataclass(frozen=True)
class Seen:
    """An entry of the request log."""

    at: datetime
    method: str
    path: str
    api_version: str
    status: int
    principal: str
    action: str
    """What the caller had to be allowed to do; empty where the request did not come that far."""

    def body(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {
            "at": self.at.isoformat(),
            "method": self.method,
            "path": self.path,
            "apiVersion": self.api_version,
            "status": self.status,
            "principal": self.principal,
            "action": self.action,
        }


class ControlPlane:
    """What every resource provider works with: the state, the operations, the clock."""

    def __init__(self, cloud: Cloud, operations: Operations, clock: Clock, speed: Speed) -> None:
        self.cloud = cloud
        self.operations = operations
        self.clock = clock
        self.speed = speed
        self._certificate = secrets.token_urlsafe(1500)

    def begin(self, prefix: str, resource: str, finish: Callable[[Operation], None], word: str) -> Operation:
        """An operation that ends by `finish` after the time an ARM operation takes; `word` is its status till then."""
        operation = self.operations.begin(prefix, resource, word)
        self.operations.after(self.speed.arm_operation, lambda: finish(operation))
        return operation

    def signed(self, call: Call, path: str) -> str:
        """An absolute URL with the long signed query of the real service."""
        ticks = 621_355_968_000_000_000 + int(time.time() * 10_000_000)
        return (
            f"{call.base}{path}?api-version={quote(call.api_version)}&t={ticks}&c={self._certificate}"
            f"&s={secrets.token_urlsafe(256)}&h={secrets.token_urlsafe(32)}"
        )

    def watch(self, call: Call, path: str) -> dict[str, str]:
        """Headers of an accepted PUT or PATCH: poll a status."""
        return {"Azure-AsyncOperation": self.signed(call, path)} | self.pause()

    def fetch(self, call: Call, path: str) -> dict[str, str]:
        """Headers of an accepted POST or DELETE: poll for the result."""
        return {"Location": self.signed(call, path)} | self.pause()

    def pause(self) -> dict[str, str]:
        """`Retry-After` where the speed asks for it; az takes whole seconds only."""
        seconds = self.speed.retry_after
        if seconds is None:
            return {}
        if seconds >= 1:
            return {"Retry-After": str(round(seconds))}
        return {"x-ms-retry-after-ms": str(round(seconds * 1000))}

    def status(self, call: Call) -> Answer:
        """A poll of `Azure-AsyncOperation`."""
        operation = self._operation(call)
        body: dict[str, Any] = {"status": operation.word if not operation.ended else operation.status}
        if operation.error:
            body["error"] = operation.error.error()
        # The last poll repeats the header too, without a pause.
        headers = {"Azure-AsyncOperation": self.signed(call, call.path)}
        return Answer(200, body, headers if operation.ended else headers | self.pause())

    def result(self, call: Call) -> Answer:
        """A poll of `Location`: 202 until the end, then the result."""
        operation = self._operation(call)
        if not operation.ended:
            return Answer(202, operation.accepted, self.fetch(call, call.path))
        if operation.error:
            raise operation.error
        return Answer(200, operation.result)

    def _operation(self, call: Call) -> Operation:
        operation = self.operations.find(call.names["operation"])
        if operation is None:
            raise ArmError(404, "OperationNotFound", f"The operation '{call.names['operation']}' was not found.")
        return operation


async def answered(route: Route, call: Call) -> Answer:
    """The answer of a route's handler."""
    answer = route.handler(call)
    return await answer if inspect.isawaitable(answer) else answer


class Visibility:
    """Hides what was just made for as long as the cloud's delay says: reads and actions get the 404 from before.

    Lists, references from other resources, and the polls of the operation see it at once.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._hidden: dict[str, tuple[datetime, ArmError]] = {}

    def check(self, call: Call) -> None:
        """Raise the 404 of a hidden resource that a request names, in its path or in its body."""
        self._hidden = {path: entry for path, entry in self._hidden.items() if entry[0] > call.now}
        path, polling = call.path.lower(), "operation" in call.names
        body = json.dumps(call.body).lower() if self._hidden and call.method == "POST" else ""
        for hidden, (_, refusal) in self._hidden.items():
            named = f"{path}/".startswith(f"{hidden}/") and call.method != "PUT"
            if (named or f'"{hidden}"' in body) and not polling:
                raise refusal

    async def absence(self, call: Call, reading: Route | None) -> ArmError | None:
        """The 404 that reading the resource of a PUT gets; None if it exists, and where there is no delay."""
        if call.method != "PUT" or reading is None or not self._cloud.visible_after:
            return None
        try:
            await answered(reading, replace(call, method="GET", body={}))
        except ArmError as error:
            return error if error.status == HTTPStatus.NOT_FOUND else None
        return None

    def hide(self, call: Call, refusal: ArmError) -> None:
        """Hide the resource of a PUT."""
        until = call.now + timedelta(seconds=self._cloud.visible_after)
        self._hidden[call.path.lower()] = until, refusal


class Arm:
    """The front door of the control plane."""

    def __init__(self, plane: ControlPlane, router: Router, signer: Signer, throttle: Throttle) -> None:
        self._plane = plane
        self._router = router
        self._signer = signer
        self._throttle = throttle
        self._visibility = Visibility(plane.cloud)
        self.log: deque[Seen] = deque(maxlen=100_000)

    async def serve(self, request: web.Request) -> web.Response:
        """Answer any request."""
        self._plane.operations.settle()
        principal: Principal | None = None
        headers = _identifiers(request)
        try:
            principal = self._authenticated(request)
            headers |= self._throttle.take(
                principal.client_id, request.method, self._plane.clock.now(), self._plane.cloud.subscription
            )
            answer = await self._dispatch(request, principal)
        except ArmError as error:
            answer = Answer(error.status, error.body(), error.headers)
        self._plane.operations.settle()
        version = request.query.get("api-version", "")
        caller = principal.client_id if principal else ""
        now, action = self._plane.clock.now(), request.get(ACTION, "")
        self.log.append(Seen(now, request.method, request.path, version, answer.status, caller, action))
        headers |= answer.headers
        if answer.body is None or request.method == "HEAD":
            return web.Response(status=answer.status, headers=headers)
        text = json.dumps(answer.body, separators=(",", ":"))
        return web.Response(
            text=text, status=answer.status, headers=headers, content_type="application/json", charset="utf-8"
        )

    async def _dispatch(self, request: web.Request, principal: Principal) -> Answer:
        match = self._router.find(request.path)
        route = match[0].get(request.method) if match else None
        version = _api_version(request)
        if match is None or route is None:
            raise _no_route(request, allowed=tuple(match[0]) if match else ())
        names = match[1]
        self._check_subscription(names)
        cloud = self._plane.cloud
        route.kind.check(version, cloud.environment.regions, cloud.offers.get(route.kind.full_name))
        action = request[ACTION] = route.action.format_map(names)
        if not is_allowed(principal, action):
            raise not_allowed(principal.client_id, principal.oid, action, request.path)
        kind, resource = f"{route.kind.namespace}/{route.kind.name}", _resource(request, action)
        governance, caller = cloud.governance, (principal.client_id, principal.oid)
        governance.check(method=request.method, resource=resource, kind=kind, action=action, caller=caller)
        self._check_registration(route, request.method, names)
        call = await self._call(request, route, names, version, principal)
        governance.check_policies(method=request.method, resource=resource, kind=kind, body=call.body)
        self._visibility.check(call)
        absence = await self._visibility.absence(call, match[0].get("GET"))
        answer = await answered(route, call)
        if absence is not None and answer.status < HTTPStatus.BAD_REQUEST:
            self._visibility.hide(call, absence)
        return answer

    async def _call(
        self, request: web.Request, route: Route, names: dict[str, str], version: str, principal: Principal
    ) -> Call:
        return Call(
            method=request.method,
            path=request.path,
            names=names,
            query={key.lower(): value for key, value in request.query.items()},
            body=await _body(request, route.body),
            api_version=version.lower(),
            base=f"https://{request.host}",
            principal=principal,
            now=self._plane.clock.now(),
        )

    def _authenticated(self, request: web.Request) -> Principal:
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise self._unauthenticated(
                request, "AuthenticationFailed", "Authentication failed. The 'Authorization' header is missing."
            )
        claims = self._signer.claims(token)
        if claims is None:
            raise self._unauthenticated(request, "InvalidAuthenticationToken", _why_unknown(token, self._plane.cloud))
        self._check_claims(request, claims)
        principal = self._plane.cloud.principals.get(claims["appid"])
        if principal is None:
            raise self._unauthenticated(request, "InvalidAuthenticationToken", "The access token is invalid.")
        return principal

    def _check_claims(self, request: web.Request, claims: dict[str, Any]) -> None:
        now = time.time()
        if claims["exp"] <= now:
            expiry, current = datetime.fromtimestamp(claims["exp"], UTC), datetime.fromtimestamp(now, UTC)
            raise self._unauthenticated(
                request,
                "ExpiredAuthenticationToken",
                f"The access token expiry UTC time '{expiry:%m/%d/%Y %I:%M:%S %p}' is earlier than current UTC time "
                f"'{current:%m/%d/%Y %I:%M:%S %p}'.",
            )
        if claims.get("tid") != self._plane.cloud.tenant:
            raise self._unauthenticated(
                request, "InvalidAuthenticationTokenTenant", _wrong_issuer(claims, self._plane.cloud)
            )
        own = f"https://{request.host}"
        audiences = [f"{one}{end}" for one in self._plane.cloud.environment.audiences for end in ("/", "")]
        if claims["aud"] not in (*audiences, own, f"{own}/"):
            raise self._unauthenticated(
                request,
                "InvalidAuthenticationTokenAudience",
                f"The access token has been obtained for wrong audience or resource '{claims['aud']}'. It should "
                f"exactly match with one of the allowed audiences {','.join(repr(one) for one in audiences)}.",
            )

    def _unauthenticated(self, request: web.Request, code: str, message: str) -> ArmError:
        challenge = (
            f'Bearer authorization_uri="https://{request.host}/{self._plane.cloud.tenant}", error="invalid_token", '
            f'error_description="{message}"'
        )
        return ArmError(401, code, message, headers={"WWW-Authenticate": challenge})

    def _check_subscription(self, names: dict[str, str]) -> None:
        subscription = names.get("subscription")
        if subscription is None or subscription.lower() == self._plane.cloud.subscription:
            return
        try:
            uuid.UUID(subscription)
        except ValueError:
            raise invalid(
                f"The provided subscription identifier '{subscription}' is malformed or invalid.",
                code="InvalidSubscriptionId",
            ) from None
        raise ArmError(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")

    def _check_registration(self, route: Route, method: str, names: dict[str, str]) -> None:
        namespace = route.kind.namespace
        if method not in WRITES or namespace in ALWAYS_REGISTERED or "group" not in names:
            return
        if self._plane.cloud.providers.get(namespace.lower()) != "Registered":
            raise not_registered(namespace)


def _resource(request: web.Request, action: str) -> str:
    """The id that a request is about: its path, without the verb of an action."""
    path = request.path.rstrip("/")
    return path.rpartition("/")[0] if request.method == "POST" and action.endswith("/action") else path


def _identifiers(request: web.Request) -> dict[str, str]:
    request_id = str(uuid.uuid4())
    headers = {
        "Cache-Control": "no-cache",
        "Pragma": "no-cache",
        "Expires": "-1",
        "x-ms-request-id": request_id,
        "x-ms-correlation-request-id": request.headers.get("x-ms-correlation-request-id", request_id),
        "x-ms-routing-request-id": f"WESTEUROPE:{datetime.now(UTC):%Y%m%dT%H%M%SZ}:{request_id}",
        "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
        "X-Content-Type-Options": "nosniff",
    }
    if request.headers.get("x-ms-return-client-request-id", "").lower() == "true":
        headers["x-ms-client-request-id"] = request.headers.get("x-ms-client-request-id", "")
    return headers


def _api_version(request: web.Request) -> str:
    for key, value in request.query.items():
        if key.lower() == "api-version" and value:
            return value
    raise invalid(
        "The api-version query parameter (?api-version=) is required for all requests.",
        code="MissingApiVersionParameter",
    )


async def _body(request: web.Request, shape: Shape) -> dict[str, Any]:
    content = await request.read()
    if not content and request.method in ("GET", "HEAD", "DELETE", "POST"):
        return {}
    try:
        body = json.loads(content)
    except ValueError as error:
        raise invalid(f"The request content was invalid and could not be deserialized: '{error}'.") from None
    document: dict[str, Any] = read(body, shape)
    return document


def _no_route(request: web.Request, allowed: tuple[str, ...]) -> ArmError:
    if allowed:
        return ArmError(
            405,
            "HttpMethodNotSupported",
            f"The request method '{request.method}' is not supported.",
            headers={"Allow": ", ".join(allowed)},
        )
    segments = request.path.strip("/").split("/")
    lower = [segment.lower() for segment in segments]
    if "providers" in lower:
        place = len(lower) - 1 - lower[::-1].index("providers")
        namespace, types = "".join(segments[place + 1 : place + 2]), "/".join(segments[place + 2 :: 2])
        if namespace.casefold() not in {provider.casefold() for provider in NAMESPACES}:
            # In the words of Azure-MG-Sub-Governance-Reporting#52.
            return ArmError(404, "InvalidResourceNamespace", f"The resource namespace '{namespace}' is invalid.")
        return ArmError(
            404,
            "InvalidResourceType",
            f"The resource type '{types}' could not be found in the namespace '{namespace}' for api version "
            f"'{request.query.get('api-version')}'.",
        )
    return ArmError(404, "NotFound", f"No HTTP resource was found that matches the request URI '{request.path}'.")


def _why_unknown(token: str, cloud: Cloud) -> str:
    try:
        claims = unverified(token)
    except ValueError:
        return "The access token is invalid."
    if claims.get("tid") not in (None, cloud.tenant):
        return _wrong_issuer(claims, cloud)
    return "The access token is invalid: its signature does not match."


def _wrong_issuer(claims: dict[str, Any], cloud: Cloud) -> str:
    return (
        f"The access token is from the wrong issuer '{claims.get('iss')}'. It must match the tenant "
        f"'{cloud.environment.issuer}/{cloud.tenant}/' associated with this subscription."
    )


def pages(items: list[dict[str, Any]], call: Call, size: int) -> dict[str, Any]:
    """One page of a list, and the link to the next one while there is more."""
    try:
        start = int(call.query.get("$skiptoken", "0"))
    except ValueError:
        raise invalid("The $skiptoken is not valid.", code="InvalidSkipToken") from None
    body: dict[str, Any] = {"value": items[start : start + size]}
    if start + size < len(items):
        parameters = "&".join(
            f"{quote(key, safe='$')}={quote(value)}" for key, value in call.query.items() if key != "$skiptoken"
        )
        body["nextLink"] = f"{call.base}{call.path}?{parameters}&$skiptoken={start + size}"
    return body
