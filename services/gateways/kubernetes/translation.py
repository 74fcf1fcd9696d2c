"""Foreign errors become ours, here and nowhere else in this room."""

import json
import re
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar

import aiohttp
import structlog

from services.gateways.answers import AnswerTooLargeError, RedirectedError, retry_after
from services.model.errors import (
    Absent,
    AddressOutside,
    AddressTaken,
    Conflict,
    Foreign,
    NotAllowed,
    NotAuthenticated,
    Refused,
    Throttled,
    Unreachable,
    Unreadable,
)
from services.model.redaction import scrub, short

SERVICE = "kubernetes"

_RANGE = re.compile(r"The range of valid IPs is ([0-9A-Fa-f.:]+/\d+)")
_ADDRESS = re.compile(r"failed to allocate IP ([0-9A-Fa-f.:]+):")
_TAKEN = "provided IP is already allocated"
_OUTSIDE = ("is not in the valid range", "does not match the current range")
"""The second one is what a further range says of its network and broadcast address (measured on 1.37)."""

_LACKS_RIGHT = re.compile(r"\bcannot \S+ (resource|path) \"")
"""How an authorizer refuses (k8s.io/apiserver, responsewriters.ForbiddenStatusError)."""
_ADMITTED = ("create ", "patch ", "delete ")
"""Only requests that write go through admission."""

_UNAUTHORIZED, _FORBIDDEN, _INVALID, _THROTTLED, _SERVER_ERRORS = 401, 403, 422, 429, 500
_PLAIN: dict[int, type[Foreign]] = {401: NotAuthenticated, 404: Absent, 409: Conflict}


class _Cluster(Protocol):
    @property
    def name(self) -> str: ...


C = TypeVar("C", bound=_Cluster)
P = ParamSpec("P")
T = TypeVar("T")
_Question: TypeAlias = Callable[Concatenate[C, P], Coroutine[Any, Any, T]]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Response:
    """What an API server answered."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def json(self) -> dict[str, Any]:
        """The body as an object; empty when it is none (a proxy's page, say)."""
        try:
            content = json.loads(self.body or b"{}")
        except (ValueError, RecursionError):
            return {}
        return content if isinstance(content, dict) else {}


@contextmanager
def connecting(target: str) -> Iterator[None]:
    """What keeps an answer from coming: no connection, no trust, no time."""
    try:
        yield
    except TimeoutError as error:
        raise Unreachable(SERVICE, target, "DeadlineExceeded", "no answer in time") from error
    except (AnswerTooLargeError, RedirectedError) as error:
        raise Unreadable(SERVICE, target, type(error).__name__.removesuffix("Error"), scrub(str(error))) from error
    except (aiohttp.ClientError, OSError) as error:
        raise Unreachable(SERVICE, target, "NoConnection", scrub(str(error))) from error


def arc_reason(error: Foreign) -> str:
    """Which part of the way through an Arc proxy fails: the `reason` of `Unreachable` and `NotAuthenticated`.

    Empty where the error says it itself, as a kubeconfig that can't be used does.
    """
    if isinstance(error, NotAuthenticated):
        return "arc_credential"
    if error.code.startswith(("Kubeconfig", "Context", "CredentialPlugin")):
        return "arc_kubeconfig" if error.code == "KubeconfigMissing" else ""
    match error.__cause__:
        case aiohttp.ClientSSLError():
            return ""
        case aiohttp.ClientConnectorError():
            return "arc_proxy"
    return "arc_relay"


def kubernetes_object(answer: Response, target: str) -> dict[str, Any]:
    """The object in a good answer. Raises `Unreadable` for what is none: a login page with 200 is no answer.

    Every object of the API names its kind; a list has its items. Parts that are objects in the API are objects here.
    Some deletions are answered with a `Status`, whose own status is a word.
    """
    content = answer.json
    if content.get("kind") == "Status" and content.get("status") == "Success":
        return content
    items = content.get("items")
    sound = (
        isinstance(content.get("kind"), str)
        and all(isinstance(content.get(part, {}), dict | None) for part in ("metadata", "spec", "status"))
        and (not content["kind"].endswith("List") or items is None or isinstance(items, list))
        and all(isinstance(item, dict) and isinstance(item.get("metadata"), dict) for item in items or ())
    )
    if not sound:
        raise Unreadable(SERVICE, target, "NotKubernetes", "the answer is no Kubernetes object")
    return content


def understood(question: _Question[C, P, T]) -> _Question[C, P, T]:
    """Around a method that reads objects: parts of a shape that no API server sends become `Unreadable`."""

    @wraps(question)
    async def asking(self: C, /, *arguments: P.args, **options: P.kwargs) -> T:
        try:
            return await question(self, *arguments, **options)
        except (ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
            target = f"{self.name}: {question.__name__}"
            _log.warning("answer_unreadable", target=target, error=type(error).__name__)
            # `from None`: what was raised may quote the answer.
            raise Unreadable(SERVICE, target, "NotKubernetes", "a part of the object is something else") from None

    return asking


def refusal(answer: Response, target: str, action: str) -> Foreign:
    """The error that an answer of 400 and above stands for. `action` is the right that was exercised."""
    status = answer.json
    code = str(status.get("reason") or answer.status)
    message = short(str(status.get("message") or ""))
    facts = SERVICE, target, code, message
    if answer.status == _THROTTLED:
        return Throttled(*facts, retry_after=retry_after(answer.headers) or 0)
    if answer.status >= _SERVER_ERRORS:
        return Unreachable(*facts)
    # The API server refuses with a Status object, and a resource that it does not know in Go's own words. Anything
    # else comes from something on the way; only a 401 means the same whoever sends it.
    is_own = status.get("kind") == "Status" or answer.body.strip() == b"404 page not found"
    if not is_own and answer.status != _UNAUTHORIZED:
        return Unreadable(SERVICE, target, f"HTTP{answer.status}", "the answer is no Kubernetes object")
    if answer.status == _FORBIDDEN:
        return _forbidden(facts, action)
    if answer.status == _INVALID:
        return _invalid(facts)
    return _PLAIN.get(answer.status, Refused)(*facts)


def _forbidden(facts: tuple[str, str, str, str], action: str) -> Foreign:
    """Not every 403 is a missing right: webhooks, quotas and Pod Security answer so to whoever has all rights."""
    message = facts[-1]
    if "because it is being terminated" in message:
        return Conflict(*facts)
    if message and action.startswith(_ADMITTED) and not _LACKS_RIGHT.search(message):
        return Refused(*facts)
    return NotAllowed(*facts, action=action)


def _invalid(facts: tuple[str, str, str, str]) -> Refused:
    """What a 422 says about a Service's address, by the words of its message."""
    message = facts[-1]
    allocation = _ADDRESS.search(message)
    address = allocation[1] if allocation else ""
    if _TAKEN in message:
        return AddressTaken(*facts, address=address)
    if any(words in message for words in _OUTSIDE):
        return AddressOutside(*facts, address=address, ranges=tuple(_RANGE.findall(message)))
    return Refused(*facts)
