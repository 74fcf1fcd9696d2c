"""What each code of Azure Resource Manager means here. The code decides; the HTTP status only where no code is listed.

The same status covers opposite facts: 409 is "is there already" and "is locked", 404 is "does not exist" and "this
identity sees no such subscription". `docs/azure-codes.md` is generated from this table.
"""

from dataclasses import dataclass

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
    VersionNotOffered,
)


@dataclass(frozen=True)
class Code:
    """One code: the error that it becomes, the word that tells cases of that error apart, and where it is from."""

    name: str
    error: type[Foreign]
    meaning: str
    source: str
    reason: str = ""


_ERRORS_PAGE = "Learn: common-deployment-errors"
_SIGN_IN_PAGE = "Learn: reference-error-codes"
_ENTRA_TEXT = "Entra's own text"
_THROTTLING_PAGE = "Learn: request-limits-and-throttling"

CODES = (
    # What does not exist
    Code("ResourceNotFound", Absent, "the resource does not exist", _ERRORS_PAGE),
    Code("NotFound", Absent, "the resource does not exist", _ERRORS_PAGE),
    Code("ParentResourceNotFound", Absent, "the resource above it does not exist", _ERRORS_PAGE),
    Code(
        "SubscriptionNotFound",
        SubscriptionUnknown,
        "the identity sees no such subscription: it belongs to another cloud or tenant, or its id is wrong",
        "azure-sdk-for-go#2110",
    ),
    Code("InvalidSubscriptionId", SubscriptionUnknown, "the subscription's id is malformed", _ERRORS_PAGE),
    Code("ResourceGroupNotFound", ResourceGroupUnknown, "the subscription has no such resource group", _ERRORS_PAGE),
    # What is in the way
    Code("Conflict", Conflict, "something is in the way; the text says what", _ERRORS_PAGE),
    Code("ResourceAlreadyExists", AlreadyExists, "it is there already", _ERRORS_PAGE),
    Code(
        "AlreadyInUse",
        NameTaken,
        "somebody has the name of the cloud registry, which is unique in the whole cloud",
        "azure-cli#13951",
    ),
    Code("InvalidResourceLocation", Refused, "it exists in another region", _ERRORS_PAGE),
    Code("AnotherOperationInProgress", Busy, "another operation on the resource is under way", _ERRORS_PAGE),
    Code("OperationInProgress", Busy, "another operation on the resource is under way", _ERRORS_PAGE),
    Code("ConcurrentUpdateConflict", Busy, "something else changed the resource at the same time", _ERRORS_PAGE),
    Code("ResourceGroupBeingDeleted", Locked, "the resource group is being deleted", _ERRORS_PAGE, reason="deleting"),
    # What somebody forbids
    Code(
        "ScopeLocked",
        Locked,
        "a management lock forbids it; a read-only lock forbids every POST action too",
        "Learn: lock-resources; azure-sdk-for-java#2560",
        reason="lock",
    ),
    Code("RequestDisallowedByPolicy", Locked, "an Azure policy forbids it", _ERRORS_PAGE, reason="policy"),
    Code(
        "RequestDisallowedByAzure",
        Locked,
        "Azure itself forbids it in this subscription, mostly for the region",
        "azure-cli#32567, #32913",
        reason="region",
    ),
    Code(
        "DenyAssignmentAuthorizationFailed",
        Locked,
        "a deny assignment forbids it to everybody",
        "Learn: deny-assignments",
        reason="deny_assignment",
    ),
    Code(
        "ReadOnlyDisabledSubscription",
        Locked,
        "the subscription is disabled and can only be read",
        _ERRORS_PAGE,
        reason="subscription",
    ),
    Code("DisabledSubscription", Locked, "the subscription is disabled", _ERRORS_PAGE, reason="subscription"),
    # What the bot's identity may do
    Code("AuthorizationFailed", NotAllowed, "the identity lacks the action at the scope", _ERRORS_PAGE),
    Code(
        "LinkedAuthorizationFailed",
        NotAllowed,
        "the identity has the first action that the text names and lacks the second, at the linked scope",
        "aad-pod-identity#613",
    ),
    Code(
        "LinkedAccessCheckFailed",
        NotAllowed,
        "the identity lacks an action at a linked scope; the status is 400",
        "Azure/mpf#44",
    ),
    Code("Forbidden", NotAllowed, "the identity lacks a right", _ERRORS_PAGE),
    Code("InvalidAuthenticationToken", NotAuthenticated, "the token is not accepted", _ERRORS_PAGE),
    Code("ExpiredAuthenticationToken", NotAuthenticated, "the token has expired", _ERRORS_PAGE, reason="clock"),
    Code("AuthenticationFailed", NotAuthenticated, "the token is not accepted", _ERRORS_PAGE),
    Code(
        "InvalidAuthenticationTokenTenant",
        NotAuthenticated,
        "the subscription belongs to another tenant",
        _ERRORS_PAGE,
        reason="tenant",
    ),
    Code(
        "InvalidAuthenticationTokenAudience",
        NotAuthenticated,
        "the token was issued for another cloud",
        _ERRORS_PAGE,
        reason="tenant",
    ),
    # What Microsoft Entra says to the bot's identity
    Code(
        "AADSTS700213",
        NotAuthenticated,
        "no federated credential has the token's subject; subjects are case-sensitive",
        "azure-workload-identity#340",
        reason="subject",
    ),
    Code("AADSTS70021", NotAuthenticated, "no federated credential fits the token", _SIGN_IN_PAGE, reason="subject"),
    Code("AADSTS700211", NotAuthenticated, "no federated credential has the token's issuer", _SIGN_IN_PAGE, "subject"),
    Code(
        "AADSTS700212", NotAuthenticated, "no federated credential has the token's audience", _SIGN_IN_PAGE, "subject"
    ),
    Code("AADSTS70025", NotAuthenticated, "the application has no federated credential", _ENTRA_TEXT, reason="subject"),
    Code("AADSTS7000215", NotAuthenticated, "the client secret is wrong", _SIGN_IN_PAGE, reason="secret"),
    Code("AADSTS7000222", NotAuthenticated, "the client secret has expired", _SIGN_IN_PAGE, reason="secret"),
    Code("AADSTS700024", NotAuthenticated, "the assertion is not valid at this time", _SIGN_IN_PAGE, reason="clock"),
    Code("AADSTS700016", NotAuthenticated, "the tenant has no such application", _SIGN_IN_PAGE, reason="application"),
    Code(
        "AADSTS7000229",
        NotAuthenticated,
        "the application has no service principal in the tenant",
        _ENTRA_TEXT,
        reason="application",
    ),
    Code("AADSTS7000112", NotAuthenticated, "the application is disabled", _SIGN_IN_PAGE, reason="disabled"),
    Code("AADSTS90002", NotAuthenticated, "this cloud has no such tenant", _SIGN_IN_PAGE, reason="tenant"),
    Code("AADSTS900023", NotAuthenticated, "the tenant's name is malformed", _ENTRA_TEXT, reason="tenant"),
    Code("AADSTS90038", NotAuthenticated, "the tenant belongs to another cloud", _SIGN_IN_PAGE, reason="tenant"),
    Code(
        "AADSTS500011",
        NotAuthenticated,
        "the tenant has no Resource Manager of this audience",
        _SIGN_IN_PAGE,
        reason="tenant",
    ),
    Code("AADSTS53003", NotAuthenticated, "conditional access blocks the sign-in", _SIGN_IN_PAGE, reason="policy"),
    Code("AADSTS530084", NotAuthenticated, "conditional access wants a protected token", "azure-cli#31428", "policy"),
    Code("AADSTS50005", NotAuthenticated, "conditional access does not allow the platform", _SIGN_IN_PAGE, "policy"),
    Code("AADSTS53000", NotAuthenticated, "conditional access wants a managed device", _SIGN_IN_PAGE, reason="policy"),
    Code("AADSTS53001", NotAuthenticated, "conditional access wants a joined device", _SIGN_IN_PAGE, reason="policy"),
    Code("AADSTS50076", NotAuthenticated, "a person has to confirm by a second factor", _SIGN_IN_PAGE, reason="person"),
    Code("AADSTS50078", NotAuthenticated, "a person's second factor has expired", _SIGN_IN_PAGE, reason="person"),
    Code("AADSTS50079", NotAuthenticated, "a person has to enrol a second factor", _SIGN_IN_PAGE, reason="person"),
    Code("AADSTS50173", NotAuthenticated, "a person's password has changed since", _SIGN_IN_PAGE, reason="person"),
    Code("AADSTS70043", NotAuthenticated, "a person's sign-in is too old", _SIGN_IN_PAGE, reason="person"),
    Code("AADSTS700082", NotAuthenticated, "a person's sign-in has expired unused", _SIGN_IN_PAGE, reason="person"),
    # What Microsoft Entra says when it has trouble of its own
    Code("AADSTS50033", Unreachable, "a passing error of the sign-in", _SIGN_IN_PAGE),
    Code("AADSTS90006", Unreachable, "the sign-in is down for a while", _SIGN_IN_PAGE),
    Code("AADSTS90012", Unreachable, "the sign-in had no answer in time", _SIGN_IN_PAGE),
    Code("AADSTS90024", Unreachable, "a passing error of the sign-in", _SIGN_IN_PAGE),
    Code("AADSTS90033", Unreachable, "the directory is down for a while", _SIGN_IN_PAGE),
    # What the cloud, the region or the subscription does not offer
    Code(
        "NoRegisteredProviderFound",
        VersionNotOffered,
        "the resource type has no such api-version there; the text lists those that exist",
        "azure-cli#30847, #21492, #23985",
    ),
    Code(
        "InvalidResourceType",
        VersionNotOffered,
        "the resource type does not exist in this api-version; the status is 404",
        "acs-engine#4037",
    ),
    Code("InvalidApiVersionParameter", VersionNotOffered, "ARM itself has no such api-version", _ERRORS_PAGE),
    Code("InvalidResourceNamespace", VersionNotOffered, "the cloud has no such resource provider", _ERRORS_PAGE),
    Code(
        "ExtensionTypeRegistrationGetFailed",
        NotOfferedInRegion,
        "the extension type is not offered in the region of the connected cluster; the text lists where it is",
        "azure-cli-extensions#5836, azure-docs#119687",
    ),
    Code(
        "LocationNotAvailableForResourceType",
        NotOfferedInRegion,
        "the region does not exist or does not offer the resource type",
        _ERRORS_PAGE,
    ),
    Code(
        "MissingSubscriptionRegistration",
        ProviderNotRegistered,
        "the subscription has not registered the resource provider",
        _ERRORS_PAGE,
    ),
    Code(
        "SubscriptionNotRegistered",
        ProviderNotRegistered,
        "the subscription has not registered the resource provider",
        _ERRORS_PAGE,
    ),
    Code(
        "QuotaExceeded",
        Refused,
        "a quota or limit is reached; the status may be 409, 403 or 400",
        "Learn: error-resource-quota",
        reason="quota",
    ),
    # What passes
    Code("TooManyRequests", Throttled, "asked too often", _THROTTLING_PAGE),
    Code("SubscriptionRequestsThrottled", Throttled, "asked too often in this subscription", _THROTTLING_PAGE),
    Code("TenantRequestsThrottled", Throttled, "asked too often in this tenant", _THROTTLING_PAGE),
    Code("ResourceCollectionRequestsThrottled", Throttled, "asked too often for these resources", _THROTTLING_PAGE),
    Code("RetryableError", Busy, "the service asks for another try", _ERRORS_PAGE),
    Code("InternalServerError", Unreachable, "the service failed", _ERRORS_PAGE),
    Code("ServiceUnavailable", Unreachable, "the service is down for a while", _ERRORS_PAGE),
    Code("GatewayTimeout", Unreachable, "ARM had no answer from the service in time", _ERRORS_PAGE),
    Code("ServerTimeout", Unreachable, "the service had no answer in time", _ERRORS_PAGE),
)
_BY_NAME = {code.name.casefold(): code for code in CODES}

