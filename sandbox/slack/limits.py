"""Slack's rate limits: calls a minute by tier, and posting by channel."""

import math
from dataclasses import dataclass
from typing import Literal

from sandbox.clock import Clock
from sandbox.slack.api.call import Call, Tier
from sandbox.slack.values import SlackError

Rates = Literal["real", "generous"]
POSTS_PER_SECOND, POST_BURST = 1.0, 10
POSTS_PER_MINUTE = 300
"""For all channels together; Slack's documentation says "several hundred"."""


@dataclass
class _Bucket:
    """The number of calls that may be made now, and when it was computed."""

    remaining: float
    at: float


class Limits:
    """Counts calls, and refuses those over the limit if the rates are `real`."""

    def __init__(self, clock: Clock, rates: Rates) -> None:
        self.rates = rates
        self._clock = clock
        self._buckets: dict[str, _Bucket] = {}

    def count(self, call: Call, tier: Tier) -> None:
        """Count this call; raises SlackError `ratelimited` (429 with Retry-After) if it is over the limit."""
        if self.rates != "real" or tier is Tier.FREE:
            return
        if tier is Tier.POSTING:
            self._take(f"{call.method} {call.text('channel')}", POST_BURST, POSTS_PER_SECOND)
            self._take(call.method, POSTS_PER_MINUTE, POSTS_PER_MINUTE / 60)
        else:
            self._take(call.method, tier.value, tier.value / 60)

    def _take(self, name: str, capacity: float, per_second: float) -> None:
        now = self._clock.now().timestamp()
        bucket = self._buckets.setdefault(name, _Bucket(capacity, now))
        bucket.remaining = min(capacity, bucket.remaining + max(now - bucket.at, 0) * per_second)
        bucket.at = now
        if bucket.remaining < 1:
            raise limited(math.ceil((1 - bucket.remaining) / per_second))
        bucket.remaining -= 1


def limited(retry_after: int) -> SlackError:
    """Slack's 429."""
    return SlackError("ratelimited", status=429, headers={"Retry-After": str(max(1, retry_after))})
