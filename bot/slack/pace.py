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

    Slack spreads a person's deliveries over the `replicas`, so each of them counts by itself and grants its share.
    `now` is a monotonic clock.
    """

    def __init__(self, per_minute: int, now: Callable[[], float], replicas: Callable[[], int] = lambda: 1) -> None:
        self.per_minute = per_minute
        self._now = now
        self._replicas = replicas
        self._allowances: dict[str, _Allowance] = {}

    def take(self, person: str) -> float:
        """Take one of a person's commands; returns 0, or the seconds until the next one where all are used up."""
        now = self._now()
        allowance = self._allowances.setdefault(person, _Allowance(self._share, now))
        allowance.balance, allowance.at = self._balance(allowance, now), now
        if allowance.balance < 1:
            if now - allowance.refused >= MINUTE:
                log.warning("person_paused", person=person, per_minute=self.per_minute)
                allowance.refused = now
            return (1 - allowance.balance) * MINUTE / self._share
        allowance.balance -= 1
        if len(self._allowances) > PEOPLE:
            self._allowances = {
                name: used for name, used in self._allowances.items() if self._balance(used, now) < self._share
            }
        return 0.0

    @property
    def _share(self) -> float:
        return max(1.0, self.per_minute / self._replicas())

    def _balance(self, allowance: _Allowance, now: float) -> float:
        share = self._share
        return min(share, allowance.balance + (now - allowance.at) * share / MINUTE)
