"""The endpoints to which the edge reports: a cluster's Arc agent, and a connected registry's runtime at its gateway."""

import asyncio
import base64
import binascii
import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aiohttp import web

from sandbox.azure.cloud import Cloud, Cluster, ConnectedRegistry, Extension, Registry, Token
from sandbox.azure.errors import ArmError
from sandbox.azure.operations import Operations
from sandbox.clock import Clock

REPOSITORY = "repositories/"
CONTENT_READ = "/content/read"
LONGEST_WAIT = 60.0
LOOK = 0.02
"""Seconds between checks while an agent's request is held."""


@dataclass(frozen=True)
class _Held:
    """A request for a cluster's extensions that waits for another revision than `after`."""

    cluster: Cluster
    after: str | None
    until: float
    request: web.Request

    @property
    def is_over(self) -> bool:
        """Whether it has to be answered: by a change, by its time, or because nobody waits any longer."""
        transport = self.request.transport
        return (
            self.cluster.status not in (None, "Connected")
            or transport is None
            or transport.is_closing()
            or time.monotonic() >= self.until
            or _revision(self.cluster) != self.after
        )


class Edge:
    """Answers the agent's and the runtime's requests."""

    def __init__(self, cloud: Cloud, operations: Operations, clock: Clock) -> None:
        self._cloud = cloud
        self._operations = operations
        self._clock = clock
        self._held: dict[asyncio.Event, _Held] = {}
        self._looking: asyncio.Task[None] | None = None
        self._agent = {
            ("GET", "/agent/clusters"): self._clusters,
            ("GET", "/agent/extensions"): self._extensions,
            ("POST", "/agent/heartbeat"): self._heartbeat,
            ("POST", "/agent/extension-status"): self._extension_status,
        }

    async def serve_agent(self, request: web.Request) -> web.Response:
        """One request of an Arc agent."""
        self._operations.settle()
        handler = self._agent.get((request.method, request.path.rstrip("/")))
        if handler is None:
            return _refusal(404, "NOT_FOUND", f"There is no {request.method} {request.path}.")
        key = request.headers.get("Authorization", "").removeprefix("Bearer ")
        clusters = [cluster for cluster in self._cloud.clusters.values() if cluster.kube and cluster.agent_key == key]
        if not clusters:
            return _refusal(401, "UNAUTHORIZED", "The agent's key belongs to no cluster.")
        if "wait" in request.query:
            await self._hold(clusters, request)
        try:
            return handler(clusters, request.query.get("cluster", ""), await _json(request))
        except KeyError as error:
            return _refusal(400, "BAD_REQUEST", f"{error} is missing.")

    async def _hold(self, clusters: list[Cluster], request: web.Request) -> None:
        """Return when the revision of a cluster's extensions differs from `after`, or after `wait` seconds."""
        cluster = self._mine(clusters, request.query.get("cluster", ""))
        try:
            until = time.monotonic() + min(float(request.query["wait"]), LONGEST_WAIT)
        except ValueError:
            return
        if not isinstance(cluster, Cluster):
            return
        released = asyncio.Event()
        self._held[released] = _Held(cluster, request.query.get("after"), until, request)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            await released.wait()
        finally:
            self._held.pop(released, None)

    async def _look(self) -> None:
        """Release requests while there are any. One task looks at all: a thousand agents wait most of the time."""
        while self._held:
            self._operations.settle()
            for released, held in list(self._held.items()):
                if held.is_over:
                    del self._held[released]
                    released.set()
            await asyncio.sleep(LOOK)

    def _clusters(self, clusters: list[Cluster], _cluster: str, _body: dict[str, Any]) -> web.Response:
        entries = [{"id": self._cloud.cluster_id(one), "name": one.name, "kube": one.kube} for one in clusters]
        return web.json_response({"clusters": entries})

    def _extensions(self, clusters: list[Cluster], cluster_id: str, _body: dict[str, Any]) -> web.Response:
        cluster = self._mine(clusters, cluster_id)
        if isinstance(cluster, web.Response):
            return cluster
        for extension in cluster.extensions.values():
            extension.delivered = True
        entries = [_desired(one, deleting=True) for one in cluster.leaving]
        entries += [_desired(one, deleting=False) for one in cluster.extensions.values() if one.state != "Deleting"]
        return web.json_response({"extensions": entries, "revision": _revision(cluster)})

    def _heartbeat(self, clusters: list[Cluster], _cluster: str, body: dict[str, Any]) -> web.Response:
        cluster = self._mine(clusters, body["cluster"])
        if isinstance(cluster, web.Response):
            return cluster
        cluster.last_heard, cluster.unattended = self._clock.now(), False
        cluster.kubernetes_version = str(body.get("kubernetesVersion", cluster.kubernetes_version)).removeprefix("v")
        cluster.nodes = int(body.get("totalNodeCount", cluster.nodes))
        cluster.agent_version = str(body.get("agentVersion", cluster.agent_version))
        return web.json_response({})

    def _extension_status(self, clusters: list[Cluster], _cluster: str, body: dict[str, Any]) -> web.Response:
        cluster = self._mine(clusters, body["cluster"])
        if isinstance(cluster, web.Response):
            return cluster
        name, generation = str(body["name"]).lower(), int(body["generation"])
        if body["state"] == "Deleted":
            cluster.leaving = [
                one for one in cluster.leaving if one.name.lower() != name or one.generation > generation
            ]
            return web.json_response({})
        extension = cluster.extensions.get(name)
        if extension is None or extension.generation != generation or extension.state == "Deleting":
            return _refusal(409, "STALE", f"Generation {generation} of extension {name} is not the current one.")
        self._note(extension, body)
        return web.json_response({})

    def _note(self, extension: Extension, body: dict[str, Any]) -> None:
        operation = self._operations.find(extension.operation or "")
        extension.statuses = list(body.get("statuses") or ())
        extension.current_version = body.get("currentVersion") or extension.current_version
        if body["state"] == "Succeeded":
            extension.state, extension.error = "Succeeded", None
            if operation:
                operation.succeed()
        elif body["state"] == "Failed":
            reported = body.get("error") or {}
            code = str(reported.get("code") or "ExtensionOperationFailed")
            error = ArmError(400, code, str(reported.get("message") or ""))
            extension.state, extension.error = "Failed", error.error()
            if operation:
                operation.fail(error)

    def _mine(self, clusters: list[Cluster], cluster_id: str) -> Cluster | web.Response:
        for cluster in clusters:
            if self._cloud.cluster_id(cluster).lower() == cluster_id.lower():
                if cluster.status not in (None, "Connected"):
                    return _refusal(
                        503, "UNREACHABLE", f"{cluster.name} is set {cluster.status}; no agent gets through."
                    )
                return cluster
        return _refusal(404, "NOT_FOUND", f"The agent's key opens no cluster {cluster_id!r}.")

    async def serve_gateway(self, request: web.Request, registry: Registry) -> web.Response:
        """One request of a connected registry's runtime: POST /connectedregistry/{name}/{verb}."""
        self._operations.settle()
        _, _, name, verb, *trailing = [*request.path.split("/"), "", ""]
        if request.method != "POST" or any(trailing) or not registry.data_endpoint:
            return _refusal(404, "NOT_FOUND", f"There is no {request.method} {request.path} at {request.host}.")
        connected = registry.connected.get(name.lower())
        if connected is None:
            return _refusal(404, "NAME_UNKNOWN", f"The connected registry {name} is not known.")
        token = _authenticated(request, registry, self._clock.now())
        if token is None or token.name.lower() != connected.token.lower():
            # The words of Microsoft's troubleshooting page.
            detail = "Please visit https://aka.ms/acr#UNAUTHORIZED for more information."
            return _refusal(401, "UNAUTHORIZED", "Incorrect Password", detail)
        body = await _json(request)
        if not body.get("instance"):
            return _refusal(400, "BAD_REQUEST", "'instance' is missing.")
        return self._report(registry, connected, verb, body)

    def _report(
        self, registry: Registry, connected: ConnectedRegistry, verb: str, body: dict[str, Any]
    ) -> web.Response:
        if verb == "activate":
            return self._activate(registry, connected, body)
        if connected.instance != body["instance"]:
            return _refusal(
                403, "DEACTIVATED", f"The connected registry {connected.name} is not activated by this instance."
            )
        if verb == "contact":
            self._contact(connected, body)
            return web.json_response({"config": config(registry, connected)})
        if verb == "goodbye":
            connected.connection_state, connected.heard_at = "Offline", None
            return web.json_response({})
        return _refusal(404, "NOT_FOUND", f"A gateway knows activate, contact and goodbye, not {verb!r}.")

    def _activate(self, registry: Registry, connected: ConnectedRegistry, body: dict[str, Any]) -> web.Response:
        if connected.activation == "Active" and connected.instance != body["instance"]:
            return _refusal(
                409,
                "ALREADY_ACTIVATED",
                f"Failed to activate the connected registry {connected.name} as it is already activated by another "
                "instance. Only one instance is supported at any time.",
            )
        connected.activation, connected.instance = "Active", str(body["instance"])
        connected.version = body.get("version")
        connected.last_activity = self._clock.now()
        return web.json_response({"config": config(registry, connected)})

    def _contact(self, connected: ConnectedRegistry, body: dict[str, Any]) -> None:
        now = self._clock.now()
        connected.heard_at = connected.last_activity = now
        connected.version = body.get("version") or connected.version
        connected.login_server = body.get("loginServer") or connected.login_server
        connected.status_details = list(body.get("statusDetails") or ())
        connected.connection_state = "Unhealthy" if connected.status_details else "Online"
        result = connected.sync_result
        if body.get("syncing"):
            connected.connection_state, connected.resync = "Syncing", False
            result.state, result.started = "Syncing", now
        if body.get("synced"):
            connected.last_sync, connected.resync = now, False
            result.state, result.ended, result.succeeded = "Succeeded", now, now
            result.started = result.started or now