FRAMES = frozenset(
    name.casefold()
    for name in (
        "ResourceOperationFailure",
        "ResourceDeploymentFailure",
        "DeploymentFailed",
        "InvalidTemplateDeployment",
        "MultipleErrorsOccurred",
        "ExtensionOperationFailed",
        "ExtensionCreationFailed",
        "ExtensionUpdateFailed",
        "BadRequest",
    )
)
"""Codes that only wrap others: a code in their details or inner errors decides in their place."""

_BY_STATUS: dict[int, type[Foreign]] = {
    401: NotAuthenticated,
    403: NotAllowed,
    404: Absent,
    408: Unreachable,
    409: Conflict,
    410: Absent,
    412: Conflict,
    429: Throttled,
}
NOT_FOUND, THROTTLED = 404, 429
_FORBIDDEN, _SERVER_ERRORS = 403, 500


def entry(name: str) -> Code | None:
    """The table's entry for a code in any case; None for one that it lacks."""
    return _BY_NAME.get(name.casefold())


def meaning(name: str, status: int) -> tuple[type[Foreign], str]:
    """The error and its `reason` for a code; by the status where the table lacks the code."""
    code = entry(name)
    # A throttled or failing service says so by the status, whatever words it finds.
    if _BY_STATUS.get(status) in {Throttled, Unreachable} or status >= _SERVER_ERRORS:
        if code is not None and code.error in {Busy, Throttled}:
            return code.error, code.reason
        return _BY_STATUS.get(status, Unreachable), ""
    if code is not None:
        return code.error, code.reason
    if status == _FORBIDDEN:
        # An unknown word of a 403 is a decision, not a missing right, unless it speaks of authorization.
        lacks_right = "authorization" in name.casefold() or name == f"HTTP{_FORBIDDEN}"
        return (NotAllowed if lacks_right else Refused), ""
    return _BY_STATUS.get(status, Refused), ""


