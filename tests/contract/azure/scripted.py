"""An ARM that answers by a script: for what a well-behaved service does seldom or never."""

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.tls import Authority

TENANT = "11111111-1111-4111-8111-111111111111"
TOKEN = "an-access-token-that-nobody-should-see"


@dataclass(frozen=True)
class Answer:
    """What is said to one request; `{base}` in a header becomes the server's address. `drop` closes the connection.

    A `silent` one is never said.
    """

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)
    drop: bool = False
    silent: bool = False
    raw: bytes | None = None
    """A body that is no JSON."""


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str

    @property
    def line(self) -> str:
        return f"{self.method} {self.path}"


class ScriptedArm:
    """Serves the token endpoint and, for everything else, the answers in their order; the last one stays."""

    def __init__(self, folder: Path) -> None:
        self._authority = Authority(folder)
        self.ca_file = str(self._authority.ca_file)
        self.url = ""
        self.requests: list[Request] = []
        self.asked = asyncio.Event()
        """Set by the first request."""
        self._stopped = asyncio.Event()
        self.logins: list[str] = []
        self.documents: list[str] = []
        """Providers whose documents were read; not among `requests`."""
        self.document = Answer(404, error("InvalidResourceNamespace", "None here."))
        """What is said about every provider; by default nothing."""
        self.login_answer = Answer(body={"token_type": "Bearer", "expires_in": 3600, "access_token": TOKEN})
        self._answers: deque[Answer] = deque()
        self._runner: web.AppRunner | None = None

    async def start(self) -> None:
        app = web.Application()
        app.router.add_post("/{tenant}/oauth2/v2.0/token", self._login)
        app.router.add_get("/subscriptions/{subscription}/providers/{namespace}", self._provider)
        app.router.add_route("*", "/{path:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=self._authority.server_context())
        await site.start()
        self.url = f"https://127.0.0.1:{self._runner.addresses[0][1]}"

    async def stop(self) -> None:
        self._stopped.set()
        if self._runner:
            await self._runner.cleanup()

    def will_say(self, *answers: Answer) -> None:
        self._answers = deque(answers)

    @property
    def lines(self) -> list[str]:
        return [request.line for request in self.requests]

    async def _login(self, request: web.Request) -> web.Response:
        self.logins.append(await request.text())
        return web.json_response(self.login_answer.body, status=self.login_answer.status)

    async def _provider(self, request: web.Request) -> web.Response:
        self.documents.append(request.match_info["namespace"])
        return web.json_response(self.document.body, status=self.document.status)

    async def _serve(self, request: web.Request) -> web.Response:
        body = await request.text()
        self.requests.append(Request(request.method, request.path, dict(request.query), dict(request.headers), body))
        self.asked.set()
        answer = self._answers.popleft() if len(self._answers) > 1 else self._answers[0]
        if answer.silent:
            await self._stopped.wait()
        if answer.drop:
            assert request.transport is not None
            request.transport.abort()
        headers = {name: value.format(base=self.url) for name, value in answer.headers.items()}
        if answer.raw is not None:
            return web.Response(status=answer.status, headers=headers, body=answer.raw)
        if answer.body is None:
            return web.Response(status=answer.status, headers=headers)
        return web.json_response(answer.body, status=answer.status, headers=headers)


def offers(**types: list[str]) -> Answer:
    """A document of Microsoft.ContainerRegistry that lists these versions for types below `registries`."""
    listed = [{"resourceType": f"registries/{name}", "apiVersions": versions} for name, versions in types.items()]
    return Answer(body={"namespace": "Microsoft.ContainerRegistry", "resourceTypes": listed})


def error(code: str, message: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": message}}


def registry(**properties: Any) -> dict[str, Any]:
    return {
        "id": "/subscriptions/s/resourceGroups/rg/providers/Microsoft.ContainerRegistry/registries/contosoacr",
        "name": "contosoacr",
        "location": "westeurope",
        "sku": {"name": "PREMIUM"},
        "properties": {"loginServer": "contosoacr.azurecr.io", "provisioningState": "SUCCEEDED"} | properties,
    }


def after(seconds: float) -> dict[str, str]:
    return {"Retry-After": str(seconds)}
