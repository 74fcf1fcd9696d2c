"""Azure's errors in our words, once. Every text that gets through here is scrubbed."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    DecodeError,
    DeserializationError,
    HttpResponseError,
    SerializationError,
)

from services.gateways.answers import AnswerTooLargeError, retry_after
from services.gateways.azure import codes, sentences
from services.gateways.azure.retries import until
from services.gateways.azure.sentences import Sentence
from services.model.azure import resource_group
from services.model.errors import (
    AlreadyExists,
    Busy,
    Conflict,
    Foreign,
    Locked,
    NotAllowed,
    NotAuthenticated,
    NotOfferedInRegion,
    ProviderNotRegistered,
    Throttled,
    Unreachable,
    Unreadable,
    VersionNotOffered,
)
from services.model.redaction import short

SERVICE = "azure"

_AADSTS = re.compile(r"AADSTS\d+")
_ENTRA_SENTENCE = re.compile(
    r"(?P<sentence>AADSTS\d+:.*?)(?=\s*(?:Trace ID|Correlation ID|Timestamp):|\s*\n|$)", re.DOTALL
)
"""azure-identity puts a sentence of its own before Entra's, and Entra the ids of the trace behind it."""
_ENTRA_CORRELATION = re.compile(r"Correlation ID: (?P<id>[0-9a-fA-F-]{36})")
_NO_CONNECTION = re.compile(r"(?:Cannot connect|timeout) to host (?!169\.254\.169\.254)")
"""In aiohttp's words. The address left out is where a machine in Azure would find its managed identity."""
_MISSING_RIGHT = re.compile(
    r"does not have (?:permission|authorization) to perform action(?:\(s\))? '(?P<action>[^']+)'"
    r"(?: (?:on|over) (?:the )?(?:linked )?scope(?:\(s\))? '(?P<scope>[^']+)')?"
)
"""In a refusal for a linked scope the first action of the text is one that the identity has."""
_PROVIDER = re.compile(r"Microsoft\.\w+", re.IGNORECASE)
_EXISTS = re.compile(r"already exists|already present", re.IGNORECASE)
_LOCKED = re.compile(r"scope\(s\) are locked: '(?P<scope>[^']+)'")
_FROM_ELSEWHERE = re.compile(r"\bLocationConditionEvaluationSatisfied\b")
"""Conditional access, evaluated again with each request, does not allow the place from which a token is used."""
_BUSY = re.compile(
    r"another (operation|request|update)\b|operation [^.]{0,40}\bin progress"
    r"|\b(being|in state) '?(updat|creat|delet|provision)",
    re.IGNORECASE,
)
"""Providers say in a plain conflict too that another change is under way."""
_TYPE = re.compile(r"(?:for|resource) type '(?P<type>[\w./]+)'")
_REFUSED_VERSION = re.compile(r"(?:API version|api-version) '(?P<version>[\w-]+)'", re.IGNORECASE)
_VERSIONS = re.compile(r"supported (?:api-)?versions are '(?P<list>[^']*)'", re.IGNORECASE)
_REGION = re.compile(r"(?:in region|provided location|for location) '?(?P<region>\w[\w ]*\w)'?", re.IGNORECASE)
_REGIONS = re.compile(
    r"(?:available in (?P<plain>[\w, ]+)|(?:resource type is|supported locations are) '(?P<quoted>[^']*)')",
    re.IGNORECASE,
)
_REDIRECTS, _UNAUTHORIZED, _SERVER = 300, 401, 500


def unreadable(target: str, correlation: str = "") -> Unreadable:
    """The error for an answer whose shape is none of Azure's."""
    return Unreadable(SERVICE, target, "UnreadableAnswer", "", correlation)


def from_sdk(error: AzureError, target: str, correlation: str = "") -> Foreign:
    """Our error for one of azure-core's or azure-identity's. `target` is what was asked, an ARM id."""
    if isinstance(error.inner_exception, AnswerTooLargeError):
        return Unreadable(SERVICE, target, "AnswerTooLarge", str(error.inner_exception), correlation)
    if isinstance(error, DecodeError | DeserializationError | SerializationError) and not _refusal(error):
        return unreadable(target, correlation)
    response: Any = error.response if isinstance(error, HttpResponseError) else None
    login = isinstance(error, ClientAuthenticationError)
    if login and (response is None or _AADSTS.search(str(error))):
        return _sign_in_error(str(error), target)
    if response is None:
        return Unreachable(SERVICE, target, code="NoConnection", message=short(str(error)))
    try:
        body = response.text()
    except Exception:  # noqa: BLE001 - azure-core raises several kinds when the body did not come whole
        body = ""
    # A managed identity's endpoint says with 400 what Entra says with 401.
    return from_answer(_UNAUTHORIZED if login else response.status_code, response.headers, body, target)


def _refusal(error: AzureError) -> bool:
    """Whether the answer that could not be decoded says no by its status anyway."""
    response: Any = getattr(error, "response", None)
    return response is not None and response.status_code >= _REDIRECTS


