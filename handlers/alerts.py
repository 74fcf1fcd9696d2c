"""Alerts: list, show, acknowledge, snooze."""

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.views import alert as views
from services.model.errors import NotFound
from services.model.incident import StoredIncident
from services.services import Services


@command("alert list", needs="registry:read", examples=("alert list",))
async def list_(request: Request, *, services: Services) -> Message:
    """List the open alerts of what this channel watches, worst first."""
    watches = await services.watches.of_channel(request.place)
    open_incidents = await services.incidents.open(watches)
    visible = [one.incident for one in open_incidents if await _is_permitted(request, "registry:read", one, services)]
    return views.listing(visible, watches=len(watches), watch_line=request.line("watch SITE"))


@command("alert show", needs="registry:read", examples=("alert show al-7k3q9xa",))
async def show(request: Request, id: str, *, services: Services) -> Message:  # noqa: A002 - what people type
    """Show everything about one alert: cause, affected connected registries, who acknowledged it.

    Args:
        id: The alert's id, from its message.
    """
    stored = await _find(request, "registry:read", id, services)
    return views.details(stored.incident, await services.incidents.affected(stored), request.now)


@command("alert acknowledge", needs="alert:write", examples=("alert acknowledge al-7k3q9xa",), changes=True)
async def acknowledge(request: Request, id: str, *, services: Services) -> Message:  # noqa: A002
    """Show everybody that you are taking care of an alert. It ends if the alert gets worse.

    Args:
        id: The alert's id, from its message.
    """
    await _find(request, "alert:write", id, services)
    return views.answer(await services.incidents.acknowledge(id, request.person, request.place))


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
    await _find(request, "alert:write", id, services)
    return views.answer(await services.incidents.snooze(id, until, request.person, request.place))


async def _find(request: Request, permission: str, alert: str, services: Services) -> StoredIncident:
    """The alert, if the permission holds at one of the sites that it affects. Raises `NotFound` or `Denied`."""
    try:
        stored = await services.incidents.get(alert)
    except NotFound:
        recent = await services.incidents.recent()
        near = [one.incident.id for one in recent if await _is_permitted(request, permission, one, services)]
        raise NotFound("alert", alert, tuple(near)) from None
    sites = await services.incidents.sites(stored)
    if sites and not permitted_sites(request, services, permission, sites):
        services.policy.decide(request.person, request.place, permission, sites[0]).enforce()
    return stored


async def _is_permitted(request: Request, permission: str, stored: StoredIncident, services: Services) -> bool:
    sites = await services.incidents.sites(stored)
    return not sites or bool(permitted_sites(request, services, permission, sites))
