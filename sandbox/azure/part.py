"""The Azure part as a whole: one TLS port for Entra, ARM, agents and gateways, and one for each registry's images."""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from email.utils import format_datetime
from functools import partial
from http import HTTPStatus
from typing import Any, Literal

from aiohttp import web

from sandbox.azure import cloud as clouds
from sandbox.azure import versions
from sandbox.azure.arm import ROLES, Arm, ControlPlane, Router
from sandbox.azure.authorization import Locks, Permissions
from sandbox.azure.cloud import Registry
from sandbox.azure.connected import ConnectedRegistries
from sandbox.azure.control import Control
from sandbox.azure.dataerrors import DataError
from sandbox.azure.dataplane import DataPlane
from sandbox.azure.edge import Edge
from sandbox.azure.endpoints import endpoints
from sandbox.azure.entra import LIFE, Entra, Signer, unverified
from sandbox.azure.errors import ArmError
from sandbox.azure.extensions import Clusters, Extensions
from sandbox.azure.extensiontypes import ExtensionTypes
from sandbox.azure.operations import Operations
from sandbox.azure.registries import Registries
from sandbox.azure.replications import Replications
from sandbox.azure.subscriptions import Subscriptions
from sandbox.azure.throttle import KINDS, Limit, Throttle
from sandbox.azure.tokens import Tokens
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.speed import Speed
from sandbox.tls import Authority

LoginServers = Literal["ports", "names"]
Serve = Callable[[web.Request], Awaitable[web.StreamResponse]]
PORTS_TRIED = 100
LARGEST_BODY = 2**30
"""Bytes of a request, such as a layer that is pushed in one."""


