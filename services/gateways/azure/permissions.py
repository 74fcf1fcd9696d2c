"""What the bot's own identity may do, as Azure's roles say."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from services.gateways.azure.arm import Arm
from services.gateways.azure.rights import ASSIGNING, EVERYTHING
from services.gateways.azure.translation import unreadable

API_VERSION = "2022-04-01"
"""Of Microsoft.Authorization/permissions; the SDKs of all clouds use it."""


class Permissions:
    """Implements `ports.Permissions`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def missing(self, arm_id: str, actions: Sequence[str]) -> tuple[str, ...]:
        """By `notActions` too, which count within their own role."""
        roles = await self._roles(arm_id)
        return tuple(action for action in actions if not any(_gives(role, action) for role in roles))

    async def excessive(self, arm_id: str) -> tuple[str, ...]:
        """A role of `Contributor`'s kind has `*`, one of `Owner`'s kind also the right to assign roles."""
        roles = await self._roles(arm_id)
        everything = [EVERYTHING] if any(EVERYTHING in (role.get("actions") or ()) for role in roles) else []
        assigning = [ASSIGNING] if any(_gives(role, ASSIGNING) for role in roles) else []
        return (*everything, *assigning)

    async def _roles(self, arm_id: str) -> list[Mapping[str, Any]]:
        """One entry for each role at the resource or above it.

        Needs `Microsoft.Authorization/permissions/read` itself (REST reference: List For Resource).
        """
        target = f"{arm_id}/providers/Microsoft.Authorization/permissions"
        async with self._arm.reading(target) as deadline:
            body = await self._arm.object(self._arm.url(target, API_VERSION), target=target, deadline=deadline)
            roles = body.get("value")
            if not isinstance(roles, list):
                raise unreadable(target)
            return roles


def _gives(role: Mapping[str, Any], action: str) -> bool:
    """Patterns have `*` for any text, and no case."""
    allowed, withheld = (
        any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in role.get(key) or ())
        for key in ("actions", "notActions")
    )
    return allowed and not withheld
