"""The edge: one agent for each connected cluster, and the control API that causes failures there."""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox.clock import Clock
from sandbox.edge import scenarios
from sandbox.edge.agent import Agent
from sandbox.edge.cloud import Cloud
from sandbox.edge.cluster import Cluster
from sandbox.edge.programs import Programs
from sandbox.speed import Speed

AGENT_KEY = "sandbox-agent-key"
KEYS = frozenset({"offline", "link", "scenario", "times"})
AT_ONCE = 32
"""Edges that work at a time. A thousand at once, on one machine, keep each other from ending a request in time."""


class EdgePart:
    """All edges. Azure is given by its address alone, and each cluster by a context of the kubeconfig.

    `contexts` maps a connected cluster's name in ARM to a context; without it, each cluster that the service names
    gets the context `{kube}-admin`. `on_offline` is called with a cluster's own name and whether it is off now, so
    that its API server can be made unreachable too.
    """

    def __init__(
        self,
        *,
        azure_url: str,
        ca_file: Path | None,
        kubeconfig: Path,
        contexts: dict[str, str] | None = None,
        clock: Clock,
        speed: Speed,
        host: str = "127.0.0.1",
        agent_keys: Iterable[str] = (AGENT_KEY,),
        on_offline: Callable[[str, bool], None] | None = None,
    ) -> None:
        self._azure_url, self._ca_file, self._kubeconfig = azure_url, ca_file, kubeconfig
        self._contexts, self._clock, self._speed = contexts, clock, speed
        self._host, self._keys, self._on_offline = host, tuple(agent_keys), on_offline
        self._programs = Programs()
        self._turns = asyncio.Semaphore(AT_ONCE)
        self.agents: dict[str, Agent] = {}
        self._kube_names: dict[str, str] = {}
        self.url = ""

    async def start(self) -> None:
        """Read the clusters from Azure and start an agent for each that has a context."""
        for key in self._keys:
            cloud = Cloud(self._azure_url, self._ca_file, key)
            await cloud.open()
            try:
                clusters = await cloud.clusters()
            finally:
                await cloud.close()
            for cluster in clusters:
                await self._start_agent(cluster, key)

    async def stop(self) -> None:
        """End all agents."""
        for agent in self.agents.values():
            await agent.stop()
        await self._programs.close()

    def environment(self) -> dict[str, str]:
        """Empty: no client talks to the edge."""
        return {}

    def status(self) -> dict[str, Any]:
        """An overview of every edge."""
        return {"clusters": [agent.status() for agent in self.agents.values()], "scenarios": sorted(scenarios.NAMES)}

    def agent(self, name: str) -> Agent:
        """An agent by its cluster's name, in ARM or its own.

        Raises:
            KeyError: no such cluster.
        """
        cluster = self._kube_names.get(name, name)
        return self.agents[cluster]

    async def set_offline(self, name: str, *, offline: bool) -> None:
        """Switch an edge off or on, and with it its API server where `on_offline` does that."""
        agent = self.agent(name)
        if offline:
            await agent.set_offline(offline=True)
        if self._on_offline is not None:
            kube = next(kube for kube, arm in self._kube_names.items() if arm == agent.name)
            self._on_offline(kube, offline)
        if not offline:
            await agent.set_offline(offline=False)

    def control_routes(self) -> list[web.RouteDef]:
        """GET /sandbox/edge, POST /sandbox/edge/{cluster}."""
        return [web.get("/sandbox/edge", self._show), web.post("/sandbox/edge/{cluster}", self._change)]

    async def _start_agent(self, cluster: dict[str, Any], key: str) -> None:
        kube = str(cluster.get("kube") or cluster["name"])
        context = f"{kube}-admin" if self._contexts is None else self._contexts.get(cluster["name"])
        if context is None:
            return
        agent = Agent(
            cluster["id"],
            cluster["name"],
            cluster=Cluster(str(self._kubeconfig), context),
            cloud=Cloud(self._azure_url, self._ca_file, key),
            clock=self._clock,
            speed=self._speed,
            programs=self._programs,
            turns=self._turns,
        )
        self.agents[agent.name] = agent
        self._kube_names[kube] = agent.name
        await agent.start()

    async def _show(self, _request: web.Request) -> web.Response:
        return web.json_response(self.status())

    async def _change(self, request: web.Request) -> web.Response:
        name = request.match_info["cluster"]
        try:
            agent = self.agent(name)
        except KeyError:
            names = ", ".join(self.agents) or "none"
            return _error(404, f"There is no connected cluster {name!r}; there are: {names}.")
        try:
            body = await request.json()
            await self._apply(agent, body)
        except (ValueError, TypeError) as error:
            return _error(400, str(error))
        return web.json_response(agent.status())

    async def _apply(self, agent: Agent, body: Any) -> None:
        change = _change(body)
        if "scenario" in change:
            agent.set_scenario(change["scenario"], change.get("times"))
        if "link" in change:
            await agent.set_link(up=change["link"] == "up")
        if "offline" in change:
            await self.set_offline(agent.name, offline=change["offline"])


def _change(body: Any) -> dict[str, Any]:
    """The requested change, checked.

    Raises:
        ValueError: a value is unknown.
    """
    if not isinstance(body, dict) or not body or not body.keys() <= KEYS:
        raise ValueError('Send {"offline": true|false}, {"link": "up"|"down"} or {"scenario": NAME|null, "times": N}.')
    if "offline" in body and not isinstance(body["offline"], bool):
        raise ValueError("offline must be true or false.")
    if body.get("link", "up") not in {"up", "down"}:
        raise ValueError('link is "up" or "down".')
    scenario = body.get("scenario")
    if scenario is not None and scenario not in scenarios.NAMES:
        raise ValueError(f"There is no scenario {scenario!r}; there are: {', '.join(sorted(scenarios.NAMES))}.")
    times = body.get("times")
    if times is not None and (not isinstance(times, int) or isinstance(times, bool) or times < 1):
        raise ValueError("times must be a whole number above 0.")
    return body


def _error(status: int, text: str) -> web.Response:
    return web.json_response({"error": text}, status=status)