def page() -> str:
    """docs/azure-codes.md."""
    lines = [
        "# What Azure's error codes mean here",
        "",
        "Generated by `python -m bot docs` from `services/gateways/azure/codes.py`. ARM's `code` decides what an",
        "answer means. The HTTP status decides only where the code is not in this table.",
        "",
        "| code | becomes | meaning | asked again | source |",
        "|---|---|---|---|---|",
    ]
    for code in CODES:
        error = f"`{code.error.__name__}`" + (f" ({code.reason.replace('_', ' ')})" if code.reason else "")
        lines.append(f"| `{code.name}` | {error} | {code.meaning} | {_again(code.error)} | {code.source} |")
    lines += [
        "",
        "An operation asks again for five minutes where the table says so. `Retry-After` is obeyed: an operation sends",
        "nothing to that target before the moment that Azure names.",
        "",
        "| status without a listed code | becomes |",
        "|---|---|",
        *(f"| {status} | `{error.__name__}` |" for status, error in sorted(_BY_STATUS.items()) if status != _FORBIDDEN),
        "| 403 | `NotAllowed` where the code speaks of authorization, else `Refused` |",
        "| 500 and above | `Unreachable` |",
        "| other | `Refused` |",
        "",
        "An answer without an ARM body, such as the page of a proxy, is `Unreadable` whatever its status: it says",
        "nothing about the resource.",
    ]
    return "\n".join(lines) + "\n"


def _again(error: type[Foreign]) -> str:
    if issubclass(error, Throttled):
        return "after `Retry-After`"
    if issubclass(error, Unreachable | Busy):
        return "yes"
    if issubclass(error, Absent):
        return "for a minute after a write of the same resource"
    return "no"
