"""Images at the edge, compared with the cloud."""

import asyncio
from functools import partial

from handlers.connected import locate, visible
from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.views import images as views
from handlers.views.connected import Row
from services.model.contents import EdgeContents, EdgeSilence
from services.operations.answers import DEADLINE, Known, Questions, Unknown
from services.operations.cloud_contents import cloud_tags, expectation, readable_repositories
from services.operations.edge_contents import answered_by, edge_contents
from services.operations.workload.request import split_image
from services.policy.arrival import arrivals
from services.policy.sites import Site
from services.services import Services

_TO_ANSWER = 7.0
"""Seconds of a command's time that are left for its answer: Jobs are deleted, and a fleet is rendered and sent.

Edges that have not answered before could not be asked, however long Azure took before them.
"""
_SITES_AT_ONCE = 256
"""Clusters in which a Job asks: each has an API server of its own, and most of the time is a Pod's start.

A thousand edges are four rounds of that. Each keeps one or two connections for some seconds (`bot.start`).
"""


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
    repositories = (repository,) if repository else await readable_repositories(services.azure, detail.acr, registry)
    # The rest of a pattern such as `team/*` nobody can list, unless the reader names it.
    names = tuple(each for each in repositories if "*" not in each)
    question = edge_contents(services.azure, services.kubernetes, site, registry, names)
    cloud, edge = await asyncio.gather(
        cloud_tags(services.azure, detail.acr, names),
        answered_by(request.answer_by - _TO_ANSWER, site, names, question),
    )
    compared = tuple(
        views.Repository(each, arrivals(cloud[each], edge[each], registry, request.now), edge[each]) for each in names
    )
    patterns = tuple(each for each in repositories if "*" in each)
    return views.card(views.Contents(registry, site, compared, patterns), request.now, slash=request.slash)


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
    end = request.answer_by - _TO_ANSWER
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure", deadline=min(DEADLINE, end - asyncio.get_running_loop().time()))
        tasks = {
            acr_id: arm.ask(acr_id, partial(expectation, services.azure, acr, repository, reference))
            for acr_id, acr in acrs.items()
        }
    expectations = {acr_id: task.result() for acr_id, task in tasks.items()}
    bound = asyncio.Semaphore(_SITES_AT_ONCE)

    async def ask(row: Row) -> views.Edge | None:
        """None for a connected registry that is not meant to have the image."""
        expected = expectations[row.acr.id.lower()]
        sites = [each for each in row.placement.sites if site in (None, each)]
        if isinstance(expected, Unknown):
            return views.Edge(
                row.registry, row.acr, sites[0] if sites else None, EdgeSilence("NotAsked", error=expected.error)
            )
        is_meant = expected.value.reads(row.registry, repository)
        if not is_meant or expected.value.tag is None or (site and not row.placement.may_be_at(site)):
            return None
        if not sites:
            return views.Edge(row.registry, row.acr, None, EdgeSilence("NoPlace"))

        async def question() -> dict[str, EdgeContents]:
            async with bound:
                return await edge_contents(
                    services.azure, services.kubernetes, sites[0], row.registry, (repository,), tag=reference
                )

        edge = await answered_by(end, sites[0], (repository,), question())
        (arrival,) = arrivals({reference: expected.value.tag}, edge[repository], row.registry, request.now)
        return views.Edge(row.registry, row.acr, sites[0], edge[repository], arrival)

    edges = await asyncio.gather(*map(ask, fleet.rows))
    digests = {
        acrs[acr_id].name: answer.value.tag.digest if answer.value.tag else ""
        for acr_id, answer in expectations.items()
        if isinstance(answer, Known)
    }
    whereabouts = views.Whereabouts(image, digests, tuple(edge for edge in edges if edge), fleet.unasked)
    return views.whereabouts(whereabouts, request.now, slash=request.slash)
