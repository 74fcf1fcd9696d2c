"""Counts of what this process did, and how long it took, by labels: what metrics are made of."""

from collections.abc import Mapping
from dataclasses import dataclass

NO_ANSWER = "none"
"""In the place of an HTTP status."""


@dataclass(frozen=True)
class Total:
    """How often, and how many seconds altogether."""

    count: int = 0
    seconds: float = 0.0


class Tally:
    """Grows as long as the process lives. Labels come from small sets, since each combination is kept."""

    def __init__(self) -> None:
        self._totals: dict[tuple[str, ...], Total] = {}

    def note(self, *labels: str, seconds: float) -> None:
        """Count once more."""
        before = self._totals.get(labels, Total())
        self._totals[labels] = Total(before.count + 1, before.seconds + seconds)

    def totals(self) -> Mapping[tuple[str, ...], Total]:
        """All of them, by their labels."""
        return dict(self._totals)
