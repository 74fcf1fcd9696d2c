"""Answers over HTTP, of every system that is asked: how much of one is read, and when it lets the bot ask again."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp

USUAL = 8 * 2**20
"""Bytes of one answer, inflated: no sender can fill the bot's memory. A page of 500 Pods, the largest, has 3 MiB."""
_limit: ContextVar[int] = ContextVar("answer_limit", default=USUAL)


class AnswerTooLargeError(aiohttp.ClientPayloadError):
    """An answer is larger than any honest answer to this question; it was not read to its end."""


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Answers that are read inside the block have this many bytes at most."""
    token = _limit.set(size)
    try:
        yield
    finally:
        _limit.reset(token)


class BoundedResponse(aiohttp.ClientResponse):
    """Reads up to the limit in force. The session inflates while it reads, so the limit is of the inflated bytes."""

    async def read(self) -> bytes:
        """The whole body. Raises `AnswerTooLargeError`, and closes the connection."""
        if self._body is None:
            limit, size, parts = _limit.get(), 0, []
            try:
                async for part in self.content.iter_any():
                    size += len(part)
                    if size > limit:
                        raise AnswerTooLargeError(f"an answer of more than {limit} bytes")  # noqa: TRY301 - closed below
                    parts.append(part)
            except BaseException:
                self.close()
                raise
            self._body = b"".join(parts)
        return await super().read()


class RedirectedError(aiohttp.ClientError):
    """A server answered with a redirect, for which it has no reason."""


def no_redirects() -> aiohttp.TraceConfig:
    """End a request before a redirect is followed: neither it nor its credential goes to another host."""

    async def refuse(
        _session: aiohttp.ClientSession, _context: Any, redirect: aiohttp.TraceRequestRedirectParams
    ) -> None:
        raise RedirectedError(f"answered {redirect.response.status}, a redirect")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(refuse)
    return tracing


def retry_after(headers: Mapping[str, str], now: datetime | None = None) -> float | None:
    """Seconds that the service asks to wait, from `Retry-After` (seconds or a date) or its variants in milliseconds."""
    for name in ("x-ms-retry-after-ms", "retry-after-ms"):
        milliseconds = _number(headers.get(name))
        if milliseconds is not None:
            return milliseconds / 1000
    text = headers.get("Retry-After")
    seconds = _number(text)
    if seconds is not None or text is None:
        return seconds
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < float("inf") else None
