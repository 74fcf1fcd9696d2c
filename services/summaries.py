"""Summaries: rows worst first, totals, and what changed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.watch import Health, HealthState, Sighting, Transition


@dataclass(frozen=True)
class Row:
    """One connected registry. `changes` are its transitions since the last summary, oldest first."""

    seen: Sighting
    health: Health
    changes: tuple[Transition, ...] = ()


@dataclass(frozen=True)
class Summary:
    """All rows, worst first; `totals` by health, worst first, without zeros."""

    at: datetime
    rows: tuple[Row, ...]
    totals: Mapping[HealthState, int]

    def by_acr(self) -> tuple["Summary", ...]:
        """One a cloud registry, the worst first."""
        raise NotImplementedError


def summary(seen: Sequence[tuple[Sighting, Health]], since: Sequence[Transition], at: datetime) -> Summary:
    """`since`: the transitions after the last summary, in any order."""
    raise NotImplementedError
