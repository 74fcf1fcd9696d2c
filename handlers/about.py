"""Commands about the bot itself and about you: ping, whoami."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from handlers.kit.command import command
from handlers.kit.language import t
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.views import about as views
from services.model.errors import DomainError
from services.operations.reach import cluster_of
from services.policy.sites import PROVIDERS, Site
from services.services import Services

_PROBE_DEADLINE = timedelta(seconds=8)
_PROBES_AT_ONCE = 10


@command("ping", needs=None, examples=("ping",))
async def ping(request: Request, services: Services) -> Message:
    """Show the bot's version, and how long Slack, Azure and the clusters take to answer."""
    permitted = permitted_sites(request, services, "registry:read")

    async def azure(subscription: str) -> None:
        await services.azure.providers.states(subscription, PROVIDERS)

    async def cluster(site: Site) -> None:
        await (await cluster_of(services.azure, services.kubernetes, site)).version()

    subscriptions = sorted({name for site in permitted for name in site.subscriptions})
    probes: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        (t("Slack"), services.slack.ping),
        *((t("Azure, subscription {name}…", name=name[:8]), partial(azure, name)) for name in subscriptions),
        *((t("Cluster of {site}", site=site.name), partial(cluster, site)) for site in permitted),
    ]
    bound = asyncio.Semaphore(_PROBES_AT_ONCE)

    async def timed(probe: Callable[[], Awaitable[None]]) -> timedelta | DomainError | TimeoutError:
        async with bound:
            began = time.perf_counter()
            try:
                async with asyncio.timeout(_PROBE_DEADLINE.total_seconds()):
                    await probe()
            except (DomainError, TimeoutError) as error:
                return error
            return timedelta(seconds=time.perf_counter() - began)

    results = await asyncio.gather(*(timed(probe) for _, probe in probes))
    answers = [(name, result) for (name, _), result in zip(probes, results, strict=True)]
    return views.ping(services.about, answers, _PROBE_DEADLINE, reference=request.reference, now=request.now)


@command("whoami", needs=None, examples=("whoami",))
async def whoami(request: Request, services: Services) -> Message:
    """Show who you are to the bot, what you may do in this channel, and which rule decides it."""
    policy, person = services.policy, request.person
    grants = policy.held(person, request.place)
    here = {grant.name for grant, _ in grants}
    elsewhere = [grant for grant in policy.grants if grant.name not in here and policy.names(person, grant.to)]
    channels = tuple(dict.fromkeys(channel for grant in elsewhere for channel in grant.channels))
    denials = policy.denied(person, request.place)
    return views.whoami(person, grants, denials, channels, await services.slack.groups_problem())
