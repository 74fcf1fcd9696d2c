"""Images at the edge, compared with the cloud."""

import asyncio
from collections.abc import Mapping

from handlers.connected import locate
from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.views import images as views
from services.model.azure import AcrRef, ConnectedRegistry
from services.model.contents import CloudTag
from services.model.errors import Absent
from services.operations.edge_contents import edge_contents
from services.policy.arrival import arrivals
from services.policy.sites import Site, synced_repositories
from services.ports import Azure
from services.services import Services

_AT_ONCE = 8
"""Questions to a cloud registry."""


@command(
    "images", needs="registry:read", examples=("images edge01 --site berlin", "images edge01 team/app --site berlin")
)
async def images(
    request: Request, name: str, repository: str | None = None, *, site: Site, services: Services
) -> Message:
    """Show which tags of the cloud registry are at the edge, by digest: there, due, late, different or gone.

    The edge itself is asked, by a short-lived Job in its cluster that reads with the pull secret of a workload. A
    repository that no workload of the bot pulls from there can't be asked, and is never told as missing.

    Args:
        name: Of the connected registry.
        repository: Only this one; without it all that the connected registry syncs.
        site: Where it is.
    """
    detail = await locate(request, services, name, site)
    registry = detail.registry
    repositories = (repository,) if repository else await _synced(services.azure, detail.acr, registry)
    # The rest of a pattern such as `team/*` nobody can list, unless the reader names it.
    names = tuple(each for each in repositories if "*" not in each)
    cloud, edge = await asyncio.gather(
        _cloud_tags(services.azure, detail.acr, names),
        edge_contents(services.azure, services.kubernetes, site, registry, names),
    )
    found = tuple(
        views.Repository(each, arrivals(cloud[each], edge[each], registry, request.now), edge[each]) for each in names
    )
    patterns = tuple(each for each in repositories if "*" in each)
    return views.card(views.Contents(registry, site, found, patterns), request.now, slash=request.slash)


async def _synced(azure: Azure, acr: AcrRef, registry: ConnectedRegistry) -> tuple[str, ...]:
    """The repositories that its sync token may read; none where it has no such token."""
    if not registry.token_id:
        return ()
    token = await azure.tokens.get(acr, registry.token_id.rpartition("/")[2])
    scope_map = await azure.scope_maps.get(acr, token.scope_map_id.rpartition("/")[2])
    return synced_repositories(scope_map.actions)


async def _cloud_tags(azure: Azure, acr: AcrRef, repositories: tuple[str, ...]) -> dict[str, Mapping[str, CloudTag]]:
    """By repository; one that does not exist has no tags. Raises what Azure answers otherwise."""
    if not repositories:
        return {}
    server, bound = (await azure.registries.get(acr)).login_server, asyncio.Semaphore(_AT_ONCE)

    async def tags(repository: str) -> Mapping[str, CloudTag]:
        async with bound:
            try:
                return await azure.images.tags(acr, server, repository)
            except Absent:
                return {}

    return dict(zip(repositories, await asyncio.gather(*map(tags, repositories)), strict=True))
