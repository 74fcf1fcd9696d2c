"""The way into Azure: builds everything of this room, and closes it."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

import aiohttp

from services.gateways.azure.arm import Arm, Deadlines
from services.gateways.azure.clock import AzureClock
from services.gateways.azure.clouds import PUBLIC, Cloud
from services.gateways.azure.clusters import Clusters, Extensions, Providers
from services.gateways.azure.connected import ConnectedRegistries
from services.gateways.azure.following import ArmOperations
from services.gateways.azure.identity import OWN, Identity, Logins, credential
from services.gateways.azure.images import Images
from services.gateways.azure.inventory import Inventory
from services.gateways.azure.permissions import Permissions
from services.gateways.azure.pipeline import pipeline, transport
from services.gateways.azure.quotas import Quota, Quotas
from services.gateways.azure.recent import Writes
from services.gateways.azure.registries import Registries, ScopeMaps, Tokens
from services.gateways.azure.versions import Versions
from services.model.fence import UNFENCED, Fence
from services.ports import Azure
from services.tally import Tally
from services.traces import OFF, Traces


@dataclass(frozen=True)
class Options:
    """What the room needs to know. `ca_file` adds to the system's certificate authorities, as private clouds need."""

    cloud: Cloud = PUBLIC
    identity: Identity = field(default_factory=Identity)
    ca_file: str = ""
    deadlines: Deadlines = field(default_factory=Deadlines)
    identities: Mapping[str, Identity] = field(default_factory=dict)
    """Further ones by name."""
    identity_at: Callable[[str], str] = lambda _arm_id: OWN
    """The name of the identity for an ARM id; `OWN` for the first one."""
    api_versions: Mapping[str, str] = field(default_factory=dict)
    """By resource type, such as `Microsoft.ContainerRegistry/registries`: used whatever the cloud lists."""
    traceparent: bool = False
    """Whether requests carry the id of the trace that they belong to."""
    password_interval: float = 2
    """Seconds between two looks for a password that the service is still making."""


class Connection:
    """Azure, by one or more identities. Nothing is asked until the first call; `close` at the end."""

    def __init__(
        self,
        azure: Azure,
        quotas: Quotas,
        clock: AzureClock,
        requests: Tally,
        *,
        inventory: Inventory,
        owned: tuple[Logins, aiohttp.ClientSession],
    ) -> None:
        self.azure = azure
        self.inventory = inventory
        self.clock = clock
        self.requests = requests
        """To ARM, by method and status."""
        self._quotas = quotas
        self._logins, self._session = owned

    def quotas(self) -> tuple[Quota, ...]:
        """What ARM said is left of its request quotas, for metrics."""
        return self._quotas.figures()

    async def close(self) -> None:
        """Close the credentials, then the connections."""
        try:
            await self._logins.close()
        finally:
            await self._session.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.close()


async def open_azure(options: Options, fence: Fence = UNFENCED, traces: Traces = OFF) -> Connection:
    """The gateways to Azure; `fence` is checked before every request that writes.

    Raises `Invalid` for an identity that lacks a value; asks Azure nothing yet.
    """
    carrier, session = transport(options.cloud.resource_manager, options.ca_file)
    identities = {OWN: options.identity, **options.identities}
    try:
        logins = Logins(
            {name: credential(identity, options.cloud, carrier) for name, identity in identities.items()},
            options.identity_at,
        )
    except BaseException:
        await session.close()
        raise
    now = asyncio.get_running_loop().time
    quotas, clock, writes, versions = Quotas(now), AzureClock(), Writes(now), Versions(now, options.api_versions)

    async def provider(subscription: str, namespace: str) -> object:
        return await arm.provider(subscription, namespace)

    requests = Tally()
    line = pipeline(
        options.cloud,
        logins,
        carrier,
        quotas,
        clock,
        writes=writes,
        versions=(versions, provider),
        requests=requests,
        traces=traces,
        traceparent=options.traceparent,
        connect=options.deadlines.connect,
        fence=fence,
    )
    arm = Arm(options.cloud, logins, line, options.deadlines, writes=writes, versions=versions)
    azure = Azure(
        providers=Providers(arm),
        registries=Registries(arm),
        images=Images(logins, session, options.deadlines.read),
        scope_maps=ScopeMaps(arm),
        tokens=Tokens(arm, interval=options.password_interval),
        connected=ConnectedRegistries(arm),
        extensions=Extensions(arm),
        clusters=Clusters(arm),
        permissions=Permissions(arm),
        operations=ArmOperations(arm),
    )
    return Connection(azure, quotas, clock, requests, inventory=Inventory(arm), owned=(logins, session))
