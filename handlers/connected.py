"""Connected registries: list and show."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from typing import Literal, TypeVar

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.kit.words import join
from handlers.views import connected as views
from services.model.azure import AcrRef, ConnectedRegistry
from services.model.errors import Absent, DomainError, Invalid, NotFound
from services.model.health import Target
from services.policy.hierarchy import descendants
from services.policy.sites import Site
from services.services import Services

_AT_ONCE = 10
_SHARE_OF_CLUSTERS = 0.5
"""Of a command's time: for the question at which cluster each connected registry runs, one request a cluster."""
HealthWord = Literal["healthy", "syncing", "silent", "late", "offline", "unhealthy", "inactive", "unknown"]
StateWord = Literal["Online", "Offline", "Syncing", "Unhealthy"]
A = TypeVar("A")


@command(
    "list",
    needs="registry:read",
    examples=("list", "list --site berlin", "list --health offline", "list --state Online --page 2"),
)
async def list_(
    request: Request,
    *,
    site: Site | None = None,
    health: HealthWord | None = None,
    state: StateWord | None = None,
    parent: str = "",
    no_children: bool = False,
    page: int = 1,
    turn: bool = False,
    services: Services,
) -> Message:
    """List connected registries, the worst first, with site, health, state, last sync, parent and schedule.

    Args:
        site: Only those that run at this site.
        health: Only those in this health, which knows the schedule: silent is as planned, offline missed a contact.
        state: Only those in this connection state, as Azure has it.
        parent: Only those that sync through this one, at whatever depth.
        no_children: Only those that sync from the cloud registry itself.
        page: Which page.
        turn: Replace the page that is shown.
    """
    everything = await visible(request, services, (site,) if site else None)
    rows = [
        row
        for row in everything.rows
        if site is None or row.placement.may_be_at(site)
        if health is None or row.health.state == health
        if state is None or row.registry.connection_state.lower() == state.lower()
        if not parent or row.registry in below(parent, everything)
        if not (no_children and row.registry.parent)
    ]
    options = [("--site", site.name if site else None), ("--health", health), ("--state", state), ("--parent", parent)]
    words = [word for option, value in options if value for word in (option, value)]
    turns = join(["list", *words, *(["--no-children"] if no_children else [])])
    selection = views.Selection(tuple(rows), page, turns, site=site.name if site else "")
    return replace(views.listing(everything, selection, request.now), replace=turn)


def below(parent: str, fleet: views.Fleet) -> tuple[ConnectedRegistry, ...]:
    """Those that sync through a connected registry, directly or not, in any of the cloud registries that have one."""
    everything = tuple(row.registry for row in fleet.rows)
    named = [row.registry for row in fleet.rows if row.registry.name.casefold() == parent.casefold()]
    return tuple(registry for above in named for registry in descendants(above, everything))


async def visible(request: Request, services: Services, sites: Iterable[Site] | None = None) -> views.Fleet:
    """All connected registries that this person may see in the cloud registries of `sites` (all without it).

    One that runs at a site is seen by those who may read there. Where it runs nowhere, or that is not known, it is seen
    by those who may read at any site of its cloud registry.
    """
    permitted = permitted_sites(request, services, "registry:read", sites)
    readable = permitted_sites(request, services, "registry:read")
    acrs = {site.acr_ref.id.lower(): site.acr_ref for site in permitted}
    answers = await _ask_each(acrs, services.azure.connected.list)
    lists = {acr.id.lower(): answer for acr, answer in answers if not isinstance(answer, DomainError)}
    registries = {Target(acr, registry.name): (acrs[acr], registry) for acr in lists for registry in lists[acr]}
    now = asyncio.get_running_loop().time()
    placements = await services.placements.of(
        registries, services.sites.values(), lists, until=now + (request.answer_by - now) * _SHARE_OF_CLUSTERS
    )
    disks = await services.reporting.disks(lists)
    rows = [
        views.row(acr, registry, placements[target].among(readable), request.now, disks.get(target, ()))
        for target, (acr, registry) in registries.items()
        if placements[target].is_visible(readable)
    ]
    silent = {site.name for placement in placements.values() for site, _ in placement.unasked if site in readable}
    return views.Fleet(
        tuple(rows),
        unasked=tuple((acr.name, answer) for acr, answer in answers if isinstance(answer, DomainError)),
        unasked_sites=tuple(sorted(silent)),
        hidden=len(registries) - len(rows),
    )


