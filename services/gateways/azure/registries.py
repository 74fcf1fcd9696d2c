"""Cloud registries, their scope maps and their tokens."""

from collections.abc import Sequence
from datetime import datetime

from azure.core.polling import AsyncLROPoller
from azure.mgmt.containerregistry import models

from services.gateways.azure import reading
from services.gateways.azure.arm import UNPOLLED, Arm, initial_answer, items, json_object
from services.gateways.azure.following import deletion, pending_write, result
from services.gateways.azure.translation import SERVICE, unreadable
from services.model.azure import AcrRef, Pending, Registry, ScopeMap, Token
from services.model.errors import Invalid, Refused
from services.model.redaction import short
from services.model.secret import Secret

_ACCEPTED = 202


class Registries:
    """Implements `ports.Registries`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def get(self, acr: AcrRef) -> Registry:
        """Raises `Absent`."""
        client = self._arm.registries(acr.subscription).registries
        async with self._arm.reading(acr.id) as deadline:
            answer = await client.get(acr.resource_group, acr.name, deadline=deadline)
            return reading.named(reading.registry(answer), acr.name)

    async def name_refusal(self, acr: AcrRef) -> str:
        """`checkNameAvailability` of the subscription."""
        question = models.RegistryNameCheckRequest(name=acr.name, type="Microsoft.ContainerRegistry/registries")
        client = self._arm.registries(acr.subscription).registries
        async with self._arm.reading(acr.id) as deadline:
            answer = await client.check_name_availability(question, deadline=deadline)
            return "" if answer.name_available else short(answer.message or answer.reason or "not available")

    async def create(self, acr: AcrRef, location: str) -> Pending:
        """Leaves to the service whatever the port does not name."""
        registry = models.Registry(
            location=location,
            sku=models.Sku(name=models.SkuName.PREMIUM),
            properties=models.RegistryProperties(admin_user_enabled=False, data_endpoint_enabled=True),
        )
        client = self._arm.registries(acr.subscription).registries
        async with self._arm.writing(acr.id) as deadline:
            poller = await client.begin_create(acr.resource_group, acr.name, registry, deadline=deadline, **UNPOLLED)
            return pending_write(self._arm, await initial_answer(poller), acr.id)

    async def enable_data_endpoint(self, acr: AcrRef) -> Pending:
        """Sends this property alone, so that nothing else changes."""
        change = models.RegistryUpdateParameters(
            properties=models.RegistryPropertiesUpdateParameters(data_endpoint_enabled=True)
        )
        client = self._arm.registries(acr.subscription).registries
        async with self._arm.writing(acr.id) as deadline:
            poller = await client.begin_update(acr.resource_group, acr.name, change, deadline=deadline, **UNPOLLED)
            return pending_write(self._arm, await initial_answer(poller), acr.id)

    async def make_premium(self, acr: AcrRef) -> Pending:
        """Sends the tier alone, so that nothing else changes."""
        change = models.RegistryUpdateParameters(sku=models.Sku(name=models.SkuName.PREMIUM))
        client = self._arm.registries(acr.subscription).registries
        async with self._arm.writing(acr.id) as deadline:
            poller = await client.begin_update(acr.resource_group, acr.name, change, deadline=deadline, **UNPOLLED)
            return pending_write(self._arm, await initial_answer(poller), acr.id)

    async def delete(self, acr: AcrRef) -> Pending:
        """Followed until Azure answers that there is none."""
        client = self._arm.registries(acr.subscription).registries

        async def send(deadline: float) -> AsyncLROPoller[None]:
            return await client.begin_delete(acr.resource_group, acr.name, deadline=deadline, **UNPOLLED)

        return await deletion(self._arm, acr.id, send)

    async def owner(self, subscription: str, login_server: str) -> str:
        """One request, as the Azure CLI makes it before an import."""
        target = f"/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/registries"
        client = self._arm.registries(subscription).registries
        async with self._arm.reading(target) as deadline:
            registries = [reading.registry(answer) for answer in await items(client.list(deadline=deadline), target)]
        return next((each.id for each in registries if each.login_server.casefold() == login_server.casefold()), "")

    async def import_image(
        self,
        acr: AcrRef,
        source: str,
        image: str,
        *,
        source_registry: str = "",
        credentials: tuple[str, Secret] | None = None,
    ) -> Pending:
        """Never sent twice. Raises `Invalid` when `source` names no host and there is no `source_registry`."""
        host, slash, path = source.partition("/")
        if not source_registry and (not slash or not path or ("." not in host and ":" not in host)):
            raise Invalid("source", source, "image.source")
        origin = (
            models.ImportSource(resource_id=source_registry, source_image=source)
            if source_registry
            else models.ImportSource(registry_uri=host, source_image=path)
        )
        if credentials is not None:
            username, password = credentials
            origin.credentials = models.ImportSourceCredentials(username=username, password=password.reveal())
        parameters = models.ImportImageParameters(
            source=origin,
            target_tags=[image],
            mode=models.ImportMode.NO_FORCE,
        )
        client = self._arm.registries(acr.subscription).registries
        target = f"{acr.id}/importImage"
        async with self._arm.writing(target) as deadline:
            poller = await client.begin_import_image(
                acr.resource_group, acr.name, parameters, deadline=deadline, **UNPOLLED
            )
            return pending_write(self._arm, await initial_answer(poller), target)


class ScopeMaps:
    """Implements `ports.ScopeMaps`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def get(self, acr: AcrRef, name: str) -> ScopeMap:
        """Raises `Absent`."""
        client = self._arm.registries(acr.subscription).scope_maps
        async with self._arm.reading(f"{acr.id}/scopeMaps/{name}") as deadline:
            answer = await client.get(acr.resource_group, acr.name, name, deadline=deadline)
            return reading.named(reading.scope_map(answer), name)

    async def list(self, acr: AcrRef) -> tuple[ScopeMap, ...]:
        """All pages."""
        client = self._arm.registries(acr.subscription).scope_maps
        target = f"{acr.id}/scopeMaps"
        async with self._arm.reading(target) as deadline:
            pages = client.list(acr.resource_group, acr.name, deadline=deadline)
            return tuple(reading.scope_map(scope_map) for scope_map in await items(pages, target))

    async def put(self, acr: AcrRef, name: str, actions: Sequence[str], description: str) -> Pending:
        """A PUT: the actions replace those of an earlier one."""
        scope_map = models.ScopeMap(
            properties=models.ScopeMapProperties(actions=list(actions), description=description)
        )
        client = self._arm.registries(acr.subscription).scope_maps
        target = f"{acr.id}/scopeMaps/{name}"
        async with self._arm.writing(target) as deadline:
            poller = await client.begin_create(
                acr.resource_group, acr.name, name, scope_map, deadline=deadline, **UNPOLLED
            )
            return pending_write(self._arm, await initial_answer(poller), target)

    async def update(self, acr: AcrRef, name: str, actions: Sequence[str]) -> Pending:
        """A PATCH, so that the description stays."""
        change = models.ScopeMapUpdateParameters(
            properties=models.ScopeMapPropertiesUpdateParameters(actions=list(actions))
        )
        client = self._arm.registries(acr.subscription).scope_maps
        target = f"{acr.id}/scopeMaps/{name}"
        async with self._arm.writing(target) as deadline:
            poller = await client.begin_update(
                acr.resource_group, acr.name, name, change, deadline=deadline, **UNPOLLED
            )
            return pending_write(self._arm, await initial_answer(poller), target)

    async def delete(self, acr: AcrRef, name: str) -> Pending:
        """Followed until Azure answers that there is none."""
        client = self._arm.registries(acr.subscription).scope_maps

        async def send(deadline: float) -> AsyncLROPoller[None]:
            return await client.begin_delete(acr.resource_group, acr.name, name, deadline=deadline, **UNPOLLED)

        return await deletion(self._arm, f"{acr.id}/scopeMaps/{name}", send)


