"""Operations: look at them, decide about them."""

from handlers.kit.command import Arguments, command
from handlers.kit.message import Field, Message, Modal
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.views import operation as views
from services.policy.sites import Site
from services.services import Services

PAGE = 20
"""Operations on one page of the list."""
LAST_PAGE = 100_000


@command("operation list", needs="operation:read", examples=("operation list", "operation list --site berlin"))
async def list_(
    request: Request,
    *,
    site: Site | None = None,
    page: int = 1,
    services: Services,
) -> Message:
    """List operations with their states, the newest first.

    Args:
        site: Only those at this site.
        page: Which twenty; 1 are the newest.
    """
    page = min(max(1, page), LAST_PAGE)
    readable = permitted_sites(request, services, "operation:read", (site,) if site else None)
    # Who may read everywhere sees operations at sites too that are no longer configured.
    sites = None if site is None and len(readable) == len(services.sites) else [one.name for one in readable]
    found = await services.operations.find(sites=sites, skip=PAGE * (page - 1), limit=PAGE + 1)
    turns = f"operation list --site {site.name}" if site else "operation list"
    return views.listing(found[:PAGE], page, turns=turns, more=len(found) > PAGE)


async def _site(arguments: Arguments, services: Services) -> Site | None:
    """Where the operation changes something; None when the site is no longer configured."""
    operation = await services.operations.get(arguments["id"])
    return services.sites.get(operation.site)


@command("operation show", needs="operation:read", examples=("operation show op-7k3q9xa",), site_of=_site)
async def show(request: Request, id: str, *, services: Services) -> Message:  # noqa: A002, ARG001 - what people type
    """Show one operation: decisions, steps with Azure's correlation ids, and the command lines that it replaces.

    Args:
        id: Its id, from its card.
    """
    operation = await services.operations.get(id)
    return views.details(operation, services.operations.by_hand(operation))


@command(
    "operation approve",
    needs="operation:approve",
    examples=("operation approve op-7k3q9xa",),
    changes=True,
    site_of=_site,
)
async def approve(request: Request, id: str, *, digest: str = "", services: Services) -> None:  # noqa: A002
    """Approve an operation's plan. The policy says whose approval counts and how many are needed.

    Args:
        id: Its id, from its card.
        digest: Of the plan that you saw; an approval of another plan is refused.
    """
    await services.operations.approve(id, request.person, request.place, digest)


async def _why(_request: Request, given: Arguments, _services: Services) -> Modal:
    return Modal(
        "Reject operation",
        "Reject",
        f"operation reject {given.get('id', '')}".rstrip(),
        (Field("reason", "Why?", kind="lines", required=True, hint="The requester and the channel read this."),),
    )


@command(
    "operation reject",
    needs="operation:read",
    site_of=_site,
    examples=('operation reject op-7k3q9xa --reason "not before Monday"',),
    changes=True,
    modal=_why,
)
async def reject(request: Request, id: str, *, reason: str, services: Services) -> None:  # noqa: A002
    """Reject an operation's plan. Whoever asked for it may take it back the same way.

    Args:
        id: Its id, from its card.
        reason: Told to everybody who sees the card.
    """
    await services.operations.reject(id, request.person, request.place, reason)


@command(
    "operation cancel",
    needs="operation:cancel",
    examples=("operation cancel op-7k3q9xa",),
    changes=True,
    site_of=_site,
)
async def cancel(request: Request, id: str, *, services: Services) -> None:  # noqa: A002
    """Stop an operation: at once if nothing runs yet, else after the step that is under way.

    Args:
        id: Its id, from its card.
    """
    await services.operations.cancel(id, request.person, request.place)


@command(
    "operation retry",
    needs="operation:retry",
    examples=("operation retry op-7k3q9xa",),
    changes=True,
    site_of=_site,
)
async def retry(request: Request, id: str, *, services: Services) -> None:  # noqa: A002
    """Run a failed operation again, from the step that failed.

    Args:
        id: Its id, from its card.
    """
    await services.operations.retry(id, request.person, request.place)
