"""ARM's request quotas: what its answers say is left, and how much slower to ask when little is.

ARM refills a token bucket per subscription and principal all the time (Learn: request-limits-and-throttling). The sizes
of the buckets that were recorded differ from the documented ones, so only what is left and the refill rate count here.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

LOW = 20
"""Requests left below which the next ones are spread out; other users of the same principal need some too."""
REFILL = {"reads": 25.0, "writes": 10.0, "deletes": 10.0}
"""Documented requests a second that come back to a bucket."""

_HEADER = re.compile(r"x-ms-ratelimit-remaining-(?P<scope>[a-z-]+?)-(?P<kind>reads|writes|deletes)", re.IGNORECASE)
_KINDS = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}


@dataclass(frozen=True)
class Quota:
    """What is left of one bucket: the lowest that was said, and `at`, the loop's time of it.

    `scope` is the header's word, such as `subscription` or `subscription-global`; `kind` is `reads`, `writes` or
    `deletes`.
    """

    subscription: str
    scope: str
    kind: str
    remaining: float
    at: float

    def level(self, now: float) -> float:
        """The estimate for now, with what came back since."""
        return self.remaining + REFILL[self.kind] * max(0.0, now - self.at)


def kind_of(method: str) -> str:
    """Which kind of bucket a request is taken from."""
    return _KINDS.get(method.upper(), "writes")


def pause(level: float, kind: str) -> float:
    """Seconds after which a bucket at `level` is out of the low zone again; 0 when it isn't in it."""
    return max(0.0, LOW - level) / REFILL[kind]


class Quotas:
    """The quotas of every subscription that was asked about. `now` is a monotonic clock."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._quotas: dict[tuple[str, str, str], Quota] = {}

    def note(self, subscription: str, headers: Mapping[str, str]) -> None:
        """Read an answer's headers. Answers overtake each other, so the lowest figure counts until it has refilled."""
        now = self._now()
        for name, text in headers.items():
            match = _HEADER.fullmatch(name)
            if match is None or not text.isdigit():
                continue
            key = (subscription, match["scope"].lower(), match["kind"].lower())
            latest = Quota(*key, remaining=int(text), at=now)
            earlier = self._quotas.get(key)
            if earlier:
                latest = replace(latest, remaining=min(latest.remaining, earlier.level(now)))
            self._quotas[key] = latest

    def pause(self, subscription: str, method: str) -> float:
        """Seconds by which the next such request should wait."""
        kind, now = kind_of(method), self._now()
        levels = [quota.level(now) for key, quota in self._quotas.items() if key[0] == subscription and key[2] == kind]
        return max((pause(level, kind) for level in levels), default=0.0)

    def figures(self) -> tuple[Quota, ...]:
        """All of them, for metrics."""
        return tuple(self._quotas.values())
