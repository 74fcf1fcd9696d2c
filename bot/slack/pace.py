"""How many commands one person may run: nobody alone keeps the bot busy, whether by hand, script or stolen account."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

MINUTE = 60.0
PEOPLE = 1_000
"""Of those remembered; beyond it whoever has a full allowance again is forgotten."""
log = structlog.get_logger("slack")


@dataclass
class _Allowance:
    """How many commands somebody could run at a moment."""

    balance: float
    at: float
    refused: float = -MINUTE
    """When the log last named the person."""


class PersonalPace:
    """A token bucket for each person: `per_minute` at once, and again as many within a minute.

    Each process counts by itself. `now` is a monotonic clock.
    """

    def __init__(self, per_minute: int, now: Callable[[], float]) -> None:
        self.per_minute = per_minute
        self._now = now
        self._allowances: dict[str, _Allowance] = {}

    def take(self, person: str) -> float:
        """Take one of a person's commands; returns 0, or the seconds until the next one where all are used up."""
        now = self._now()
        allowance = self._allowances.setdefault(person, _Allowance(self.per_minute, now))
        allowance.balance, allowance.at = self._balance(allowance, now), now
        if allowance.balance < 1:
            if now - allowance.refused >= MINUTE:
                log.warning("person_paused", person=person, per_minute=self.per_minute)
                allowance.refused = now
            return (1 - allowance.balance) * MINUTE / self.per_minute
        allowance.balance -= 1
        if len(self._allowances) > PEOPLE:
            self._allowances = {
                name: used for name, used in self._allowances.items() if self._balance(used, now) < self.per_minute
            }
        return 0.0

    def _balance(self, allowance: _Allowance, now: float) -> float:
        return min(self.per_minute, allowance.balance + (now - allowance.at) * self.per_minute / MINUTE)
