"""Cloud registries: the container registries in Azure that sites sync from."""

import asyncio

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.views import cloud_registries as views
from services.operations.answers import Questions
from services.policy.sites import Site
from services.services import Services


@command("acr show", needs="registry:read", examples=("acr show berlin",), group="Cloud registries")
async def show(request: Request, site: Site, *, services: Services) -> Message:
    """Show a site's cloud registry: tier, hosts, network access, and how many connected registries it has.

    Args:
        site: Whose cloud registry.
    """
    azure, acr = services.azure, site.acr_ref
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        registry = arm.find(acr.id, lambda: azure.registries.get(acr))
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
    return views.card(site, registry.result(), connected.result(), slash=request.slash)
