"""Summaries: rows worst first, totals, and what changed. Pure."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.model.health import Health, HealthState, Sighting, Target, Transition
from services.watching.health import WELL, WORST_FIRST


@dataclass(frozen=True)
class Row:
    """One connected registry. `changes` are its transitions since the last summary, oldest first.

    `site` is the name of the site where it runs, empty where that is not known.
    """

    sighting: Sighting
    health: Health
    changes: tuple[Transition, ...] = ()
    site: str = ""


@dataclass(frozen=True)
class Summary:
    """All rows, worst first; `totals` by health, worst first, without zeros."""

    at: datetime
    rows: tuple[Row, ...]
    totals: Mapping[HealthState, int]

    @property
    def notable(self) -> tuple[Row, ...]:
        """Those that are not well, or have changed since the last summary, worst first."""
        return tuple(row for row in self.rows if row.health.state not in WELL or row.changes)

    @property
    def expected(self) -> Mapping[HealthState, int]:
        """How many of the others are in which health."""
        return _totals([row for row in self.rows if row.health.state in WELL and not row.changes])


@dataclass(frozen=True)
class Report:
    """A summary, and the names of cloud registries that could not be read and of which nothing is stored."""

    summary: Summary
    unread: tuple[str, ...] = ()


def summary(
    sightings: Sequence[tuple[Sighting, Health]],
    since: Sequence[Transition],
    at: datetime,
    sites: Mapping[str, str] | None = None,
) -> Summary:
    """`since`: the transitions after the last summary, in any order; `sites`: names by cluster (ARM id, lower case)."""
    changes: defaultdict[Target, list[Transition]] = defaultdict(list)
    for transition in sorted(since, key=lambda transition: transition.at):
        changes[transition.target].append(transition)
    names = sites or {}
    rows = [
        Row(sighting, health, tuple(changes[sighting.target]), names.get(sighting.cluster, ""))
        for sighting, health in sightings
    ]

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
