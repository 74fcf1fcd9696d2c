"""The sandbox's Azure as a test sees it: started, looked at through its control API, and played the agent for."""

import ssl
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from sandbox.azure import AzurePart
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.speed import IMMEDIATE
from sandbox.tls import Authority

WORLD = Path(__file__).parents[3] / "sandbox" / "world.yaml"
AGENT_KEY = "sandbox-agent-key"
PROVIDER_DEPTH = 4
"""Slashes in the path of a provider's document."""


class Sandboxed:
    """One Azure over TLS at immediate speed. `url` and `ca_file` are known after `start`."""

    def __init__(self, folder: Path, **principal: Any) -> None:
        world: dict[str, Any] = yaml.safe_load(WORLD.read_text())
        world["azure"]["principals"][0] |= principal
        authority = Authority(folder)
        self._faults = Faults()
        self.clock = Clock()
        self._part = AzurePart(world, authority=authority, clock=self.clock, speed=IMMEDIATE, faults=self._faults)
        self.ca_file = str(authority.ca_file)
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return self._part.url

    async def start(self) -> None:
        await self._part.start()
        context = ssl.create_default_context(cafile=self.ca_file)
        self._session = aiohttp.ClientSession(self.url, connector=aiohttp.TCPConnector(ssl=context))

    async def stop(self) -> None:
        if self._session:
            await self._session.close()
        await self._part.stop()

    def strike(self, match: str, **fault: Any) -> None:
        """Put a fault in force."""
        self._faults.add(Fault("azure", match, **fault))

    def tag(self, repository: str, *tags: str) -> None:
        """Point more tags of a repository at what its `latest` stands for."""
        images = self._part.cloud.registries["contosoacr"].images.repositories[repository]
        for tag in tags:
            images.tag(tag, images.tags["latest"], self.clock.now())

    async def lines(self) -> list[str]:
        """The requests to ARM so far, without the id of the subscription's group, and without providers' documents."""
        log = (await self._call("GET", "/sandbox/azure/requests"))["requests"]
        seen = [each for each in log if each["path"].count("/") != PROVIDER_DEPTH or each["method"] != "GET"]
        return [f"{each['method']} {each['path'].rpartition('/providers/')[2]}" for each in seen]

    async def forget(self) -> None:
        """Begin to count requests anew."""
        await self._call("DELETE", "/sandbox/azure/requests")

    async def offer(self, **types: list[str] | None) -> None:
        """Let types below `registries` be offered in these versions alone."""
        prefix = "Microsoft.ContainerRegistry/registries/"
        await self._call("POST", "/sandbox/azure/versions", {f"{prefix}{name}": types[name] for name in types})

    async def lock(self, name: str, scope: str, level: str) -> None:
        """Set a management lock; a scope is an ARM id, `subscription`, or a name."""
        await self._call("POST", "/sandbox/azure/locks", {"name": name, "scope": scope, "level": level})

    async def limit(self, **limits: float) -> None:
        """Make request quotas small."""
        await self._call("POST", "/sandbox/azure/throttle", limits)

    async def state(self) -> dict[str, Any]:
        return await self._call("GET", "/sandbox/azure/state")

    async def desired(self, cluster_id: str) -> list[dict[str, Any]]:
        """The extensions that the cluster's agent is told of."""
        found: list[dict[str, Any]] = (await self._agent("GET", f"/agent/extensions?cluster={cluster_id}"))[
            "extensions"
        ]
        return found

    async def report(self, cluster_id: str, name: str, **report: Any) -> None:
        """Say as the agent what became of an extension."""
        wanted = next(each for each in await self.desired(cluster_id) if each["name"] == name)
        body = {"cluster": cluster_id, "name": name, "generation": wanted["generation"]} | report
        await self._agent("POST", "/agent/extension-status", body)

    async def heartbeat(self, cluster_id: str) -> None:
        body = {"cluster": cluster_id, "kubernetesVersion": "v1.33.4", "totalNodeCount": 1, "agentVersion": "1.2"}
        await self._agent("POST", "/agent/heartbeat", body)

    async def _agent(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        return await self._call(method, path, body, {"Authorization": f"Bearer {AGENT_KEY}"})

    async def _call(
        self, method: str, path: str, body: dict[str, Any] | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        assert self._session is not None
        async with self._session.request(method, path, json=body, headers=headers) as response:
            assert response.status == 200, await response.text()
            answer: dict[str, Any] = await response.json()
            return answer
