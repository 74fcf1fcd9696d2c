"""The edge's client of Azure: the Arc agents' protocol, the connected registries' gateway, and manifests."""

import base64
import hashlib
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from sandbox.edge.connection import Connection

Json = dict[str, Any]
WAIT = 20
"""Seconds for which the service may hold a request for extensions while nothing changes."""
DEADLINE = aiohttp.ClientTimeout(total=WAIT + 15)
MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, "
    "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json"
)


class UnreachableError(ConnectionError):
    """Azure can't be reached from this edge."""


@dataclass(eq=False)
class DeniedError(Exception):
    """Azure answered with an error status."""

    status: int
    code: str
    message: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.status} {self.code}: {self.message}"


@dataclass(frozen=True)
class Extension:
    """An extension that Azure requests for a cluster."""

    name: str
    type: str
    generation: int
    namespace: str = "connected-registry"
    version: str | None = None
    train: str = "Stable"
    settings: dict[str, str] = field(default_factory=dict)
    protected: dict[str, str] = field(default_factory=dict, repr=False)
    deleting: bool = False


@dataclass(frozen=True)
class Wanted:
    """All extensions of a cluster as of a revision; without a revision the service doesn't hold requests."""

    extensions: tuple[Extension, ...] = ()
    revision: str | None = None


class Cloud:
    """Azure as seen from one edge; `link` False makes everything unreachable."""

    def __init__(self, url: str, ca_file: Path | None, key: str) -> None:
        self._url, self._ca_file, self._key = url.rstrip("/"), ca_file, key
        self._session: aiohttp.ClientSession | None = None
        self.link = True

    async def open(self) -> None:
        """Open the connection pool."""
        context = ssl.create_default_context(cafile=self._ca_file) if self._url.startswith("https") else True
        connector = aiohttp.TCPConnector(ssl=context)
        self._session = aiohttp.ClientSession(connector=connector, timeout=DEADLINE)

    async def close(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()

    async def clusters(self) -> list[Json]:
        """The connected clusters: `id` in ARM, `name`, and `kube`, the cluster's own name."""
        answer = await self._agent("GET", "/agent/clusters")
        return list(answer["clusters"])

    async def extensions(self, cluster: str, *, after: str | None = None) -> Wanted:
        """The requested extensions; with `after` the service may hold the answer until there is a newer revision."""
        query = f"?cluster={quote(cluster, safe='')}" + (f"&after={quote(after)}&wait={WAIT}" if after else "")
        answer = await self._agent("GET", f"/agent/extensions{query}")
        revision = answer.get("revision")
        return Wanted(
            tuple(_extension(item) for item in answer["extensions"]), None if revision is None else str(revision)
        )

    async def heartbeat(self, cluster: str, *, version: str, nodes: int, agents: str) -> None:
        """Send a heartbeat of the cluster."""
        body = {"cluster": cluster, "kubernetesVersion": version, "totalNodeCount": nodes, "agentVersion": agents}
        await self._agent("POST", "/agent/heartbeat", body)

    async def report(self, cluster: str, extension: Extension, state: str, **more: Any) -> None:
        """Report the state of an extension: Installing, Succeeded, Failed or Deleted."""
        body = {"cluster": cluster, "name": extension.name, "generation": extension.generation, "state": state}
        await self._agent("POST", "/agent/extension-status", {**body, **more})

    async def gateway(self, connection: Connection, verb: str, body: Json) -> Json:
        """Call the gateway as a connected registry: activate, contact or goodbye."""
        headers = {"Host": connection.gateway, "Authorization": _basic(connection.token, connection.password)}
        path = f"/connectedregistry/{quote(connection.name, safe='')}/{verb}"
        status, text, _ = await self._send("POST", path, headers, body)
        return _checked(status, text)

    async def tags(self, connection: Connection, repository: str) -> list[str] | None:
        """The tags of a repository in the cloud, None when it doesn't exist there."""
        try:
            answer = await self._images(connection, f"/v2/{quote(repository)}/tags/list")
        except DeniedError as error:
            if error.status == 404:  # noqa: PLR2004
                return None
            raise
        return list(answer[0].get("tags") or [])

    async def manifest(self, connection: Connection, repository: str, reference: str) -> tuple[bytes, str]:
        """A manifest as it is, and its digest, computed from the content."""
        _, content = await self._images(connection, f"/v2/{quote(repository)}/manifests/{quote(reference)}")
        return content, "sha256:" + hashlib.sha256(content).hexdigest()

    async def may_pull(self, connection: Connection, user: str, password: str) -> bool:
        """Whether the cloud registry accepts these credentials of a client token.

        The real runtime checks them by what messages have told it; the cloud gives the same answer.
        """
        headers = {"Host": connection.login_server, "Authorization": _basic(user, password)}
        status, _, _ = await self._send("GET", "/v2/", headers)
        return status != 401  # noqa: PLR2004

    async def _images(self, connection: Connection, path: str) -> tuple[Json, bytes]:
        credentials = _basic(connection.token, connection.password)
        headers = {"Host": connection.login_server, "Authorization": credentials, "Accept": MANIFESTS}
        status, text, body = await self._send("GET", path, headers)
        return _checked(status, text), body

    async def _agent(self, method: str, path: str, body: Json | None = None) -> Json:
        status, text, _ = await self._send(method, path, {"Authorization": f"Bearer {self._key}"}, body)
        return _checked(status, text)

    async def _send(
        self, method: str, path: str, headers: dict[str, str], body: Json | None = None
    ) -> tuple[int, Any, bytes]:
        if not self.link or self._session is None:
            raise UnreachableError("the link to Azure is down")
        try:
            async with self._session.request(method, self._url + path, headers=headers, json=body) as response:
                raw = await response.read()
                return response.status, await _json(response), raw
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise UnreachableError(f"{urlsplit(self._url).netloc}: {error or type(error).__name__}") from error


def _basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


async def _json(response: aiohttp.ClientResponse) -> Any:
    try:
        return await response.json(content_type=None)
    except ValueError:
        return {}


def _checked(status: int, answer: Any) -> Json:
    if status < 400 and isinstance(answer, dict):  # noqa: PLR2004
        return answer
    errors = answer.get("errors") if isinstance(answer, dict) else None
    first = errors[0] if errors else answer.get("error") if isinstance(answer, dict) else None
    first = first if isinstance(first, dict) else {}
    message = str(first.get("message", f"HTTP status {status}"))
    raise DeniedError(status, str(first.get("code", "UNKNOWN")), message, str(first.get("detail") or ""))


def _extension(item: Json) -> Extension:
    return Extension(
        name=item["name"],
        type=str(item["extensionType"]).lower(),
        generation=int(item["generation"]),
        namespace=item.get("releaseNamespace") or "connected-registry",
        version=item.get("version"),
        train=item.get("releaseTrain") or "Stable",
        settings={key: str(value) for key, value in (item.get("configurationSettings") or {}).items()},
        protected={key: str(value) for key, value in (item.get("configurationProtectedSettings") or {}).items()},
        deleting=bool(item.get("deleting")),
    )
