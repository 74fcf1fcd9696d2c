"""When a connected registry talks to its parent: a cron expression in UTC, and a window that each firing opens."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from cronsim import CronSim, CronSimError

CONTINUOUS = "* * * * *"
MINUTE = timedelta(minutes=1)
_DURATION = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


@dataclass(frozen=True)
class Schedule:
    """A schedule as the service hands it over."""

    cron: str = CONTINUOUS
    window: timedelta | None = None
    """How long it stays connected after each firing; None only looks in."""

    def next_contact(self, after: datetime) -> datetime:
        """The first moment later than `after` at which it talks: a firing, or each minute of an open window."""
        firing = self._next_firing(after)
        if self.window is None:
            return firing
        in_a_minute = after + MINUTE
        return min(firing, in_a_minute) if self.open_at(in_a_minute) else firing

    def open_at(self, moment: datetime) -> bool:
        """Whether a window is open then."""
        return self.window is not None and self._next_firing(moment - self.window) <= moment

    def _next_firing(self, after: datetime) -> datetime:
        try:
            return next(CronSim(self.cron, after))
        except (CronSimError, StopIteration):
            return after + MINUTE


def schedule(cron: str | None, window: str | None) -> Schedule:
    """What the words of a configuration mean; without a cron expression contact is continuous."""
    return Schedule(cron or CONTINUOUS, duration(window))


def duration(text: str | None) -> timedelta | None:
    """An ISO 8601 duration of days, hours, minutes and seconds; None for anything else."""
    match = _DURATION.fullmatch(text or "")
    if not match or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
