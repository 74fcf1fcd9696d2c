"""Change the settings of a connected registry."""

from datetime import timedelta
from typing import Literal

from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from services.model.errors import Invalid
from services.operations.service import Order
from services.operations.update.request import UpdateOptions, update_request
from services.policy.sites import Site
from services.services import Services

LogLevel = Literal["Debug", "Information", "Warning", "Error", "None"]


@command(
    "update",
    needs="registry:write",
    examples=(
        'update edge01 --site berlin --schedule "0 3 * * *" --window 3h',
        "update edge01 --site berlin --notification hello-world:push --dry-run",
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
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Change when a connected registry syncs, how long it keeps messages, what it logs and what it reports.

    Only what you name changes; the plan shows the old and the new values. The runtime takes a change over with its next
    contact.

    Args:
        name: Of the connected registry.
        site: Where it is.
        schedule: Cron expression in UTC for syncs; `* * * * *` syncs all the time.
        window: How long a scheduled sync stays open, such as 3h.
        message_ttl: How long undelivered messages are kept, such as 2d.
        log_level: What its runtime writes into its log.
        notification: What it reports to Event Grid, such as hello-world:push; all given ones replace the list.
        no_notifications: Report nothing.
        dry_run: Only show the plan and the checks; write nothing.
    """
    if notification and no_notifications:
        raise Invalid("no_notifications", "", "notification.both")
    notifications = notification if notification or no_notifications else None
    options = UpdateOptions(schedule, window, message_ttl, log_level, notifications)
    update_request(site, name, options)  # here, so that a slip is answered at once and privately
    order = Order("update", name, site, options, request.person, request.place, request.key, dry_run=dry_run)
    await services.operations.start(order)
    return None
