"""Images at the edge, compared with the cloud."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

from handlers.connected import locate, visible
from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.views import images as views
from handlers.views.connected import Row
from services.model.azure import AcrRef, ConnectedRegistry, resource_name
from services.model.contents import CloudTag, EdgeSilence
from services.model.errors import Absent
from services.operations.answers import Known, Questions, Unknown
from services.operations.edge_contents import edge_contents
from services.operations.workload.request import split_image
from services.policy.arrival import arrivals
from services.policy.sites import Site, synced_repositories
from services.policy.sync_permissions import grants
from services.ports import Azure
from services.services import Services

_AT_ONCE = 8
"""Questions to a cloud registry."""
_SITES_AT_ONCE = 64
"""Clusters in which a Job asks: each has an API server of its own, and most of the time is a Pod's start."""


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
    compared = tuple(
        views.Repository(each, arrivals(cloud[each], edge[each], registry, request.now), edge[each]) for each in names
    )
    patterns = tuple(each for each in repositories if "*" in each)
    return views.card(views.Contents(registry, site, compared, patterns), request.now, slash=request.slash)


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


@command("where", needs="registry:read", examples=("where hello-world:latest", "where team/app:v2 --site berlin"))
async def where(request: Request, image: str, *, site: Site | None = None, services: Services) -> Message:
    """Show which edges have an image with the cloud's digest, at which it is due or late, and which could not be asked.

    Each connected registry that may sync the repository is asked in its own cluster, as `images` does.

    Args:
        image: Repository with tag or digest, such as hello-world:latest, without a host.
        site: Only there.
    """
    repository, reference = split_image(image)
    fleet = await visible(request, services, (site,) if site else None)
    acrs = {row.acr.id.lower(): row.acr for row in fleet.rows}
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        tasks = {
            acr_id: arm.ask(acr_id, partial(_expectation, services.azure, acr, repository, reference))
            for acr_id, acr in acrs.items()
        }
    expectations = {acr_id: task.result() for acr_id, task in tasks.items()}
    bound = asyncio.Semaphore(_SITES_AT_ONCE)

    async def ask(row: Row) -> views.Edge | None:
        """None for a connected registry that is not meant to have the image."""
        expectation = expectations[row.acr.id.lower()]
        sites = [each for each in row.placement.sites if site in (None, each)]
        if isinstance(expectation, Unknown):
            return views.Edge(
                row.registry, row.acr, sites[0] if sites else None, EdgeSilence("NotAsked", error=expectation.error)
            )
        is_meant = expectation.value.reads(row.registry, repository)
        if not is_meant or expectation.value.tag is None or (site and not row.placement.may_be_at(site)):
            return None
        if not sites:
            return views.Edge(row.registry, row.acr, None, EdgeSilence("NoPlace"))
        async with bound:
            edge = await edge_contents(
                services.azure, services.kubernetes, sites[0], row.registry, (repository,), tag=reference
            )
        (arrival,) = arrivals({reference: expectation.value.tag}, edge[repository], row.registry, request.now)
        return views.Edge(row.registry, row.acr, sites[0], edge[repository], arrival)

    edges = await asyncio.gather(*map(ask, fleet.rows))
    digests = {
        acrs[acr_id].name: answer.value.tag.digest if answer.value.tag else ""
        for acr_id, answer in expectations.items()
        if isinstance(answer, Known)
    }
    whereabouts = views.Whereabouts(image, digests, tuple(edge for edge in edges if edge), fleet.unasked)
    return views.whereabouts(whereabouts, request.now, slash=request.slash)


@dataclass(frozen=True)
class _Expectation:
    """What a cloud registry has under the reference, None for nothing, and what each of its sync tokens may read."""

    tag: CloudTag | None
    actions: Mapping[str, tuple[str, ...]]
    """By the token's name, in lower case."""

    def reads(self, registry: ConnectedRegistry, repository: str) -> bool:
        """Whether a connected registry syncs the repository. With a managed identity nobody can say, so it is asked."""
        actions = self.actions.get(resource_name(registry.token_id), ())
        return not registry.token_id or grants(actions, f"repositories/{repository}/content/read")


async def _expectation(azure: Azure, acr: AcrRef, repository: str, reference: str) -> _Expectation:
    registry, tokens, scope_maps = await asyncio.gather(
        azure.registries.get(acr), azure.tokens.list(acr), azure.scope_maps.list(acr)
    )
    maps = {resource_name(scope_map.id): scope_map.actions for scope_map in scope_maps}
    actions = {token.name.casefold(): maps.get(resource_name(token.scope_map_id), ()) for token in tokens}
    try:
        if ":" in reference:
            tag = CloudTag((await azure.images.get(acr, registry.login_server, repository, reference)).digest)
        else:
            tag = await azure.images.tag(acr, registry.login_server, repository, reference)
    except Absent:
        return _Expectation(None, actions)
    return _Expectation(tag, actions)
