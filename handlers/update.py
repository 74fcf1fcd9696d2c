"""Change the settings of a connected registry."""

from datetime import timedelta
from typing import Literal

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.orders import order
from services.model.errors import Invalid
from services.operations.update.request import UpdateOptions
from services.policy.sites import Site
from services.services import Services

LogLevel = Literal["Debug", "Information", "Warning", "Error", "None"]


@command(
    "update",
    needs="registry:write",
    examples=(
        'update edge01 --site berlin --schedule "0 3 * * *" --window 3h',
        "update edge01 --site berlin --notification hello-world:push --dry-run",
        'update edge01 --site berlin --gc on --gc-schedule "0 1 * * *" --add-client-token till',
    ),
    changes=True,
)
async def update(
    request: Request,
    name: str,
    *,
    site: Site,
    schedule: str | None = None,
    window: timedelta | None = None,
    message_ttl: timedelta | None = None,
    log_level: LogLevel | None = None,
    notification: tuple[str, ...] = (),
    no_notifications: bool = False,
    gc: Literal["on", "off"] | None = None,
    gc_schedule: str | None = None,
    audit_logs: Literal["on", "off"] | None = None,
    add_client_token: tuple[str, ...] = (),
    remove_client_token: tuple[str, ...] = (),
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Change when a connected registry syncs and collects garbage, what it logs and reports, and who pulls from it.

    Only what you name changes; the plan shows the old and the new values. The runtime takes a change over with its next
    contact, and knows a client token that is added after its next sync.

    Args:
        name: Of the connected registry.
        site: Where it is.
        schedule: Cron expression in UTC for syncs; `* * * * *` syncs all the time.
        window: How long a scheduled sync stays open, such as 3h.
        message_ttl: How long undelivered messages are kept, such as 2d.
        log_level: What its runtime writes into its log.
        notification: What it reports to Event Grid, such as hello-world:push; all given ones replace the list.
        no_notifications: Report nothing.
        gc: Whether it collects garbage.
        gc_schedule: Cron expression in UTC for that, such as "0 1 * * *".
        audit_logs: Whether it sends audit logs to Azure.
        add_client_token: A token of the cloud registry by which clients may pull from it; others stay.
        remove_client_token: A client token by which nobody may pull from it any more; the token itself stays.
        dry_run: Only show the plan and the checks; write nothing.
    """
    if notification and no_notifications:
        raise Invalid("no_notifications", "", "notification.both")
    notifications = notification if notification or no_notifications else None
    options = UpdateOptions(
        schedule,
        window,
        message_ttl,
        log_level,
        notifications,
        gc_enabled=None if gc is None else gc == "on",
        gc_schedule=gc_schedule,
        audit_logs=None if audit_logs is None else audit_logs == "on",
        add_client_tokens=add_client_token,
        remove_client_tokens=remove_client_token,
    )
    return await order(request, services, kind="update", target=name, site=site, options=options, dry_run=dry_run)
