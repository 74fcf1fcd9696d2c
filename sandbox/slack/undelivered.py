"""When the app could not be reached or did not answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Retry:
    """Which repetition of an event this is, and why."""

    attempt: int
    reason: str


@dataclass(eq=False)
class Undelivered(Exception):
    """`error` is what people are shown (`dispatch_failed`, `operation_timeout`), `reason` what a retry says."""

    error: str
    reason: str
    final: bool = False
    """Whether the app asked for no further try."""
