"""Requests to one API server: each exercises a right, has a deadline, and takes one of a few slots."""

import asyncio
from collections.abc import Mapping
from contextlib import AbstractContextManager

from kubernetes.aio.client import ApiClient

from services.gateways.answers import at_most
from services.gateways.kubernetes.objects import Object
from services.gateways.kubernetes.rights import Right
from services.gateways.kubernetes.translation import (
    SERVICE,
    Response,
    arc_reason,
    connecting,
    kubernetes_object,
    refusal,
)
from services.model.errors import NotAuthenticated, Refused, Unreachable, Unreadable
from services.model.fence import Fence
from services.ports import Route
from services.tally import NO_ANSWER, Tally
from services.traces import Traces

_METHODS = {"get": "GET", "list": "GET", "create": "POST", "patch": "PATCH", "delete": "DELETE"}
MAX_PAGES, MAX_OBJECTS = 1_000, 200_000
"""Of one list."""
MAX_TEXT, MAX_LIST = 256 * 2**10, 64 * 2**20
"""Bytes of a text where nothing else is said, and of a list in one piece."""
_TOKEN_EXPIRED = frozenset({"Expired", "Gone"})
"""Reasons of a 410: a continue token lives a few minutes at most."""


class Api:
    """One cluster's API server by the official client. Objects stay plain dicts, as the API server sends them."""

    def __init__(
        self,
        client: ApiClient,
        cluster: str,
        *,
        deadline: float,
        at_once: int,
        page: int,
        fence: Fence,
        requests: Tally,
        traces: Traces,
        route: Route = "direct",
    ) -> None:
        self._client = client
        self._requests = requests
        self._traces = traces
        self._route = route
        self.name = self._cluster = cluster
        self.accepted = True
        """Whether the credentials were accepted when they were last used."""
        self.reached = True
        """Whether the newest request got an answer from the cluster."""
        self._deadline = deadline
        self._fence = fence
        self._page = page
        self._slots = asyncio.Semaphore(at_once)
        self._under_way = 0

    @property
    def busy(self) -> bool:
        """Whether a request is under way."""
        return self._under_way > 0

    async def ask(
        self, right: Right, name: str = "", *, query: Mapping[str, str] | None = None, body: Object | None = None
    ) -> Object:
        """Exercise a right, and return the object in the answer.

        Raises what `translation` makes of a refusal, or `Unreadable` for what is no Kubernetes object.
        """
        answer = await self._answer(right, name, query, body)
        return kubernetes_object(answer, f"{self._cluster}: {right}")

    async def text(self, right: Right, name: str, query: Mapping[str, str], *, limit: int = MAX_TEXT) -> str:
        """The same for answers that are plain text, of at most so many bytes."""
        with at_most(limit):
            answer = await self._answer(right, name, query, None)
        return answer.body.decode("utf-8", "replace")

    async def everything(self, right: Right, query: Mapping[str, str] | None = None) -> list[Object]:
        """All objects of a list, page by page; in one piece when the server's place in it expires between two pages."""
        try:
            return await self._paged(right, query or {})
        except Refused as error:
            if error.code not in _TOKEN_EXPIRED:
                raise
        with at_most(MAX_LIST):
            answer = await self.ask(right, query=query)
        return list(answer.get("items") or ())

    def waiting(self, subject: str) -> AbstractContextManager[None]:
        """Around a wait with a time limit of its own: running out of time becomes `Unreachable`."""
        return connecting(f"{self._cluster}: {subject}")

    async def version(self) -> str:
        """Of the API server; anybody may ask."""
        answer = await self._exchange("GET", "/version", {}, None, "get /version")
        version = answer.json.get("gitVersion")
        if not isinstance(version, str):
            raise Unreadable(SERVICE, f"{self._cluster}: get /version", "NotKubernetes", "the answer has no version")
        return version

    async def _paged(self, right: Right, query: Mapping[str, str]) -> list[Object]:
        objects: list[Object] = []
        token, tokens = "", set[str]()
        while True:
            page = {"limit": str(self._page)} | ({"continue": token} if token else {})
            answer = await self.ask(right, query={**query, **page})
            objects += answer.get("items") or ()
            token = str((answer.get("metadata") or {}).get("continue") or "")
            if not token:
                return objects
            if token in tokens or len(tokens) >= MAX_PAGES or len(objects) > MAX_OBJECTS:
                raise Unreadable(SERVICE, f"{self._cluster}: {right}", "EndlessList", "a list without an end")
            tokens.add(token)

    async def _answer(self, right: Right, name: str, query: Mapping[str, str] | None, body: Object | None) -> Response:
        return await self._exchange(_METHODS[right.verb], right.path(name), query or {}, body, str(right))

    async def _exchange(
        self, method: str, path: str, query: Mapping[str, str], body: Object | None, action: str
    ) -> Response:
        target = f"{self._cluster}: {action}"
        started, status = asyncio.get_running_loop().time(), NO_ANSWER
        self._under_way += 1
        try:
            with connecting(target):
                async with asyncio.timeout(self._deadline), self._slots:
                    answer = await self._send(method, path, query, body)
            status = str(answer.status)
            self.accepted = answer.status != 401  # noqa: PLR2004 - Unauthorized
            if answer.status >= 300:  # noqa: PLR2004 - redirects are no answers either
                raise refusal(answer, target, action)
        except (Unreachable, NotAuthenticated) as error:
            self.reached = not isinstance(error, Unreachable)
            if self._route == "arc":
                error.reason = arc_reason(error)
            raise
        finally:
            self._under_way -= 1
            seconds = asyncio.get_running_loop().time() - started
            self._requests.note(self._cluster, status, seconds=seconds)
            self._traces.call(
                action,
                seconds=seconds,
                failed=not status.startswith("2"),
                attributes={
                    "http.request.method": method,
                    "http.response.status_code": int(status) if status != NO_ANSWER else 0,
                    "k8s.cluster.name": self._cluster,
                    "url.path": path,
                },
            )
        self.reached = True
        return answer

    async def _send(self, method: str, path: str, query: Mapping[str, str], body: Object | None) -> Response:
        """The client's own lower half: its upper half builds typed models, slow for thousands of addresses."""
        content = "application/merge-patch+json" if method == "PATCH" else "application/json"
        request = await self._client.param_serialize(
            method=method,
            resource_path=path,
            query_params=list(query.items()),
            header_params={"Accept": "application/json, */*", "Content-Type": content},
            body=body,
            auth_settings=["BearerToken"],
        )
        if method != "GET":
            await self._fence.check()
        response = await self._client.call_api(*request)
        text: bytes = await response.read()  # type: ignore[no-untyped-call]  # the library has no types here
        return Response(response.status, text, response.headers)
