"""What the tests say to the cloud, in the words of the clients."""

import base64
import json
from dataclasses import dataclass, field
from typing import Any, Self

import aiohttp
from azure.core.rest import HttpRequest
from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient
from azure.mgmt.kubernetesconfiguration.aio import SourceControlConfigurationClient

from sandbox.azure import AzurePart

GROUP = "edge-rg"
REGISTRY = "contosoacr"
CLUSTER = "berlin-arc"
GATEWAY = "contosoacr.westeurope.data.azurecr.io"


@dataclass(frozen=True)
class Reply:
    """One answer, read to its end."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass
class Http:
    """Plain requests, for what no client of the venv speaks."""

    session: aiohttp.ClientSession
    headers: dict[str, str] = field(default_factory=dict)

    def with_bearer(self, token: str) -> Self:
        return type(self)(self.session, {"Authorization": f"Bearer {token}"})

    def with_basic(self, user: str, password: str) -> Self:
        text = base64.b64encode(f"{user}:{password}".encode()).decode()
        return type(self)(self.session, {"Authorization": f"Basic {text}"})

    def at(self, host: str) -> Self:
        return type(self)(self.session, self.headers | {"Host": host})

    async def send(self, method: str, url: str, **more: Any) -> Reply:
        async with self.session.request(method, url, headers=self.headers, **more) as response:
            return Reply(response.status, dict(response.headers), await response.read())

    async def get(self, url: str) -> Reply:
        return await self.send("GET", url)

    async def post(self, url: str, body: dict[str, Any] | None = None) -> Reply:
        return await self.send("POST", url, json=body or {})


@dataclass(frozen=True)
class Cloud:
    """The default world, and the steps by which people put a connected registry into it."""

    azure: AzurePart
    acr: ContainerRegistryManagementClient
    extensions: SourceControlConfigurationClient
    http: Http

    @property
    def group_id(self) -> str:
        return f"/subscriptions/{self.azure.cloud.subscription}/resourceGroups/{GROUP}"

    @property
    def registry_id(self) -> str:
        return f"{self.group_id}/providers/Microsoft.ContainerRegistry/registries/{REGISTRY}"

    @property
    def cluster_id(self) -> str:
        return f"{self.group_id}/providers/Microsoft.Kubernetes/connectedClusters/{CLUSTER}"

    @property
    def agent(self) -> Http:
        return self.http.with_bearer("sandbox-agent-key")

    async def arm(self, method: str, path: str, version: str | None, body: Any = None) -> Reply:
        """One request through the client's own pipeline; `path` is below the group when it has no leading slash."""
        target = path if path.startswith("/") else f"{self.group_id}/{path}"
        query = {} if version is None else {"api-version": version}
        request = HttpRequest(method, f"{self.azure.url}{target}", params=query, json=body)
        response = await self.acr.send_request(request)
        return Reply(response.status_code, dict(response.headers), response.content)

    async def follow(self, url: str) -> Reply:
        """One poll of an operation, at the address that ARM gave."""
        response = await self.acr.send_request(HttpRequest("GET", url))
        return Reply(response.status_code, dict(response.headers), response.content)

    async def enable_data_endpoint(self) -> None:
        poller = await self.acr.registries.begin_update(GROUP, REGISTRY, {"properties": {"dataEndpointEnabled": True}})
        await poller.result()

    async def make_token(self, name: str, *actions: str) -> str:
        """A scope map and a token, both of this name; the token's id."""
        maps = await self.acr.scope_maps.begin_create(GROUP, REGISTRY, name, {"properties": {"actions": list(actions)}})
        scope_map = await maps.result()
        tokens = await self.acr.tokens.begin_create(
            GROUP, REGISTRY, name, {"properties": {"scopeMapId": scope_map.id, "status": "enabled"}}
        )
        return str((await tokens.result()).id)

    async def mint(self, token_id: str, slot: str = "password1") -> str:
        poller = await self.acr.registries.begin_generate_credentials(
            GROUP, REGISTRY, {"tokenId": token_id, "name": slot}
        )
        return str((await poller.result()).as_dict()["passwords"][0]["value"])

    async def make_connected(self, name: str = "edge01", **properties: Any) -> Any:
        """A connected registry with its sync token, data endpoint on; `properties` go into it."""
        await self.enable_data_endpoint()
        token_id = await self.make_token(
            name,
            "repositories/hello-world/content/read",
            "repositories/hello-world/metadata/read",
            *(f"gateway/{name}/{verb}" for verb in ("config/read", "config/write", "message/read", "message/write")),
        )
        return await self.put_connected(name, token_id, **properties)

    async def put_connected(self, name: str, token_id: str, *, parent: str | None = None, **properties: Any) -> Any:
        """The PUT alone; `sync` goes into `parent.syncProperties`."""
        sync = {"tokenId": token_id, "schedule": "* * * * *", "messageTtl": "P2D"} | properties.pop("sync", {})
        body = {"mode": "ReadOnly", "parent": {"id": parent, "syncProperties": sync}} | properties
        poller = await self.acr.connected_registries.begin_create(GROUP, REGISTRY, name, {"properties": body})
        return await poller.result()

    async def connected(self, name: str = "edge01", version: str = "2025-11-01") -> Any:
        """The `properties` of a connected registry, as ARM answers them."""
        reply = await self.arm("GET", f"{self.registry_id}/connectedRegistries/{name}", version)
        return reply.json["properties"]

    async def activated(self, name: str = "edge01") -> str:
        """A connected registry whose runtime holds the activation; the sync token's password."""
        connected = await self.make_connected(name)
        password = await self.mint(connected.properties.parent.sync_properties.token_id)
        await self.runtime(name, "activate", password)
        return password

    async def register_kubernetes_configuration(self) -> None:
        namespace = "Microsoft.KubernetesConfiguration"
        path = f"/subscriptions/{self.azure.cloud.subscription}/providers/{namespace}/register"
        await self.arm("POST", path, "2021-04-01")

    async def install(self, name: str = "onprem", **properties: Any) -> Any:
        """Put a connected registry extension; the poller, which ends when the agent has reported."""
        await self.register_kubernetes_configuration()
        body = {
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "extensionType": "Microsoft.ContainerRegistry.ConnectedRegistry",
                "configurationSettings": {"service.clusterIP": "10.96.0.10"},
                "configurationProtectedSettings": {"connectionString": "secret"},
            }
            | properties,
        }
        return await self.extensions.extensions.begin_create(*self.of_cluster(name), body)

    def of_cluster(self, name: str) -> tuple[str, str, str, str, str]:
        """Where an extension lies, as the client's methods take it."""
        return (GROUP, "Microsoft.Kubernetes", "connectedClusters", CLUSTER, name)

    async def extension(self, name: str = "onprem") -> Any:
        """An extension, as the client reads it."""
        return await self.extensions.extensions.get(*self.of_cluster(name))

    async def desired_extensions(self) -> list[dict[str, Any]]:
        """The extensions that the agent is told of."""
        reply = await self.agent.get(f"{self.azure.url}/agent/extensions?cluster={self.cluster_id}")
        extensions: list[dict[str, Any]] = reply.json["extensions"]
        return extensions

    async def report(self, state: str, name: str = "onprem", **more: Any) -> Reply:
        """What the agent says became of the newest generation of an extension."""
        generation = max(one["generation"] for one in await self.desired_extensions() if one["name"] == name)
        body = {"cluster": self.cluster_id, "name": name, "generation": generation, "state": state}
        return await self.agent.post(f"{self.azure.url}/agent/extension-status", body | more)

    async def runtime(self, name: str, verb: str, password: str, **body: Any) -> Reply:
        """One word of the connected registry's runtime to its gateway."""
        client = self.http.with_basic(name, password).at(GATEWAY)
        url = f"{self.azure.url}/connectedregistry/{name}/{verb}"
        return await client.post(url, {"instance": "one", "version": "0.11.0"} | body)
