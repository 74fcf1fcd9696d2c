"""The Kubernetes part of the sandbox with a real control plane: the same clusters, contexts and control API."""

import asyncio
import ipaddress
import json
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from sandbox.clock import Clock
from sandbox.controlplane.api import Api, Json, RefusedError
from sandbox.controlplane.control_plane import ControlPlane, Running
from sandbox.controlplane.kubelets import Kubelets, LogServer
from sandbox.controlplane.reset import Reset
from sandbox.controlplane.world import placed, put
from sandbox.edge.cluster import Cluster
from sandbox.kube.kubeconfig import kubeconfig, write
from sandbox.kube.seed import arc_settings
from sandbox.speed import Speed
from sandbox.tls import Authority

T = TypeVar("T")


class RealKubePart:
    """Serves every cluster of the world's `kube` section with an API server of its own.

    Takes the place of `sandbox.kube.KubePart`. The version in a cluster's entry has no effect: the programs have
    their own. Faults don't reach a real API server; switching a cluster off ends its process.
    """

    def __init__(
        self,
        world: dict[str, Any],
        *,
        programs: Path,
        authority: Authority,
        folder: Path,
        clock: Clock,
        speed: Speed,
        host: str = "127.0.0.1",
        ports: int | None = None,
    ) -> None:
        self._world = world.get("kube", world)
        self._azure: dict[str, Any] = world.get("azure", {})
        self._authority, self._clock, self._speed = authority, clock, speed
        self._host, self._ports = host, ports
        self._logs: dict[str, LogServer] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._resets: dict[str, Reset] = {}
        self._home: asyncio.AbstractEventLoop | None = None
        self.control_plane = ControlPlane(programs, folder / "control-plane", authority, host)
        self.kubeconfig = folder / "kubeconfig"

    @property
    def url(self) -> str:
        """The first cluster's address."""
        return next(iter(self.urls.values()), "")

    @property
    def urls(self) -> dict[str, str]:
        """Cluster name to address."""
        return {name: one.url for name, one in self.control_plane.clusters.items()}

    def environment(self) -> dict[str, str]:
        """What a client needs, as environment variables."""
        return {"KUBECONFIG": str(self.kubeconfig)}

    async def start(self) -> None:
        """Start etcd and all clusters, write the kubeconfig, and create the world's objects."""
        self._home = asyncio.get_running_loop()
        await self.control_plane.start()
        async with asyncio.TaskGroup() as group:
            for at, entry in enumerate(self._world["clusters"]):
                group.create_task(self._start_cluster(entry, 0 if self._ports is None else self._ports + at))
        certificate = await asyncio.to_thread(self._authority.ca_file.read_bytes)
        names = [entry["name"] for entry in self._world["clusters"]]
        servers = {name: (self.urls[name], certificate) for name in names}
        await asyncio.to_thread(write, self.kubeconfig, kubeconfig(servers))
        for name in self.control_plane.clusters:
            cluster = Cluster(str(self.kubeconfig), f"{name}-admin")
            self._keep(Kubelets(cluster, self._clock, self._speed).run())

    async def stop(self) -> None:
        """End everything."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._logs.values():
            await server.stop()
        await self.control_plane.stop()

    def state(self) -> Json:
        """The address of every cluster; `GET /sandbox/kube/state` shows more."""
        return {
            name: {"url": one.url, "offline": not one.server.pid} for name, one in self.control_plane.clusters.items()
        }

    async def reset(self, name: str) -> None:
        """Reset a cluster to what the world says."""
        await self._at_home(self._resets[name].run())

    async def release(self, name: str) -> None:
        """Remove what tests share across their namespaces: Service addresses, and cluster-wide objects."""
        await self._at_home(self._resets[name].release())

    async def forget(self, name: str) -> None:
        """Make a cluster forget earlier versions of its objects."""
        await self._at_home(self.control_plane.forget(name))

    def set_offline(self, name: str, *, offline: bool) -> None:
        """Switch a cluster's API server off, or on again; both take a moment."""
        self._keep(self._at_home(self.control_plane.power(name, on=not offline)))

    async def _at_home(self, work: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine in the loop that started the clusters: their connections and processes belong to it."""
        if self._home is None or self._home is asyncio.get_running_loop():
            return await work
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._home))

    async def _start_cluster(self, entry: dict[str, Any], port: int) -> None:
        name, ranges = entry["name"], list(entry["service_cidrs"])
        logs = self._logs[name] = LogServer(self._authority, self._host)
        await logs.start()
        running = await self.control_plane.add(name, own_ranges(ranges), port=port)
        logs.api = running.api
        objects = placed(entry, (self._host, logs.port), arc_settings(self._azure, name))
        await put(running.api, objects)
        self._resets[name] = Reset(running.api, objects)

    def _keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # --- the control API ---

    def control_routes(self) -> list[web.RouteDef]:
        """Routes under `/sandbox/kube`, the same as the stand-in's."""
        return [
            web.get("/sandbox/kube/state", self._state),
            web.get("/sandbox/kube/requests", self._requests),
            web.post("/sandbox/kube/{cluster}", self._change),
            web.post("/sandbox/kube/{cluster}/take-address", self._take_address),
        ]

    async def _state(self, _request: web.Request) -> web.Response:
        return web.json_response(
            {name: await self._at_home(_summary(one)) for name, one in self.control_plane.clusters.items()}
        )

    async def _requests(self, _request: web.Request) -> web.Response:
        by_cluster = {}
        for name, running in self.control_plane.clusters.items():
            by_cluster[name] = [_request_shown(entry) for entry in await asyncio.to_thread(audited, running.audit_log)]
        return web.json_response(by_cluster)

    async def _change(self, request: web.Request) -> web.Response:
        running, body = self._named(request), await _body(request)
        offline = body.get("offline")
        if not isinstance(offline, bool):
            raise _wrong("offline must be true or false.")
        await self._at_home(self.control_plane.power(running.name, on=not offline))
        return web.json_response({"url": running.url, "offline": offline})

    async def _take_address(self, request: web.Request) -> web.Response:
        running, body = self._named(request), await _body(request)
        address = str(body.get("address", ""))
        try:
            ipaddress.ip_address(address)
        except ValueError:
            raise _wrong(f"address has to be an IP address, not {address!r}.") from None
        home = body.get("namespace") or "default"
        name = body.get("name") or "taken-" + address.replace(".", "-").replace(":", "-")
        manifest = {"metadata": {"name": name}, "spec": {"clusterIP": address, "ports": [{"port": 80}]}}
        try:
            await self._at_home(_create_service(running.api, home, manifest))
        except RefusedError as error:
            raise _wrong(error.message) from error
        return web.json_response({"namespace": home, "name": name, "address": address})

    def _named(self, request: web.Request) -> Running:
        name = request.match_info["cluster"]
        if name not in self.control_plane.clusters:
            text = json.dumps({"error": f"There is no cluster {name!r}; there are {', '.join(self.urls)}."})
            raise web.HTTPNotFound(text=text, content_type="application/json")
        return self.control_plane.clusters[name]


def own_ranges(ranges: list[str]) -> list[str]:
    """The ranges for the API server's flag: the first one, and the first of the other family."""
    first = ipaddress.ip_network(ranges[0])
    second_family = [text for text in ranges[1:] if ipaddress.ip_network(text).version != first.version]
    return [ranges[0], *second_family[:1]]


def audited(file: Path) -> list[Json]:
    """The audit log's entries, oldest first."""
    if not file.exists():
        return []
    return [json.loads(line) for line in file.read_text().splitlines() if line.endswith("}")]


def _request_shown(entry: Json) -> Json:
    path, _, query = entry["requestURI"].partition("?")
    return {
        "verb": entry["verb"],
        "path": path,
        "query": query,
        "user": entry["user"].get("username", ""),
        "status": (entry.get("responseStatus") or {}).get("code", 0),
    }


async def _create_service(api: Api, namespace: str, manifest: Json) -> None:
    await api.create("/api/v1/namespaces", {"metadata": {"name": namespace}})
    await api.create(f"/api/v1/namespaces/{namespace}/services", manifest)


async def _summary(running: Running) -> Json:
    if not running.server.pid:
        return {"url": running.url, "offline": True}
    api = running.api
    services = (await api.get("/api/v1/services"))["items"]
    pods = (await api.get("/api/v1/pods"))["items"]
    spaces = (await api.get("/api/v1/namespaces"))["items"]
    nodes = (await api.get("/api/v1/nodes"))["items"]
    cidrs = (await api.get("/apis/networking.k8s.io/v1/servicecidrs"))["items"]
    addresses = (await api.get("/apis/networking.k8s.io/v1/ipaddresses"))["items"]
    return {
        "url": running.url,
        "version": (await api.get("/version"))["gitVersion"],
        "offline": False,
        "service_cidrs": [cidr for item in cidrs for cidr in item["spec"]["cidrs"]],
        "addresses_used": len(addresses),
        "namespaces": {item["metadata"]["name"]: item["status"]["phase"] for item in spaces},
        "nodes": {item["metadata"]["name"]: item["metadata"]["labels"].get("kubernetes.io/arch", "") for item in nodes},
        "services": {_place(item): item["spec"].get("clusterIP", "") for item in services},
        "pods": {_place(item): item["status"].get("phase", "") for item in pods},
    }


def _place(item: Json) -> str:
    return f"{item['metadata']['namespace']}/{item['metadata']['name']}"


async def _body(request: web.Request) -> Json:
    try:
        received = await request.json()
    except ValueError:
        received = None
    if not isinstance(received, dict):
        raise _wrong("The body has to be a JSON object.")
    return received


def _wrong(text: str) -> web.HTTPBadRequest:
    return web.HTTPBadRequest(text=json.dumps({"error": text}), content_type="application/json")
