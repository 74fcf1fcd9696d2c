"""One identity's way to ARM: the SDK's clients, made when first needed and kept, and plain requests beside them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import structlog
from azure.core import AsyncPipelineClient
from azure.core.exceptions import AzureError
from azure.core.pipeline import AsyncPipeline
from azure.core.polling import AsyncLROPoller
from azure.core.rest import AsyncHttpResponse, HttpRequest
from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient
from azure.mgmt.kubernetesconfiguration.v2023_05_01.aio import SourceControlConfigurationClient

from services.gateways.azure.clouds import Cloud
from services.gateways.azure.identity import OWN, Logins
from services.gateways.azure.pipeline import Newest, newest, same_host
from services.gateways.azure.recent import SignedUrls, Writes
from services.gateways.azure.translation import SERVICE, from_answer, from_sdk, unreadable
from services.gateways.azure.versions import Versions
from services.model.errors import Unreachable

PROVIDERS_API_VERSION = "2021-04-01"
_REDIRECTS = 300
MAX_PAGES, MAX_ITEMS = 500, 50_000
"""Of one list. ACR's own limits are 50 connected registries and 20,000 tokens in a registry."""
_log = structlog.get_logger("azure")
T = TypeVar("T")


@dataclass(frozen=True)
class Deadlines:
    """Seconds until a call is given up: one that reads, one that writes, and the opening of a connection."""

    read: float = 20
    write: float = 60
    connect: float = 5


class Arm:
    """Gives out clients, and deadlines with translated errors."""

    def __init__(
        self,
        cloud: Cloud,
        logins: Logins,
        pipeline: AsyncPipeline[HttpRequest, AsyncHttpResponse],
        deadlines: Deadlines,
        *,
        writes: Writes,
        versions: Versions,
    ) -> None:
        self._cloud, self._pipeline = cloud, pipeline
        # The clients want a credential, but the pipeline authenticates each request.
        self._credential = logins.credentials[OWN]
        self._deadlines = deadlines
        self.writes, self.versions = writes, versions
        self.signed = SignedUrls()
        self._plain: AsyncPipelineClient[HttpRequest, AsyncHttpResponse] = AsyncPipelineClient(
            cloud.resource_manager, pipeline=pipeline
        )
        self._registries: dict[str, ContainerRegistryManagementClient] = {}
        self._extensions: dict[str, SourceControlConfigurationClient] = {}

    def registries(self, subscription: str) -> ContainerRegistryManagementClient:
        """The client of Microsoft.ContainerRegistry."""
        if subscription not in self._registries:
            self._registries[subscription] = ContainerRegistryManagementClient(
                self._credential,
                subscription,
                self._cloud.resource_manager,
                credential_scopes=[self._cloud.scope],
                pipeline=self._pipeline,
            )
        return self._registries[subscription]

    def extensions(self, subscription: str) -> SourceControlConfigurationClient:
        """The client of Microsoft.KubernetesConfiguration."""
        if subscription not in self._extensions:
            self._extensions[subscription] = SourceControlConfigurationClient(
                self._credential,
                subscription,
                self._cloud.resource_manager,
                credential_scopes=[self._cloud.scope],
                pipeline=self._pipeline,
            )
        return self._extensions[subscription]

    @asynccontextmanager
    async def reading(self, target: str) -> AsyncIterator[float]:
        """The deadline for calls that read `target`, an ARM id; raises only errors of ours.

        They are sent again after a lost reply whatever their method is: ARM answers some questions to a POST alone.
        """
        async with _asking(target, self._deadlines.read, reads=True) as deadline:
            yield deadline

    @asynccontextmanager
    async def writing(self, target: str) -> AsyncIterator[float]:
        """The deadline for calls that change `target`; raises only errors of ours."""
        async with _asking(target, self._deadlines.write, reads=False) as deadline:
            yield deadline

    def url(self, path: str, version: str = "") -> str:
        """The URL of a path at ARM. Without a `version` the pipeline adds the one that the cloud offers."""
        return f"{self._cloud.resource_manager}{path}" + (f"?api-version={version}" if version else "")

    async def provider(self, subscription: str, namespace: str) -> Any:
        """The document of a subscription's resource provider, of whatever shape."""
        target = f"/subscriptions/{subscription}/providers/{namespace}"
        async with self.reading(target) as deadline:
            url = self.url(target, PROVIDERS_API_VERSION)
            return (await self.send("GET", url, target=target, deadline=deadline, as_given=True)).json()

    def is_ours(self, url: str) -> bool:
        """Whether a URL is ARM's, so that the token may go there."""
        return same_host(url, self._cloud.resource_manager)

    async def send(
        self,
        method: str,
        url: str,
        *,
        target: str,
        deadline: float,
        body: Mapping[str, Any] | None = None,
        **options: Any,
    ) -> AsyncHttpResponse:
        """A plain request. Raises our error for an answer that is not a success."""
        request = HttpRequest(method, url, json=body) if body is not None else HttpRequest(method, url)
        response = await self._plain.send_request(request, deadline=deadline, target=target, **options)
        if response.status_code >= _REDIRECTS:
            raise from_answer(response.status_code, response.headers, response.text(), target)
        return response

    async def object(self, url: str, *, target: str, deadline: float, **options: Any) -> dict[str, Any]:
        """The JSON object that a GET answers with. Raises `Unreadable` for anything else."""
        response = await self.send("GET", url, target=target, deadline=deadline, **options)
        body = json_object(response)
        if body is None:
            raise unreadable(target, response.headers.get("x-ms-correlation-request-id", ""))
        return body

    async def entries(self, target: str, version: str = "", *, deadline: float) -> list[dict[str, Any]]:
        """The JSON objects of a list, of all its pages. Raises `Unreadable` as `items` does."""
        entries: list[dict[str, Any]] = []
        url, links = self.url(target, version), set[str]()
        while url:
            links.add(url)
            as_given = bool(version) or len(links) > 1
            body = await self.object(url, target=target, deadline=deadline, as_given=as_given)
            page = body.get("value")
            if not isinstance(page, list):
                call = newest.get()
                raise unreadable(target, call.correlation_id if call else "")
            entries += page
            url = str(body.get("nextLink") or "")
            if url in links or len(links) > MAX_PAGES or len(entries) > MAX_ITEMS:
                raise unreadable(target)
        return entries


