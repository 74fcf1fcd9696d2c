"""Names of connected registries, remembered for a while: for "did you mean" and for choosing in forms."""

import asyncio
from datetime import timedelta

from services.cache import Cache
from services.model.azure import AcrRef
from services.model.errors import DomainError
from services.policy.sites import Site
from services.ports import Configuration, ConnectedRegistries

_AT_ONCE = 8


class ConnectedNames:
    """Asks each cloud registry of the sites at most once in `lifetime`."""

    def __init__(
        self,
        connected: ConnectedRegistries,
        configuration: Configuration,
        *,
        lifetime: timedelta = timedelta(seconds=60),
    ) -> None:
        self._connected = connected
        self._configuration = configuration
        self._listed = Cache(self._list, lifetime=lifetime, stale=timedelta(hours=1))
        self._bound = asyncio.Semaphore(_AT_ONCE)

    async def connected(self, site: Site | None = None) -> tuple[str, ...]:
        """Asks all cloud registries at the same time, a few at once."""
        sites = [site] if site else self._configuration.sites.values()

        async def names(acr: AcrRef) -> tuple[str, ...]:
            try:
                return await self._listed.get(acr)
            except DomainError:
                return ()

        lists = await asyncio.gather(*map(names, {site.acr_ref for site in sites}))
        return tuple(sorted({name for names_of_acr in lists for name in names_of_acr}))

    async def _list(self, acr: AcrRef) -> tuple[str, ...]:
        async with self._bound:
            return tuple(registry.name for registry in await self._connected.list(acr))
