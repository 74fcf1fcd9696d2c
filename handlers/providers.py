"""Resource providers: whether a site's subscription has registered those that the procedure needs."""

import asyncio

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.views import providers as views
from services.operations.answers import Questions
from services.policy.sites import CONNECTED_REGISTRIES_TYPE, PROVIDERS, Site
from services.services import Services


@command("provider show", needs="registry:read", examples=("provider show berlin",), group="Resource providers")
async def show(_request: Request, site: Site, *, services: Services) -> Message:
    """Show the resource providers that a deployment needs, with their registration in a site's subscription.

    Args:
        site: Whose subscription.
    """
    providers, subscription = services.azure.providers, site.subscription
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        states = arm.ask(subscription, lambda: providers.states(subscription, PROVIDERS))
        version = arm.ask(subscription, lambda: providers.api_version(subscription, CONNECTED_REGISTRIES_TYPE))
    return views.card(site, states.result(), version.result())
