"""Delete a connected registry that no installation runs."""

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.orders import order
from services.operations.delete.request import DeleteOptions
from services.policy.sites import Site
from services.services import Services


@command(
    "delete",
    needs="registry:write",
    examples=("delete edge01 --site berlin --cleanup", "delete edge01 --site berlin --dry-run"),
    changes=True,
)
async def delete(
    request: Request,
    name: str,
    *,
    site: Site,
    cleanup: bool = False,
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Delete a connected registry in Azure alone, where no installation runs it.

    One that an extension serves, or that others sync through, stays; `remove` takes an installation along. You see the
    plan first.

    Args:
        name: Of the connected registry.
        site: Its site.
        cleanup: Delete its sync token and scope map too, and the rights that name it in scope maps of those above.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = DeleteOptions(cleanup)
    return await order(request, services, kind="delete", target=name, site=site, options=options, dry_run=dry_run)
