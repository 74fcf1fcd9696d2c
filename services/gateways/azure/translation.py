"""Azure's errors in our words, once. Every text that gets through here is scrubbed."""

import json
import re
from collections.abc import Mapping
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
)

from services.gateways.azure.retries import retry_after
from services.model.errors import (
    Absent,
    Conflict,
    Foreign,
    NotAllowed,
    NotAuthenticated,
    Refused,
    Throttled,
    Unreachable,
)
from services.model.redaction import short

SERVICE = "azure"

_ACTION = re.compile(r"perform action '(?P<action>[^']+)'")
_AADSTS = re.compile(r"AADSTS\d+")
_ENTRA_CORRELATION = re.compile(r"Correlation ID: (?P<id>[0-9a-fA-F-]{36})")
_NO_CONNECTION = re.compile(r"(?:Cannot connect|timeout) to host (?!169\.254\.169\.254)")
"""In aiohttp's words. The address left out is where a machine in Azure would find its managed identity."""
_UNAUTHORIZED, _FORBIDDEN, _THROTTLED, _SERVER = 401, 403, 429, 500
_KINDS: Mapping[int, type[Foreign]] = {
    _UNAUTHORIZED: NotAuthenticated,
    404: Absent,
    408: Unreachable,
    409: Conflict,
    410: Absent,
    412: Conflict,
}


def from_sdk(error: AzureError, target: str) -> Foreign:
    """Our error for one of azure-core's or azure-identity's. `target` is what was asked, an ARM id."""
    response: Any = error.response if isinstance(error, HttpResponseError) else None
    login = isinstance(error, ClientAuthenticationError)
    if login and (response is None or _AADSTS.search(str(error))):
        return _not_authenticated(str(error), target)
    if response is None:
        return Unreachable(SERVICE, target, code="NoConnection", message=short(str(error)))
    try:
        body = response.text()
    except Exception:  # noqa: BLE001 - azure-core raises several kinds when the body did not come whole
        body = ""
    # A managed identity's endpoint says with 400 what Entra says with 401.
    return from_answer(_UNAUTHORIZED if login else response.status_code, response.headers, body, target)


def from_answer(status: int, headers: Mapping[str, str], body: str, target: str) -> Foreign:
    """Our error for an answer that is not a success."""
    code, message = error_words(body)
    code = code or f"HTTP{status}"
    message = short(message)
    correlation = headers.get("x-ms-correlation-request-id", "") or headers.get("x-ms-request-id", "")
    if status == _THROTTLED:
        return Throttled(SERVICE, target, code, message, correlation, retry_after=retry_after(headers) or 0)
    # Other words than Authorization… (RequestDisallowedByPolicy, for one) mean that the service understood and said no.
    if status == _FORBIDDEN and ("authorization" in code.lower() or code in ("Forbidden", f"HTTP{_FORBIDDEN}")):
        action = _ACTION.search(message)
        return NotAllowed(SERVICE, target, code, message, correlation, action=action["action"] if action else "")
    kind = Unreachable if status >= _SERVER else _KINDS.get(status, Refused)
    return kind(SERVICE, target, code, message, correlation)


def error_words(body: str) -> tuple[str, str]:
    """Code and message of an ARM error body, those of its details appended; both empty when it is something else."""
    try:
        content = json.loads(body)
    except ValueError:
        return "", ""
    if not isinstance(content, dict):
        return "", ""
    error = content.get("error", content)
    return words_of(error) if isinstance(error, dict) else (str(error), str(content.get("error_description", "")))


def words_of(error: Mapping[str, Any]) -> tuple[str, str]:
    """Code and message of one `{code, message, details}` object, as they came: not scrubbed."""
    details = [each for each in error.get("details") or () if isinstance(each, dict)]
    messages = [str(each.get("message") or "") for each in (error, *details)]
    return str(error.get("code") or ""), " ".join(dict.fromkeys(message for message in messages if message))


def _not_authenticated(text: str, target: str) -> Foreign:
    code = _AADSTS.search(text)
    # azure-identity's default chain keeps only the text of what its members met.
    if code is None and _NO_CONNECTION.search(text):
        return Unreachable(SERVICE, target, code="LoginUnreachable", message=short(text))
    correlation = _ENTRA_CORRELATION.search(text)
    return NotAuthenticated(
        SERVICE,
        target,
        code=code[0] if code else "CredentialUnavailable",
        message=short(text),
        correlation_id=correlation["id"] if correlation else "",
    )
