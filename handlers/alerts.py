"""Alerts: list, show, acknowledge, snooze."""

from dataclasses import replace

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.views import alert as views
from services.model.errors import NotFound
from services.model.incident import StoredIncident
from services.services import Services

ALL = "all"
"""In place of an alert's id: all open ones of the channel."""


@command("alert list", needs="registry:read", examples=("alert list",))
async def list_(request: Request, *, page: int = 1, turn: bool = False, services: Services) -> Message:
    """List the open alerts of what this channel watches, worst first.

    Args:
        page: Which page.
        turn: Replace the page that is shown.
    """
    watches = await services.watches.of_channel(request.place)
    visible = await _open(request, "registry:read", services)
    may_act = services.policy.decide(request.person, request.place, "alert:write", changes=True).allowed
    incidents = [(stored.incident, await concern_of(request, stored, services)) for stored in visible]
    line = request.line("watch SITE")
    listing = views.listing(incidents, request.now, watches=len(watches), watch_line=line, page=page, may_act=may_act)
    return replace(listing, replace=turn)


@command("alert show", needs="registry:read", examples=("alert show al-7k3q9xa",))
async def show(request: Request, id: str, *, services: Services) -> Message:  # noqa: A002 - what people type
    """Show everything about one alert: cause, affected connected registries, who acknowledged it.

    Args:
        id: The alert's id, from its message.
    """
    stored = await _find(request, "registry:read", id, services)
    concern = await concern_of(request, stored, services)
    return views.details(stored.incident, await services.incidents.affected(stored), request.now, concern)


@command(
    "alert acknowledge",
    needs="alert:write",
    examples=("alert acknowledge al-7k3q9xa", "alert acknowledge all"),
    changes=True,
)
async def acknowledge(request: Request, id: str, *, services: Services) -> Message:  # noqa: A002
    """Show everybody that you are taking care of an alert. It ends if the alert gets worse.

    Args:
        id: The alert's id, from its message; or all, for all open ones of this channel.
    """
    if id.lower() == ALL:
        fresh = [one for one in await _open(request, "alert:write", services) if not one.incident.acknowledged_by]
        for stored in fresh:
            await services.incidents.acknowledge(stored.incident.id, request.person, request.place)
        return views.acknowledged(len(fresh))
    stored = await _find(request, "alert:write", id, services)
    incident = await services.incidents.acknowledge(id, request.person, request.place)
    return views.answer(incident, await concern_of(request, stored, services))


@command(
    "alert snooze",
    needs="alert:write",
    examples=("alert snooze al-7k3q9xa --until 2h", "alert snooze al-7k3q9xa --until morning"),
    changes=True,
)
async def snooze(request: Request, id: str, *, until: str = "1h", services: Services) -> Message:  # noqa: A002
    """Silence an alert for a while. The channel is notified when the time is up, or earlier if it gets worse.

    Args:
        id: The alert's id, from its message.
        until: A time such as 1h or 1d, morning (08:00 in your time zone), or change (until it changes).
    """
    stored = await _find(request, "alert:write", id, services)
    incident = await services.incidents.snooze(id, until, request.person, request.place)
    return views.answer(incident, await concern_of(request, stored, services))


async def _open(request: Request, permission: str, services: Services) -> list[StoredIncident]:
    """The open alerts of what the channel watches, as far as this person has the permission where they are."""
    incidents = await services.incidents.open(await services.watches.of_channel(request.place))
    return [stored for stored in incidents if await is_permitted(request, permission, stored, services)]


async def concern_of(request: Request, stored: StoredIncident, services: Services) -> views.Concern:
    """The sites that it affects among those that this person may read; nobody is mentioned in a private answer."""
    if not await services.incidents.is_placed(stored):
        return views.UNKNOWN
    sites = await services.incidents.sites(stored)
    return views.Concern(tuple(site.name for site in permitted_sites(request, services, "registry:read", sites)))


async def _find(request: Request, permission: str, alert: str, services: Services) -> StoredIncident:
    """The alert, if the permission holds at one of the sites that it affects. Raises `NotFound` or `Denied`."""
    try:
        stored = await services.incidents.get(alert)
    except NotFound:
        recent = await services.incidents.recent()
        near = [one.incident.id for one in recent if await is_permitted(request, permission, one, services)]
        raise NotFound("alert", alert, tuple(near)) from None
    sites = await services.incidents.sites(stored)
    if sites and not permitted_sites(request, services, permission, sites):
        services.policy.decide(request.person, request.place, permission, sites[0]).enforce()
    return stored


async def is_permitted(request: Request, permission: str, stored: StoredIncident, services: Services) -> bool:
    """Whether this person has the permission at one of the sites that an alert affects."""
    sites = await services.incidents.sites(stored)
    return not sites or bool(permitted_sites(request, services, permission, sites))
