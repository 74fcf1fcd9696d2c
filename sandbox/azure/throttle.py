"""Token buckets per principal and kind of request, as ARM has them since 2024."""

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sandbox.azure.errors import ArmError

Kind = Literal["reads", "writes", "deletes"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WIDE = 12_000
"""The size of a bucket without a limit: no test or benchmark empties it."""


@dataclass(frozen=True)
class Limit:
    """Size of a bucket, and how many requests a second come back."""

    size: float = WIDE
    refill: float = WIDE


@dataclass
class _Bucket:
    remaining: float
    at: datetime


def kind_of(method: str) -> Kind:
    """Which bucket a request is taken from."""
    if method in ("GET", "HEAD"):
        return "reads"
    return "deletes" if method == "DELETE" else "writes"


class Throttle:
    """Counts requests; the clock is the caller's."""

    def __init__(self) -> None:
        self._limits: dict[Kind, Limit] = {}
        self._buckets: dict[tuple[str, Kind], _Bucket] = {}

    def limit(self, kind: Kind, limit: Limit | None) -> None:
        """Set a limit, or remove it with None; the buckets of that kind are full again."""
        if limit is None:
            self._limits.pop(kind, None)
        else:
            self._limits[kind] = limit
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if key[1] != kind}

    def limits(self) -> dict[str, dict[str, float]]:
        """The limits in force."""
        limits = {kind: self._limits.get(kind, Limit()) for kind in KINDS}
        return {kind: {"size": limit.size, "refill": limit.refill} for kind, limit in limits.items()}

    def take(self, principal: str, method: str, now: datetime, subscription: str) -> dict[str, str]:
        """Count one request; the `remaining` headers. A 429 `ArmError` when the bucket is empty."""
        kind = kind_of(method)
        limit = self._limits.get(kind, Limit())
        bucket = self._buckets.setdefault((principal, kind), _Bucket(limit.size, now))
        passed = max((now - bucket.at).total_seconds(), 0)
        bucket.remaining, bucket.at = min(limit.size, bucket.remaining + passed * limit.refill), now
        if bucket.remaining < 1:
            raise _throttled(
                kind, math.ceil((1 - bucket.remaining) / limit.refill) if limit.refill else 60, subscription
            )
        bucket.remaining -= 1
        remaining = int(bucket.remaining)
        return {
            f"x-ms-ratelimit-remaining-subscription-{kind}": str(remaining),
            f"x-ms-ratelimit-remaining-subscription-global-{kind}": str(remaining * 15),
        }


def _throttled(kind: Kind, seconds: int, subscription: str) -> ArmError:
    return ArmError(
        429,
        "SubscriptionRequestsThrottled",
        f"Number of '{kind}' for subscription '{subscription}' exceeded the limit. Please try again after '{seconds}' "
        "seconds after additional tokens are available. Refer to https://aka.ms/arm-throttling for additional "
        "information.",
        headers={"Retry-After": str(seconds), f"x-ms-ratelimit-remaining-subscription-{kind}": "0"},
    )