class AzurePart:
    """Entra, Resource Manager and Container Registry for one tenant with one subscription.

    A world may have `azure.neighbours`: further tenants of the same cloud, each a section of its own. All are reached
    at this part's address, as Azure's tenants are at Azure's; the request says by its tenant, subscription, agent's key
    or registry whose it is.

    `world` is the whole world; its `azure` section is read here. `registry_port` is the first of the registries' ports
    (0: any free one). `login_servers` says what ARM gives as a registry's `loginServer`: `ports` the address where
    unmodified clients reach it, `names` the name it would have in Azure, for clients that resolve it themselves.
    """

    def __init__(
        self,
        world: dict[str, Any],
        *,
        authority: Authority,
        clock: Clock,
        speed: Speed,
        faults: Faults,
        host: str = "127.0.0.1",
        port: int = 0,
        registry_port: int = 0,
        login_servers: LoginServers = "ports",
    ) -> None:
        section = world["azure"]
        self._authority = authority
        self._clock = clock
        self._faults = faults
        self._host = host
        self._port = port
        self._next_port = registry_port
        self._login_servers = login_servers
        self.url = ""
        self.cloud = clouds.from_world(section, clock.now())
        for principal in self.cloud.principals.values():
            if principal.role not in ROLES:
                raise ValueError(
                    f"principal {principal.name}: role {principal.role!r} must be one of {', '.join(ROLES)}"
                )
        # Where new api-versions arrive late, the older ones are offered.
        newest = self.cloud.environment.newest_registry_version
        for kind in versions.ALL:
            older = tuple(one for one in kind.versions if one[:10] <= newest)
            if kind.namespace == "Microsoft.ContainerRegistry" and older != kind.versions:
                self.cloud.offers[kind.full_name] = older
        operations = Operations(clock)
        self.plane = ControlPlane(self.cloud, operations, clock, speed)
        self._signer = signer = Signer(authority.ca_file.parent / "entra-key.pem")
        throttle = _throttle(section.get("throttle") or {})
        self._entra = Entra(self.cloud, signer, int(section.get("token_life", LIFE)))
        self.arm = Arm(self.plane, self._router(), signer, throttle)
        self._images = DataPlane(self.cloud, signer, clock)
        self._edge = Edge(self.cloud, operations, clock)
        self.control = Control(self.plane, self.arm, throttle)
        self.neighbours = tuple(
            AzurePart(
                {"azure": neighbour},
                authority=authority,
                clock=clock,
                speed=speed,
                faults=faults,
                host=host,
                login_servers=login_servers,
            )
            for neighbour in section.get("neighbours", ())
        )
        self._context = authority.server_context()
        self._runner: web.AppRunner | None = None
        self._doors: dict[str, tuple[int, web.AppRunner]] = {}

    def _router(self) -> Router:
        router = Router()
        registries = Registries(self.plane, self._open_door)
        registries.register(router)
        Subscriptions(self.plane, registries.forget).register(router)
        Tokens(self.plane).register(router)
        ConnectedRegistries(self.plane).register(router)
        Clusters(self.plane).register(router)
        Extensions(self.plane).register(router)
        Locks(self.plane).register(router)
        Permissions().register(router)
        Replications(self.plane).register(router)
        ExtensionTypes(self.plane).register(router)
        return router

    async def start(self) -> None:
        """Bind all ports; `url` is known afterwards."""
        self._runner, self._port = await self._serve(self.serve, self._port, self.control_routes())
        self.url = f"https://{self._host}:{self._port}"
        await self.open_doors()
        for neighbour in self.neighbours:
            neighbour.url = self.url
            await neighbour.open_doors()

    async def open_doors(self) -> None:
        """Bind the ports of the registries."""
        for registry in self.cloud.registries.values():
            await self._open_door(registry)

    async def stop(self) -> None:
        """Close all ports and connections."""
        for neighbour in self.neighbours:
            await neighbour.stop()
        runners = [runner for _, runner in self._doors.values()]
        if self._runner is not None:
            runners.append(self._runner)
        self._runner = None
        self._doors.clear()
        await asyncio.gather(*(runner.cleanup() for runner in runners))

    def handed_out(self) -> frozenset[str]:
        """Every token and password that was given to anybody: what must be in no message, log or file of a client."""
        neighbours = (neighbour.handed_out() for neighbour in self.neighbours)
        return self._signer.signed.union(self.cloud.minted, *neighbours)

    def environment(self) -> dict[str, str]:
        """What clients need; names that begin with `#` are hints for those that use a managed identity instead."""
        principal = next(iter(self.cloud.principals.values()))
        ca_file = str(self._authority.ca_file)
        values = {
            "AZURE_TENANT_ID": self.cloud.tenant,
            "AZURE_CLIENT_ID": principal.client_id,
            "AZURE_CLIENT_SECRET": principal.client_secret,
            "AZURE_SUBSCRIPTION_ID": self.cloud.subscription,
            "AZURE_AUTHORITY_HOST": self.url,
            "AZURE_RESOURCE_MANAGER_URL": self.url,
            "SSL_CERT_FILE": ca_file,
            "REQUESTS_CA_BUNDLE": ca_file,
            "NODE_EXTRA_CA_CERTS": ca_file,
        }
        for registry in self.cloud.registries.values():
            if door := self._doors.get(registry.name.lower()):
                values[f"ACR_{registry.name.upper()}_URL"] = f"https://{self._host}:{door[0]}"
        values["# IDENTITY_ENDPOINT"] = f"{self.url}/msi/token"
        values["# IDENTITY_HEADER"] = "sandbox"
        values["# AZURE_POD_IDENTITY_AUTHORITY_HOST"] = self.url
        return values

    def control_routes(self) -> list[web.RouteDef]:
        """The control API, also mounted on this part's own port."""
        return self.control.routes()

    async def _open_door(self, registry: Registry) -> None:
        """Open a registry's port; a registry that was deleted and created again gets its old port."""
        key = registry.name.lower()
        if key not in self._doors:
            runner, port = await self._serve(partial(self._registry_door, key), self._next_port)
            if self._next_port:
                self._next_port = port + 1
            self._doors[key] = (port, runner)
        port = self._doors[key][0]
        registry.login_server = f"{self._host}:{port}" if self._login_servers == "ports" else registry.host

    async def _serve(
        self, serve: Serve, port: int, routes: list[web.RouteDef] | None = None
    ) -> tuple[web.AppRunner, int]:
        application = web.Application(client_max_size=LARGEST_BODY)
        application.add_routes(routes or [])
        application.router.add_route("*", "/{path:.*}", partial(self._faulty, serve))
        application.on_response_prepare.append(self._dated)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        bound = _bind(self._host, port, exact=port == self._port)
        await web.SockSite(runner, bound, ssl_context=self._context).start()
        return runner, bound.getsockname()[1]

    async def _dated(self, _: web.Request, response: web.StreamResponse) -> None:
        """Set `Date` to the sandbox's time, not the machine's; answers of faults have it too."""
        response.headers["Date"] = format_datetime(self._clock.now(), usegmt=True)

    async def _faulty(self, serve: Serve, request: web.Request) -> web.StreamResponse:
        """Serve the request, unless a fault applies."""
        fault = self._faults.take("azure", f"{request.method} {request.path}")
        if fault is None:
            return await serve(request)
        if fault.action == "fail":
            return _failure(request, fault)
        if fault.action == "delay":
            await self._clock.sleep(fault.seconds)
            return await serve(request)
        if fault.action == "lose_reply":
            await request.read()
            await serve(request)
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer whatever is asked at the common address."""
        for neighbour in self.neighbours:
            if neighbour.is_addressed(request):
                return await neighbour.serve(request)
        registry = self.cloud.registry_at(request.host.partition(":")[0])
        if registry is not None:
            return await self._of_registry(request, registry)
        path = request.path.lower()
        if path.startswith("/agent/"):
            return await self._edge.serve_agent(request)
        return await (self._identity(request, path) or self.arm.serve(request))

    def is_addressed(self, request: web.Request) -> bool:
        """Whether a request is about this tenant, its subscription, or one of its agents or registries."""
        parts = request.path.lower().split("/")
        if self.cloud.registry_at(request.host.partition(":")[0]) is not None:
            return True
        if parts[1] == "agent":
            key = request.headers.get("Authorization", "").removeprefix("Bearer ")
            return key in {cluster.agent_key for cluster in self.cloud.clusters.values()}
        if parts[1:] in (["subscriptions"], ["tenants"]):
            return _tenant(request) == self.cloud.tenant
        return parts[1] == self.cloud.tenant or parts[1:3] == ["subscriptions", self.cloud.subscription]

    def _identity(self, request: web.Request, path: str) -> Awaitable[web.StreamResponse] | None:
        """The answer of Entra or of the cloud's description; None for any other path."""
        if path.endswith(("/oauth2/v2.0/token", "/oauth2/token")) and request.method == "POST":
            return self._entra.issue(request)
        answers: tuple[tuple[bool, Callable[[web.Request], web.Response]], ...] = (
            (path.endswith("/.well-known/openid-configuration"), self._entra.openid),
            (path.endswith(("/discovery/v2.0/keys", "/discovery/keys")), self._entra.keys),
            (path.endswith("/discovery/instance"), self._entra.instances),
            (path.startswith(("/metadata/identity/oauth2/token", "/msi/token")), self._entra.managed_identity),
            (path == "/metadata/endpoints", partial(endpoints, self.cloud.environment)),
        )
        for fits, answer in answers:
            if fits:
                return _at_once(answer(request))
        return None

    async def _registry_door(self, key: str, request: web.Request) -> web.StreamResponse:
        registry = self.cloud.registries.get(key)
        if registry is None:
            # A deleted registry's name no longer resolves, so its port answers nothing.
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return await self._of_registry(request, registry)

    async def _of_registry(self, request: web.Request, registry: Registry) -> web.StreamResponse:
        if request.path.lower().startswith("/connectedregistry/"):
            return await self._edge.serve_gateway(request, registry)
        self.plane.operations.settle()
        return await self._images.serve(request, registry)


