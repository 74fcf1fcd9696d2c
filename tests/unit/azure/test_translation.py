"""Azure's errors in our words."""

import json

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError

from services.gateways.azure.translation import from_answer, from_sdk
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


def body(code: str, message: str) -> str:
    return json.dumps({"error": {"code": code, "message": message}})


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (307, Refused),
        (400, Refused),
        (401, NotAuthenticated),
        (403, NotAllowed),
        (404, Absent),
        (408, Unreachable),
        (409, Conflict),
        (412, Conflict),
        (422, Refused),
        (429, Throttled),
        (500, Unreachable),
        (503, Unreachable),
    ],
)
def test_each_status_has_its_kind(status: int, kind: type[Foreign]) -> None:
    error = from_answer(status, {}, "", "target")
    assert type(error) is kind
    assert (error.service, error.target, error.code) == ("azure", "target", f"HTTP{status}")


def test_a_missing_right_is_named() -> None:
    message = "The client 'x' does not have authorization to perform action 'Microsoft.Foo/bars/write' over scope '/s'."
    error = from_answer(403, {}, body("AuthorizationFailed", message), "target")
    assert isinstance(error, NotAllowed)
    assert error.action == "Microsoft.Foo/bars/write"


def test_a_refusal_by_a_policy_is_not_a_missing_right() -> None:
    error = from_answer(403, {}, body("RequestDisallowedByPolicy", "Resource was disallowed by policy."), "target")
    assert type(error) is Refused


def test_code_message_details_and_correlation_id_are_kept() -> None:
    text = json.dumps(
        {"error": {"code": "BadRequest", "message": "Not so.", "details": [{"code": "Why", "message": "Too long."}]}}
    )
    error = from_answer(400, {"x-ms-correlation-request-id": "c-1"}, text, "target")
    assert (error.code, error.message, error.correlation_id) == ("BadRequest", "Not so. Too long.", "c-1")


def test_throttling_says_when_to_come_back() -> None:
    error = from_answer(429, {"Retry-After": "17"}, body("TooManyRequests", "slow"), "target")
    assert isinstance(error, Throttled)
    assert error.retry_after == 17


def test_a_page_that_is_no_json_is_no_message() -> None:
    error = from_answer(502, {}, "<html>Bad gateway</html>", "target")
    assert (type(error), error.code, error.message) == (Unreachable, "HTTP502", "")


def test_a_refused_login_names_the_reason_of_entra() -> None:
    sdk = ClientAuthenticationError(
        "Authentication failed: AADSTS7000215: Invalid client secret provided. "
        "Correlation ID: 0b0b0b0b-1111-4222-8333-444444444444 Timestamp: now"
    )
    error = from_sdk(sdk, "target")
    assert isinstance(error, NotAuthenticated)
    assert (error.code, error.correlation_id) == ("AADSTS7000215", "0b0b0b0b-1111-4222-8333-444444444444")


def test_no_identity_at_all_is_not_authenticated() -> None:
    error = from_sdk(CredentialUnavailableError("no managed identity endpoint found"), "target")
    assert (type(error), error.code) == (NotAuthenticated, "CredentialUnavailable")


def test_no_connection_is_never_read_as_no() -> None:
    assert type(from_sdk(ServiceRequestError("connection refused"), "target")) is Unreachable
