"""How often Slack may be called: a token bucket that respects a 429."""

import asyncio
from collections.abc import Callable


class Budget:
    """A token bucket. A 429 closes it for as long as Slack says.

    `replicas` is among how many processes the rate is shared now. Each has the burst for itself: shared, it would leave
    nothing beside what is kept for others.
    """

    def __init__(
        self,
        *,
        per_minute: float,
        burst: int,
        replicas: Callable[[], int] = lambda: 1,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self._per_second = per_minute / 60
        self._replicas = replicas
        self._burst = burst
        self._clock = clock or asyncio.get_running_loop().time
        self._tokens = float(burst)
        self._at = self._clock()
        self._closed_until = 0.0

    def wait(self, *, keep: int = 0) -> float:
        """Seconds until a token can be taken that leaves `keep` for others; 0 means now."""
        now = self._refill()
        missing = 1 + keep - self._tokens
        return max(missing / self._rate if missing > 0 else 0.0, self._closed_until - now, 0.0)

    async def ready(self, *, keep: int = 0) -> None:
        """Wait until a token can be taken that leaves `keep` for others."""
        while True:
            wait = self.wait(keep=keep)
            if wait <= 0:
                break
            await asyncio.sleep(wait)

    async def taken(self) -> None:
        """Wait for a token and take it."""
        await self.ready()
        self.take()

    def take(self) -> None:
        """Take a token."""
        self._refill()
        self._tokens -= 1

    def close(self, seconds: float) -> bool:
        """Close the bucket after a 429 with this Retry-After; False when it was closed already."""
        now = self._clock()
        was_open = self._closed_until <= now
        self._closed_until = max(self._closed_until, now + seconds)
        return was_open

    @property
    def _rate(self) -> float:
        return self._per_second / self._replicas()

    def _refill(self) -> float:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return now