def config(registry: Registry, connected: ConnectedRegistry) -> dict[str, Any]:
    """The configuration that the cloud sends to a runtime."""
    token = registry.tokens.get(connected.token.lower())
    actions = registry.actions(token) if token else []
    return {
        "schedule": connected.schedule,
        "syncWindow": connected.sync_window,
        "messageTtl": connected.message_ttl,
        "mode": connected.mode,
        "clientTokens": [_client(registry, token_id) for token_id in connected.client_tokens],
        "repositories": sorted(
            action.removeprefix(REPOSITORY).removesuffix(CONTENT_READ)
            for action in actions
            if action.startswith(REPOSITORY) and action.endswith(CONTENT_READ)
        ),
        "resync": connected.resync,
        "logLevel": connected.log_level,
    }


def _client(registry: Registry, token_id: str) -> dict[str, Any]:
    name = token_id.rsplit("/", 1)[-1]
    token = registry.tokens.get(name.lower())
    enabled = token is not None and token.status == "enabled"
    return {"name": name, "scopes": list(registry.actions(token)) if token and enabled else []}


def _revision(cluster: Cluster) -> str:
    """Changes whenever something that an agent receives about its extensions changes."""
    return f"{cluster.generations}-{len(cluster.leaving)}"


def _desired(extension: Extension, *, deleting: bool) -> dict[str, Any]:
    return {
        "name": extension.name,
        "extensionType": extension.extension_type,
        "generation": extension.generation,
        "releaseNamespace": extension.release_namespace,
        "version": extension.version,
        "autoUpgradeMinorVersion": extension.auto_upgrade,
        "releaseTrain": extension.release_train,
        "configurationSettings": dict(extension.settings),
        "configurationProtectedSettings": dict(extension.protected),
        "deleting": deleting,
    }


def basic(request: web.Request) -> tuple[str, str] | None:
    """User and password of a Basic authorization; None if it is absent or unreadable."""
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(text).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


def _authenticated(request: web.Request, registry: Registry, now: datetime) -> Token | None:
    credentials = basic(request)
    token = registry.tokens.get(credentials[0].lower()) if credentials else None
    return token if credentials and token and token.opens(credentials[1], now) else None


async def _json(request: web.Request) -> dict[str, Any]:
    content = await request.read()
    try:
        body = json.loads(content) if content else {}
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


def _refusal(status: int, code: str, message: str, detail: str | None = None) -> web.Response:
    return web.json_response({"errors": [{"code": code, "message": message, "detail": detail}]}, status=status)