class Tokens:
    """Implements `ports.Tokens`. `interval` is in seconds, between two looks for a password that is being made."""

    def __init__(self, arm: Arm, *, interval: float) -> None:
        self._arm = arm
        self._interval = interval

    async def get(self, acr: AcrRef, name: str) -> Token:
        """Raises `Absent`."""
        client = self._arm.registries(acr.subscription).tokens
        async with self._arm.reading(f"{acr.id}/tokens/{name}") as deadline:
            answer = await client.get(acr.resource_group, acr.name, name, deadline=deadline)
            return reading.named(reading.token(answer), name)

    async def put(self, acr: AcrRef, name: str, scope_map_id: str) -> Pending:
        """A PUT without credentials, which leaves the passwords as they are."""
        token = models.Token(
            properties=models.TokenProperties(scope_map_id=scope_map_id, status=models.TokenStatus.ENABLED)
        )
        client = self._arm.registries(acr.subscription).tokens
        target = f"{acr.id}/tokens/{name}"
        async with self._arm.writing(target) as deadline:
            poller = await client.begin_create(acr.resource_group, acr.name, name, token, deadline=deadline, **UNPOLLED)
            return pending_write(self._arm, await initial_answer(poller), target)

    async def list(self, acr: AcrRef) -> tuple[Token, ...]:
        """All pages."""
        client = self._arm.registries(acr.subscription).tokens
        target = f"{acr.id}/tokens"
        async with self._arm.reading(target) as deadline:
            pages = client.list(acr.resource_group, acr.name, deadline=deadline)
            return tuple(reading.token(token) for token in await items(pages, target))

    async def delete(self, acr: AcrRef, name: str) -> Pending:
        """Followed until Azure answers that there is none."""
        client = self._arm.registries(acr.subscription).tokens

        async def send(deadline: float) -> AsyncLROPoller[None]:
            return await client.begin_delete(acr.resource_group, acr.name, name, deadline=deadline, **UNPOLLED)

        return await deletion(self._arm, f"{acr.id}/tokens/{name}", send)

    async def end_password(self, acr: AcrRef, name: str, slot: str) -> Pending:
        """A PATCH that names the other password alone, as `az acr token credential delete` sends it."""
        client = self._arm.registries(acr.subscription).tokens
        target = f"{acr.id}/tokens/{name}"
        other_slots = [password.name for password in (await self.get(acr, name)).passwords if password.name != slot]
        credentials = models.TokenCredentialsProperties(
            passwords=[models.TokenPassword(name=word) for word in other_slots]
        )
        change = models.TokenUpdateParameters(properties=models.TokenUpdateProperties(credentials=credentials))
        async with self._arm.writing(target) as deadline:
            poller = await client.begin_update(
                acr.resource_group, acr.name, name, change, deadline=deadline, **UNPOLLED
            )
            return pending_write(self._arm, await initial_answer(poller), target)

    async def generate_password(
        self, acr: AcrRef, token_id: str, slot: str, *, expires: datetime | None = None
    ) -> Secret:
        """Waits until the password is there. Sent once: after a lost reply (`Unreachable`) nobody knows it."""
        target = f"{acr.id}/generateCredentials"
        async with self._arm.writing(target) as deadline:
            response = await self._arm.send(
                "POST",
                self._arm.url(target),
                target=target,
                deadline=deadline,
                body={"tokenId": token_id, "name": slot, **({"expiry": expires.isoformat()} if expires else {})},
            )
            if response.status_code == _ACCEPTED:
                pending = pending_write(self._arm, response, target)
                response = await result(self._arm, pending, deadline=deadline, interval=self._interval)
            passwords = (json_object(response) or {}).get("passwords")
            if not isinstance(passwords, list):
                raise unreadable(target)
            for password in passwords:
                if str(password.get("name", "")).lower() == slot.lower() and password.get("value"):
                    return Secret(password["value"])
        raise Refused(SERVICE, target, code="NoPassword", message=f"the answer holds no {slot}")
