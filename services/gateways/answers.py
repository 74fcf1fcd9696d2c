"""How much of an answer is read, for every system that is asked over HTTP: no sender can fill the bot's memory."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import aiohttp

USUAL = 8 * 2**20
"""Bytes of one answer, inflated. The largest that was seen in practice, a page of 500 Pods, has 3 MiB."""
_limit: ContextVar[int] = ContextVar("answer_limit", default=USUAL)


class AnswerTooLargeError(aiohttp.ClientPayloadError):
    """An answer is larger than what was asked can have; the rest of it was not read."""


@contextmanager
def at_most(size: int) -> Iterator[None]:
    """Within it, answers have this many bytes at most."""
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
    """A server that has no reason to sends elsewhere."""


def no_redirects() -> aiohttp.TraceConfig:
    """Ends a request before a redirect is followed: neither it nor its credential goes to another host."""

    async def refuse(
        _session: aiohttp.ClientSession, _context: Any, redirect: aiohttp.TraceRequestRedirectParams
    ) -> None:
        raise RedirectedError(f"answered {redirect.response.status}, a redirect")

    tracing = aiohttp.TraceConfig()
    tracing.on_request_redirect.append(refuse)
    return tracing
