"""Azure's errors in our words: by the code, with the facts of the text."""

import json

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import CredentialUnavailableError

from services.gateways.azure.codes import CODES
from services.gateways.azure.translation import from_answer, from_sdk
from services.model.errors import (
    Absent,
    AlreadyExists,
    Busy,
    Conflict,
    Foreign,
    Locked,
    NameTaken,
    NotAllowed,
    NotAuthenticated,
    NotOfferedInRegion,
    ProviderNotRegistered,
    Refused,
    ResourceGroupUnknown,
    SubscriptionUnknown,
    Throttled,
    Unreachable,
    Unreadable,
    VersionNotOffered,
)

GROUP = "/subscriptions/s/resourceGroups/edge-rg"
ARMS_OWN = {"x-ms-correlation-request-id": "c-1"}


def body(code: str, message: str = "") -> str:
    return json.dumps({"error": {"code": code, "message": message}})


def refusal(code: str, message: str = "", status: int = 400) -> Foreign:
    return from_answer(status, {}, body(code, message), "target")


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (307, Refused),
        (400, Refused),
        (401, NotAuthenticated),
        (403, Refused),
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
def test_a_code_that_is_not_listed_leaves_it_to_the_status(status: int, kind: type[Foreign]) -> None:
    assert type(refusal("SomethingNew", status=status)) is kind


@pytest.mark.parametrize("code", CODES, ids=lambda code: code.name)
@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_listed_code_decides_whatever_the_status(code: object, status: int) -> None:
    error = refusal(code.name, status=status)  # type: ignore[attr-defined]  # pytest's ids lose the type
    assert (type(error), error.reason) == (code.error, code.reason)  # type: ignore[attr-defined]  # likewise


@pytest.mark.parametrize(
    ("status", "code", "kind", "reason"),
    [
        (409, "ScopeLocked", Locked, "lock"),
        (403, "RequestDisallowedByPolicy", Locked, "policy"),
        (409, "ReadOnlyDisabledSubscription", Locked, "subscription"),
        (404, "SubscriptionNotFound", SubscriptionUnknown, ""),
        (404, "ResourceGroupNotFound", ResourceGroupUnknown, ""),
        (404, "InvalidResourceType", VersionNotOffered, ""),
        (409, "AlreadyInUse", NameTaken, ""),
        (409, "AnotherOperationInProgress", Busy, ""),
        (400, "LinkedAccessCheckFailed", NotAllowed, ""),
    ],
)
def test_one_status_stands_for_opposite_facts(status: int, code: str, kind: type[Foreign], reason: str) -> None:
    error = refusal(code, status=status)
    assert (type(error), error.reason) == (kind, reason)


def test_a_conflict_that_names_what_is_there_means_that_it_exists() -> None:
    error = refusal("Conflict", "Tag hello-world:latest already exists in target registry.", 409)
    assert type(error) is AlreadyExists


@pytest.mark.parametrize(
    "text",
    [
        "Another operation is in progress on the resource.",
        "The registry is in state 'Updating'.",
        "The parent is being deleted.",
    ],
)
def test_a_conflict_that_names_another_change_is_waited_for(text: str) -> None:
    assert type(refusal("Conflict", text, 409)) is Busy


def test_a_conflict_that_names_nothing_is_not_read_as_existing() -> None:
    assert type(refusal("Conflict", "The registry is in a state that does not allow this.", 409)) is Conflict


@pytest.mark.parametrize("status", [400, 403, 404, 409])
def test_a_page_of_a_proxy_says_nothing_of_the_target(status: int) -> None:
    error = from_answer(status, ARMS_OWN, "<html>Sign in</html>", "target")
    assert (type(error), error.code) == (Unreadable, f"HTTP{status}")


@pytest.mark.parametrize(("status", "kind"), [(403, NotAllowed), (404, Absent), (409, Conflict)])
def test_arms_answer_without_a_body_is_read_by_its_status(status: int, kind: type[Foreign]) -> None:
    assert type(from_answer(status, ARMS_OWN, "", "target")) is kind


def test_the_missing_right_is_named_with_its_scope() -> None:
    message = (
        f"The client 'x' does not have authorization to perform action 'Microsoft.Foo/bars/write' over scope '{GROUP}'."
    )
    error = refusal("AuthorizationFailed", message, 403)
    assert isinstance(error, NotAllowed)
    assert (error.action, error.scope) == ("Microsoft.Foo/bars/write", GROUP)


@pytest.mark.parametrize("form", ["action(s)", "action"])
def test_of_two_actions_the_one_on_the_linked_scope_is_missing(form: str) -> None:
    message = (
        f"The client 'x' with object id 'y' has permission to perform action 'Microsoft.Foo/bars/write' on scope"
        f" '{GROUP}/bars/1'; however, it does not have permission to perform {form} 'Microsoft.Net/subnets/join/action'"
        f" on the linked scope(s) '{GROUP}/subnets/2' or the linked scope(s) are invalid."
    )
    error = refusal("LinkedAuthorizationFailed", message, 403)
    assert isinstance(error, NotAllowed)
    assert (error.action, error.scope) == ("Microsoft.Net/subnets/join/action", f"{GROUP}/subnets/2")
    assert "has permission to perform action" in error.message


def test_a_version_that_the_cloud_lacks_comes_with_those_that_it_has() -> None:
    error = refusal(
        "NoRegisteredProviderFound",
        "No registered resource provider found for location 'chinaeast2' and API version '2025-11-01' for type"
        " 'registries'. The supported api-versions are '2019-05-01, 2023-07-01'. The supported locations are"
        " 'chinaeast2, chinanorth3'.",
    )
    assert isinstance(error, VersionNotOffered)
    assert (error.resource_type, error.offered) == ("registries", ("2019-05-01", "2023-07-01"))


