"""Alerts: look at one, take care of it, put it off."""

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.views import alert as views
from services.services import Services
from services.watching.scope import sites_of_acr


@command("alert list", needs="registry:read", examples=("alert list",))
async def list_(request: Request, *, services: Services) -> Message:
    """List the open alerts of what this channel watches, worst first."""
    watches = await services.watches.of_channel(request.place)
    incidents = await services.incidents.open(watches)
    return views.listing([one.incident for one in incidents], watches=len(watches))


@command("alert show", needs="registry:read", examples=("alert show al-7k3q9xa",))
async def show(request: Request, id: str, *, services: Services) -> Message:  # noqa: A002 - what people type
    """Show everything about one alert: cause, affected connected registries, who takes care of it.

    Args:
        id: Its id, from its message.
    """
    found = await _allowed(request, "registry:read", id, services)
    filed = await services.incidents.get(found)
    return views.details(filed.incident, await services.incidents.affected(filed), request.now)


@command("alert acknowledge", needs="alert:write", examples=("alert acknowledge al-7k3q9xa",), changes=True)
async def acknowledge(request: Request, id: str, *, services: Services) -> Message:  # noqa: A002
    """Say that you take care of an alert; everybody sees it on its message. It holds until the alert gets worse.

    Args:
        id: Its id, from its message.
    """
    await _allowed(request, "alert:write", id, services)
    return views.answer(await services.incidents.acknowledge(id, request.person, request.place))


@command(
    "alert snooze",
    needs="alert:write",
    examples=("alert snooze al-7k3q9xa --until 2h", "alert snooze al-7k3q9xa --until morning"),
    changes=True,
)
async def snooze(request: Request, id: str, *, until: str = "1h", services: Services) -> Message:  # noqa: A002
    """Put an alert off: the channel hears of it again when the time is up, and sooner when it gets worse.

    Args:
        id: Its id, from its message.
        until: A time such as 1h or 1d, morning (08:00 in your time zone), or change.
    """
    await _allowed(request, "alert:write", id, services)
    return views.answer(await services.incidents.snooze(id, until, request.person, request.place))


async def _allowed(request: Request, permission: str, alert: str, services: Services) -> str:
    """The permission counts at the sites of the alert's cloud registry: one of them is enough."""
    filed = await services.incidents.get(alert)
    sites = sites_of_acr(filed.acr, services.sites)
    decisions = [services.policy.decide(request.person, request.place, permission, site) for site in sites]
    if decisions and not any(one.allowed for one in decisions):
        decisions[0].enforce()
    return filed.incident.id
