"""Connected registries."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

from azure.core.polling import AsyncLROPoller
from azure.core.rest import AsyncHttpResponse
from azure.mgmt.containerregistry import models

from services.gateways.azure import reading
from services.gateways.azure.arm import UNPOLLED, Arm, initial_answer
from services.gateways.azure.following import deletion, pending_write
from services.model.azure import AcrRef, ConnectedRegistry, Pending
from services.policy.sites import GC_SCHEDULE


class ConnectedRegistries:
    """Implements `ports.ConnectedRegistries`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def get(self, acr: AcrRef, name: str) -> ConnectedRegistry:
        """Raises `Absent`."""
        client = self._arm.registries(acr.subscription).connected_registries
        async with self._arm.reading(acr.connected_id(name)) as deadline:
            answer = await client.get(acr.resource_group, acr.name, name, deadline=deadline)
            return reading.named(reading.connected_registry(answer), name)

    async def list(self, acr: AcrRef) -> tuple[ConnectedRegistry, ...]:
        """All pages."""
        target = f"{acr.id}/connectedRegistries"
        async with self._arm.reading(target) as deadline:
            return tuple(map(reading.connected_registry, await self._arm.entries(target, deadline=deadline)))

    async def create(
        self,
        acr: AcrRef,
        name: str,
        *,
        token_id: str,
        mode: str,
        schedule: str,
        window: timedelta | None,
        message_ttl: timedelta,
        log_level: str,
        gc_enabled: bool = True,
        gc_schedule: str = GC_SCHEDULE,
        audit_logs: bool = False,
        parent: str = "",
    ) -> Pending:
        """Everything else is sent as the Azure CLI sends it: no client tokens, no notifications."""
        sync = models.SyncProperties(token_id=token_id, schedule=schedule, message_ttl=message_ttl)
        if window is not None:
            sync.sync_window = window
        registry = models.ConnectedRegistry(
            properties=models.ConnectedRegistryProperties(
                mode=mode,
                parent=models.ParentProperties(id=acr.connected_id(parent) if parent else None, sync_properties=sync),
                logging=models.LoggingProperties(log_level=log_level, audit_log_status=_audit_log_status(audit_logs)),
                garbage_collection=models.GarbageCollectionProperties(enabled=gc_enabled, schedule=gc_schedule),
                client_token_ids=[],
                notifications_list=[],
            )
        )
        client = self._arm.registries(acr.subscription).connected_registries
        target = acr.connected_id(name)
        async with self._arm.writing(target) as deadline:
            poller = await client.begin_create(
                acr.resource_group, acr.name, name, registry, deadline=deadline, **UNPOLLED
            )
            answer = await initial_answer(poller)
            return replace(pending_write(self._arm, answer, target), facts=_gateway(answer))

    async def update(
        self,
        acr: AcrRef,
        name: str,
        *,
        schedule: str | None = None,
        window: timedelta | None = None,
        message_ttl: timedelta | None = None,
        log_level: str | None = None,
        notifications: Sequence[str] | None = None,
        gc_enabled: bool | None = None,
        gc_schedule: str | None = None,
        audit_logs: bool | None = None,
    ) -> Pending:
        """A PATCH of what is named; an empty list of notifications is sent as one."""
        sync = {"schedule": schedule, "sync_window": window, "message_ttl": message_ttl}
        changes: dict[str, Any] = {key: value for key, value in sync.items() if value is not None}
        properties = models.ConnectedRegistryUpdateProperties()
        if changes:
            properties.sync_properties = models.SyncUpdateProperties(**changes)
        if (log_level, audit_logs) != (None, None):
            status = None if audit_logs is None else _audit_log_status(audit_logs)
            properties.logging = models.LoggingProperties(log_level=log_level, audit_log_status=status)
        if notifications is not None:
            properties.notifications_list = list(notifications)
        if (gc_enabled, gc_schedule) != (None, None):
            properties.garbage_collection = models.GarbageCollectionProperties(enabled=gc_enabled, schedule=gc_schedule)
        return await self._patch(acr, name, properties)

    async def set_client_tokens(self, acr: AcrRef, name: str, token_ids: Sequence[str]) -> Pending:
        """Replace the list as a whole; nothing else of the connected registry is sent."""
        return await self._patch(acr, name, models.ConnectedRegistryUpdateProperties(client_token_ids=list(token_ids)))

    async def _patch(self, acr: AcrRef, name: str, properties: models.ConnectedRegistryUpdateProperties) -> Pending:
        change = models.ConnectedRegistryUpdateParameters(properties=properties)
        client = self._arm.registries(acr.subscription).connected_registries
        target = acr.connected_id(name)
        async with self._arm.writing(target) as deadline:
            poller = await client.begin_update(
                acr.resource_group, acr.name, name, change, deadline=deadline, **UNPOLLED
            )
            return pending_write(self._arm, await initial_answer(poller), target)

    async def deactivate(self, acr: AcrRef, name: str) -> Pending:
        """An action without a body: 200, or 202 with a Location that is followed."""
        client = self._arm.registries(acr.subscription).connected_registries
        target = acr.connected_id(name)
        async with self._arm.writing(target) as deadline:
            poller = await client.begin_deactivate(acr.resource_group, acr.name, name, deadline=deadline, **UNPOLLED)
            return pending_write(self._arm, await initial_answer(poller), f"{target}/deactivate")

    async def resync(self, acr: AcrRef, name: str) -> str:
        """An action that the SDK does not have yet: synchronous, without a body."""
        target = acr.connected_id(name)
        async with self._arm.writing(target) as deadline:
            response = await self._arm.send("POST", self._arm.url(f"{target}/resync"), target=target, deadline=deadline)
            return str(response.headers.get("x-ms-correlation-request-id", ""))

    async def delete(self, acr: AcrRef, name: str) -> Pending:
        """200 at once (recorded), or 202 with a Location."""
        client = self._arm.registries(acr.subscription).connected_registries

        async def send(deadline: float) -> AsyncLROPoller[None]:
            return await client.begin_delete(acr.resource_group, acr.name, name, deadline=deadline, **UNPOLLED)

        return await deletion(self._arm, acr.connected_id(name), send)


def _gateway(answer: AsyncHttpResponse) -> dict[str, str]:
    """The gateway for the connection string. The answer to a creation names it already, which saves a read."""
    try:
        gateway = answer.json()["properties"]["parent"]["syncProperties"].get("gatewayEndpoint")
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}
    return {"gateway_endpoint": str(gateway)} if gateway else {}


def _audit_log_status(enabled: bool) -> models.AuditLogStatus:
    return models.AuditLogStatus.ENABLED if enabled else models.AuditLogStatus.DISABLED