def from_answer(status: int, headers: Mapping[str, str], body: str, target: str) -> Foreign:
    """Our error for an answer that is not a success: by its code, and by the status where the code is not listed.

    An answer that is not ARM's says nothing of the target: it is a proxy's, say. ARM's have a JSON body, or at least
    its correlation id (some providers refuse without a body).
    """
    correlation = headers.get("x-ms-correlation-request-id", "") or headers.get("x-ms-request-id", "")
    sentence = sentences.sentence(body)
    if status == codes.THROTTLED:
        # A proxy or gateway on the way throttles too, and is to be obeyed all the same.
        code, text = (sentence.code, sentence.text) if sentence else ("", "")
        return throttled(target, code or f"HTTP{status}", text, correlation, wait=retry_after(headers))
    if sentence is None and (body.strip() or not correlation):
        kind = Unreachable if status >= _SERVER else NotAuthenticated if status == _UNAUTHORIZED else Unreadable
        return kind(SERVICE, target, f"HTTP{status}", "", correlation)
    if sentence is None or not sentence.code:
        sentence = Sentence(f"HTTP{status}", f"HTTP{status}", sentence.text if sentence else "")
    return from_sentence(sentence, status, target, correlation, retry_after(headers))


def throttled(target: str, code: str, message: str, correlation: str = "", *, wait: float | None) -> Throttled:
    """The error for a request that Azure wants later; `wait` is in seconds, None where it named no time."""
    error = Throttled(SERVICE, target, code, message, correlation)
    return replace(error, reason="until", retry_after=wait, until=until(wait)) if wait else error


def from_sentence(sentence: Sentence, status: int, target: str, correlation: str, wait: float | None = None) -> Foreign:  # noqa: PLR0911 - one per class
    """Our error for what Azure says with a code, with the facts that its text holds."""
    code, text = sentence.code, sentence.text
    kind, reason = codes.meaning(code, status)
    if kind is Conflict:
        kind = AlreadyExists if _EXISTS.search(text) else Busy if _BUSY.search(text) else Conflict
    common = SERVICE, target, code, text, correlation, reason
    if kind is NotAllowed:
        missing = _MISSING_RIGHT.search(text)
        action, scope = (missing["action"], missing["scope"] or "") if missing else ("", "")
        return NotAllowed(*common[:-1], reason="scope" if scope else "", action=action, scope=scope)
    if kind is NotAuthenticated and _FROM_ELSEWHERE.search(text):
        return NotAuthenticated(*common[:-1], reason="policy")
    if kind is Throttled:
        return throttled(*common[1:-1], wait=wait)
    if kind is Locked and (scope := _group(_LOCKED, text, "scope")):
        on_subscription = reason == "lock" and not resource_group(scope)
        return Locked(*common[:-1], reason="lock_on_subscription" if on_subscription else reason, scope=scope)
    if kind is ProviderNotRegistered:
        provider = _PROVIDER.search(text)
        return ProviderNotRegistered(*common, provider=provider[0] if provider else "")
    if kind is VersionNotOffered:
        return _not_offered(text, common)
    if kind is NotOfferedInRegion:
        return NotOfferedInRegion(*common, region=_group(_REGION, text, "region"), offered=_regions(text))
    return kind(*common)


def offered_versions(text: str) -> tuple[str, ...]:
    """The api-versions that a refusal lists."""
    return _split(_group(_VERSIONS, text, "list"))


def _not_offered(text: str, common: tuple[str, str, str, str, str, str]) -> Foreign:
    """`NoRegisteredProviderFound` lists both versions and regions: a version that it lists is not what is missing."""
    versions, regions = offered_versions(text), _regions(text)
    if regions and _group(_REFUSED_VERSION, text, "version") in versions:
        return NotOfferedInRegion(*common, region=_group(_REGION, text, "region"), offered=regions)
    return VersionNotOffered(*common, resource_type=_group(_TYPE, text, "type"), offered=versions)


def _regions(text: str) -> tuple[str, ...]:
    match = _REGIONS.search(text)
    return _split((match["plain"] or match["quoted"]) if match else "")


def _group(pattern: re.Pattern[str], text: str, group: str) -> str:
    """What a named group of the pattern matches; empty when it matches nothing."""
    match = pattern.search(text)
    return match[group] if match else ""


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _sign_in_error(text: str, target: str) -> Foreign:
    match = _AADSTS.search(text)
    # azure-identity's default chain keeps only the text of what its members met.
    if match is None and _NO_CONNECTION.search(text):
        return Unreachable(SERVICE, target, code="LoginUnreachable", message=short(text))
    code = match[0] if match else "CredentialUnavailable"
    entry = codes.entry(code)
    kind = entry.error if entry else NotAuthenticated
    return kind(
        SERVICE,
        target,
        code=code,
        message=short(_group(_ENTRA_SENTENCE, text, "sentence") or text),
        correlation_id=_group(_ENTRA_CORRELATION, text, "id"),
        reason=entry.reason if entry else "",
    )
