"""What connected registries of one cluster serve to clients: tokens, repositories, tags and manifests, over HTTPS.

Nothing outside the sandbox routes to a Service address, so Pods whose programs really run reach it by a proxy (HTTP
CONNECT) that knows these addresses alone. Paths and answers are those of Microsoft's page on listing the repositories
and tags of a connected registry (Azure/acr: quickstart-view-connected-registry-repos-and-tags) and of the OCI
distribution specification.
"""

import asyncio
import json
import re
import secrets
import tempfile
from collections.abc import Callable, Mapping
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from urllib.parse import quote

from aiohttp import BasicAuth, web

from sandbox.edge.runtime import Runtime
from sandbox.tls import Authority

LOOPBACK = "127.0.0.1"
PAGE = 100
HEADER_LIMIT = 8192
TARGET = re.compile(rb"CONNECT \[?([0-9A-Fa-f.:]+?)\]?:443 HTTP/1\.[01]\r\n")
ROUTE = re.compile(
    r"/v2/(?P<catalog>_catalog)|/v2/(?P<tags>.+)/tags/list|/v2/(?P<repository>.+)/manifests/(?P<reference>[^/]+)"
)
Actions = frozenset[str]


class Content:
    """Serves the clients of one cluster's runtimes from its first use until it is closed."""

    def __init__(self, runtimes: Callable[[], Mapping[str, Runtime]]) -> None:
        self._runtimes = runtimes
        self._tokens: dict[str, tuple[str, Actions]] = {}
        """By access token: for which address it is, and which actions it carries."""
        self._stack: AsyncExitStack | None = None
        self._port = 0
        self._proxy = ""

    async def proxy(self) -> str:
        """The address of the proxy through which programs reach the runtimes."""
        if self._stack is None:
            self._stack = AsyncExitStack()
            folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-edge-")))
            app = web.Application()
            app.router.add_route("*", "/{path:.*}", self._serve)
            runner = web.AppRunner(app, access_log=None)
            self._stack.push_async_callback(runner.cleanup)
            await runner.setup()
            await web.TCPSite(runner, LOOPBACK, 0, ssl_context=Authority(folder).server_context()).start()
            self._port = runner.addresses[0][1]
            server = await asyncio.start_server(self._tunnel, LOOPBACK, 0, limit=HEADER_LIMIT)
            self._stack.callback(server.close)
            self._proxy = f"http://{LOOPBACK}:{server.sockets[0].getsockname()[1]}"
        return self._proxy

    async def close(self) -> None:
        """Close both servers, if they were ever needed."""
        if self._stack is not None:
            await self._stack.aclose()
            self._stack = None

    def _runtime(self, address: str) -> Runtime | None:
        runtimes = self._runtimes().values()
        return next((one for one in runtimes if one.place.address == address and one.health == "ready"), None)

    async def _tunnel(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Connect a client to the server of the runtimes, if one of them has the address that it names."""
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            target = TARGET.match(await reader.readuntil(b"\r\n\r\n"))
            runtime = self._runtime(target[1].decode()) if target else None
            if runtime is None or not runtime.place.tls:
                writer.write(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            else:
                server_reader, server_writer = await asyncio.open_connection(LOOPBACK, self._port)
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
                await asyncio.gather(_copy(reader, server_writer), _copy(server_reader, writer))
        writer.close()

    async def _serve(self, request: web.Request) -> web.Response:
        address = request.host.removesuffix(":443").strip("[]")
        runtime = self._runtime(address)
        if runtime is None or request.method not in {"GET", "HEAD"}:
            return _error(405 if runtime else 404, "UNSUPPORTED", "The operation is unsupported.")
        if request.path in {"/oauth2/token", "/acr/oauth2/token"}:
            return await self._token(request, runtime)
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        holder, actions = self._tokens.get(token if scheme.lower() == "bearer" else "", ("", frozenset[str]()))
        return _read(request, runtime, actions) if holder == address else _unauthorized(request)

    async def _token(self, request: web.Request, runtime: Runtime) -> web.Response:
        try:
            credentials = BasicAuth.decode(request.headers.get("Authorization", ""))
        except ValueError:
            return _unauthorized(request)
        actions = await runtime.actions(credentials.login, credentials.password)
        if actions is None:
            return _unauthorized(request)
        token = secrets.token_urlsafe()
        self._tokens[token] = runtime.place.address, _within(actions, request.query.getall("scope", []))
        return web.json_response({"access_token": token})


def _read(request: web.Request, runtime: Runtime, actions: Actions) -> web.Response:
    """What an access token with these actions may read."""
    match = ROUTE.fullmatch(request.path)
    if match is None:
        return web.json_response({}) if request.path == "/v2/" else _error(404, "NOT_FOUND", "")
    if match["catalog"]:
        return _page(request, "repositories", [name for name in runtime.content if _may(actions, name, "metadata")])
    name = match["tags"] or match["repository"]
    if not _may(actions, name, "content") and not (match["tags"] and _may(actions, name, "metadata")):
        return _unauthorized(request)
    if name not in runtime.content:
        return _error(404, "NAME_UNKNOWN", "repository name not known to registry")
    if match["tags"]:
        return _page(request, "tags", list(runtime.content[name]), name=name)
    return _manifest(runtime, name, match["reference"])


def _within(actions: Actions, scopes: list[str]) -> Actions:
    """What of a client token's actions an access token of these scopes carries."""
    kinds = [scope.split(":") for scope in scopes if scope.count(":") == 2]  # noqa: PLR2004 - kind, name, verbs
    if any(kind == "registry" for kind, _, _ in kinds):
        return frozenset(action for action in actions if action.endswith("/metadata/read"))
    names = {name.lower() for kind, name, _ in kinds if kind == "repository"}
    return frozenset(action for action in actions if action.split("/", 1)[-1].rsplit("/", 2)[0] in names)


def _may(actions: Actions, repository: str, kind: str) -> bool:
    return f"repositories/{repository}/{kind}/read".lower() in actions


def _manifest(runtime: Runtime, repository: str, reference: str) -> web.Response:
    digest = reference if reference.startswith("sha256:") else runtime.content[repository].get(reference, "")
    content = runtime.manifest(repository, digest)
    if content is None:
        return _error(404, "MANIFEST_UNKNOWN", f"manifest tagged by {reference!r} is not found")
    kind = json.loads(content).get("mediaType", "application/vnd.oci.image.manifest.v1+json")
    return web.Response(body=content, headers={"Content-Type": kind, "Docker-Content-Digest": digest})


def _page(request: web.Request, key: str, names: list[str], **fields: str) -> web.Response:
    """Names after `last`, and a link to the next ones (OCI distribution specification: listing tags)."""
    size = int(text) if (text := request.query.get("n", "")).isdigit() else PAGE
    following = sorted(name for name in names if name > request.query.get("last", ""))
    page = following[:size]
    link = f'<{request.path}?last={quote(page[-1], safe="")}&n={size}>; rel="next"' if page != following else ""
    return web.json_response({**fields, key: page}, headers={"Link": link} if link else {})


def _unauthorized(request: web.Request) -> web.Response:
    response = _error(401, "UNAUTHORIZED", "authentication required")
    realm = f"https://{request.host}/oauth2/token"
    response.headers["WWW-Authenticate"] = f'Bearer realm="{realm}",service="{request.host}"'
    return response


def _error(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"errors": [{"code": code, "message": message}]}, status=status)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One direction of a tunnel, until its end."""
    with suppress(OSError):
        while chunk := await reader.read(HEADER_LIMIT):
            writer.write(chunk)
            await writer.drain()
    writer.close()
