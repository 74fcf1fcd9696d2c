"""Sync permissions: what a connected registry may sync, and changes of it."""

import asyncio
from dataclasses import replace

from handlers.connected import locate, readable_registries
from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.orders import order
from handlers.views import permissions as views
from services.operations.permissions.request import PermissionsOptions
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
    registries, tokens, scope_maps = await asyncio.gather(
        readable_registries(request, services, detail),
        services.azure.tokens.list(detail.acr),
        services.azure.scope_maps.list(detail.acr),
    )
    family = lineage(detail.registry, registries, tokens, scope_maps)
    hidden = frozenset(registry.name.casefold() for registry in detail.registries if registry not in registries)
    return replace(views.card(detail, family, page, hidden=hidden, slash=request.slash), replace=turn)


@command(
    "permissions add",
    needs="registry:write",
    examples=(
        "permissions add edge01 team/app --site berlin",
        "permissions add edge01 team/app team/tools --site berlin --dry-run",
    ),
    changes=True,
    group="Sync permissions",
)
async def add(
    request: Request,
    name: str,
    repository: tuple[str, ...],
    *,
    site: Site,
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Let a connected registry sync more repositories.

    Its sync scope map gets the rights that its mode needs, and so do those of all connected registries above it, since
    it syncs through them. The edge takes the change over with its next sync.

    Args:
        name: Of the connected registry.
        repository: Repositories of the cloud registry, such as team/app.
        site: Where it is.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = PermissionsOptions(add=repository)
    return await order(request, services, kind="permissions", target=name, site=site, options=options, dry_run=dry_run)


@command(
    "permissions remove",
    needs="registry:write",
    examples=("permissions remove edge01 team/app --site berlin",),
    changes=True,
    group="Sync permissions",
)
async def remove(
    request: Request,
    name: str,
    repository: tuple[str, ...],
    *,
    site: Site,
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Let a connected registry sync fewer repositories; the edge deletes their images with its next sync.

    The plan says before which client tokens and workloads lose images. Connected registries above it keep their rights.

    Args:
        name: Of the connected registry.
        repository: Repositories that it syncs now.
        site: Where it is.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = PermissionsOptions(remove=repository)
    return await order(request, services, kind="permissions", target=name, site=site, options=options, dry_run=dry_run)
