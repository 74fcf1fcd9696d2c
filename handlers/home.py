"""Home: what somebody may do, what waits for them, and how the fleet is. The Home tab shows the same."""

from handlers.alerts import concern_of, is_permitted
from handlers.connected import visible
from handlers.kit.command import Commands, command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.views import home as views
from services.services import Services

HOME = "home"
"""The command's name: the Home tab is its answer."""
_NEWEST = 5


@command(HOME, needs=None, examples=("home",))
async def home(request: Request, *, commands: Commands, services: Services) -> Message:
    """Show what you may do here, your operations, what waits for your decision, open alerts, and the fleet's health."""
    policy, person = services.policy, request.person
    allowed = [
        entry.name
        for entry in commands
        if policy.decide(person, request.place, entry.needs, changes=entry.changes).allowed
    ]
    deciding = [site.name for site in permitted_sites(request, services, "operation:approve")]
    reading = [site.name for site in permitted_sites(request, services, "operation:read")]
    alerts = [
        (stored.incident, await concern_of(request, stored, services))
        for stored in await services.incidents.all_open()
        if await is_permitted(request, "registry:read", stored, services)
    ]
    return views.overview(
        views.Overview(
            may_read=bool(permitted_sites(request, services, "registry:read")),
            allowed=tuple(allowed),
            awaiting=await services.operations.awaiting(person, deciding),
            own=await services.operations.find(sites=reading, requester=person.id, limit=_NEWEST),
            alerts=tuple(alerts),
            fleet=await visible(request, services),
            help_line=request.line("help"),
            now=request.now,
        )
    )
