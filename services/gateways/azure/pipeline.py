"""The one HTTP pipeline to ARM: what every request goes through, from the client's request id to aiohttp's session.

Left out on purpose, of what the SDK would put in: automatic registration of providers (registering is a visible step of
ours, and the SDK waits for it without end), redirects, and the logging of URLs (those of asynchronous operations are
signed).

Calls give two options along: `deadline`, always, the loop's time at which the caller stops waiting, and `resend`, with
which a POST may be sent again after an error.
"""

import asyncio
import os
import ssl
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp
import structlog
from azure.core.exceptions import (
    AzureError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline import AsyncPipeline, PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import (
    AsyncHTTPPolicy,
    ContentDecodePolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AioHttpTransport
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy

from services.gateways.answers import BoundedResponse, retry_after
from services.gateways.azure.clock import AzureClock
from services.gateways.azure.clouds import Cloud
from services.gateways.azure.codes import NOT_FOUND, THROTTLED, meaning
from services.gateways.azure.identity import Logins
from services.gateways.azure.quotas import Quotas, kind_of
from services.gateways.azure.recent import Holds, Writes
from services.gateways.azure.retries import IDEMPOTENT, PASSING, READING, TryOutcome, pause
from services.gateways.azure.sentences import sentence
from services.gateways.azure.translation import SERVICE, offered_versions, throttled
from services.gateways.azure.versions import Fetch, Versions, resource_type
from services.gateways.proxies import is_direct
from services.model.errors import Absent, Refused, Unreachable, VersionNotOffered
from services.model.fence import Fence
from services.tally import NO_ANSWER, Tally
from services.traces import Traces, current_ids

USER_AGENT = "registry-bot"

_Request = PipelineRequest[HttpRequest]
_Response = PipelineResponse[HttpRequest, AsyncHttpResponse]
_Policy = AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]

_PORTS = {"http": 80, "https": 443}
_TARGET = "target"
_ERRORS = 400
_VERSION_REFUSED = frozenset({400, NOT_FOUND})


@dataclass
class Newest:
    """The newest answer of one call, for what is said about its shape; and whether the call `reads` alone."""

    reads: bool
    answer: _Response | None = None

    @property
    def correlation_id(self) -> str:
        """Empty where there is none."""
        headers = self.answer.http_response.headers if self.answer else {}
        return str(headers.get("x-ms-correlation-request-id") or "")

    @property
    def content(self) -> Any:
        """Its JSON, as the SDK has read it."""
        return self.answer.context.get(ContentDecodePolicy.CONTEXT_NAME) if self.answer else None


newest: ContextVar[Newest | None] = ContextVar("newest", default=None)


def _reads() -> bool:
    """Whether the request belongs to a call that only reads: some are POSTs (`checkNameAvailability`)."""
    call = newest.get()
    return call is not None and call.reads


_log = structlog.get_logger(__name__)


def transport(resource_manager: str, ca_file: str = "") -> tuple[AioHttpTransport, aiohttp.ClientSession]:
    """The transport that ARM's clients and the credential share, and the session under it, which the caller closes.

    `ca_file` adds to the system's certificate authorities; OpenSSL's `SSL_CERT_FILE` replaces them. Proxies are those
    of the environment.
    """
    context = ssl.create_default_context()
    if ca_file:
        context.load_verify_locations(ca_file)
    session = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=context, limit_per_host=16),
        cookie_jar=aiohttp.DummyCookieJar(),
        response_class=BoundedResponse,
        trust_env=not is_direct(resource_manager, os.environ),
    )
    return AioHttpTransport(session=session, session_owner=False), session


