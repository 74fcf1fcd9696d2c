"""How often Slack may be called: a bucket of tokens a method, and what a 429 answered."""

import asyncio
from collections.abc import Callable


class Budget:
    """Tokens that come back with time. A 429 empties it for as long as Slack says."""

    def __init__(self, *, per_minute: float, burst: int, clock: Callable[[], float] | None = None) -> None:
        self._rate = per_minute / 60
        self._burst = burst
        self._clock = clock or asyncio.get_running_loop().time
        self._tokens = float(burst)
        self._at = self._clock()
        self._closed_until = 0.0

    def wait(self, *, keep: int = 0) -> float:
        """Seconds until a token may be taken that leaves `keep` for others; 0: now."""
        now = self._refill()
        lacking = 1 + keep - self._tokens
        return max(lacking / self._rate if lacking > 0 else 0.0, self._closed_until - now, 0.0)

    async def ready(self, *, keep: int = 0) -> None:
        """Wait until a token may be taken that leaves `keep` for others."""
        while True:
            wait = self.wait(keep=keep)
            if wait <= 0:
                break
            await asyncio.sleep(wait)

    async def taken(self) -> None:
        """Wait for a token and use it."""
        await self.ready()
        self.take()

    def take(self) -> None:
        """Use one."""
        self._refill()
        self._tokens -= 1

    def close(self, seconds: float) -> bool:
        """Slack said 429 with this Retry-After; False when it was closed already."""
        now = self._clock()
        was_open = self._closed_until <= now
        self._closed_until = max(self._closed_until, now + seconds)
        return was_open

    def _refill(self) -> float:
        now = self._clock()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        return now
