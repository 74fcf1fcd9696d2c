"""An operator who follows the quickstart with the official clients, and looks at what came of it."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import aiohttp
from azure.identity.aio import ClientSecretCredential
from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient
from azure.mgmt.kubernetesconfiguration.extensions.aio import KubernetesConfigurationExtensionsMgmtClient
from kubernetes.aio import client as kube
from kubernetes.aio import config

from sandbox.compose import Sandbox

GROUP, ACR, NAMESPACE = "edge-rg", "contosoacr", "connected-registry"
ADDRESS = "10.96.0.50"
QUICK = 0.05
DEADLINE = 60.0
Found = TypeVar("Found")
FAST: Any = {"polling_interval": QUICK}


class Operator:
    """One person at one cluster, `berlin` unless told otherwise."""

    def __init__(self, sandbox: Sandbox, cluster: str = "berlin") -> None:
        self.sandbox, self.cluster = sandbox, cluster
        values = sandbox.environment()
        self.environment = values
        self.credential = ClientSecretCredential(
            values["AZURE_TENANT_ID"],
            values["AZURE_CLIENT_ID"],
            values["AZURE_CLIENT_SECRET"],
            authority=values["AZURE_AUTHORITY_HOST"],
            connection_verify=values["SSL_CERT_FILE"],
        )
        options: Any = {"base_url": values["AZURE_RESOURCE_MANAGER_URL"], "connection_verify": values["SSL_CERT_FILE"]}
        subscription = values["AZURE_SUBSCRIPTION_ID"]
        self.acr = ContainerRegistryManagementClient(self.credential, subscription, **options)
        self.arc = KubernetesConfigurationExtensionsMgmtClient(self.credential, subscription, **options)
        self.http = aiohttp.ClientSession()
        self.core: Any = None
        self.apps: Any = None
        self.custom: Any = None
        self._api: Any = None

    async def open(self) -> None:
        self._api = await config.new_client_from_config(self.environment["KUBECONFIG"], context=f"{self.cluster}-admin")  # type: ignore[no-untyped-call]  # it has no types
        self.core, self.apps = kube.CoreV1Api(self._api), kube.AppsV1Api(self._api)
        self.custom = kube.CustomObjectsApi(self._api)

    async def close(self) -> None:
        await self.http.close()
        await self._api.close()
        await self.acr.close()
        await self.arc.close()
        await self.credential.close()

    async def control(self, **change: Any) -> Any:
        """Break or mend something at the edge."""
        url = f"{self.sandbox.url}/sandbox/edge/{self.cluster}"
        async with self.http.post(url, json=change) as answer:
            return await answer.json()

    async def create_registry(self, name: str = "edge01", **sync: Any) -> None:
        """Scope map, sync token and connected registry, as `az acr connected-registry create` makes them."""
        actions = [
            f"gateway/{name}/{what}" for what in ("config/read", "config/write", "message/read", "message/write")
        ]
        for repository in ("hello-world", "azuredocs/aks-helloworld"):
            actions += [f"repositories/{repository}/{what}" for what in ("content/read", "metadata/read")]
        token = await self.create_token(name, actions)
        properties = {
            "mode": "ReadOnly",
            "parent": {"syncProperties": {"tokenId": token, "schedule": "* * * * *", "messageTtl": "P2D", **sync}},
        }
        body: Any = {"properties": properties}
        await (await self.acr.connected_registries.begin_create(GROUP, ACR, name, body, **FAST)).result()

    async def create_token(self, name: str, actions: list[str]) -> str:
        """A scope map and a token of the same name; the token's id."""
        scope_map: Any = {"properties": {"actions": actions}}
        granted = await (await self.acr.scope_maps.begin_create(GROUP, ACR, name, scope_map, **FAST)).result()
        token: Any = {"properties": {"scopeMapId": granted.id, "status": "enabled"}}
        created = await (await self.acr.tokens.begin_create(GROUP, ACR, name, token, **FAST)).result()
        return str(created.id)

    async def password(self, token: str, slot: str = "password1") -> str:
        """A new password for a token."""
        current = await self.acr.tokens.get(GROUP, ACR, token)
        order: Any = {"tokenId": current.id, "name": slot}
        credentials = await (await self.acr.registries.begin_generate_credentials(GROUP, ACR, order, **FAST)).result()
        return next(str(one.value) for one in credentials.passwords or [] if one.name == slot)

    async def connection_string(self, name: str = "edge01", *, password: str | None = None) -> str:
        """What `az acr connected-registry get-settings` prints."""
        registry = await self.registry(name)
        gateway = registry.properties.parent.sync_properties.gateway_endpoint
        secret = password or await self.password(name)
        return (
            f"ConnectedRegistryName={name};SyncTokenName={name};SyncTokenPassword={secret};"
            f"ParentGatewayEndpoint={gateway};ParentEndpointProtocol=https"
        )

    async def install(
        self,
        name: str = "edge01",
        *,
        connection: str | None = None,
        version: str | None = None,
        wait: bool = True,
        **settings: Any,
    ) -> Any:
        """`az k8s-extension create`, and its outcome if it is waited for; dots in settings are written as __."""
        plain = {"service.clusterIP": ADDRESS} | {key.replace("__", "."): value for key, value in settings.items()}
        plain = {key.replace("cert_manager", "cert-manager"): value for key, value in plain.items()}
        secret = await self.connection_string(name) if connection is None else connection
        body: Any = {
            "identity": {"type": "SystemAssigned"},
            "properties": {
                "extensionType": "microsoft.containerregistry.connectedregistry",
                "autoUpgradeMinorVersion": version is None,
                "version": version,
                "configurationSettings": plain,
                "configurationProtectedSettings": {"connectionString": secret},
            },
        }
        poller = await self.arc.extensions.begin_create(*self.at(name), body, **FAST)
        return await poller.result() if wait else poller

    async def deploy(self, name: str = "edge01", **settings: Any) -> None:
        """The whole quickstart, until the connected registry is online."""
        await self.create_registry(name)
        await self.install(name, **settings)
        await self.until_state("Online", name)

    def at(self, name: str) -> tuple[str, str, str, str, str]:
        """Where an extension is in ARM."""
        return GROUP, "Microsoft.Kubernetes", "connectedClusters", f"{self.cluster}-arc", name

    async def extension(self, name: str = "edge01") -> Any:
        return (await self.arc.extensions.get(*self.at(name))).properties

    async def remove(self, name: str = "edge01") -> None:
        await (await self.arc.extensions.begin_delete(*self.at(name), **FAST)).result()

    async def registry(self, name: str = "edge01") -> Any:
        return await self.acr.connected_registries.get(GROUP, ACR, name)

    async def until_state(self, state: str, name: str = "edge01") -> Any:
        """Wait until the connected registry is Online, Offline, …; its properties."""

        async def look() -> Any:
            current = (await self.registry(name)).properties
            return current if current.connection_state == state else None

        return await eventually(look)

    async def pods(self, namespace: str = NAMESPACE, app: str = "connected-registry") -> list[Any]:
        listed = await self.core.list_namespaced_pod(namespace, label_selector=f"app.kubernetes.io/name={app}")
        return list(listed.items)

    async def pod(self) -> Any:
        """The connected registry's Pod, once there is one."""

        async def look() -> Any:
            return next(iter(await self.pods()), None)

        return await eventually(look)

    async def until_waiting(self, reason: str) -> None:
        """Wait until the Pod's container waits for this reason."""

        async def look() -> bool:
            states = [status.state for pod in await self.pods() for status in pod.status.container_statuses or ()]
            return [state.waiting.reason for state in states if state.waiting] == [reason]

        await eventually(look)

    async def log(self, *, previous: bool = False) -> str:
        pod = await self.pod()
        return str(await self.core.read_namespaced_pod_log(pod.metadata.name, NAMESPACE, previous=previous))

    async def until_log(self, text: str, *, meanwhile: Callable[[], None] = lambda: None) -> str:
        """Wait for a line in the Pod's log; before each look something may be done."""

        async def look() -> str | None:
            meanwhile()
            try:
                log = await self.log()
            except kube.ApiException:
                return None
            return log if text in log else None

        return await eventually(look)

    async def workload(
        self, image: str, *, user: str = "", password: str = "", server: str = ADDRESS, restart: str = "Always"
    ) -> None:
        """`kubectl create secret docker-registry regcred` and a Pod that pulls with it."""
        auths = {"auths": {server: {"username": user, "password": password}}}
        encoded = base64.b64encode(json.dumps(auths).encode()).decode()
        secret = {
            "metadata": {"name": "regcred"},
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": encoded},
        }
        if user:
            await self.core.create_namespaced_secret("default", secret)
        spec = {"restartPolicy": restart, "containers": [{"name": "app", "image": image}]} | (
            {"imagePullSecrets": [{"name": "regcred"}]} if user else {}
        )
        await self.core.create_namespaced_pod("default", {"metadata": {"name": "app"}, "spec": spec})

    async def workload_again(self) -> None:
        """Another Pod in the place of that one, which pulls by the same Secret."""
        former = await self.core.read_namespaced_pod("app", "default")
        await self.core.delete_namespaced_pod("app", "default", grace_period_seconds=0)
        containers = [{"name": "app", "image": former.spec.containers[0].image}]
        spec = {"containers": containers, "imagePullSecrets": [{"name": "regcred"}]}
        await self.core.create_namespaced_pod("default", {"metadata": {"name": "app"}, "spec": spec})

    async def workload_status(self, when: Callable[[Any], bool]) -> Any:
        """The container status of that Pod once it is as wanted."""

        async def look() -> Any:
            current = await self.core.read_namespaced_pod("app", "default")
            statuses = current.status.container_statuses or []
            return statuses[0] if statuses and when(statuses[0]) else None

        return await eventually(look)


async def eventually(look: Callable[[], Awaitable[Found | None]]) -> Found:
    """What `look` gives as soon as it gives anything."""
    async with asyncio.timeout(DEADLINE):
        while not (result := await look()):
            await asyncio.sleep(QUICK)
    return result
