"""Connected registries: list and show."""

import asyncio

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.views import connected as views
from services.model.errors import Absent, DomainError, NotFound
from services.policy.sites import Site
from services.services import Services


@command("list", needs="registry:read", examples=("list", "list --site berlin"))
async def list_(request: Request, *, site: Site | None = None, services: Services) -> Message:
    """List connected registries: health, connection state, activation, last sync, schedule, mode.

    Args:
        site: Only those of this site's cloud registry.
    """
    permitted = permitted_sites(request, services, "registry:read", (site,) if site else None)
    acrs = sorted({one.acr_ref for one in permitted}, key=lambda ref: ref.id)
    answers = await asyncio.gather(*(services.azure.connected.list(acr) for acr in acrs), return_exceptions=True)
    rows, unasked = [], []
    for acr, answer in zip(acrs, answers, strict=True):
        if isinstance(answer, DomainError):
            unasked.append((acr.name, answer))
        elif isinstance(answer, BaseException):
            raise answer
        else:
            rows += [(acr.name, found) for found in answer]
    return views.listing(tuple(rows), tuple(unasked), request.now)


@command("show", needs="registry:read", examples=("show edge01 --site berlin",))
async def show(request: Request, name: str, *, site: Site, services: Services) -> Message:
    """Show one connected registry: state, activation, last sync, schedule and window, and its extension.

    Args:
        name: Of the connected registry.
        site: Where it is.
    """
    try:
        found, extensions = await asyncio.gather(
            services.azure.connected.get(site.acr_ref, name),
            services.azure.extensions.list(site.cluster_ref),
            return_exceptions=True,
        )
    except Absent:
        raise NotFound("connected registry", name) from None
    if isinstance(found, Absent):
        raise NotFound("connected registry", name)
    if isinstance(found, BaseException):
        raise found
    if isinstance(extensions, BaseException) and not isinstance(extensions, DomainError):
        raise extensions
    return views.card(site, found, extensions, request.now)
