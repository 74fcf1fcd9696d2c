"""The floor: the requests of a whole deployment, in one process, over warm connections, with nothing around them.

The same ARM and Kubernetes requests as the bot's, in the same order and as concurrent as the bot makes them; no
database, no approval, no card, no look for causes. Whatever the bot takes longer is its own.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from bench.stage import FLOOR, Sandbox
from services.gateways.kubernetes import rights
from services.policy.sites import CONTINUOUS, EXTENSION_TYPE, RUNTIME_NAMESPACE, sync_actions

ACR_VERSION, ARC_VERSION, CLUSTER_VERSION = "2025-11-01", "2023-05-01", "2024-01-01"
NAME, ADDRESS, REPOSITORY = "floor0001", "10.96.0.2", "hello-world"
FINISHED = "succeeded"
LOOK = 0.05
"""Seconds between two looks at what ARM has under way: far more often than anybody should ask."""
LABEL = "app.kubernetes.io/name=connected-registry"
HOLD = "default"
"""Namespace of the placeholder Service."""

Json = dict[str, Any]


@dataclass
class Floor:
    """Clients of ARM and of the floor's cluster, with tokens and connections ready."""

    arm: aiohttp.ClientSession
    kube: aiohttp.ClientSession
    subscription: str
    name: str
    """Begins the names of its cloud registry and its cluster."""
    requests: int = 0
    """ARM requests so far."""

    @property
    def acr(self) -> str:
        """Path of the cloud registry."""
        return self._resource("Microsoft.ContainerRegistry/registries", f"{self.name}acr")

    @property
    def cluster(self) -> str:
        """Path of the connected cluster."""
        return self._resource("Microsoft.Kubernetes/connectedClusters", f"{self.name}-arc")

    @property
    def extensions(self) -> str:
        """Path of the cluster's extensions."""
        return f"{self.cluster}/providers/Microsoft.KubernetesConfiguration/extensions"

    def _resource(self, kind: str, name: str) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/edge-rg/providers/{kind}/{name}"

    async def deploy(self) -> float:
        """From nothing to online and synchronised; the seconds that took."""
        began = time.perf_counter()
        await self._look()
        await self._hold()
        gateway = await self._registry()
        await self._install(gateway)
        await self._verify()
        return time.perf_counter() - began

    async def _look(self) -> None:
        acr, token, scope_map = self.acr, f"{self.acr}/tokens/{NAME}", f"{self.acr}/scopeMaps/{NAME}"
        requests = [self._ask("GET", path) for path in (acr, f"{acr}/connectedRegistries", scope_map, token)]
        requests += [self._ask("GET", self.cluster, CLUSTER_VERSION), self._ask("GET", self.extensions, ARC_VERSION)]
        network, storage = "/apis/networking.k8s.io/v1", "/apis/storage.k8s.io/v1"
        crd = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/certificates.cert-manager.io"
        paths: tuple[str, ...] = (
            "/version",
            "/api/v1/nodes",
            f"{storage}/storageclasses",
            f"/api/v1/namespaces/{RUNTIME_NAMESPACE}",
        )
        paths = (*paths, crd, f"{network}/servicecidrs", f"{network}/ipaddresses")
        reviews = [self._review(one) for one in rights.deploying(HOLD)]
        await asyncio.gather(*requests, *map(self._read, paths), *reviews)

    async def _review(self, right: rights.Right) -> None:
        attributes = {"verb": right.verb, "resource": right.resource, "group": right.group, "namespace": HOLD}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview"}
        path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        await self._kube("POST", path, {**body, "spec": {"resourceAttributes": attributes}})

    async def _hold(self) -> None:
        await self._read(f"/api/v1/namespaces/{RUNTIME_NAMESPACE}")
        spec = {"clusterIP": ADDRESS, "ports": [{"name": "https", "port": 443}]}
        service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": NAME}, "spec": spec}
        await self._kube("POST", f"/api/v1/namespaces/{HOLD}/services", service)

    async def _registry(self) -> str:
        """What ARM needs before the extension; the gateway that the connection string names."""
        acr = self.acr
        await self._ask("PATCH", acr, body={"properties": {"dataEndpointEnabled": True}})
        source = {"registryUri": "mcr.microsoft.com", "sourceImage": f"{REPOSITORY}:latest"}
        image = {"source": source, "targetTags": [f"{REPOSITORY}:latest"], "mode": "NoForce"}
        await self._done("POST", f"{acr}/importImage", body=image)
        actions = list(sync_actions(NAME, "ReadOnly", (REPOSITORY,)))
        await self._done("PUT", f"{acr}/scopeMaps/{NAME}", body={"properties": {"actions": actions}})
        token = {"scopeMapId": f"{acr}/scopeMaps/{NAME}", "status": "enabled"}
        await self._done("PUT", f"{acr}/tokens/{NAME}", body={"properties": token})
        sync = {"tokenId": f"{acr}/tokens/{NAME}", "schedule": CONTINUOUS, "messageTtl": "P2D"}
        properties = {"mode": "ReadOnly", "parent": {"syncProperties": sync}}
        registry = await self._done("PUT", f"{acr}/connectedRegistries/{NAME}", body={"properties": properties})
        gateway: str = registry["properties"]["parent"]["syncProperties"]["gatewayEndpoint"]
        return gateway

    async def _install(self, gateway: str) -> None:
        await self._read(f"/api/v1/namespaces/{HOLD}/services")
        await self._kube("DELETE", f"/api/v1/namespaces/{HOLD}/services/{NAME}")
        await self._read(f"/api/v1/namespaces/{HOLD}/services")
        credentials = {"tokenId": f"{self.acr}/tokens/{NAME}", "name": "password1"}
        password = (await self._done("POST", f"{self.acr}/generateCredentials", body=credentials))["passwords"][0][
            "value"
        ]
        connection = (
            f"ConnectedRegistryName={NAME};SyncTokenName={NAME};SyncTokenPassword={password};"
            f"ParentGatewayEndpoint={gateway};ParentEndpointProtocol=https"
        )
        properties = {
            "extensionType": EXTENSION_TYPE,
            "autoUpgradeMinorVersion": True,
            "scope": {"cluster": {"releaseNamespace": RUNTIME_NAMESPACE}},
            "configurationSettings": {"pvc.storageRequest": "250Gi", "service.clusterIP": ADDRESS},
            "configurationProtectedSettings": {"connectionString": connection},
        }
        path, body = f"{self.extensions}/{NAME}", {"identity": {"type": "SystemAssigned"}, "properties": properties}
        await self._ask("PUT", path, ARC_VERSION, body)
        while (await self._ask("GET", path, ARC_VERSION))["properties"]["provisioningState"].lower() != FINISHED:
            await asyncio.sleep(LOOK)

    async def _verify(self) -> None:
        inside = f"/api/v1/namespaces/{RUNTIME_NAMESPACE}"
        deployments = f"/apis/apps/v1/namespaces/{RUNTIME_NAMESPACE}/deployments?labelSelector={LABEL}"
        claim, pods = f"{inside}/persistentvolumeclaims/connected-registry-pvc", f"{inside}/pods?labelSelector={LABEL}"
        events = f"{inside}/events?fieldSelector=type=Warning"
        answers = await asyncio.gather(
            *map(self._read, (pods, inside, f"{inside}/services", claim, events, deployments))
        )
        name = answers[0]["items"][0]["metadata"]["name"]
        await asyncio.gather(
            *(self._read(f"{inside}/pods/{name}/log?tailLines=40{more}") for more in ("", "&previous=true"))
        )
        path = f"{self.acr}/connectedRegistries/{NAME}"
        while not _is_online((await self._ask("GET", path))["properties"]):
            await asyncio.sleep(LOOK)
        await self._read(f"/api/v1/namespaces/{HOLD}/services")

    async def _read(self, path: str) -> Json:
        return await self._kube("GET", path)

    async def _kube(self, method: str, path: str, body: Json | None = None) -> Json:
        async with self.kube.request(method, path, json=body) as answer:
            text = await answer.read()
            return await answer.json() if text.startswith(b"{") else {}

    async def _ask(self, method: str, path: str, version: str = ACR_VERSION, body: Json | None = None) -> Json:
        """One request; what is absent is an answer too."""
        self.requests += 1
        async with self.arm.request(method, path, params={"api-version": version}, json=body) as answer:
            content: Json = await answer.json()
            return content

    async def _done(self, method: str, path: str, body: Json) -> Json:
        """A write, followed by its headers to its end; the result of an action, else the write's own answer."""
        self.requests += 1
        async with self.arm.request(method, path, params={"api-version": ACR_VERSION}, json=body) as answer:
            if not answer.ok:
                raise RuntimeError(f"{method} {path}: {await answer.text()}")
            content: Json = await answer.json() if await answer.read() else {}
            status, location = answer.headers.get("Azure-AsyncOperation"), answer.headers.get("Location")
        if status:
            while (await self._poll(status))[1].get("status", "").lower() != FINISHED:
                await asyncio.sleep(LOOK)
        elif location:
            code, content = await self._poll(location)
            while code == HTTPStatus.ACCEPTED:
                await asyncio.sleep(LOOK)
                code, content = await self._poll(location)
        return content

    async def _poll(self, url: str) -> tuple[int, Json]:
        self.requests += 1
        async with self.arm.get(url) as answer:
            return answer.status, await answer.json() if await answer.read() else {}


