"""Microsoft.Authorization: management locks, as `az lock` and Terraform make them, and the caller's permissions."""

from sandbox.azure import versions
from sandbox.azure.arm import ROLE_EXCEPTIONS, ROLES, Answer, Call, ControlPlane, Router
from sandbox.azure.errors import ArmError, invalid
from sandbox.azure.governance import LEVELS, Lock
from sandbox.azure.shapes import Shape

SUBSCRIPTION = "/subscriptions/{subscription}"
GROUP = f"{SUBSCRIPTION}/resourcegroups/{{group}}"
SCOPES = (
    SUBSCRIPTION,
    GROUP,
    f"{GROUP}/providers/Microsoft.ContainerRegistry/registries/{{registry}}",
    f"{GROUP}/providers/Microsoft.Kubernetes/connectedClusters/{{cluster}}",
)
LOCKS = "/providers/Microsoft.Authorization/locks"
ACTION = "Microsoft.Authorization/locks"
BODY: Shape = {"properties": {"level": str, "notes": str}}


class Locks:
    """Routes of locks on the subscription, resource groups, registries and connected clusters."""

    def __init__(self, plane: ControlPlane) -> None:
        self._locks = plane.cloud.governance.locks

    def register(self, router: Router) -> None:
        """Add this provider's routes."""
        kind = versions.LOCKS
        for scope in SCOPES:
            path = f"{scope}{LOCKS}/{{lock}}"
            router.add("GET", f"{scope}{LOCKS}", self._list, kind=kind, action=f"{ACTION}/read")
            router.add("GET", path, self._get, kind=kind, action=f"{ACTION}/read")
            router.add("PUT", path, self._put, kind=kind, action=f"{ACTION}/write", body=BODY)
            router.add("DELETE", path, self._delete, kind=kind, action=f"{ACTION}/delete")

    def _list(self, call: Call) -> Answer:
        scope = _scope(call)
        return Answer(200, {"value": [lock.body() for lock in self._locks.values() if lock.covers(scope)]})

    def _get(self, call: Call) -> Answer:
        lock = self._locks.get(call.names["lock"])
        if lock is None or lock.scope.lower() != _scope(call).lower():
            raise ArmError(404, "LockNotFound", f"The lock '{call.names['lock']}' could not be found.")
        return Answer(200, lock.body())

    def _put(self, call: Call) -> Answer:
        name, level = call.names["lock"], call.properties.get("level")
        for word in LEVELS:
            if word.lower() == str(level).lower():
                new = name not in self._locks
                lock = self._locks[name] = Lock(name, _scope(call), word)  # type: ignore[arg-type]  # one of LEVELS
                return Answer(201 if new else 200, lock.body())
        raise invalid(f"The lock level '{level}' is not one of {', '.join(LEVELS)}.", code="InvalidLockLevel")

    def _delete(self, call: Call) -> Answer:
        return Answer(200 if self._locks.pop(call.names["lock"], None) else 204)


class Permissions:
    """What the caller may do at a scope: one entry a role (REST reference, Permissions: List For Resource)."""

    def register(self, router: Router) -> None:
        """Add this provider's routes."""
        action = "Microsoft.Authorization/permissions/read"
        for scope in SCOPES:
            path = f"{scope}/providers/Microsoft.Authorization/permissions"
            router.add("GET", path, self._list, kind=versions.PERMISSIONS, action=action)

    def _list(self, call: Call) -> Answer:
        caller = call.principal
        role = {
            "actions": list(caller.actions or ROLES[caller.role]),
            "notActions": [*caller.denied_actions, *(() if caller.actions else ROLE_EXCEPTIONS.get(caller.role, ()))],
            "dataActions": [],
            "notDataActions": [],
        }
        return Answer(200, {"value": [role], "nextLink": None})


def _scope(call: Call) -> str:
    """What stands before the provider in a lock's path."""
    return call.path[: call.path.lower().rindex(LOCKS.lower())]
