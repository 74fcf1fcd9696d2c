"""When a request to ARM is sent again. Rules only; `pipeline` keeps them.

The SDK's own policy sends POST requests again and can block for minutes, so that a password would be made twice and a
deadline missed.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.gateways.azure.codes import THROTTLED

IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "PATCH", "DELETE"})
READING = frozenset({"GET", "HEAD"})
PASSING = frozenset({408, 500, 502, 503, 504})
"""Answers that another try may mend."""
TRIES = 4
"""Of one request, unless it is throttled: there the deadline alone is the end."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 5.0


@dataclass(frozen=True)
class TryOutcome:
    """How one try ended. `status` is None when no answer came; `retry_after` is in seconds.

    `unseen` is a 404 for what was written a moment ago.
    """

    status: int | None
    retry_after: float | None = None
    unseen: bool = False


def pause(outcome: TryOutcome, *, tries: int, resendable: bool, remaining: float) -> float | None:
    """Seconds to wait before the next try; None when the outcome stands.

    `tries` were made so far, `remaining` is what is left until the deadline. A throttled request was not carried out,
    nor was one that got 404, so they are sent again whatever they ask for.
    """
    if outcome.status == THROTTLED or outcome.unseen:
        again = True  # neither was carried out
    else:
        again = resendable and tries < TRIES and (outcome.status is None or outcome.status in PASSING)
    if not again:
        return None
    wait = max(outcome.retry_after or 0, min(_FIRST_PAUSE * 2 ** min(tries - 1, 10), _LONGEST_PAUSE))
    return wait if wait < remaining else None


def until(seconds: float) -> datetime:
    """The moment in so many seconds, for people."""
    return datetime.now(UTC) + timedelta(seconds=seconds)
