"""Sync permissions: what a connected registry may sync."""

import asyncio
from dataclasses import replace

from handlers.connected import locate
from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.views import permissions as views
from services.policy.sites import Site
from services.policy.sync_permissions import lineage
from services.services import Services


@command(
    "permissions show",
    needs="registry:read",
    examples=("permissions show edge01", "permissions show edge01 --site berlin"),
    group="Sync permissions",
)
async def show(
    request: Request,
    name: str,
    *,
    site: Site | None = None,
    page: int = 1,
    turn: bool = False,
    services: Services,
) -> Message:
    """Show what a connected registry may sync, and whether those above it may pass it on.

    Args:
        name: Of the connected registry.
        site: Where it is; needed only if several cloud registries have one of this name.
        page: Which page.
        turn: Replace the page that is shown.
    """
    detail = await locate(request, services, name, site)
    tokens, scope_maps = await asyncio.gather(
        services.azure.tokens.list(detail.acr), services.azure.scope_maps.list(detail.acr)
    )
    family = lineage(detail.registry, detail.registries, tokens, scope_maps)
    return replace(views.card(detail, family, page), replace=turn)
