"""Create a connected registry, without an installation."""

from datetime import timedelta
from typing import Literal

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.orders import order
from services.operations.create.request import CreateOptions
from services.policy.sites import Site
from services.services import Services


@command(
    "create",
    needs="registry:write",
    examples=(
        "create edge01 --site berlin --repository hello-world",
        "create edge01 --site berlin --sync-token edge-sync --dry-run",
        "create line1 --site berlin --parent edge01 --repository hello-world --dry-run",
    ),
    changes=True,
)
async def create(
    request: Request,
    name: str,
    *,
    site: Site,
    repository: tuple[str, ...] = (),
    mode: Literal["ReadOnly", "ReadWrite"] | None = None,
    schedule: str | None = None,
    window: timedelta | None = None,
    message_ttl: timedelta | None = None,
    parent: str = "",
    sync_token: str = "",
    gc: Literal["on", "off"] | None = None,
    gc_schedule: str | None = None,
    audit_logs: Literal["on", "off"] | None = None,
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Create a connected registry in Azure alone: its scope map, its sync token and itself.

    Nothing is installed; `deploy` does all of it together. Below another connected registry, all of those above it get
    the rights that it needs. You see the plan first.

    Args:
        name: Of the new connected registry.
        site: Whose cloud registry it syncs from; what you leave out comes from there.
        repository: Repositories that it syncs, each with an option of its own.
        mode: ReadOnly, or ReadWrite for one that takes pushes; it can't be changed afterwards.
        schedule: Cron expression in UTC for syncs; `* * * * *` syncs all the time.
        window: How long a scheduled sync stays open, such as 3h.
        message_ttl: How long undelivered messages are kept, such as 2d.
        parent: Connected registry through which it syncs; without it the cloud registry itself.
        sync_token: A token that exists and that nobody else uses; it syncs what its scope map lets it.
        gc: Whether it collects garbage.
        gc_schedule: Cron expression in UTC for that, such as "0 1 * * *".
        audit_logs: Whether it sends audit logs to Azure.
        dry_run: Only show the plan and the checks; write nothing.
    """
    options = CreateOptions(
        repository,
        mode,
        schedule,
        window,
        message_ttl,
        parent,
        gc_enabled=None if gc is None else gc == "on",
        gc_schedule=gc_schedule,
        audit_logs=None if audit_logs is None else audit_logs == "on",
        sync_token=sync_token,
    )
    return await order(request, services, kind="create", target=name, site=site, options=options, dry_run=dry_run)