def json_object(response: AsyncHttpResponse) -> dict[str, Any] | None:
    """An answer's body as an object; None when it is none."""
    try:
        body = json.loads(response.text())
    except (ValueError, RecursionError):
        return None
    return body if isinstance(body, dict) else None


async def initial_answer(poller: AsyncLROPoller[Any]) -> AsyncHttpResponse:
    """The first answer of a `begin_…` that was called with `**UNPOLLED`."""
    answer = await poller.result()
    response: AsyncHttpResponse = answer.http_response
    return response


async def items(paged: Any, target: str) -> list[Any]:
    """All items of a list. Raises `Unreadable` for a list without an end, or whose pages lead back to each other."""
    entries: list[Any] = []
    links: set[str] = set()
    pages: Any = paged.by_page()
    async for page in pages:
        entries += [item async for item in page]
        # The SDK takes an answer without a list for an empty one.
        call = newest.get()
        content = call.content if call else None
        if not isinstance(content, dict) or not isinstance(content.get("value"), list):
            raise unreadable(target, call.correlation_id if call else "")
        link = str(pages.continuation_token or "")
        if link in links or len(links) >= MAX_PAGES or len(entries) > MAX_ITEMS:
            raise unreadable(target)
        links.add(link)
    return entries


UNPOLLED: dict[str, Any] = {"polling": False, "cls": lambda answer, _body, _headers: answer}
"""Options of a `begin_…` that only sends the request: the SDK's poller waits half a minute, then reads once more."""


@asynccontextmanager
async def _asking(target: str, seconds: float, *, reads: bool) -> AsyncIterator[float]:
    """The border: what comes out of it is an answer of ours or an error of ours."""
    deadline = asyncio.get_running_loop().time() + seconds
    call = Newest(reads)
    token = newest.set(call)
    # `from None`: what the SDK raised may quote a signed URL or a body.
    try:
        async with asyncio.timeout_at(deadline):
            yield deadline
    except TimeoutError:
        raise Unreachable(SERVICE, target, code="DeadlineExceeded", message=f"no answer in {seconds:g} s") from None
    except AzureError as error:
        raise from_sdk(error, target, call.correlation_id) from None
    except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        # The SDK's models take any JSON and fail where it is used. The answer's shape is not one of Azure's.
        _log.warning("answer_unreadable", target=target, error=type(error).__name__, correlation_id=call.correlation_id)
        raise unreadable(target, call.correlation_id) from None
    finally:
        newest.reset(token)