def pipeline(
    cloud: Cloud,
    logins: Logins,
    carrier: AioHttpTransport,
    quotas: Quotas,
    clock: AzureClock,
    *,
    writes: Writes,
    versions: tuple[Versions, Fetch],
    requests: Tally,
    traces: Traces,
    traceparent: bool,
    connect: float,
    fence: Fence,
) -> AsyncPipeline[HttpRequest, AsyncHttpResponse]:
    """The pipeline over `carrier`.

    `connect` is how many seconds a connection may take to open; `traceparent` whether Azure gets the trace's id.
    """
    policies: list[Any] = [
        RequestIdPolicy(),
        UserAgentPolicy(USER_AGENT, user_agent_overwrite=True),
        ContentDecodePolicy(),
        OnlyArm(cloud.resource_manager),
        ForTarget(),
        ApiVersion(*versions),
        Retries(Holds(_now), writes, connect=connect),
        Pace(quotas, clock),
        Authentication(logins, cloud.scope),
        Fenced(fence),
        *([Traceparent()] if traceparent else []),
        RequestLog(requests, traces),
    ]
    return AsyncPipeline(carrier, policies)


def same_host(url: str, base: str) -> bool:
    """Whether both have the same scheme, host and port; a URL that can't be read has none of them."""
    return _origin(url) == _origin(base)


def subscription_of(url: str) -> str:
    """The subscription in an ARM URL or id, in lower case; empty when there is none."""
    parts = urlsplit(url).path.split("/")
    lower = [part.lower() for part in parts]
    return lower[lower.index("subscriptions") + 1] if "subscriptions" in lower[:-1] else ""


class OnlyArm(_Policy):
    """Refuses every other host, so that no link in an answer can lead the bearer token away."""

    def __init__(self, resource_manager: str) -> None:
        self._resource_manager = resource_manager

    async def send(self, request: _Request) -> _Response:
        """Raises `Refused` without sending anything."""
        url = request.http_request.url
        if not same_host(url, self._resource_manager):
            raise Refused(SERVICE, urlsplit(url).netloc, code="ForeignHost", message="A link led away from ARM.")
        return await self.next.send(request)


class ApiVersion(_Policy):
    """Gives every request the api-version that `versions` chooses for its resource type.

    Requests to URLs that Azure gave (`as_given`) stay as they are: those of asynchronous operations are signed.
    """

    def __init__(self, versions: Versions, fetch: Fetch) -> None:
        self._versions = versions
        self._fetch = fetch

    async def send(self, request: _Request) -> _Response:
        """The answer. One that refuses the version and lists others is asked again with one of those, once.

        Raises `VersionNotOffered` where none of those is tested.
        """
        url = request.http_request.url
        kind = "" if request.context.options.pop("as_given", False) else resource_type(urlsplit(url).path)
        if not kind:
            return await self.next.send(request)
        subscription, options = subscription_of(url), dict(request.context.options)
        version = await self._versions.of(subscription, kind, self._fetch)
        request.http_request.url = with_version(url, version)
        response = await self.next.send(request)
        status = response.http_response.status_code
        refusal = sentence(await _text(response.http_response)) if status in _VERSION_REFUSED else None
        if refusal is None or meaning(refusal.code, status)[0] is not VersionNotOffered:
            return response
        offered = offered_versions(refusal.text)
        if not self._versions.correct(subscription, kind, version, offered):
            if offered and version not in offered:
                # Raises with the whole type, of which the refusal leaves out the provider; a pinned version stays.
                await self._versions.of(subscription, kind, self._fetch)
            return response
        request.context.options.update(options)
        request.http_request.url = with_version(url, await self._versions.of(subscription, kind, self._fetch))
        return await self.next.send(request)


class Fenced(_Policy):
    """Sends a request that writes only while this process may: checked at each try, since waits come before it."""

    def __init__(self, fence: Fence) -> None:
        self._fence = fence

    async def send(self, request: _Request) -> _Response:
        """Raises `DatabaseAway` without sending anything."""
        if request.http_request.method not in READING and not _reads():
            await self._fence.check()
        return await self.next.send(request)


def with_version(url: str, version: str) -> str:
    """The URL with this api-version, in the place of the one that it may have."""
    parts = urlsplit(url)
    parameters = [part for part in parts.query.split("&") if part and not part.lower().startswith("api-version=")]
    return urlunsplit(parts._replace(query="&".join([*parameters, f"api-version={version}"])))