def test_a_region_that_lacks_the_type_is_not_a_missing_version() -> None:
    error = refusal(
        "NoRegisteredProviderFound",
        "No registered resource provider found for location 'ukwest' and API version '2023-07-01' for type"
        " 'registries'. The supported api-versions are '2019-05-01, 2023-07-01'. The supported locations are"
        " 'uksouth, westeurope'.",
    )
    assert isinstance(error, NotOfferedInRegion)
    assert (error.region, error.offered) == ("ukwest", ("uksouth", "westeurope"))


def test_an_extension_type_that_a_region_lacks_names_the_regions_that_have_it() -> None:
    error = refusal(
        "ExtensionTypeRegistrationGetFailed",
        "Extension type microsoft.containerregistry.connectedregistry is not registered in region ukwest. Extension is"
        " available in eastus2euap, eastus,westeurope. Please try to install in these regions.",
    )
    assert isinstance(error, NotOfferedInRegion)
    assert (error.region, error.offered) == ("ukwest", ("eastus2euap", "eastus", "westeurope"))


def test_a_region_that_does_not_exist_is_named() -> None:
    error = refusal(
        "LocationNotAvailableForResourceType",
        "The provided location 'West Europa' is not available for resource type 'Microsoft.ContainerRegistry/registries'."
        " List of available regions for the resource type is 'westus,westeurope'.",
    )
    assert isinstance(error, NotOfferedInRegion)
    assert (error.region, error.offered) == ("West Europa", ("westus", "westeurope"))


def test_a_provider_that_is_not_registered_is_named() -> None:
    message = "The subscription is not registered to use namespace 'Microsoft.KubernetesConfiguration'. See https://aka.ms/rps-not-found for how to register subscriptions."
    error = refusal("MissingSubscriptionRegistration", message, 409)
    assert isinstance(error, ProviderNotRegistered)
    assert error.provider == "Microsoft.KubernetesConfiguration"


def test_code_message_details_and_correlation_id_are_kept() -> None:
    text = json.dumps(
        {"error": {"code": "BadValue", "message": "Not so.", "details": [{"code": "Why", "message": "Too long."}]}}
    )
    error = from_answer(400, ARMS_OWN, text, "target")
    assert (error.code, error.message, error.correlation_id) == ("BadValue", "Too long. Not so.", "c-1")


def test_throttling_says_when_to_come_back() -> None:
    error = from_answer(429, {"Retry-After": "17"}, body("TooManyRequests", "slow"), "target")
    assert isinstance(error, Throttled)
    assert error.retry_after == 17


def test_a_page_that_is_no_json_is_no_message() -> None:
    error = from_answer(502, {}, "<html>Bad gateway</html>", "target")
    assert (type(error), error.code, error.message) == (Unreachable, "HTTP502", "")


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("AADSTS700213", "subject"),
        ("AADSTS7000215", "secret"),
        ("AADSTS90002", "tenant"),
        ("AADSTS700016", "application"),
        ("AADSTS7000112", "disabled"),
        ("AADSTS50076", "person"),
        ("AADSTS53003", "policy"),
        ("AADSTS1", ""),
    ],
)
def test_a_refused_login_names_entras_reason_in_its_own_sentence(code: str, reason: str) -> None:
    sdk = ClientAuthenticationError(
        f"Authentication failed: {code}: No such thing. Trace ID: t "
        "Correlation ID: 0b0b0b0b-1111-4222-8333-444444444444 Timestamp: now"
    )
    error = from_sdk(sdk, "target")
    assert isinstance(error, NotAuthenticated)
    assert (error.code, error.reason, error.message) == (code, reason, f"{code}: No such thing.")
    assert error.correlation_id == "0b0b0b0b-1111-4222-8333-444444444444"


def test_a_token_that_is_used_from_a_place_that_is_not_allowed_is_stopped_by_conditional_access() -> None:
    message = (
        "Continuous access evaluation resulted in challenge with result: InteractionRequired and code:"
        " LocationConditionEvaluationSatisfied"
    )
    error = refusal("InvalidAuthenticationToken", message, 401)
    assert (type(error), error.reason) == (NotAuthenticated, "policy")


@pytest.mark.parametrize("code", ["AADSTS90033", "AADSTS90024", "AADSTS50033"])
def test_trouble_of_the_sign_in_itself_is_not_a_refusal_of_the_identity(code: str) -> None:
    error = from_sdk(ClientAuthenticationError(f"{code}: A transient error has occurred. Trace ID: t"), "target")
    assert (type(error), error.code, error.message) == (Unreachable, code, f"{code}: A transient error has occurred.")


@pytest.mark.parametrize(
    ("scope", "reason"),
    [(GROUP, "lock"), (f"{GROUP}/providers/a/b/c", "lock"), ("/subscriptions/s", "lock_on_subscription")],
)
def test_a_lock_is_known_by_what_bears_it(scope: str, reason: str) -> None:
    message = (
        f"The scope '{GROUP}/providers/a/b/c' cannot perform write operation because following scope(s) are locked:"
        f" '{scope}'. Please remove the lock and try again."
    )
    error = refusal("ScopeLocked", message, 409)
    assert isinstance(error, Locked)
    assert (error.scope, error.reason) == (scope, reason)


def test_no_identity_at_all_is_not_authenticated() -> None:
    error = from_sdk(CredentialUnavailableError("no managed identity endpoint found"), "target")
    assert (type(error), error.code) == (NotAuthenticated, "CredentialUnavailable")


def test_no_connection_is_never_read_as_no() -> None:
    assert type(from_sdk(ServiceRequestError("connection refused"), "target")) is Unreachable
