"""Tokens of connected registries: sync tokens and client tokens."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from handlers.connected import locate, readable_registries
from handlers.kit.command import command
from handlers.kit.message import Message
from handlers.kit.request import Request
from handlers.orders import order
from handlers.views import tokens as views
from services.model.errors import Invalid
from services.operations.connection_string import Protocol
from services.operations.token_rotation.request import RotationOptions
from services.operations.workload.rotation import RotationOptions as ClientOptions
from services.policy.sites import Site
from services.services import Services

SHORTEST = timedelta(days=1)
"""A password that ends sooner would cut the edge off before anybody rotates again."""


@command("token list", needs="registry:read", examples=("token list edge01", "token list edge01 --site berlin"))
async def list_(request: Request, name: str, *, site: Site | None = None, services: Services) -> Message:
    """List the sync token and client tokens of a connected registry, with status and expiry; never a password.

    Tokens that are disabled, and passwords that have expired or soon will, come first.

    Args:
        name: Of the connected registry.
        site: Where it is; needed only if several cloud registries have one of this name.
    """
    detail = await locate(request, services, name, site)
    registries, tokens = await asyncio.gather(
        readable_registries(request, services, detail), services.azure.tokens.list(detail.acr)
    )
    detail = replace(detail, registries=registries)
    return views.listing(detail, tokens, request.now, slash=request.slash)


@command(
    "token rotate",
    needs="registry:write",
    examples=(
        "token rotate edge01 --site berlin",
        "token rotate edge01 --site berlin --expires 90d --dry-run",
        "token rotate edge01 --site berlin --workload hello-world",
        "token rotate line1 --site berlin --parent-protocol https",
    ),
    changes=True,
)
async def rotate(
    request: Request,
    name: str,
    *,
    site: Site,
    expires: timedelta | None = None,
    workload: str | None = None,
    namespace: str = "default",
    parent_protocol: Protocol | None = None,
    dry_run: bool = False,
    services: Services,
) -> Message | None:
    """Give a connected registry a new sync password without a gap, and end the old one.

    The idle password of its sync token is made afresh and handed to its extension; nobody sees it. The runtime starts
    again with it, and nodes repeat what they pull in these seconds. The old one ends only when the runtime has made
    contact with the new one. With `--workload` the client token of that workload gets a new password instead: in a
    second pull secret, which its Pods get when the edge has accepted the password, and the old one ends when no Pod
    has it any more; nothing starts again but these Pods. You see the plan first.

    Args:
        name: Of the connected registry.
        site: Where it runs.
        expires: How long the new password is valid, such as 90d; without it for ever.
        workload: Whose client token, instead of the sync token; as `workload show` has it.
        namespace: Where that workload is.
        parent_protocol: How the connected registry above it is served, for one that syncs through another.
        dry_run: Only show the plan and the checks; write nothing.
    """
    if expires is not None and expires < SHORTEST:
        raise Invalid("expires", "", "expires.short", {"value": expires, "low": SHORTEST})
    end = (request.now + expires).replace(microsecond=0) if expires else None
    options = RotationOptions(end, parent_protocol) if workload is None else ClientOptions(workload, namespace, end)
    kind = "token rotate" if workload is None else "workload rotate"
    return await order(request, services, kind=kind, target=name, site=site, options=options, dry_run=dry_run)
