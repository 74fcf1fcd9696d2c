"""Resource providers of a site, whose registry and cluster may be in different subscriptions."""

from collections.abc import Iterable, Mapping

from services.policy.sites import PROVIDERS, Site
from services.ports import Azure


async def provider_states(azure: Azure, site: Site, namespaces: Iterable[str] = PROVIDERS) -> Mapping[str, str]:
    """The registration state of each, in the subscription where the site needs it. Raises as `Providers.states`."""
    providers = tuple(namespaces)
    states: dict[str, str] = {}
    for subscription in site.subscriptions:
        own = [namespace for namespace in providers if site.subscription_of(namespace) == subscription]
        if own:
            states |= await azure.providers.states(subscription, own)
    return {namespace: states[namespace] for namespace in providers}
