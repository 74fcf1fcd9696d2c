"""Passwords of tokens: how one is made, and what becomes of one that did not reach whoever was to work with it.

A password lives between two awaits and nowhere else: no answer, error or checkpoint holds it. So one that could not be
handed on is in nobody's hands, and ends at once. One that may have been handed on is never ended here: an edge or Pods
may work with it, and the operation's card says how it ends.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from services.model.errors import Absent, DatabaseAway, DomainError, Unreachable
from services.model.operation import PasswordLeft
from services.model.secret import Secret
from services.operations.command_line import acr_options, command_line
from services.operations.step import Scene, settle
from services.policy.sites import Site

SKEW = timedelta(minutes=1)
"""How far Azure's clock and the bot's may be apart (`services.gateways.azure.clock`)."""
TOKENS = frozenset({"sync_token.put", "client_token.put"})
"""Kinds of steps that create a token."""
log = structlog.get_logger("operations")


@asynccontextmanager
async def new_password(scene: Scene, slot: str, *, expires: datetime | None = None) -> AsyncIterator[Secret]:
    """A new password in the `slot` of the `token` among the step's parameters, for the block to hand on.

    The slot's earlier one stops working. Where the block's last request is refused, the new one ends.
    """
    acr, token = scene.site.acr_ref, str(scene.params["token"])
    password = await scene.azure.tokens.generate_password(acr, f"{acr.id}/tokens/{token}", slot, expires=expires)
    try:
        yield password
    except (Unreachable, DatabaseAway):
        # The request may have been carried out although its answer was lost, and a process that may not write any more
        # has a successor that does.
        raise
    except DomainError:
        await _end(scene, token, slot)
        raise


async def _end(scene: Scene, token: str, slot: str) -> None:
    """What keeps it from that is not raised: the refusal is what people have to see, and `password_left` finds it."""
    try:
        await settle(scene, await scene.azure.tokens.end_password(scene.site.acr_ref, token, slot))
    except DomainError as error:
        log.warning("password_not_ended", operation=scene.operation.id, token=token, slot=slot, error=str(error))


def password_left(
    slot_of: Callable[[Scene], Awaitable[str]],
) -> Callable[[Scene], Awaitable[PasswordLeft | None]]:
    """The `leaves` of a step that makes a password: the one that it has left where it did not come to its end.

    `slot_of` says in which slot it was to be: the other one may be in use, so nobody is to be advised to end it. None
    is left of a token that the operation has created: that is named among what was left behind.
    """

    async def look(scene: Scene) -> PasswordLeft | None:
        acr, token = scene.site.acr_ref, str(scene.params["token"])
        started, planned = scene.operation.steps[scene.index].started, scene.operation.planned
        own = {step.params["name"] for step in planned if step.kind in TOKENS and step.effect == "create"}
        if not token or token in own or started is None:
            return None
        try:
            slot, passwords = await slot_of(scene), (await scene.azure.tokens.get(acr, token)).passwords
        except Absent:
            return None
        except DomainError:
            return PasswordLeft(token, "", command_line("az acr token show", name=token, **acr_options(acr)))
        made = [password.created for password in passwords if password.name == slot and password.created]
        if not made or made[0] < started - SKEW:
            return None
        return PasswordLeft(token, slot, ending_line(scene.site, token, slot))

    return look


def ending_line(site: Site, token: str, slot: str) -> str:
    """What a shell runs to end the password in a token's slot."""
    return command_line("az acr token credential delete", name=token, **acr_options(site.acr_ref), **{slot: True})


async def planned_slot(scene: Scene) -> str:
    """The slot among the step's parameters."""
    return str(scene.params["slot"])
