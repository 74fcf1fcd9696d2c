"""The time as Azure has it, which is what Azure's timestamps have to be held against.

A machine whose clock is wrong would call planned silences missed contacts, or missed contacts planned silences.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import structlog

TOLERATED = timedelta(minutes=1)
"""Answers take their time, and their `Date` has no fractions."""
_log = structlog.get_logger("azure")


class AzureClock:
    """This machine's clock, put right by the `Date` of ARM's answers where the two differ by more than a minute."""

    def __init__(self, local: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._local = local
        self._ahead = timedelta()
        self._has_answered = False

    @property
    def ahead(self) -> timedelta | None:
        """How far ARM's clock is ahead of this machine's, zero up to a minute; None until ARM has answered once."""
        return self._ahead if self._has_answered else None

    def now(self) -> datetime:
        """The moment, in UTC: this machine's until ARM has answered once."""
        return self._local() + self._ahead

    def note(self, headers: Mapping[str, str]) -> None:
        """Read an answer's headers; a date that is missing or can't be read says nothing."""
        try:
            date = parsedate_to_datetime(headers.get("Date", ""))
        except ValueError:
            return
        self._has_answered = True
        difference = date.replace(tzinfo=UTC) - self._local()
        if abs(difference - self._ahead) <= TOLERATED:
            return
        self._ahead = difference if abs(difference) > TOLERATED else timedelta()
        _log.warning("clock_differs", ahead_seconds=round(self._ahead.total_seconds()))
