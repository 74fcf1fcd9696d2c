"""The kubelets of a real cluster: they run the Pods that no edge agent runs, and serve logs to the API server."""

import asyncio
import logging
from collections.abc import Mapping
from datetime import timedelta

from aiohttp import web

from sandbox.clock import Clock
from sandbox.controlplane.api import Api, Json
from sandbox.edge.cluster import Cluster, RefusedError, UnavailableError
from sandbox.edge.kubelet import Kubelet, of_the_edge
from sandbox.edge.programs import Programs
from sandbox.hangups import hangups
from sandbox.kube.logs import container_log
from sandbox.kube.status import StatusError
from sandbox.speed import Speed
from sandbox.tls import Authority

log = logging.getLogger(__name__)
RETRY = 0.2
"""Seconds until a failed request is repeated."""
LONGEST_FOLLOW = 0.1
SHUTDOWN_TIMEOUT = 0.5


class LogServer:
    """What a node's kubelet answers on port 10250, as far as `kubectl logs` needs it: the logs in Pods' annotations."""

    def __init__(self, authority: Authority, host: str) -> None:
        self._authority, self._host = authority, host
        self._runner: web.AppRunner | None = None
        self.port = 0
        self.api: Api | None = None
        """The cluster's API server; it must be set before the first request for a log."""

    async def start(self) -> None:
        """Listen on a free port."""
        app = web.Application()
        app.add_routes([web.get("/containerLogs/{namespace}/{pod}/{container}", self._log)])
        self._runner = web.AppRunner(app, shutdown_timeout=SHUTDOWN_TIMEOUT)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, 0, ssl_context=self._authority.server_context()).start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """End all connections."""
        if self._runner is not None:
            await self._runner.cleanup()

    @hangups
    async def _log(self, request: web.Request) -> web.StreamResponse:
        names = request.match_info
        pod = await self._pod(names["namespace"], names["pod"])
        if pod is None:
            raise web.HTTPNotFound(text=f'pod "{names["pod"]}" not found\n')
        query = dict(request.query) | {"container": names["container"]}
        try:
            text = container_log(pod, query)
        except StatusError as error:
            raise web.HTTPBadRequest(text=error.message) from error
        response = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await response.prepare(request)
        await response.write(text.encode())
        if query.get("follow", "").lower() in {"1", "true"}:
            await self._follow(response, pod, query)
        await response.write_eof()
        return response

    async def _follow(self, response: web.StreamResponse, pod: Json, query: Mapping[str, str]) -> None:
        """Write what is added to the log, until the Pod is deleted."""
        meta = pod["metadata"]
        parameters = {"container": query["container"]}
        written = container_log(pod, parameters)
        while (current := await self._pod(meta["namespace"], meta["name"])) and current["metadata"]["uid"] == meta[
            "uid"
        ]:
            text = container_log(current, parameters)
            if text != written:
                await response.write(text.removeprefix(written).encode())
                written = text
            await asyncio.sleep(LONGEST_FOLLOW)

    async def _pod(self, namespace: str, name: str) -> Json | None:
        return await self.api.find(f"/api/v1/namespaces/{namespace}/pods/{name}") if self.api else None


class Kubelets:
    """Scheduler and kubelets for ordinary Pods: every image exists, and containers start and keep running."""

    def __init__(self, cluster: Cluster, clock: Clock, speed: Speed) -> None:
        self._cluster, self._clock, self._speed = cluster, clock, speed
        self._kubelet = Kubelet(
            cluster, clock, speed, dict, containers=Programs(), mine=lambda pod: not of_the_edge(pod)
        )
        self._wake = asyncio.Event()

    async def run(self) -> None:
        """Run Pods until cancelled."""
        await self._cluster.open()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch())
                group.create_task(self._work())
        finally:
            await self._cluster.close()

    async def _watch(self) -> None:
        while True:
            try:
                async for kind, pod in self._cluster.watch_pods():
                    self._kubelet.take(kind, pod)
                    self._wake.set()
            except (UnavailableError, RefusedError) as error:
                log.debug("kubelets: %s", error)
            await asyncio.sleep(RETRY)

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            try:
                due = await self._kubelet.look()
            except (UnavailableError, RefusedError) as error:
                log.debug("kubelets: %s", error)
                due = self._clock.now() + timedelta(seconds=RETRY)
            wait = None if due is None else max((due - self._clock.now()).total_seconds(), 0)
            try:
                async with asyncio.timeout(wait):
                    await self._wake.wait()
            except TimeoutError:
                continue