def _is_online(seen: Json) -> bool:
    return seen.get("connectionState") == "Online" and bool(seen["parent"]["syncProperties"].get("lastSyncTime"))


@asynccontextmanager
async def floor(box: Sandbox, name: str = FLOOR) -> AsyncIterator[Floor]:
    """Sign in and open connections beforehand, as a bot that runs has them. `name` is among the world's `floors`."""
    env = box.environment
    trust = ssl.create_default_context(cafile=env["SSL_CERT_FILE"])
    config = yaml.safe_load(Path(env["KUBECONFIG"]).read_text(encoding="utf-8"))
    clusters = {one["name"]: one["cluster"]["server"] for one in config["clusters"]}
    users = {one["name"]: one["user"]["token"] for one in config["users"]}
    context = next(one["context"] for one in config["contexts"] if one["name"] == name)
    async with (
        _session(env["AZURE_RESOURCE_MANAGER_URL"], await _token(env, trust), trust) as arm,
        _session(clusters[context["cluster"]], users[context["user"]], trust) as kube,
    ):
        steps = Floor(arm, kube, env["AZURE_SUBSCRIPTION_ID"], name)
        await steps._look()  # noqa: SLF001 - opens as many connections as the first questions need
        steps.requests = 0
        yield steps


def _session(url: str, token: str, trust: ssl.SSLContext) -> aiohttp.ClientSession:
    headers = {"Authorization": f"Bearer {token}"}
    return aiohttp.ClientSession(url, headers=headers, connector=aiohttp.TCPConnector(ssl=trust))


async def _token(env: Any, trust: ssl.SSLContext) -> str:
    form = {
        "grant_type": "client_credentials",
        "client_id": env["AZURE_CLIENT_ID"],
        "client_secret": env["AZURE_CLIENT_SECRET"],
        "scope": "https://management.azure.com/.default",
    }
    url = f"{env['AZURE_AUTHORITY_HOST']}/{env['AZURE_TENANT_ID']}/oauth2/v2.0/token"
    async with aiohttp.ClientSession() as http, http.post(url, data=form, ssl=trust) as answer:
        token: str = (await answer.json())["access_token"]
        return token
