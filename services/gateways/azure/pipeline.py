"""The one HTTP pipeline to ARM: what every request goes through, from the client's request id to aiohttp's session.

Left out on purpose, of what the SDK would put in: automatic registration of providers (registering is a visible step of
ours, and the SDK waits for it without end), redirects, and the logging of URLs (those of asynchronous operations are
signed).

Calls give two options along: `deadline`, always, the loop's time at which the caller stops waiting, and `resend`, with
which a POST may be sent again after an error.
"""

import asyncio
import ssl
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

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

from services.gateways.azure.clock import AzureClock
from services.gateways.azure.clouds import Cloud
from services.gateways.azure.identity import Credential
from services.gateways.azure.quotas import Quotas
from services.gateways.azure.retries import IDEMPOTENT, Outcome, pause, retry_after
from services.gateways.azure.translation import SERVICE
from services.model.errors import Refused

USER_AGENT = "registry-bot"

_Request = PipelineRequest[HttpRequest]
_Response = PipelineResponse[HttpRequest, AsyncHttpResponse]
_Policy = AsyncHTTPPolicy[HttpRequest, AsyncHttpResponse]

_PORTS = {"http": 80, "https": 443}

_log = structlog.get_logger(__name__)


def transport(ca_file: str = "") -> tuple[AioHttpTransport, aiohttp.ClientSession]:
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
        auto_decompress=False,
        trust_env=True,
    )
    return AioHttpTransport(session=session, session_owner=False), session


def pipeline(
    cloud: Cloud,
    credential: Credential,
    carrier: AioHttpTransport,
    quotas: Quotas,
    clock: AzureClock,
    *,
    connect: float,
) -> AsyncPipeline[HttpRequest, AsyncHttpResponse]:
    """The pipeline over `carrier`. `connect` is how many seconds a connection may take to open."""
    policies: list[Any] = [
        RequestIdPolicy(),
        UserAgentPolicy(USER_AGENT, user_agent_overwrite=True),
        ContentDecodePolicy(),
        OnlyArm(cloud.resource_manager),
        Retries(connect=connect),
        Pace(quotas, clock),
        AsyncARMChallengeAuthenticationPolicy(credential, cloud.scope),
        RequestLog(),
    ]
    return AsyncPipeline(carrier, policies)


def same_host(url: str, other: str) -> bool:
    """Whether both have the same scheme, host and port; a URL that can't be read has none of them."""
    return _origin(url) == _origin(other)


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


class Retries(_Policy):
    """Sends again what may be sent again, within the deadline, as `retries` says."""

    def __init__(self, *, connect: float) -> None:
        self._connect = connect

    async def send(self, request: _Request) -> _Response:
        """The last try's answer, whatever it is; raises what the last try raised."""
        options = request.context.options
        deadline: float = options.pop("deadline")
        resendable: bool = options.pop("resend", request.http_request.method in IDEMPOTENT)
        tries = 0
        while True:
            tries += 1
            answer = await self._try(request, deadline, halve=resendable)
            outcome = Outcome(None) if isinstance(answer, AzureError) else _outcome(answer)
            wait = pause(outcome, tries=tries, resendable=resendable, remaining=deadline - _now())
            if wait is None:
                if isinstance(answer, AzureError):
                    raise answer
                return answer
            if not isinstance(answer, AzureError):
                await _finish(answer.http_response)
            await asyncio.sleep(wait)

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


class RequestLog(_Policy):
    """One line a request: never a query, a header or a body."""

    async def send(self, request: _Request) -> _Response:
        """The answer; the line is written for an error too."""
        started, status, correlation = _now(), 0, ""
        try:
            response = await self.next.send(request)
            status = response.http_response.status_code
            correlation = response.http_response.headers.get("x-ms-correlation-request-id", "")
            return response
        finally:
            _log.debug(
                "arm.request",
                method=request.http_request.method,
                path=urlsplit(request.http_request.url).path,
                status=status,
                milliseconds=round((_now() - started) * 1000),
                correlation_id=correlation,
            )


async def _finish(response: object) -> None:
    """Read what is left of an answer that nobody wants, so that its connection serves again.

    The older of the two clients never streams: its answers are read already, and of another class.
    """
    if isinstance(response, AsyncHttpResponse):
        with suppress(AzureError):
            await response.read()


def _outcome(answer: _Response) -> Outcome:
    response = answer.http_response
    return Outcome(response.status_code, retry_after(response.headers))


def _origin(url: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return "", "", -1
    return parts.scheme, (parts.hostname or "").lower(), port


def _now() -> float:
    return asyncio.get_running_loop().time()
