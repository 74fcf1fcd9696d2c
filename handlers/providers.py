"""Resource providers: whether a site's subscriptions have registered those that the procedure needs."""

import asyncio

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.orders import order
from handlers.views import providers as views
from services.operations.answers import Questions
from services.operations.providers.request import ProviderOptions
from services.operations.registration import provider_states
from services.policy.sites import CONNECTED_REGISTRIES_TYPE, Site
from services.services import Services


@command("provider show", needs="registry:read", examples=("provider show berlin",), group="Resource providers")
async def show(_request: Request, site: Site, *, services: Services) -> Message:
    """Show the resource providers that a deployment needs, with their registration in a site's subscription.

    Args:
        site: Whose subscription.
    """
    subscription = site.acr_ref.subscription
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        states = arm.ask(site.subscription, lambda: provider_states(services.azure, site))
        version = arm.ask(
            subscription, lambda: services.azure.providers.api_version(subscription, CONNECTED_REGISTRIES_TYPE)
        )
    return views.card(site, states.result(), version.result())


@command(
    "provider register",
    needs="registry:write",
    examples=("provider register berlin", "provider register berlin --namespace Microsoft.KubernetesConfiguration"),
    changes=True,
    group="Resource providers",
)
async def register(
    request: Request,
    site: Site,
    *,
    namespace: tuple[str, ...] = (),
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Register the resource providers that connected registries need, and wait until Azure says so.

    Without them Azure refuses cloud registries, clusters and extensions. It takes up to ten minutes.

    Args:
        site: Whose subscription.
        namespace: Resource providers; by default all that are needed.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = ProviderOptions(namespace)
    return await order(
        request, services, kind="provider register", target=site.name, site=site, options=options, dry_run=dry_run
    )