class Retries(_Policy):
    """Sends again what may be sent again, within the deadline, as `retries` says; and nothing before Azure wants it."""

    def __init__(self, holds: Holds, writes: Writes, *, connect: float) -> None:
        self._holds = holds
        self._writes = writes
        self._connect = connect

    async def send(self, request: _Request) -> _Response:
        """The last try's answer, whatever it is. Raises what the last try raised, or `Throttled` without asking."""
        options = request.context.options
        deadline: float = options.pop("deadline")
        resendable: bool = options.pop("resend", request.http_request.method in IDEMPOTENT or _reads())
        call = _Call.of(request)
        tries = 0
        while True:
            await self._wait_for_turn(call, deadline)
            tries += 1
            answer = await self._try(request, deadline, halve=resendable)
            outcome = TryOutcome(None) if isinstance(answer, AzureError) else await self._outcome(call, answer)
            wait = pause(outcome, tries=tries, resendable=resendable, remaining=deadline - _now())
            if wait is None:
                if isinstance(answer, AzureError):
                    raise answer
                if outcome.unseen:
                    raise Unreachable(SERVICE, call.path, "NotYetVisible", "written a moment ago, and not yet known")
                return answer
            if not isinstance(answer, AzureError):
                # Nobody wants the body, but only an answer that was read to its end leaves its connection free.
                await _text(answer.http_response)
            await asyncio.sleep(wait)

    async def _wait_for_turn(self, call: "_Call", deadline: float) -> None:
        """Wait until this may be asked; raise when the caller would have given up by then."""
        wait = self._holds.remaining(call.kind, call.path, call.subscription)
        if wait and wait >= deadline - _now():
            raise throttled(call.path, "Waiting", "Azure asked for a pause that is not over.", wait=wait)
        await asyncio.sleep(wait)

    async def _outcome(self, call: "_Call", answer: _Response) -> TryOutcome:
        """How a try ended, remembered for the requests that follow."""
        response = answer.http_response
        status, pause_wanted = response.status_code, retry_after(response.headers)
        if status < _ERRORS:
            if call.method in {"PUT", "PATCH"}:
                self._writes.note(call.path)
            elif call.method == "DELETE":
                self._writes.forget(call.path)
            return TryOutcome(status)
        refusal = sentence(await _text(response)) if status in {NOT_FOUND, THROTTLED} else None
        code = refusal.code if refusal else ""
        if pause_wanted and (status == THROTTLED or status in PASSING):
            # A throttled subscription alone holds up more than this path: providers throttle by resource.
            by_subscription = code.casefold().startswith("subscription") and status == THROTTLED
            self._holds.hold(call.kind, call.subscription if by_subscription else call.path, pause_wanted)
        absent = status == NOT_FOUND and bool(code) and meaning(code, status)[0] is Absent
        no_parent = code.casefold() == "parentresourcenotfound"
        unseen = absent and self._writes.mentions(call.path, call.body, no_parent=no_parent)
        return TryOutcome(status, pause_wanted, unseen=unseen)

    async def _try(self, request: _Request, deadline: float, *, halve: bool) -> _Response | AzureError:
        """One try. Where another may follow, it gets half of the time that is left, so that a hung one isn't all."""
        remaining = max(deadline - _now(), 0.001)
        request.context.options["connection_timeout"] = min(self._connect, remaining)
        request.context.options["read_timeout"] = remaining
        try:
            async with asyncio.timeout(remaining / 2 if halve else remaining):
                return await self.next.send(request)
        except TimeoutError:
            return ServiceResponseTimeoutError("no answer in time")
        except (ServiceRequestError, ServiceResponseError) as error:
            return error


