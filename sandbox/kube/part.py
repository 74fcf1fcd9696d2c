"""The Kubernetes part of the sandbox: the clusters of a world, their addresses, and the control API."""

import asyncio
import contextlib
import ipaddress
import json
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.kube.cluster import Cluster
from sandbox.kube.controllers import Controllers
from sandbox.kube.kubeconfig import DEFAULT_USER, USERS, by_token, kubeconfig, token, write
from sandbox.kube.kubelet import ImagePull, any_image
from sandbox.kube.resources import NAMESPACES, NODES, PODS, SERVICES, Json
from sandbox.kube.seed import arc_settings, namespace, seed
from sandbox.kube.server import ApiServer
from sandbox.kube.status import StatusError
from sandbox.speed import Speed
from sandbox.tls import Authority

SHUTDOWN_TIMEOUT = 0.5


@dataclass
class _Served:
    """One cluster, its server and its tasks."""

    cluster: Cluster
    server: ApiServer
    controllers: Controllers
    runner: web.AppRunner
    authority: Authority
    """Whose certificate it shows."""
    url: str = ""
    task: "asyncio.Task[None] | None" = None
    _site: web.TCPSite | None = None

    async def listen(self, host: str, port: int) -> None:
        """Listen with the authority's certificate, and close every connection that showed another one."""
        if self._site is not None:
            await self._site.stop()
        for connection in self.runner.server.connections if self.runner.server else ():
            if connection.transport is not None:
                connection.transport.abort()
        self._site = web.TCPSite(self.runner, host, port, ssl_context=self.authority.server_context())
        await self._site.start()


