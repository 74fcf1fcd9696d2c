"""Asynchronous ARM operations, followed by plain requests: one a poll, and none to read the result again."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from azure.core.polling import AsyncLROPoller
from azure.core.rest import AsyncHttpResponse

from services.gateways.answers import retry_after
from services.gateways.azure import sentences
from services.gateways.azure.arm import Arm, initial_answer, json_object
from services.gateways.azure.translation import SERVICE, from_sentence, unreadable
from services.model.azure import Pending
from services.model.errors import Absent, Conflict, Foreign, NotAllowed, Refused, Unreadable

_ACCEPTED, _NO_CONTENT, _BAD_REQUEST = 202, 204, 400
_FIRST_PAUSE = 0.2
"""Seconds between the first looks for a result; the pause grows with the time waited."""
_SUCCEEDED, _FAILED = "succeeded", frozenset({"failed", "canceled", "cancelled"})


def pending_write(arm: Arm, response: AsyncHttpResponse, target: str) -> Pending:
    """The operation that the first answer to a write started. `target` is the ARM id, an action's name at its end.

    Raises `Refused` when the answer already says that it failed.
    """
    pending = Pending(target, correlation_id=_correlation(response), retry_after=retry_after(response.headers) or 0)
    status_url = _link(arm, response, "Azure-AsyncOperation")
    if status_url:
        arm.signed.keep(target, status_url)
        return replace(pending, url=arm.url(target), kind="status")
    # An extension's PUT carries a Location on a regional host besides (recorded), where the token must not go.
    location = _link(arm, response, "Location")
    if response.status_code == _ACCEPTED and location:
        return replace(pending, url=location, kind="location")
    body, text = json_object(response), response.text().strip()
    if body is None and text:
        raise unreadable(target, pending.correlation_id)
    # Types and names alternate behind the provider, and an action stands behind a name.
    names_resource = len(target.rpartition("/providers/")[2].split("/")) % 2 == 1
    if names_resource and not _is_about(body, target):
        # An empty or strange answer proves nothing: done means read back.
        return replace(pending, url=arm.url(target), kind="status")
    unnamed = "Accepted" if response.status_code == _ACCEPTED else _SUCCEEDED
    if _finished(_state(body or {}) or unnamed, body or {}, pending):
        return pending
    return replace(pending, url=arm.url(target), kind="status")


async def deletion(arm: Arm, target: str, send: Callable[[float], Awaitable[AsyncLROPoller[None]]]) -> Pending:
    """Send the DELETE of an ARM id, given the deadline: done, or to be followed until the resource itself is gone.

    The body of the answer is ignored: the service has put the dump of a message of its own there (recorded).
    """
    try:
        async with arm.writing(target) as deadline:
            response = await initial_answer(await send(deadline))
    except Absent:
        return Pending(target)
    pending = Pending(target, correlation_id=_correlation(response), retry_after=retry_after(response.headers) or 0)
    if response.status_code == _NO_CONTENT:
        return pending
    if status_url := _link(arm, response, "Azure-AsyncOperation"):
        arm.signed.keep(target, status_url)
    location = _link(arm, response, "Location") if response.status_code == _ACCEPTED else ""
    return replace(pending, url=location or arm.url(target), kind="gone")


def _is_about(body: Mapping[str, Any] | None, target: str) -> bool:
    return body is not None and str(body.get("name") or "").lower() == target.rpartition("/")[2].lower()


class ArmOperations:
    """Implements `ports.ArmOperations`."""

    def __init__(self, arm: Arm) -> None:
        self._arm = arm

    async def poll(self, pending: Pending) -> Pending:
        """Ask once; where the operation may not be read or is forgotten, ask the resource itself.

        Raises `Refused` with the service's code when the operation failed. An action's failure is what its answer would
        have been at once: an import onto a tag that exists is a `Conflict`.
        """
        if pending.kind == "done":
            return pending
        if pending.kind == "gone":
            return await self._deleted(pending)
        resource = self._arm.url(pending.target)
        url = self._arm.signed.get(pending.target) if pending.kind == "status" else pending.url
        if not url or not self._arm.is_ours(url):
            pending, url = replace(pending, url=resource, kind="status"), resource
        async with self._arm.reading(pending.target) as deadline:
            try:
                response = await self._get(pending.target, url, deadline)
            except (NotAllowed, Absent, Unreadable):
                # Custom roles lack connectedRegistries/operationStatuses/read: no published action list names it.
                if pending.kind != "status" or url == resource:
                    raise
                self._arm.signed.drop(pending.target)
                url = resource
                response = await self._get(pending.target, url, deadline)
            try:
                going = _continued(self._arm, response, pending, by_resource=url == resource)
            except (Refused, Conflict, NotAllowed):
                self._arm.writes.forget(pending.target)
                self._arm.signed.drop(pending.target)
                raise
            if going.kind == "done":
                self._arm.signed.drop(pending.target)
            return going

    async def _deleted(self, pending: Pending) -> Pending:
        """Ask the operation as long as it answers; then the target itself, whose absence is the only proof.

        The target's own state says nothing of the deletion: an extension that was never installed is `Failed` anyway.
        """
        target, resource = pending.target, self._arm.url(pending.target)
        status_url = self._arm.signed.get(target)
        url, operation = status_url or pending.url, replace(pending, kind="status" if status_url else "location")
        async with self._arm.reading(target) as deadline:
            if url != resource and self._arm.is_ours(url):
                try:
                    answer = await self._get(target, url, deadline)
                except (NotAllowed, Absent, Unreadable):
                    answer = None
                if answer is not None:
                    operation = _continued(self._arm, answer, operation, by_resource=False)
                    if operation.kind != "done":
                        return replace(operation, kind="gone")
            self._arm.signed.drop(target)
            try:
                answer = await self._get(target, resource, deadline)
            except Absent:
                return _done(pending)
            return replace(pending, url=resource, retry_after=retry_after(answer.headers) or 0)

    async def _get(self, target: str, url: str, deadline: float) -> AsyncHttpResponse:
        as_given = url != self._arm.url(target)
        return await self._arm.send("GET", url, target=target, deadline=deadline, as_given=as_given)

    def note_written(self, arm_id: str) -> None:
        """Remembered for a minute (`recent.UNSEEN`)."""
        self._arm.writes.note(arm_id)


async def result(arm: Arm, pending: Pending, *, deadline: float, interval: float) -> AsyncHttpResponse:
    """Follow a `location` to its result; pauses grow up to `interval` seconds, unless the service asks for longer ones.

    Raises `Refused` when the service named no place of its own to look at.
    """
    if pending.kind != "location":
        raise Refused(
            SERVICE, pending.target, code="NoLocation", message="accepted, but without a place for the result"
        )
    clock = asyncio.get_running_loop().time
    began = clock()
    while True:
        response = await arm.send("GET", pending.url, target=pending.target, deadline=deadline, as_given=True)
        if response.status_code != _ACCEPTED:
            return response
        pending = _continued(arm, response, pending, by_resource=False)
        grown = max(_FIRST_PAUSE, (clock() - began) / 10)
        await asyncio.sleep(pending.retry_after or min(interval, grown))


def _continued(arm: Arm, response: AsyncHttpResponse, pending: Pending, *, by_resource: bool) -> Pending:
    """The operation after an answer to a poll: the newest URL counts, since the signed ones are replaced each time."""
    pending = replace(
        pending,
        correlation_id=_correlation(response) or pending.correlation_id,
        retry_after=retry_after(response.headers) or 0,
    )
    body, text = json_object(response), response.text().strip()
    if body is None and (text or pending.kind == "status"):
        raise unreadable(pending.target, pending.correlation_id)
    if pending.kind == "location":
        if response.status_code != _ACCEPTED:
            return _done(pending)
        return replace(pending, url=_link(arm, response, "Location") or pending.url)
    if by_resource and not _is_about(body, pending.target):
        raise unreadable(pending.target, pending.correlation_id)
    # A resource that names no state is there; an operation that names none is not at its end.
    unnamed = _SUCCEEDED if by_resource else "InProgress"
    if _finished(_state(body or {}) or unnamed, body or {}, pending):
        return _done(pending)
    if newest := _link(arm, response, "Azure-AsyncOperation"):
        arm.signed.keep(pending.target, newest)
    return pending


def _done(pending: Pending) -> Pending:
    return replace(pending, url="", kind="done", retry_after=0)


def _link(arm: Arm, response: AsyncHttpResponse, header: str) -> str:
    url = response.headers.get(header) or ""
    return url if url and arm.is_ours(url) else ""


def _finished(state: str, body: Mapping[str, Any], pending: Pending) -> bool:
    """Whether a state is a good end; the service also uses words that its own contract lacks for "not yet"."""
    if state.lower() in _FAILED:
        raise _failure(state, body, pending)
    return state.lower() == _SUCCEEDED


def _failure(state: str, body: Mapping[str, Any], pending: Pending) -> Foreign:
    """What ended an operation. It ran and failed, so the error is never one that passes by itself or says "absent"."""
    properties = body.get("properties")
    properties = properties if isinstance(properties, dict) else {}
    statuses = properties.get("statuses")
    first = statuses[0] if isinstance(statuses, list) and statuses else None
    for error in (body.get("error"), properties.get("errorInfo"), properties.get("error"), first):
        sentence = sentences.of_error(error) if isinstance(error, dict) else None
        if sentence is not None and (sentence.code or sentence.text):
            break
    else:
        sentence = sentences.Sentence(state, state, "")
    failure = from_sentence(sentence, _BAD_REQUEST, pending.target, pending.correlation_id)
    if isinstance(failure, Conflict | Refused | NotAllowed):
        return failure
    return Refused(SERVICE, pending.target, sentence.code or state, sentence.text, pending.correlation_id)


def _state(body: Mapping[str, Any]) -> str:
    """Of an operation (`status`) or a resource (`properties.provisioningState`); empty when the answer names none."""
    properties = body.get("properties")
    own = body.get("status")
    if isinstance(own, str):
        return own
    state = properties.get("provisioningState") if isinstance(properties, dict) else None
    return str(state or "")


def _correlation(response: AsyncHttpResponse) -> str:
    return response.headers.get("x-ms-correlation-request-id") or ""