async def _ask_each(
    acrs: Mapping[str, AcrRef], ask: Callable[[AcrRef], Awaitable[A]]
) -> list[tuple[AcrRef, A | DomainError]]:
    """What each cloud registry answers, or why it does not, in the order of their names."""
    bound = asyncio.Semaphore(_AT_ONCE)

    async def answer(acr: AcrRef) -> tuple[AcrRef, A | DomainError]:
        async with bound:
            try:
                return acr, await ask(acr)
            except DomainError as error:
                return acr, error

    return await asyncio.gather(*(answer(acr) for acr in sorted(acrs.values(), key=lambda ref: ref.id)))


@command("show", needs="registry:read", examples=("show edge01", "show edge01 --site berlin"))
async def show(request: Request, name: str, *, site: Site | None = None, services: Services) -> Message:
    """Show one connected registry: state, activation, last sync, schedule and window, and its extension.

    Args:
        name: Of the connected registry.
        site: Where it is; needed only if several cloud registries have one of this name.
    """
    return views.card(await locate(request, services, name, site), request.now)


async def locate(request: Request, services: Services, name: str, site: Site | None) -> views.Detail:
    """The connected registry of this name that the person may read, whatever case it is written in.

    Without a site it is looked for in the cloud registries of all sites that they may read. Raises `NotFound`,
    `Invalid` where several cloud registries have it, `Denied` where it runs at other people's sites alone, and what
    Azure answered where it could be in a cloud registry that could not be asked.
    """
    permitted = permitted_sites(request, services, "registry:read", (site,) if site else None)
    readable = permitted_sites(request, services, "registry:read")
    acrs = {each.acr_ref.id.lower(): each.acr_ref for each in permitted}
    answers = await _ask_each(acrs, services.azure.connected.list)
    lists = {acr.id.lower(): answer for acr, answer in answers if not isinstance(answer, DomainError)}
    existing = [
        (acrs[acr], registry) for acr in lists for registry in lists[acr] if registry.name.casefold() == name.casefold()
    ]
    unasked = [
        (acr.name, answer)
        for acr, answer in answers
        if isinstance(answer, DomainError) and not isinstance(answer, Absent)
    ]
    if not existing:
        # Where some cloud registry could not be asked, it may be there.
        raise unasked[0][1] if unasked else NotFound("connected registry", name)
    targets = [Target(acr.id.lower(), registry.name) for acr, registry in existing]
    placements = await services.placements.of(targets, services.sites.values(), lists, fresh=True)
    if len(existing) > 1:
        names: set[str] = set()
        for target in targets:
            # What tells it from the others of its name is where it runs or, where that is not known, could run.
            possible = [each for each in permitted if each.acr_ref.id.lower() == target.acr]
            certain = [each for each in possible if each in placements[target].sites]
            names |= {each.name for each in certain or possible}
        raise Invalid("site", name, "site.ambiguous", {"sites": tuple(sorted(names))})
    [(acr, registry)], [placement] = existing, placements.values()
    if not placement.is_visible(readable):
        services.policy.decide(request.person, request.place, "registry:read", placement.sites[0]).enforce()
    disks = await services.reporting.disks([acr.id.lower()])
    return views.Detail(
        acr,
        registry,
        placement.among(readable),
        site,
        tuple(unasked),
        tuple(lists[acr.id.lower()]),
        disks.get(targets[0], ()),
    )


async def readable_registries(
    request: Request, services: Services, detail: views.Detail
) -> tuple[ConnectedRegistry, ...]:
    """All of its cloud registry that the person may see, itself among them: names of the others tell of other sites."""
    acr = detail.acr.id.lower()
    targets = [Target(acr, registry.name) for registry in detail.registries if registry.name != detail.registry.name]
    if not targets:
        return detail.registries
    readable = permitted_sites(request, services, "registry:read")
    placements = await services.placements.of(targets, services.sites.values(), {acr: detail.registries})
    visible = {detail.registry.name, *(target.name for target in targets if placements[target].is_visible(readable))}
    return tuple(registry for registry in detail.registries if registry.name in visible)
