"""At which site a connected registry runs: the one whose cluster has the Arc extension that serves it.

Azure does not say it of a connected registry, so the clusters' extensions are listed, one request a cluster. What was
read lately is believed; a cluster without an extension is asked again while some connected registry has no place.
"""

import asyncio
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from services.model.azure import ClusterRef, ConnectedRegistry, Extension
from services.model.errors import DomainError, Unreachable
from services.model.health import Target
from services.policy.extensions import registry_extensions, served_registries
from services.policy.placement import Placement
from services.policy.sites import Site
from services.ports import Extensions

_AT_ONCE = 25
"""Clusters of a subscription that are asked for at a time. Each subscription has a quota of its own."""


@dataclass(frozen=True)
class _Look:
    """The connected registry extensions of a cluster, or why it could not be asked."""

    at: float
    answer: tuple[Extension, ...] | DomainError

    @property
    def is_empty(self) -> bool:
        """Whether no extension is known of: the cluster has none, or could not be asked."""
        return not self.answer or isinstance(self.answer, DomainError)


class Placements:
    """Remembers for `lifetime` what each cluster answered. Whoever does not answer within `deadline` is unasked."""

    def __init__(
        self,
        extensions: Extensions,
        *,
        lifetime: timedelta = timedelta(seconds=60),
        deadline: timedelta = timedelta(seconds=12),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._extensions = extensions
        self._lifetime = lifetime.total_seconds()
        self._deadline = deadline.total_seconds()
        self._clock = clock
        self._looks: dict[ClusterRef, _Look] = {}
        self._bounds: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))

    async def of(
        self,
        targets: Collection[Target],
        sites: Iterable[Site],
        registries: Mapping[str, Collection[ConnectedRegistry]],
        *,
        fresh: bool = False,
        until: float | None = None,
    ) -> Mapping[Target, Placement]:
        """The placement of each target among `sites`; `fresh`: clusters at which one runs are asked now.

        `registries` are all of each target's cloud registry, by its id in lower case. Never raises for a cluster that
        can't be asked. `until`, on the event loop's clock, counts in the place of `deadline`.
        """
        began, end = self._clock(), until or asyncio.get_running_loop().time() + self._deadline
        acrs = {target.acr for target in targets}
        candidates = [site for site in sites if _acr(site) in acrs]
        await self._ask((site for site in candidates if self._is_older(site, began - self._lifetime)), end)
        placements = self._placements(targets, candidates, registries)
        if fresh:
            occupied = {site.name: site for placement in placements.values() for site in placement.sites}
            await self._ask((site for site in occupied.values() if self._is_older(site, began)), end)
            placements = self._placements(targets, candidates, registries)
        # A connected registry without a place may have got one since, at a cluster that had no extension when read.
        homeless = {target.acr for target, placement in placements.items() if not placement.extensions}
        vacant = [
            site
            for site in candidates
            if _acr(site) in homeless and self._is_older(site, began) and self._looks[site.cluster_ref].is_empty
        ]
        await self._ask(vacant, end)
        return self._placements(targets, candidates, registries) if vacant else placements

    def _placements(
        self,
        targets: Iterable[Target],
        sites: Iterable[Site],
        registries: Mapping[str, Collection[ConnectedRegistry]],
    ) -> dict[Target, Placement]:
        extensions: defaultdict[Target, list[tuple[Site, Extension]]] = defaultdict(list)
        unasked: defaultdict[str, list[tuple[Site, DomainError]]] = defaultdict(list)
        for site in sites:
            answer = self._looks[site.cluster_ref].answer
            if isinstance(answer, DomainError):
                unasked[_acr(site)].append((site, answer))
                continue
            for extension in answer:
                for registry in served_registries(extension, tuple(registries[_acr(site)])):
                    extensions[Target(_acr(site), registry.name)].append((site, extension))
        return {
            target: Placement(
                tuple(extensions[target]),
                tuple(unasked[target.acr]),
            )
            for target in targets
        }

    def _is_older(self, site: Site, moment: float) -> bool:
        """Whether its cluster was not asked since that moment, or did not answer."""
        look = self._looks.get(site.cluster_ref)
        return look is None or look.at < moment or isinstance(look.answer, DomainError)

    async def _ask(self, sites: Iterable[Site], end: float) -> None:
        clusters = {site.cluster_ref for site in sites}
        answered: set[ClusterRef] = set()

        async def look(cluster: ClusterRef) -> None:
            async with self._bounds[cluster.subscription.lower()]:
                at = self._clock()
                answer: tuple[Extension, ...] | DomainError
                try:
                    answer = registry_extensions(await self._extensions.list(cluster))
                except DomainError as error:
                    answer = error
            self._looks[cluster] = _Look(at, answer)
            answered.add(cluster)

        try:
            async with asyncio.timeout_at(end):
                await asyncio.gather(*map(look, clusters))
        except TimeoutError:
            for cluster in clusters - answered:
                self._looks[cluster] = _Look(self._clock(), Unreachable("azure", cluster.id, code="Deadline"))


def _acr(site: Site) -> str:
    """Its cloud registry as in `Target`."""
    return site.acr_ref.id.lower()