class KubePart:
    """Serves every cluster of the world's `kube` section, each on its own port.

    `folder` gets the kubeconfig. `ports` is the first cluster's port, the others follow it; None lets the system choose
    all. `pull` decides which images can be pulled.
    """

    def __init__(
        self,
        world: dict[str, Any],
        *,
        authority: Authority,
        folder: Path,
        clock: Clock,
        speed: Speed,
        faults: Faults,
        host: str = "127.0.0.1",
        ports: int | None = None,
        pull: ImagePull = any_image,
    ) -> None:
        self._world = world.get("kube", world)
        self._azure: dict[str, Any] = world.get("azure", {})
        self._tokens: dict[str, str] = {}
        """Tokens that were renewed, by user."""
        self._restarts: set[asyncio.Task[None]] = set()
        self._authority = authority
        self._clock = clock
        self._speed = speed
        self._faults = faults
        self._host = host
        self._ports = ports
        self._pull = pull
        self._served: dict[str, _Served] = {}
        self.kubeconfig = folder / "kubeconfig"

    @property
    def url(self) -> str:
        """The first cluster's address."""
        return next(iter(self.urls.values()), "")

    @property
    def urls(self) -> dict[str, str]:
        """Cluster name to address."""
        return {name: one.url for name, one in self._served.items()}

    @property
    def clusters(self) -> dict[str, Cluster]:
        """The clusters by name."""
        return {name: one.cluster for name, one in self._served.items()}

    def environment(self) -> dict[str, str]:
        """What a client needs, as environment variables."""
        return {"KUBECONFIG": str(self.kubeconfig)}

    async def start(self) -> None:
        """Set the clusters up, serve them, and write the kubeconfig."""
        for at, entry in enumerate(self._world["clusters"]):
            await self._start_cluster(entry, 0 if self._ports is None else self._ports + at)
        await self._write_kubeconfig()

    async def _write_kubeconfig(self) -> None:
        servers = {
            name: (one.url, await asyncio.to_thread(one.authority.ca_file.read_bytes))
            for name, one in self._served.items()
        }
        await asyncio.to_thread(write, self.kubeconfig, kubeconfig(servers, self._tokens))

    async def stop(self) -> None:
        """End all connections and controllers."""
        for served in self._served.values():
            served.server.end_streams()
            if served.task is not None:
                served.task.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await served.task
            await served.runner.cleanup()

    async def _start_cluster(self, entry: dict[str, Any], port: int) -> None:
        cluster = Cluster(entry["name"], entry["version"], list(entry["service_cidrs"]), self._clock)
        certificate = await asyncio.to_thread(self._authority.ca_file.read_text)
        controllers = Controllers(cluster, speed=self._speed, pull=self._pull, certificate=certificate)
        seed(cluster, entry, arc_settings(self._azure, cluster.name))
        await controllers.settle()
        server = ApiServer(cluster, self._faults, by_token())
        runner = web.AppRunner(server.app(self.control_routes()), shutdown_timeout=SHUTDOWN_TIMEOUT)
        served = _Served(cluster, server, controllers, runner, self._authority)
        self._served[cluster.name] = served
        await runner.setup()
        await served.listen(self._host, port)
        bound = runner.addresses[0][1]
        served.url = f"https://{self._host}:{bound}"
        served.task = asyncio.create_task(controllers.run())

    # --- the control API ---

    def control_routes(self) -> list[web.RouteDef]:
        """Routes under `/sandbox/kube`."""
        return [
            web.get("/sandbox/kube/state", self._state),
            web.get("/sandbox/kube/requests", self._requests),
            web.delete("/sandbox/kube/requests", self._forget_requests),
            web.post("/sandbox/kube/credentials", self._credentials),
            web.post("/sandbox/kube/{cluster}", self._change),
            web.post("/sandbox/kube/{cluster}/authority", self._change_authority),
            web.post("/sandbox/kube/{cluster}/take-address", self._take_address),
        ]

    def state(self) -> Json:
        """An overview of every cluster."""
        return {name: _summary(one) for name, one in self._served.items()}

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(self.state())

    async def _requests(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {name: [request.as_json() for request in one.server.requests] for name, one in self._served.items()}
        )

    async def _forget_requests(self, _request: web.Request) -> web.Response:
        for served in self._served.values():
            served.server.requests.clear()
        return web.json_response({})

    async def _change(self, request: web.Request) -> web.Response:
        served, body = self._named(request), await _body(request)
        offline = body.get("offline")
        if not isinstance(offline, bool):
            raise _wrong("offline must be true or false.")
        self.set_offline(served.cluster.name, offline=offline)
        return web.json_response(_summary(served))

    async def _credentials(self, request: web.Request) -> web.Response:
        """{"user", "do": "expire" | "renew"}: end a user's token at every cluster, or write a new one."""
        body = await _body(request)
        user, word = str(body.get("user") or DEFAULT_USER), body.get("do")
        if user not in USERS or word not in ("expire", "renew"):
            raise _wrong(f'user has to be one of {", ".join(USERS)}, and do "expire" or "renew".')
        for served in self._served.values():
            served.server.users.pop(self._tokens.get(user, token(user)), None)
        if word == "renew":
            self._tokens[user] = f"sandbox-{user}-{secrets.token_hex(8)}"
            for served in self._served.values():
                served.server.users[self._tokens[user]] = USERS[user]
            await self._write_kubeconfig()
        return web.json_response({"user": user})

    async def _change_authority(self, request: web.Request) -> web.Response:
        """Give a cluster a certificate of another authority; the kubeconfig has it unless `kubeconfig` is false."""
        served, body = self._named(request), await _body(request)
        folder = self.kubeconfig.with_name(f"authority-{served.cluster.name}-{secrets.token_hex(4)}")
        served.authority = await asyncio.to_thread(Authority, folder)
        if body.get("kubeconfig", True):
            await self._write_kubeconfig()
        asyncio.get_running_loop().call_soon(self._start_again, served)
        return web.json_response({"ca_file": str(served.authority.ca_file)})

    def _start_again(self, served: _Served) -> None:
        """Listen with the new certificate once this answer is out, as its connection ends too."""
        task = asyncio.create_task(served.listen(self._host, int(served.url.rpartition(":")[2])))
        self._restarts.add(task)
        task.add_done_callback(self._restarts.discard)

    async def forget(self, name: str) -> None:
        """Make a cluster forget earlier versions of its objects."""
        self._served[name].cluster.store.compact()

    def set_offline(self, name: str, *, offline: bool) -> None:
        """Disconnect a cluster, or connect it again. Meanwhile every connection is closed without an answer."""
        server = self._served[name].server
        if offline:
            server.go_offline()
        else:
            server.offline = False

    async def _take_address(self, request: web.Request) -> web.Response:
        served, body = self._named(request), await _body(request)
        address = str(body.get("address", ""))
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise _wrong(f"address has to be an IP address, not {address!r}.") from None
        home = body.get("namespace") or "default"
        namespace(served.cluster, home)
        name = body.get("name") or "taken-" + address.replace(".", "-").replace(":", "-")
        spec = {"clusterIP": address, "ports": [{"port": 80}]}
        try:
            service = served.cluster.create(SERVICES, home, {"metadata": {"name": name}, "spec": spec})
        except StatusError as error:
            raise _wrong(error.message) from error
        return web.json_response({"namespace": home, "name": service["metadata"]["name"], "address": address})

    def _named(self, request: web.Request) -> _Served:
        name = request.match_info["cluster"]
        if name not in self._served:
            text = json.dumps({"error": f"There is no cluster {name!r}; there are {', '.join(self._served)}."})
            raise web.HTTPNotFound(text=text, content_type="application/json")
        return self._served[name]


async def _body(request: web.Request) -> Json:
    try:
        received = await request.json()
    except ValueError:
        raise _wrong("The body has to be a JSON object.") from None
    if not isinstance(received, dict):
        raise _wrong("The body has to be a JSON object.")
    return received


def _wrong(text: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"error": text}), content_type="application/json")


def _summary(served: _Served) -> Json:
    cluster = served.cluster
    pods = cluster.store.items(PODS.key)
    return {
        "url": served.url,
        "version": cluster.version,
        "offline": served.server.offline,
        "service_cidrs": [str(network) for network in cluster.ranges()],
        "addresses_used": len(cluster.used_addresses()),
        "namespaces": {
            found["metadata"]["name"]: found["status"]["phase"] for found in cluster.store.items(NAMESPACES.key)
        },
        "nodes": {
            found["metadata"]["name"]: found["metadata"]["labels"]["kubernetes.io/arch"]
            for found in cluster.store.items(NODES.key)
        },
        "services": {
            f"{found['metadata']['namespace']}/{found['metadata']['name']}": found["spec"].get("clusterIP", "")
            for found in cluster.store.items(SERVICES.key)
        },
        "pods": {
            f"{pod['metadata']['namespace']}/{pod['metadata']['name']}": (pod.get("status") or {}).get("phase", "")
            for pod in pods
        },
    }
