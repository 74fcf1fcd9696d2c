"""Refusals in the API server's own form: the Status object, its reasons and its texts."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sandbox.kube.resources import Json, Resource

FieldErrorType = Literal[
    "FieldValueInvalid",
    "FieldValueRequired",
    "FieldValueNotSupported",
    "FieldValueForbidden",
    "FieldValueTooLong",
    "FieldValueDuplicate",
    "FieldValueNotFound",
]

_TITLES: dict[str, str] = {
    "FieldValueInvalid": "Invalid value",
    "FieldValueRequired": "Required value",
    "FieldValueNotSupported": "Unsupported value",
    "FieldValueForbidden": "Forbidden",
    "FieldValueTooLong": "Too long",
    "FieldValueDuplicate": "Duplicate value",
    "FieldValueNotFound": "Not found",
}
_WITHOUT_VALUE = {"FieldValueRequired", "FieldValueForbidden", "FieldValueTooLong"}


@dataclass(frozen=True)
class Verbatim:
    """Text that stands for a value in a refusal exactly as it is."""

    text: str


@dataclass(eq=False)
class StatusError(Exception):
    """A refusal; `body` is what a client receives."""

    code: int
    reason: str
    message: str
    details: Json | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> Json:
        """The Status object."""
        status: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
        }
        if self.reason:
            status["reason"] = self.reason
        if self.details is not None:
            status["details"] = self.details
        return status | {"code": self.code}


@dataclass(frozen=True)
class FieldError:
    """What is wrong with one field."""

    type: FieldErrorType
    field: str
    value: object = None
    detail: str = ""

    @property
    def body(self) -> str:
        """The error without the field's name."""
        title = _TITLES[self.type]
        if isinstance(self.value, Verbatim):
            value = self.value.text
        else:
            value = json.dumps(self.value, separators=(",", ":"), ensure_ascii=False)
        text = title if self.type in _WITHOUT_VALUE else f"{title}: {value}"
        return f"{text}: {self.detail}" if self.detail else text

    def __str__(self) -> str:
        return f"{self.field}: {self.body}"


def wrong(path: str, value: object, detail: str) -> FieldError:
    """A field whose value is not valid."""
    return FieldError("FieldValueInvalid", path, value, detail)


def required(path: str, detail: str = "") -> FieldError:
    """A field that is missing."""
    return FieldError("FieldValueRequired", path, detail=detail)


def unsupported(path: str, value: object, supported: Sequence[str]) -> FieldError:
    """A field whose value is not one of the supported ones."""
    choices = ", ".join(json.dumps(choice) for choice in supported)
    return FieldError("FieldValueNotSupported", path, value, f"supported values: {choices}")


def invalid(resource: Resource, name: str, errors: Sequence[FieldError]) -> StatusError:
    """422: the object's fields don't pass validation."""
    qualified = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    listed = list(dict.fromkeys(str(error) for error in errors))
    text = listed[0] if len(listed) == 1 else "[" + ", ".join(listed) + "]"
    causes = [{"reason": error.type, "message": error.body, "field": error.field} for error in errors]
    details: Json = {"name": name} | ({"group": resource.group} if resource.group else {})
    details |= {"kind": resource.kind, "causes": causes}
    return StatusError(422, "Invalid", f'{qualified} "{name}" is invalid: {text}', details)


def bad_options(kind: str, error: FieldError) -> StatusError:
    """422: a query parameter or a field of DeleteOptions has an unsupported value."""
    causes = [{"reason": error.type, "message": error.body, "field": error.field}]
    details: Json = {"group": "meta.k8s.io", "kind": kind, "causes": causes}
    return StatusError(422, "Invalid", f'{kind}.meta.k8s.io "" is invalid: {error}', details)


def not_found(resource: Resource, name: str) -> StatusError:
    """404: no object of that name."""
    return StatusError(404, "NotFound", f'{resource.qualified} "{name}" not found', _details(resource, name))


def already_exists(resource: Resource, name: str) -> StatusError:
    """409: the name is taken."""
    message = f'{resource.qualified} "{name}" already exists'
    return StatusError(409, "AlreadyExists", message, _details(resource, name))


def conflict(resource: Resource, name: str, why: str, *, subject: str = "") -> StatusError:
    """409: the object is not in the state that the caller expects. `subject` is the kind as the message names it."""
    message = f'Operation cannot be fulfilled on {subject or resource.qualified} "{name}": {why}'
    return StatusError(409, "Conflict", message, _details(resource, name))


def modified(resource: Resource, name: str) -> StatusError:
    """409: the resourceVersion is stale."""
    return conflict(
        resource,
        name,
        "the object has been modified; please apply your changes to the latest version and try again",
    )


def forbidden(resource: Resource, name: str, why: str, causes: Sequence[Json] = ()) -> StatusError:
    """403: admission or authorization says no."""
    details = _details(resource, name) | ({"causes": list(causes)} if causes else {})
    subject = f'{resource.qualified} "{name}"' if name else resource.qualified
    return StatusError(403, "Forbidden", f"{subject} is forbidden: {why}", details)


def bad_request(message: str) -> StatusError:
    """400: the request makes no sense."""
    return StatusError(400, "BadRequest", message)


def expired(message: str) -> StatusError:
    """410: that revision is no longer in the history."""
    return StatusError(410, "Expired", message)


def internal(message: str) -> StatusError:
    """500: the server could not do it."""
    text = f"Internal error occurred: {message}"
    return StatusError(500, "InternalError", text, {"causes": [{"message": message}]})


def unauthorized() -> StatusError:
    """401: the token belongs to no user."""
    return StatusError(401, "Unauthorized", "Unauthorized")


def no_such_resource() -> StatusError:
    """404: there is no resource at the path."""
    return StatusError(404, "NotFound", "the server could not find the requested resource", {})


def method_not_allowed(resource: Resource | None, action: str) -> StatusError:
    """405: the resource has no such verb."""
    if resource is None:
        return StatusError(
            405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {}
        )
    message = f'{action} is not supported on resources of kind "{resource.qualified}"'
    return StatusError(405, "MethodNotAllowed", message, _kind(resource))


def unsupported_media(accepted: Sequence[str]) -> StatusError:
    """415: a body that can't be read."""
    text = "the body of the request was in an unknown format - accepted media types include: " + ", ".join(accepted)
    return StatusError(415, "UnsupportedMediaType", text)


def not_acceptable(accepted: Sequence[str]) -> StatusError:
    """406: none of the forms that the client accepts."""
    text = "only the following media types are accepted: " + ", ".join(accepted)
    return StatusError(406, "NotAcceptable", text)


def success(resource: Resource, name: str, uid: str) -> Json:
    """What a deletion answers when it doesn't answer with the object."""
    details = _details(resource, name) | {"uid": uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}


def _details(resource: Resource, name: str) -> Json:
    details: dict[str, Any] = {"name": name} if name else {}
    return details | _kind(resource)


def _kind(resource: Resource) -> Json:
    return ({"group": resource.group} if resource.group else {}) | {"kind": resource.plural}
