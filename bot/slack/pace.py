"""How many commands one person may run: nobody alone keeps the bot busy, whether by hand, script or stolen account."""

from collections.abc import Callable

import structlog

_PEOPLE = 1_000
"""Of those remembered; beyond it whoever has a full allowance again is forgotten."""
log = structlog.get_logger("slack")


class PersonalPace:
    """A token bucket for each person: `per_minute` at once, and again as many within a minute.

    Each process counts by itself. `now` is a monotonic clock.
    """

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._now = now
        self._left: dict[str, tuple[float, float]] = {}
        """By person: how many commands were left, and when."""

    def take(self, person: str) -> float:
        """Take one of a person's commands; returns the seconds until the next one where none is left, else 0."""
        now, per_second = self._now(), self.per_minute / 60
        left, at = self._left.get(person, (float(self.per_minute), now))
        left = min(float(self.per_minute), left + (now - at) * per_second)
        if left < 1:
            return (1 - left) / per_second
        if left < 2:  # noqa: PLR2004 - this one is the last
            log.warning("person_paused", person=person, per_minute=self.per_minute)
        self._left[person] = left - 1, now
        if len(self._left) > _PEOPLE:
            refill = float(self.per_minute)
            self._left = {
                name: (count, since)
                for name, (count, since) in self._left.items()
                if count + (now - since) * per_second < refill
            }
        return 0.0
