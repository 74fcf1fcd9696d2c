"""The refusals of ARM and the resource providers, in their own words and forms."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class ArmError(Exception):
    """An error answer of ARM or of a resource provider behind it."""

    status: int
    code: str
    message: str
    target: str | None = None
    details: tuple[dict[str, Any], ...] = ()
    additional: tuple[dict[str, Any], ...] = ()
    """`additionalInfo`, as policies give it."""
    headers: dict[str, str] = field(default_factory=dict)
    registry: bool = False
    """Microsoft.ContainerRegistry puts a `status` beside the error."""

    def error(self) -> dict[str, Any]:
        """The inner object, as asynchronous operations and `errorInfo` carry it too."""
        body: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.target is not None:
            body["target"] = self.target
        if self.details:
            body["details"] = list(self.details)
        if self.additional:
            body["additionalInfo"] = list(self.additional)
        return body

    def body(self) -> dict[str, Any]:
        """The whole answer."""
        return {"error": self.error(), "status": "Failed"} if self.registry else {"error": self.error()}


def invalid(message: str, *, code: str = "InvalidRequestContent", target: str | None = None) -> ArmError:
    """400, before the request reaches a resource provider."""
    return ArmError(400, code, message, target=target)


def refused(code: str, message: str, *, status: int = 400) -> ArmError:
    """An error of Microsoft.ContainerRegistry."""
    return ArmError(status, code, message, registry=True)


def resource_not_found(kind: str, name: str, group: str) -> ArmError:
    """404 for a tracked resource, answered by ARM itself."""
    return ArmError(
        404,
        "ResourceNotFound",
        f"The Resource '{kind}/{name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def child_not_found(name: str) -> ArmError:
    """404 for a scope map, token or connected registry, answered by Microsoft.ContainerRegistry."""
    return refused("ResourceNotFound", f"The resource {name} could not be found.", status=404)


def parent_not_found(method: str, kind: str, parent: str) -> ArmError:
    """404 for anything below a resource that does not exist."""
    verb = {"GET": "read", "HEAD": "read", "DELETE": "delete", "POST": "action"}.get(method, "write")
    return ArmError(
        404,
        "ParentResourceNotFound",
        f"Failed to perform '{verb}' on resource(s) of type '{kind}', because the parent resource "
        f"'{parent}' could not be found.",
    )


def group_not_found(name: str) -> ArmError:
    """404 for a resource group."""
    return ArmError(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def not_registered(namespace: str) -> ArmError:
    """409 for writes to a provider that the subscription has not registered."""
    message = (
        f"The subscription is not registered to use namespace '{namespace}'. "
        "See https://aka.ms/rps-not-found for how to register subscriptions."
    )
    detail = {"code": "MissingSubscriptionRegistration", "target": namespace, "message": message}
    return ArmError(409, "MissingSubscriptionRegistration", message, details=(detail,))


def not_allowed(client: str, oid: str, action: str, scope: str) -> ArmError:
    """403 for an action that the caller's role does not hold."""
    return ArmError(
        403,
        "AuthorizationFailed",
        f"The client '{client}' with object id '{oid}' does not have authorization to perform action '{action}' "
        f"over scope '{scope}' or the scope is invalid. If access was recently granted, please refresh your "
        "credentials.",
    )
