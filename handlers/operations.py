"""Operations: list, show, approve, reject, cancel, retry, roll back."""

from handlers.kit.command import Arguments, command
from handlers.kit.language import t
from handlers.kit.message import Field, Message, Modal
from handlers.kit.request import Request
from handlers.kit.rights import permitted_sites
from handlers.orders import order
from handlers.views import bicep as bicep_views
from handlers.views import operation as views
from handlers.views import script as script_views
from services.model.errors import DomainError, NotFound, Stale
from services.operations.rollback.plan import changes_of, recorded
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
        site: Only operations at this site.
        page: Page number, twenty on each; page 1 has the newest.
    """
    page = min(max(1, page), LAST_PAGE)
    readable = permitted_sites(request, services, "operation:read", (site,) if site else None)
    # People who may read at every site also see operations at sites that are no longer configured.
    sites = None if site is None and len(readable) == len(services.sites) else [one.name for one in readable]
    operations = await services.operations.find(sites=sites, skip=PAGE * (page - 1), limit=PAGE + 1)
    turns = f"operation list --site {site.name}" if site else "operation list"
    return views.listing(operations[:PAGE], page, turns=turns, more=len(operations) > PAGE)


async def _site(arguments: Arguments, services: Services) -> Site | None:
    """The operation's site; None when it is no longer configured."""
    operation = await services.operations.get(arguments["id"])
    return services.sites.get(operation.site)


@command("operation show", needs="operation:read", examples=("operation show op-7k3q9xa",), site_of=_site)
async def show(request: Request, id: str, *, services: Services) -> Message:  # noqa: A002, ARG001 - what people type
    """Show one operation: decisions, and steps with Azure's correlation ids.

    Args:
        id: The operation's id, from its card.
    """
    operation = await services.operations.get(id)
    script, trace = services.operations.script_lines(operation) is not None, services.traces.id_of(operation.id)
    return views.details(operation, recorded(operation), script=script, trace=trace)


@command(
    "operation script",
    needs="operation:read",
    examples=("operation script op-7k3q9xa", "operation script op-7k3q9xa --bicep"),
    site_of=_site,
)
async def script(
    request: Request,  # noqa: ARG001 - as every command has it
    id: str,  # noqa: A002 - what people type
    *,
    bicep: bool = False,
    services: Services,
) -> Message:
    """Send you an operation's plan as a shell script: the az and kubectl lines that do what its steps do.

    Args:
        id: Its id, from its card.
        bicep: A Bicep file instead, with the resources that a deployment or a creation makes in Azure.
    """
    operation = await services.operations.get(id)
    lines, site = services.operations.script_lines(operation), services.sites.get(operation.site)
    if lines is None or site is None:
        return script_views.none(operation)
    cloud = services.about.cloud
    if not bicep:
        return script_views.script(operation, lines, cloud=cloud)
    if not bicep_views.is_stated(operation):
        return bicep_views.none(operation)
    versions = {kind: await _version(site, kind, services) for kind in bicep_views.VERSIONS}
    return bicep_views.bicep(operation, site, lines, versions=versions, cloud=cloud)


async def _version(site: Site, resource_type: str, services: Services) -> str:
    """The api-version that the site's subscription offers; the newest that the bot knows where Azure names none."""
    subscription = site.subscription_of(resource_type.partition("/")[0])
    try:
        return await services.azure.providers.api_version(subscription, resource_type)
    except DomainError:
        return bicep_views.VERSIONS[resource_type]


@command(
    "operation approve",
    needs="operation:approve",
    examples=("operation approve op-7k3q9xa",),
    changes=True,
    site_of=_site,
)
async def approve(request: Request, id: str, *, digest: str = "", services: Services) -> None:  # noqa: A002
    """Approve an operation's plan. The access file says whose approval counts and how many are needed.

    Args:
        id: The operation's id, from its card.
        digest: Digest of the plan that you saw; if the plan has changed, the approval is refused.
    """
    await services.operations.approve(id, request.person, request.place, digest)


async def _reason_form(_request: Request, arguments: Arguments, _services: Services) -> Modal:
    return Modal(
        t("Reject operation"),
        t("Reject"),
        f"operation reject {arguments.get('id', '')}".rstrip(),
        (Field("reason", t("Why?"), kind="lines", required=True, hint=t("The requester and the channel see this.")),),
    )


@command(
    "operation reject",
    needs="operation:read",
    site_of=_site,
    examples=('operation reject op-7k3q9xa --reason "not before Monday"',),
    changes=True,
    modal=_reason_form,
)
async def reject(request: Request, id: str, *, reason: str, services: Services) -> None:  # noqa: A002
    """Reject an operation's plan. The requester may withdraw it the same way.

    Args:
        id: The operation's id, from its card.
        reason: Shown to everybody who sees the card.
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
    """Stop an operation: at once if it is not running yet, otherwise after the current step.

    Args:
        id: The operation's id, from its card.
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
        id: The operation's id, from its card.
    """
    await services.operations.retry(id, request.person, request.place)


@command(
    "operation rollback",
    needs="registry:write",
    examples=("operation rollback op-7k3q9xa", "operation rollback op-7k3q9xa --dry-run"),
    changes=True,
    site_of=_site,
)
async def rollback(
    request: Request,
    id: str,  # noqa: A002 - what people type
    *,
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Take back what a failed or cancelled operation has made or changed, in reverse, and nothing else.

    You see the plan first, with what stays and why: what others use by now or have changed since, what was deleted, and
    images, resource providers and the cloud registry itself. Show the operation to see whether it can be rolled back.

    Args:
        id: The operation's id, from its card.
        dry_run: Only show the plan and the checks; write nothing.
    """
    operation = await services.operations.get(id)
    if operation.state not in {"failed", "cancelled"}:
        raise Stale(id, operation.state, "stopped")
    site = services.sites.get(operation.site)
    if site is None:
        raise NotFound("site", operation.site)
    target, options = operation.target, changes_of(operation)
    return await order(
        request, services, kind="operation rollback", target=target, site=site, options=options, dry_run=dry_run
    )
