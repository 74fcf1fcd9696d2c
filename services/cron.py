"""Crontab expressions: read strictly, read back in words, and turned into times across daylight-saving changes.

Semantics are those of crontab(5): `*`, lists, ranges and steps; names of months and days; 0 and 7 are Sunday; when both
day fields are restricted either may match, unless one begins with `*`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from services.errors import Invalid

NICKNAMES = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}


@dataclass(frozen=True)
class Cron:
    """A schedule in a time zone; `expression` has five fields with one blank between them.

    A time that a daylight-saving change skips is due right after the gap, one that it doubles is due the first time
    only. Schedules of every hour run on elapsed time: they neither catch up nor leave out an hour.
    """

    expression: str
    tz: str

    def words(self) -> str:
        """Such as `at 09:00 on Monday to Friday, Europe/Berlin`."""
        raise NotImplementedError

    def next(self, after: datetime, n: int = 3) -> tuple[datetime, ...]:
        """The first `n` due times later than `after`, in UTC."""
        raise NotImplementedError

    def latest(self, at: datetime) -> datetime | None:
        """The newest due time not later than `at`, in UTC; None when there was none in the 50 years before."""
        raise NotImplementedError


def parse(expression: str, tz: str = "UTC", *, field_name: str = "every") -> Cron:
    """Raises `Invalid` for field `field_name` (rules `cron.…`, with `position` and `length` of the fault) or `tz`."""
    raise NotImplementedError
