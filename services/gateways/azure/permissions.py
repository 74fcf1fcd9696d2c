"""What the bot's own identity may do, as Azure's roles say."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from services.gateways.azure.arm import Arm
from services.gateways.azure.translation import unreadable

API_VERSION = "2022-04-01"
"""Of Microsoft.Authorization/permissions; the SDKs of all clouds use it."""


class Permissions:
    """Implements `ports.Permissions`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def missing(self, arm_id: str, actions: Sequence[str]) -> tuple[str, ...]:
        """The answer has one entry for each role at the resource or above it; `notActions` count within their own role.

        Needs `Microsoft.Authorization/permissions/read` itself (REST reference: List For Resource).
        """
        target = f"{arm_id}/providers/Microsoft.Authorization/permissions"
        async with self._arm.reading(target) as deadline:
            body = await self._arm.object(self._arm.url(target, API_VERSION), target=target, deadline=deadline)
            roles = body.get("value")
            if not isinstance(roles, list):
                raise unreadable(target)
            return tuple(action for action in actions if not any(_gives(role, action) for role in roles))


def _gives(role: Mapping[str, Any], action: str) -> bool:
    """Patterns have `*` for any text, and no case."""
    allowed, withheld = (
        any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in role.get(key) or ())
        for key in ("actions", "notActions")
    )
    return allowed and not withheld
