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
        """One a cloud registry: the worst first, by its worst rows."""
        groups: defaultdict[str, list[Row]] = defaultdict(list)
        for row in self.rows:
            groups[row.seen.target.acr].append(row)
        parts = [Summary(self.at, tuple(rows), _totals(rows)) for rows in groups.values()]
        return tuple(sorted(parts, key=_acr_order))


def summary(seen: Sequence[tuple[Sighting, Health]], since: Sequence[Transition], at: datetime) -> Summary:
    """`since`: the transitions after the last summary, in any order."""
    changes: defaultdict[Target, list[Transition]] = defaultdict(list)
    for one in sorted(since, key=lambda each: each.at):
        changes[one.target].append(one)
    rows = [Row(sighting, found, tuple(changes[sighting.target])) for sighting, found in seen]
    rows.sort(key=_order)
    return Summary(at, tuple(rows), _totals(rows))


def _order(row: Row) -> Any:
    """Worst first, then what lags most."""
    lag = row.health.lag or timedelta()
    target = row.seen.target
    return WORST_FIRST.index(row.health.state), -lag, target.acr, target.name.lower(), target.name


def _acr_order(part: Summary) -> Any:
    return [-part.totals.get(state, 0) for state in WORST_FIRST[:-1]], part.rows[0].seen.target.acr


def _totals(rows: Sequence[Row]) -> dict[HealthState, int]:
    counted = Counter(row.health.state for row in rows)
    return {state: counted[state] for state in WORST_FIRST if counted[state]}
