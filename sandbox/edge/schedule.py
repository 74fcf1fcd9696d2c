"""When a connected registry contacts its parent: a cron expression in UTC, and a window that opens when it fires."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

CONTINUOUS = "* * * * *"
MINUTE = timedelta(minutes=1)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@dataclass(frozen=True)
class Schedule:
    """A schedule as the service sends it."""

    cron: str = CONTINUOUS
    window: timedelta | None = None
    """How long it stays connected each time; with None it makes a single contact."""

    def next_contact(self, after: datetime) -> datetime:
        """The first contact after `after`: when the schedule fires, or each minute of an open window."""
        firing = self._next_firing(after)
        if self.window is None:
            return firing
        in_a_minute = after + MINUTE
        return min(firing, in_a_minute) if self.open_at(in_a_minute) else firing

    def open_at(self, moment: datetime) -> bool:
        """Whether a window is open at a moment."""
        return self.window is not None and self._next_firing(moment - self.window) <= moment

    def _next_firing(self, after: datetime) -> datetime:
        try:
            return next(CronSim(self.cron, after))
        except (CronSimError, StopIteration):
            return after + MINUTE


def schedule(cron: str | None, window: str | None) -> Schedule:
    """Parse a configuration; without a cron expression contact is continuous."""
    return Schedule(cron or CONTINUOUS, duration(window))


def duration(text: str | None) -> timedelta | None:
    """An ISO 8601 duration of days, hours, minutes and seconds; None for anything else."""
    match = _DURATION.fullmatch(text or "")
    if not match or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
