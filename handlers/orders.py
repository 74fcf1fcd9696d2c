"""Where each command that changes something ends: an operation begins, or a dry run shows its plan."""

from handlers.kit.command import Arguments
from handlers.kit.language import t
from handlers.kit.message import Field, Message
from handlers.kit.request import Request
from handlers.views import operation as views
from services.operations.service import Order
from services.policy.sites import Site
from services.services import Services


async def order(
    request: Request, services: Services, *, kind: str, target: str, site: Site, options: object, dry_run: bool
) -> Message | None:
    """Begin an operation, whose card the board posts; for a dry run, the plan for the eyes of whoever asks.

    `options` is a value of the kind's own class. Raises what `Operations.start` and `Operations.preview` raise.
    """
    placed = Order(kind, target, site, options, request.person, request.place, request.key)
    if dry_run:
        return views.preview(await services.operations.preview(placed))
    await services.operations.start(placed)
    return None


def dry_run_field(arguments: Arguments) -> Field:
    """The box in a command's form, ticked where it was typed."""
    return Field(
        "dry_run",
        t("Dry run"),
        kind="flag",
        placeholder=t("Only show the plan"),
        initial=bool(arguments.get("dry_run")),
    )
