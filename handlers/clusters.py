"""Clusters: the Arc-enabled clusters of the sites."""

import asyncio
from collections import defaultdict
from dataclasses import replace

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.views import clusters as views
from services.model.azure import ArcCluster, ClusterRef
from services.operations.answers import Answer, Known, Questions
from services.operations.reach import ClusterQuestions
from services.policy.sites import Site
from services.services import Services


@command("cluster list", needs="registry:read", examples=("cluster list", "cluster list --page 2"))
async def list_(request: Request, *, page: int = 1, turn: bool = False, services: Services) -> Message:
    """List the clusters of the sites that you may read, as Azure Arc shows them.

    On each page those that are not connected come first.

    Args:
        page: Which page.
        turn: Replace the page that is shown.
    """
    sites: defaultdict[ClusterRef, list[str]] = defaultdict(list)
    for site in permitted_sites(request, services, "registry:read"):
        sites[site.cluster_ref].append(site.name)
    pages = views.pages(sorted(sites, key=lambda cluster: (cluster.name, cluster.id)))
    page = min(max(page, 1), len(pages))
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")

        def ask(cluster: ClusterRef) -> asyncio.Task[Answer[ArcCluster | None]]:
            return arm.find(cluster.id, lambda: services.azure.clusters.get(cluster))

        answers = {cluster: ask(cluster) for cluster in pages[page - 1]}
    rows = [views.Row(cluster, tuple(sites[cluster]), answer.result()) for cluster, answer in answers.items()]
    return replace(views.listing(rows, page, len(pages), len(sites)), replace=turn)


@command("cluster show", needs="registry:read", examples=("cluster show berlin",))
async def show(_request: Request, site: Site, *, services: Services) -> Message:
    """Show a site's cluster: Azure Arc, Service ranges, storage classes, nodes and cert-manager.

    Args:
        site: Whose cluster.
    """
    return views.card(await look_at(site, services))


async def look_at(site: Site, services: Services) -> views.ClusterDetail:
    """What Azure and the cluster itself answer about a site's cluster; all questions are asked at once."""
    azure, arc = services.azure, site.cluster_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        cluster = arm.find(arc.id, lambda: azure.clusters.get(arc))
        extensions = arm.list(arc.id, lambda: azure.extensions.list(arc))
        inside = ClusterQuestions.of(Questions(group, "kubernetes"), services.azure, services.kubernetes, site)
        version = inside.ask(lambda reached: reached.version())
        nodes = inside.ask(lambda reached: reached.nodes())
        storage_classes = inside.ask(lambda reached: reached.storage_classes())
        cert_manager = inside.ask(lambda reached: reached.has_cert_manager())
        runs = inside.ask(lambda reached: reached.runs_cert_manager())
        ranges = inside.ask(lambda reached: reached.service_ranges(site.cluster.kubernetes.hold_namespace))
    reaching = inside.reaching.result()
    return views.ClusterDetail(
        site,
        cluster.result(),
        extensions.result(),
        version.result(),
        nodes.result(),
        storage_classes.result(),
        cert_manager.result(),
        runs.result(),
        ranges.result(),
        Known(reaching.value.identity) if isinstance(reaching, Known) else reaching,
    )
