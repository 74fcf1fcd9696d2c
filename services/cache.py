"""Answers that count for a while, so that a busy channel causes one request to the outside."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Generic, TypeVar

from services.model.errors import DomainError

K = TypeVar("K")
V = TypeVar("V")


class Cache(Generic[K, V]):
    """Asks `ask` at most once in `lifetime` for each key, and once for all who ask at the same moment.

    When asking fails, an older answer is better than none and is given up to `stale` after its lifetime.
    """

    def __init__(
        self,
        ask: Callable[[K], Awaitable[V]],
        *,
        lifetime: timedelta,
        stale: timedelta = timedelta(0),
        size: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._lifetime = lifetime.total_seconds()
        self._stale = stale.total_seconds()
        self._size = size
        self._clock = clock
        self._entries: dict[K, tuple[float, V]] = {}
        self._locks: dict[K, asyncio.Lock] = {}

    async def get(self, key: K) -> V:
        """The answer; raises what asking raises."""
        if (entry := self._fresh(key)) is not None:
            return entry[1]
        async with self._locks.setdefault(key, asyncio.Lock()):
            if (entry := self._fresh(key)) is not None:
                return entry[1]
            try:
                answer = await self._ask(key)
            except DomainError:
                if (old := self._entries.get(key)) and self._clock() - old[0] < self._lifetime + self._stale:
                    return old[1]
                raise
            while len(self._entries) >= self._size:
                oldest = next(iter(self._entries))
                del self._entries[oldest]
                self._locks.pop(oldest, None)
            self._entries.pop(key, None)
            self._entries[key] = (self._clock(), answer)
            return answer

    def last(self, key: K) -> V | None:
        """The last answer, however old, without asking; None where there is none."""
        entry = self._entries.get(key)
        return entry[1] if entry else None

    def forget(self, key: K) -> None:
        """Drop the answer, so that the next call asks again."""
        self._entries.pop(key, None)

    def _fresh(self, key: K) -> tuple[float, V] | None:
        entry = self._entries.get(key)
        return entry if entry and self._clock() - entry[0] < self._lifetime else None
