"""Tokens of connected registries: sync tokens and client tokens."""

from handlers.connected import locate
from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.views import tokens as views
from services.policy.sites import Site
from services.services import Services


@command("token list", needs="registry:read", examples=("token list edge01", "token list edge01 --site berlin"))
async def list_(request: Request, name: str, *, site: Site | None = None, services: Services) -> Message:
    """List the sync token and client tokens of a connected registry, with status and expiry; never a password.

    Tokens that are disabled, and passwords that have expired or soon will, come first.

    Args:
        name: Of the connected registry.
        site: Where it is; needed only if several cloud registries have one of this name.
    """
    detail = await locate(request, services, name, site)
    return views.listing(detail, await services.azure.tokens.list(detail.acr), request.now)
