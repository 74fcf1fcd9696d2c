"""Resync a connected registry."""

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.orders import order
from services.operations.resync.request import ResyncOptions
from services.policy.sites import Site
from services.services import Services


@command(
    "resync",
    needs="registry:write",
    examples=("resync edge01 --site berlin", "resync edge01 --site berlin --dry-run"),
    changes=True,
)
async def resync(
    request: Request, name: str, *, site: Site, dry_run: bool = False, services: Services
) -> Message | None:
    """Ask a connected registry for a full sync, and wait until it has ended.

    It has to be in contact. Not every cloud offers it yet; then the answer says so.

    Args:
        name: Of the connected registry.
        site: Where it is.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = ResyncOptions()
    return await order(request, services, kind="resync", target=name, site=site, options=options, dry_run=dry_run)
