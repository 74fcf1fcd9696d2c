"""What the bot's own identity may do, as Azure's roles say."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from services.gateways.azure.arm import Arm
from services.gateways.azure.rights import ASSIGNING, EVERYTHING
from services.gateways.azure.translation import unreadable
from services.model.azure import Lock

API_VERSION, LOCKS_API_VERSION = "2022-04-01", "2016-09-01"
"""Of Microsoft.Authorization/permissions and /locks; the SDKs of all clouds use them."""
_LOCKS = "/providers/Microsoft.Authorization/locks"


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

    async def locks(self, arm_id: str) -> tuple[Lock, ...]:
        """The group is asked beside the resource: whether a list has what is inherited is documented nowhere.

        Needs `Microsoft.Authorization/locks/read` (REST reference: Management Locks).
        """
        async with self._arm.reading(arm_id) as deadline:
            lists = [
                await self._arm.entries(f"{place}{_LOCKS}", LOCKS_API_VERSION, deadline=deadline)
                for place in (arm_id, arm_id.partition("/providers/")[0])
            ]
            locks = (_lock(entry) for entries in lists for entry in entries)
            return tuple(dict.fromkeys(lock for lock in locks if lock is not None and _covers(lock, arm_id)))

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


def _lock(entry: Mapping[str, Any]) -> Lock | None:
    """None for one that does not say where it is, or of a level that forbids nothing."""
    scope = str(entry.get("id") or "").partition(_LOCKS)[0]
    level = (entry.get("properties") or {}).get("level")
    return Lock(scope, level) if scope and level in {"ReadOnly", "CanNotDelete"} else None


def _covers(lock: Lock, arm_id: str) -> bool:
    return f"{arm_id}/".lower().startswith(f"{lock.scope}/".lower())


def _gives(role: Mapping[str, Any], action: str) -> bool:
    """Patterns have `*` for any text, and no case."""
    allowed, withheld = (
        any(fnmatchcase(action.lower(), str(pattern).lower()) for pattern in role.get(key) or ())
        for key in ("actions", "notActions")
    )
    return allowed and not withheld
