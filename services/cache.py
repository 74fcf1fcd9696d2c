"""Answers that are kept for a while, so that a busy channel asks the outside once."""

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
        most: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ask = ask
        self._lifetime = lifetime.total_seconds()
        self._stale = stale.total_seconds()
        self._most = most
        self._clock = clock
        self._known: dict[K, tuple[float, V]] = {}
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
                if (old := self._known.get(key)) and self._clock() - old[0] < self._lifetime + self._stale:
                    return old[1]
                raise
            self._keep(key, answer)
            return answer

    def forget(self, key: K) -> None:
        """Ask anew next time."""
        self._known.pop(key, None)

    def _fresh(self, key: K) -> tuple[float, V] | None:
        entry = self._known.get(key)
        return entry if entry and self._clock() - entry[0] < self._lifetime else None

    def _keep(self, key: K, answer: V) -> None:
        while len(self._known) >= self._most:
            oldest = next(iter(self._known))
            del self._known[oldest]
            self._locks.pop(oldest, None)
        self._known.pop(key, None)
        self._known[key] = (self._clock(), answer)
