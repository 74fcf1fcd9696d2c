"""The parts of the sandbox put together in one process: one clock, one set of faults, one certificate authority."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from sandbox import world as worlds
from sandbox.azure import AzurePart
from sandbox.clock import Clock
from sandbox.control import Control, ControlServer
from sandbox.controlplane.part import RealKubePart
from sandbox.edge import AGENT_KEY, EdgePart, is_of_the_edge
from sandbox.faults import Faults
from sandbox.fleet import Fleet, Size
from sandbox.kube import KubePart
from sandbox.kube.kubelet import any_image
from sandbox.parts import PARTS, PartName, Ports, Upstream
from sandbox.slack import SlackPart
from sandbox.speed import IMMEDIATE, Speed
from sandbox.tls import Authority


async def left_to_the_edge(cluster: str, image: str, secrets: Sequence[dict[str, Any]]) -> str:
    """Every image exists. Those of the edge are left to its agent, which reports on their Pods."""
    if is_of_the_edge(image):
        await asyncio.Event().wait()
    return await any_image(cluster, image, secrets)


class Sandbox:
    """An async context manager that starts the chosen parts in order and stops them in reverse.

    `slack`, `azure`, `kube` and `edge` are the parts (None when not chosen), `clock` and `faults` what they share.
    `control_plane` makes the clusters real. It is the folder of the control plane's programs, or clusters that run
    already; then only the part of the world that is connected to them is used, and they keep running afterwards.
    Without a folder, the certificate authority and the kubeconfig are in a temporary one that is removed at the end.
    """

    def __init__(
        self,
        world: dict[str, Any] | None = None,
        *,
        folder: Path | None = None,
        speed: Speed = IMMEDIATE,
        parts: Iterable[PartName] = PARTS,
        ports: Ports | None = None,
        host: str = "127.0.0.1",
        request_url: str | None = None,
        manifest: dict[str, Any] | None = None,
        plan_blocks: bool = True,
        login_servers: Literal["names", "addresses"] = "addresses",
        upstream: Upstream | None = None,
        faults: Faults | None = None,
        control_plane: Path | RealKubePart | None = None,
        fleet: Size | None = None,
    ) -> None:
        self.world = worlds.load() if world is None else world
        if isinstance(control_plane, RealKubePart):
            self.world = worlds.only(self.world, control_plane.urls)
        self.speed, self.host = speed, host
        self.clock, self.faults = Clock(), faults if faults is not None else Faults()
        self._folder, self._ports, self._upstream = folder, ports or Ports(), upstream
        self._request_url, self._manifest, self._plan_blocks = request_url, manifest, plan_blocks
        self._login_servers, self._control_plane, self._fleet_size = login_servers, control_plane, fleet
        self._chosen = frozenset(parts)
        self._stack = AsyncExitStack()
        self.slack: SlackPart | None = None
        self.azure: AzurePart | None = None
        self.kube: KubePart | RealKubePart | None = None
        self.edge: EdgePart | None = None
        self.fleet: Fleet | None = None
        self.authority: Authority | None = None
        self.url = ""
        """Where the control API is, and Slack's page with it."""

    @property
    def folder(self) -> Path:
        """Where the certificate authority and the kubeconfig lie."""
        if self._folder is None:
            self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="sandbox-")))
        return self._folder

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def environment(self) -> dict[str, str]:
        """What clients need to reach the parts that run."""
        values = {"SANDBOX_URL": self.url}
        for part in (self.kube, self.azure, self.slack):
            if part is not None:
                values |= part.environment()
        return values

    async def _start(self) -> None:
        if self._chosen & {"azure", "kube"}:
            self.authority = Authority(self.folder)
        if "kube" in self._chosen and self.authority:
            self.kube = await self._open_kube(self.authority)
        if "azure" in self._chosen and self.authority:
            self.azure = self._azure_part(self.authority)
            self.fleet = self._fleet(self.azure)
            await self._run(self.azure.start, self.azure.stop)
        if "edge" in self._chosen:
            self.edge = self._edge_part()
            await self._run(self.edge.start, self.edge.stop)
        await self._open_control()

    async def _run(self, start: Callable[[], Awaitable[None]], stop: Callable[[], Awaitable[None]]) -> None:
        self._stack.push_async_callback(stop)
        await start()

    async def _open_control(self) -> None:
        """Start Slack with all control routes on its port, or a server for them alone."""
        control = Control(self.clock, self.faults, self._glance)
        routes = control.routes()
        for part in (self.azure, self.fleet, self.kube, self.edge):
            routes += part.control_routes() if part is not None else []
        if "slack" in self._chosen:
            self.slack = self._slack_part()
            self.slack.add_routes(routes)
            await self._run(self.slack.start, self.slack.stop)
            self.url = self.slack.url.rstrip("/")
        else:
            server = ControlServer(routes, self.host, self._ports.slack)
            await self._run(server.start, server.stop)
            self.url = server.url

    async def _open_kube(self, authority: Authority) -> KubePart | RealKubePart:
        if isinstance(self._control_plane, RealKubePart):
            return self._control_plane
        part: KubePart | RealKubePart
        if self._control_plane is None:
            part = KubePart(
                self.world,
                authority=authority,
                folder=self.folder,
                clock=self.clock,
                speed=self.speed,
                faults=self.faults,
                host=self.host,
                ports=self._ports.kube or None,
                pull=left_to_the_edge if "edge" in self._chosen else any_image,
            )
        else:
            part = RealKubePart(
                self.world,
                programs=self._control_plane,
                authority=authority,
                folder=self.folder,
                clock=self.clock,
                speed=self.speed,
                host=self.host,
                ports=self._ports.kube or None,
            )
        await self._run(part.start, part.stop)
        return part

    def _azure_part(self, authority: Authority) -> AzurePart:
        world = self.world
        if "edge" not in self._chosen:
            # An agent may still connect as a separate process. Until one does, Azure has to finish extensions itself.
            alone = [cluster | {"unattended": True} for cluster in world["azure"].get("connected_clusters", ())]
            world = world | {"azure": world["azure"] | {"connected_clusters": alone}}
        return AzurePart(
            world,
            authority=authority,
            clock=self.clock,
            speed=self.speed,
            faults=self.faults,
            host=self.host,
            port=self._ports.azure,
            registry_port=self._ports.registries,
            login_servers="names" if self._login_servers == "names" else "ports",
        )

    def _fleet(self, azure: AzurePart) -> Fleet | None:
        """A fleet whose script began a day ago and ends in six days, so that there is something to see at once."""
        size, configured = self._fleet_size, self.world["azure"].get("fleet")
        if size is None and configured is not None:
            try:
                size = Size.parse(str(configured))
            except ValueError as error:
                raise worlds.WorldError(f"azure.fleet: {error}") from error
        if size is None:
            return None
        begin = self.clock.now() - timedelta(days=1)
        return Fleet(azure, self.clock, size.seed, registries=size.registries, acrs=size.acrs, days=7, begin=begin)

    def _slack_part(self) -> SlackPart:
        return SlackPart(
            self.world,
            clock=self.clock,
            speed=self.speed,
            faults=self.faults,
            host=self.host,
            port=self._ports.slack,
            request_url=self._request_url,
            manifest=self._manifest,
            plan_blocks=self._plan_blocks,
        )

    def _edge_part(self) -> EdgePart:
        upstream = self._upstream
        if upstream is None and self.azure is not None and self.kube is not None and self.authority is not None:
            upstream = Upstream(self.azure.url, Path(self.kube.environment()["KUBECONFIG"]), self.authority.ca_file)
        if upstream is None:
            raise ValueError("the edge needs Azure and the clusters beside it, or an upstream")
        # The keys of all connected clusters, each once.
        tenants = (self.world["azure"], *self.world["azure"].get("neighbours", ()))
        clusters = [cluster for tenant in tenants for cluster in tenant["connected_clusters"] if cluster.get("kube")]
        return EdgePart(
            azure_url=upstream.azure_url,
            ca_file=upstream.ca_file,
            kubeconfig=upstream.kubeconfig,
            clock=self.clock,
            speed=self.speed,
            host=self.host,
            agent_keys=list(dict.fromkeys(str(cluster.get("agent_key") or AGENT_KEY) for cluster in clusters)),
            on_offline=self._switch_cluster,
        )

    def _switch_cluster(self, cluster: str, offline: bool) -> None:
        """Make a cluster's API server unreachable, or reachable again."""
        if self.kube is not None:
            self.kube.set_offline(cluster, offline=offline)

    def _glance(self) -> dict[str, Any]:
        """What /sandbox/world shows besides the clock and the faults."""
        return {
            "speed": self.speed.name,
            "url": self.url,
            "parts": [name for name in PARTS if getattr(self, name) is not None],
            "environment": self.environment(),
            "azure": self.azure.control.state() if self.azure else None,
            "kube": self.kube.state() if self.kube else None,
            "edge": self.edge.status() if self.edge else None,
        }
