"""Arc-enabled clusters, their extensions, and the resource providers of a subscription."""

from collections.abc import Mapping, Sequence
from typing import Any

from azure.core.polling import AsyncLROPoller
from azure.mgmt.kubernetesconfiguration.v2023_05_01 import models

from services.gateways.answers import at_most
from services.gateways.azure import reading
from services.gateways.azure.arm import MAX_PAGES, PROVIDERS_API_VERSION, UNPOLLED, Arm, initial_answer, items
from services.gateways.azure.following import deletion, pending_write
from services.gateways.azure.translation import unreadable
from services.model.azure import ArcCluster, ClusterRef, Extension, Pending
from services.model.secret import Secret
from services.policy.sites import EXTENSION_TYPE, RUNTIME_NAMESPACE

_KIND = ("Microsoft.Kubernetes", "connectedClusters")
_ALL_PROVIDERS = 64 * 2**20
"""Bytes: the list describes every resource type of Azure."""
_EXTENSIONS = "/providers/Microsoft.KubernetesConfiguration/extensions"


class Clusters:
    """Implements `ports.Clusters`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def get(self, cluster: ClusterRef) -> ArcCluster:
        """Raises `Absent`."""
        async with self._arm.reading(cluster.id) as deadline:
            body = await self._arm.object(self._arm.url(cluster.id), target=cluster.id, deadline=deadline)
            return reading.named(reading.arc_cluster(body), cluster.name)


class Extensions:
    """Implements `ports.Extensions`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def list(self, cluster: ClusterRef) -> tuple[Extension, ...]:
        """All pages."""
        client = self._arm.extensions(cluster.subscription).extensions
        target = f"{cluster.id}{_EXTENSIONS}"
        async with self._arm.reading(target) as deadline:
            pages = client.list(cluster.resource_group, *_KIND, cluster.name, deadline=deadline)
            return tuple(reading.extension(extension) for extension in await items(pages, target))

    async def get(self, cluster: ClusterRef, name: str) -> Extension:
        """Raises `Absent`."""
        client = self._arm.extensions(cluster.subscription).extensions
        async with self._arm.reading(f"{cluster.id}{_EXTENSIONS}/{name}") as deadline:
            answer = await client.get(cluster.resource_group, *_KIND, cluster.name, name, deadline=deadline)
            return reading.named(reading.extension(answer), name)

    async def create(
        self,
        cluster: ClusterRef,
        name: str,
        *,
        settings: Mapping[str, str],
        protected: Mapping[str, Secret],
        release_train: str | None,
        version: str | None,
    ) -> Pending:
        """A pinned version and automatic upgrades exclude each other, so a version switches them off.

        Sent once, as it carries a password: a refusal then says for certain that nobody has got that.
        """
        release: dict[str, Any] = {"release_train": release_train, "version": version}
        extension = models.Extension(
            identity=models.Identity(type="SystemAssigned"),
            extension_type=EXTENSION_TYPE,
            auto_upgrade_minor_version=not version,
            **release,
            scope=models.Scope(cluster=models.ScopeCluster(release_namespace=RUNTIME_NAMESPACE)),
            configuration_settings=dict(settings),
            configuration_protected_settings={key: value.reveal() for key, value in protected.items()},
        )
        client = self._arm.extensions(cluster.subscription).extensions
        target = f"{cluster.id}{_EXTENSIONS}/{name}"
        async with self._arm.writing(target) as deadline:
            poller = await client.begin_create(
                cluster.resource_group,
                *_KIND,
                cluster.name,
                name,
                extension,
                deadline=deadline,
                resend=False,
                **UNPOLLED,
            )
            return pending_write(self._arm, await initial_answer(poller), target)

    async def update(
        self,
        cluster: ClusterRef,
        name: str,
        *,
        settings: Mapping[str, str] | None = None,
        protected: Mapping[str, Secret] | None = None,
        release_train: str | None = None,
        version: str | None = None,
        auto_upgrade: bool | None = None,
    ) -> Pending:
        """A PATCH of these alone. Left out, the train and the upgrades would be sent as the SDK's own defaults.

        Sent once where it carries a password, as in `create`.
        """
        release: dict[str, Any] = {"release_train": release_train, "auto_upgrade_minor_version": auto_upgrade}
        change = models.PatchExtension(
            **release,
            version=version,
            configuration_settings=dict(settings) if settings else None,
            configuration_protected_settings=(
                {key: value.reveal() for key, value in protected.items()} if protected else None
            ),
        )
        client = self._arm.extensions(cluster.subscription).extensions
        target = f"{cluster.id}{_EXTENSIONS}/{name}"
        async with self._arm.writing(target) as deadline:
            poller = await client.begin_update(
                cluster.resource_group,
                *_KIND,
                cluster.name,
                name,
                change,
                deadline=deadline,
                resend=not protected,
                **UNPOLLED,
            )
            return pending_write(self._arm, await initial_answer(poller), target)

    async def delete(self, cluster: ClusterRef, name: str, *, force: bool = False) -> Pending:
        """`forceDelete` is sent only where it is wanted, as the Azure CLI does."""
        client = self._arm.extensions(cluster.subscription).extensions

        async def send(deadline: float) -> AsyncLROPoller[None]:
            return await client.begin_delete(
                cluster.resource_group,
                *_KIND,
                cluster.name,
                name,
                force_delete=force or None,
                deadline=deadline,
                **UNPOLLED,
            )

        return await deletion(self._arm, f"{cluster.id}{_EXTENSIONS}/{name}", send)


class Providers:
    """Implements `ports.Providers`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def states(self, subscription: str, namespaces: Sequence[str]) -> Mapping[str, str]:
        """By the names of the question. A provider that the subscription does not list is `NotRegistered`."""
        target = f"/subscriptions/{subscription}/providers"
        names = {namespace.lower(): namespace for namespace in namespaces}
        states = dict.fromkeys(namespaces, "NotRegistered")
        versions, links = self._arm.versions, {""}
        url = self._arm.url(target, PROVIDERS_API_VERSION)
        async with versions.reading(subscription), self._arm.reading(target) as deadline:
            while url not in links:
                links.add(url)
                with at_most(_ALL_PROVIDERS):
                    body = await self._arm.object(url, target=target, deadline=deadline, as_given=True)
                for provider in body["value"]:
                    namespace = names.get(str(provider.get("namespace", "")).lower())
                    if namespace:
                        states[namespace] = str(provider.get("registrationState") or "")
                        versions.note(subscription, provider)
                url = str(body.get("nextLink") or "")
            if url or len(links) > MAX_PAGES:
                raise unreadable(target)
        return states

    async def api_version(self, subscription: str, resource_type: str) -> str:
        """As the pipeline chooses it for every request. See `versions`."""
        target = f"/subscriptions/{subscription}/providers/{resource_type}"
        async with self._arm.reading(target):
            return await self._arm.versions.of(subscription.lower(), resource_type.lower(), self._arm.provider)

    async def register(self, subscription: str, namespace: str) -> str:
        """Sends the request again after an error, since a second registration changes nothing."""
        target = f"/subscriptions/{subscription}/providers/{namespace}"
        url = self._arm.url(f"{target}/register", PROVIDERS_API_VERSION)
        async with self._arm.writing(target) as deadline:
            response = await self._arm.send("POST", url, target=target, deadline=deadline, resend=True)
            return str(response.json().get("registrationState") or "")