@dataclass(frozen=True)
class _Call:
    """What `Holds` and `Writes` need of a request."""

    method: str
    path: str
    subscription: str
    body: str

    @classmethod
    def of(cls, request: _Request) -> "_Call":
        http = request.http_request
        body = http.content if isinstance(getattr(http, "content", None), str) else ""
        return cls(http.method, urlsplit(http.url).path, f"/subscriptions/{subscription_of(http.url)}", str(body))

    @property
    def kind(self) -> str:
        return kind_of(self.method)


class Pace(_Policy):
    """Reads what is left of the request quotas from every answer, and slows down when it is little; the time too."""

    def __init__(self, quotas: Quotas, clock: AzureClock) -> None:
        self._quotas = quotas
        self._clock = clock

    async def send(self, request: _Request) -> _Response:
        """The answer, asked for a little later when the quota is low."""
        subscription = subscription_of(request.http_request.url)
        wait = self._quotas.pause(subscription, request.http_request.method)
        if wait:
            await asyncio.sleep(wait)
        response = await self.next.send(request)
        self._quotas.note(subscription, response.http_response.headers)
        self._clock.note(response.http_response.headers)
        return response


class ForTarget(_Policy):
    """Remembers which resource a request is about: the URL of an operation does not always say."""

    async def send(self, request: _Request) -> _Response:
        """The answer. The option `target` is an ARM id; without it the URL is what the request is about."""
        target = request.context.options.pop("target", None)
        request.context[_TARGET] = target or urlsplit(request.http_request.url).path
        return await self.next.send(request)


class Authentication(_Policy):
    """Gives each request the token of the identity that works at its target."""

    def __init__(self, logins: Logins, scope: str) -> None:
        self._logins = logins
        self._policies = {
            name: AsyncARMChallengeAuthenticationPolicy(credential, scope)
            for name, credential in logins.credentials.items()
        }

    async def send(self, request: _Request) -> _Response:
        """The answer, also to a challenge."""
        policy = self._policies[self._logins.name_at(request.context[_TARGET])]
        policy.next = self.next
        return await policy.send(request)


class Traceparent(_Policy):
    """Sends the id of the trace, so that Azure can report a request as a part of it."""

    async def send(self, request: _Request) -> _Response:
        """The answer."""
        if (ids := current_ids()) is not None:
            request.http_request.headers["traceparent"] = ids.traceparent
        return await self.next.send(request)


class RequestLog(_Policy):
    """One line and one span a request: never a query, a header or a body.

    `requests` counts them by method and status.
    """

    def __init__(self, requests: Tally, traces: Traces) -> None:
        self._requests = requests
        self._traces = traces

    async def send(self, request: _Request) -> _Response:
        """The answer; the line is written for an error too."""
        started, status, correlation = _now(), 0, ""
        try:
            response = await self.next.send(request)
            status = response.http_response.status_code
            correlation = response.http_response.headers.get("x-ms-correlation-request-id", "")
            if (call := newest.get()) is not None:
                call.answer = response
            return response
        finally:
            method, seconds = request.http_request.method, _now() - started
            address = urlsplit(request.http_request.url)
            self._requests.note(method, str(status or NO_ANSWER), seconds=seconds)
            self._traces.call(
                f"{method} {resource_type(address.path)}".strip(),
                seconds=seconds,
                failed=not 0 < status < _ERRORS,
                attributes={
                    "http.request.method": method,
                    "http.response.status_code": status,
                    "server.address": address.hostname or "",
                    "url.path": address.path,
                    "azure.correlation_id": correlation,
                },
            )
            _log.debug(
                "arm.request",
                method=method,
                path=address.path,
                status=status,
                milliseconds=round(seconds * 1000),
                correlation_id=correlation,
            )


async def _text(response: Any) -> str:
    """An answer's body; empty when it did not come whole.

    The older of the two clients never streams: its answers are read already, and of another class.
    """
    try:
        if isinstance(response, AsyncHttpResponse):
            await response.read()
        return str(response.text())
    except (AzureError, ValueError):
        return ""


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", "", -1
    return parts.scheme, (parts.hostname or "").lower(), port


def _now() -> float:
    return asyncio.get_running_loop().time()
