"""Sites: which there are, and what each is made of."""

import asyncio
from dataclasses import replace

from handlers.clusters import look_at
from handlers.connected import visible
from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.views import site_values
from handlers.views import sites as views
from services.operations.answers import Questions
from services.policy.access import PERMISSIONS
from services.policy.sites import Site
from services.services import Services


@command("site list", needs="registry:read", examples=("site list", "site list --environment production"))
async def list_(
    request: Request,
    *,
    environment: str | None = None,
    page: int = 1,
    turn: bool = False,
    services: Services,
) -> Message:
    """List the sites that you may read, with environment, cloud registry and cluster.

    Args:
        environment: Only those of this environment, such as production.
        page: Which page.
        turn: Replace the page that is shown.
    """
    readable = permitted_sites(request, services, "registry:read")
    sites = [site for site in readable if environment is None or site.environment == environment.lower()]
    turns = "site list" + (f" --environment {environment.lower()}" if environment and sites else "")
    environments = sorted({site.environment for site in readable})
    return replace(views.listing(sites, page, turns=turns, environments=environments), replace=turn)


@command("site show", needs="registry:read", examples=("site show berlin",))
async def show(request: Request, site: Site, *, services: Services) -> Message:
    """Show one site: cloud registry, cluster, connected registries, your rights, and where each value comes from.

    Args:
        site: Which one.
    """
    async with asyncio.TaskGroup() as group:
        asked = Questions(group, "azure").find(site.acr_ref.id, lambda: services.azure.registries.get(site.acr_ref))
        cluster, fleet = await asyncio.gather(look_at(site, services), visible(request, services, (site,)))
    policy = services.policy
    rules = {kind: policy.approval(kind, site) for kind in services.operations.kinds}
    permissions = [
        permission
        for permission in sorted(PERMISSIONS)
        if policy.decide(request.person, request.place, permission, site).allowed
    ]
    lines = services.configuration.site_lines.get(site.name, {})
    values = site_values.values(lines, services.about.settings, asked.result(), cluster)
    return views.card(views.SiteDetail(cluster, asked.result(), fleet, rules, tuple(permissions), values))
