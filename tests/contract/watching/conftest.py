"""The bot's polling in front of a small fleet in the sandbox's Azure, on one clock that only the test turns."""

import re
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.azure import AzurePart
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.fleet import Fleet
from sandbox.fleet.script import Trouble
from sandbox.speed import IMMEDIATE
from sandbox.tls import Authority
from sandbox.world import load
from services.gateways.azure import Connection, Deadlines, Identity, Options, cloud, open_azure
from services.model.azure import AcrRef
from services.model.incident import Incident
from services.model.people import Place
from services.model.secret import Secret
from services.model.watch import Watch
from services.policy.access import Policy
from services.policy.configuration import FixedConfiguration
from services.policy.sites import Site
from services.store import Store, open_store
from services.watching.poller import Poller

BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"
PLACE = Place("T0CONTOSO", "C0EDGE", "edge-ops")


def sites(fleet: Fleet) -> dict[str, Site]:
    """One site for each cluster of the fleet."""
    homes = {edge.cluster: edge.acr for edge in fleet.script.edges}
    return {cluster: _site(cluster, acr) for cluster, acr in homes.items()}


def _site(cluster: str, acr: str) -> Site:
    return Site.model_validate(
        {
            "name": cluster,
            "environment": "production",
            "subscription": SUBSCRIPTION,
            "resource_group": "fleet-rg",
            "acr": {"name": acr},
            "cluster": {"name": cluster},
        }
    )


def watch(scope: str = "all", subject: str = "", **values: Any) -> Watch:
    """Of the channel; it began before the fleet's story does."""
    fixed: dict[str, Any] = {"every": "", "tz": "UTC", "alerts": "on", "by": "U0ALICE", "created": BEGIN}
    return Watch(f"w-{scope}{subject}", PLACE, scope, subject, **(fixed | values))  # type: ignore[arg-type]  # scopes are words here


class World:
    """The fleet, and the bot's polling of it."""

    def __init__(self, folder: Path) -> None:
        self.clock, self.faults = Clock(), Faults()
        self.clock.stop()
        self.clock.turn((BEGIN - self.clock.now()).total_seconds())
        authority = Authority(folder)
        self.part = AzurePart(load(), authority=authority, clock=self.clock, speed=IMMEDIATE, faults=self.faults)
        self.ca_file = str(authority.ca_file)
        self.fleet: Fleet
        self.azure: Connection
        self.store: Store
        self.watching: Poller
        self.told: list[str] = []

    @asynccontextmanager
    async def opened(self, folder: Path, *, registries: int, acrs: int, deadline: float) -> AsyncIterator["World"]:
        self.fleet = Fleet(self.part, self.clock, 1, registries=registries, acrs=acrs, days=2)
        for trouble in self.fleet.script.troubles:
            self.fleet.mend(trouble.subject)
        self.fleet._change(())
        async with AsyncExitStack() as stack:
            await self.part.start()
            stack.push_async_callback(self.part.stop)
            env = self.part.environment()
            identity = Identity(
                "secret", env["AZURE_TENANT_ID"], env["AZURE_CLIENT_ID"], Secret(env["AZURE_CLIENT_SECRET"])
            )
            options = Options(
                cloud=cloud("public", authority=self.part.url, resource_manager=self.part.url),
                identity=identity,
                ca_file=self.ca_file,
                deadlines=Deadlines(read=deadline, write=deadline),
            )
            self.azure = await stack.enter_async_context(await open_azure(options))
            self.store = await open_store(f"sqlite:///{folder / 'bot.db'}")
            stack.push_async_callback(self.store.close)
            self.watching = self.another(self.store)
            yield self

    def another(self, store: Store) -> Poller:
        """Polling in a process of its own on a store."""
        configuration = FixedConfiguration(sites(self.fleet), Policy())
        return Poller(store, configuration, self.azure.azure, self.told.append, now=self.clock.now, chance=lambda: 0.5)

    def acr(self, index: int = 0) -> AcrRef:
        return AcrRef(SUBSCRIPTION, "fleet-rg", self.fleet.script.acrs[index])

    async def later(self, **span: float) -> None:
        """Let time pass and poll everything once."""
        self.clock.turn(timedelta(**span).total_seconds())
        await self.watching.cycle()

    def strike(self, match: str, **fault: Any) -> None:
        """Put a fault in force at Azure."""
        self.faults.add(Fault("azure", match, **fault))

    def outage(self, kind: str, subject: str, **length: float) -> None:
        """Let something go wrong from now on."""
        begin = self.fleet.now()
        end = begin + int(timedelta(**length).total_seconds())
        self.fleet.add(Trouble(kind, subject, begin, end, ""))  # type: ignore[arg-type]  # kinds are words here

    def requests(self, pattern: str) -> list[str]:
        """Paths of the read requests so far that match."""
        paths = [seen.path for seen in self.part.arm.log if seen.method == "GET"]
        return [path for path in paths if re.search(pattern, path)]

    def lists(self) -> list[str]:
        """The cloud registries whose connected registries were listed, in order."""
        return [path.split("/")[8] for path in self.requests("/connectedRegistries$")]

    async def open_incidents(self) -> list[Incident]:
        return [filed.incident for filed in await self.store.incidents.open()]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """Twelve connected registries in three cloud registries, all well, all watched."""
    async with World(tmp_path).opened(tmp_path, registries=12, acrs=3, deadline=5) as opened:
        await opened.store.watches.save(watch())
        yield opened
