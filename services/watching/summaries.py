"""Summaries: rows worst first, totals, and what changed. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.model.health import Health, HealthState, Sighting, Target, Transition
from services.watching.health import WORST_FIRST


@dataclass(frozen=True)
class Row:
    """One connected registry. `changes` are its transitions since the last summary, oldest first."""

    sighting: Sighting
    health: Health
    changes: tuple[Transition, ...] = ()


@dataclass(frozen=True)
class Summary:
    """All rows, worst first; `totals` by health, worst first, without zeros."""

    at: datetime
    rows: tuple[Row, ...]
    totals: Mapping[HealthState, int]

    def by_acr(self) -> tuple["Summary", ...]:
        """One a cloud registry: the worst first, by its worst rows."""
        groups: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            groups[row.sighting.target.acr].append(row)
        parts = [Summary(self.at, tuple(rows), _totals(rows)) for rows in groups.values()]

        def worst_first(part: Summary) -> Any:
            return [-part.totals.get(state, 0) for state in WORST_FIRST[:-1]], part.rows[0].sighting.target.acr

        return tuple(sorted(parts, key=worst_first))


@dataclass(frozen=True)
class Report:
    """A summary, and the names of cloud registries that could not be read and of which nothing is stored."""

    summary: Summary
    unread: tuple[str, ...] = ()


def summary(sightings: Sequence[tuple[Sighting, Health]], since: Sequence[Transition], at: datetime) -> Summary:
    """`since`: the transitions after the last summary, in any order."""
    changes: defaultdict[Target, list[Transition]] = defaultdict(list)
    for transition in sorted(since, key=lambda transition: transition.at):
        changes[transition.target].append(transition)
    rows = [Row(sighting, health, tuple(changes[sighting.target])) for sighting, health in sightings]

    def worst_first(row: Row) -> Any:
        """Worst first, then the largest lag."""
        target = row.sighting.target
        lag = row.health.lag or timedelta()
        return WORST_FIRST.index(row.health.state), -lag, target.acr, target.name.lower(), target.name

    rows.sort(key=worst_first)
    return Summary(at, tuple(rows), _totals(rows))


def _totals(rows: Sequence[Row]) -> dict[HealthState, int]:
    counted = Counter(row.health.state for row in rows)
    return {state: counted[state] for state in WORST_FIRST if counted[state]}
