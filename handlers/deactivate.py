"""Deactivate a connected registry."""

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.orders import order
from services.operations.deactivate.request import DeactivateOptions
from services.policy.sites import Site
from services.services import Services


@command(
    "deactivate",
    needs="registry:write",
    examples=("deactivate edge01 --site berlin", "deactivate edge01 --site berlin --dry-run"),
    changes=True,
)
async def deactivate(
    request: Request, name: str, *, site: Site, dry_run: bool = False, services: Services
) -> Message | None:
    """Deactivate a connected registry, so that another installation of it can be activated.

    A running installation keeps serving the images that it has, but can no longer sync. You see the plan first.

    Args:
        name: Name of the connected registry.
        site: Its site.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = DeactivateOptions()
    return await order(request, services, kind="deactivate", target=name, site=site, options=options, dry_run=dry_run)