def _tenant(request: web.Request) -> str:
    """The tenant that the caller's token is of; empty without one."""
    try:
        return str(unverified(request.headers.get("Authorization", "").partition(" ")[2]).get("tid", ""))
    except ValueError:
        return ""


async def _at_once(response: web.StreamResponse) -> web.StreamResponse:
    return response


def _bind(host: str, port: int, *, exact: bool) -> socket.socket:
    """A listening socket on this port, or on the next free one."""
    for candidate in range(port, port + (1 if exact or not port else PORTS_TRIED)):
        try:
            return socket.create_server((host, candidate), backlog=1024)
        except OSError as error:
            failure = error
    raise failure


def _failure(request: web.Request, fault: Fault) -> web.Response:
    if request.path.startswith(("/v2/", "/acr/", "/oauth2/", "/connectedregistry/")):
        response = DataError(fault.status, fault.code, fault.message).response()
        response.headers.update(fault.headers)
        return response
    error = ArmError(
        fault.status,
        fault.code,
        fault.message,
        details=tuple(fault.details),
        additional=tuple(fault.additional_info),
    )
    body = error.body()
    if fault.status < HTTPStatus.BAD_REQUEST:
        # A poll that ends well and says that the operation did not.
        body["status"] = "Failed"
    return web.json_response(body, status=fault.status, headers=fault.headers)


def _throttle(section: dict[str, float]) -> Throttle:
    throttle = Throttle()
    for kind in KINDS:
        if kind in section:
            throttle.limit(kind, Limit(section[kind], section.get("refill", 1)))
    return throttle
