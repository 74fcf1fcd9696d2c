"""Failures to reach the app or to get its answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Retry:
    """The number of an event's retry, and its reason."""

    attempt: int
    reason: str


@dataclass(eq=False)
class Undelivered(Exception):
    """`error` is shown to people (`dispatch_failed`, `operation_timeout`), `reason` is sent with a retry."""

    error: str
    reason: str
    final: bool = False
    """Whether the app asked for no further retries."""
