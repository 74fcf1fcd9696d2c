"""Figures as one table."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One line: what was measured, what came out, and the goal. `met` is None where there is no goal."""

    what: str
    figure: str
    goal: str = ""
    met: bool | None = None


def spread(values: Sequence[float], unit: str, digits: int = 2) -> str:
    """Median with the least and the greatest: `0.52 s (0.41 to 0.77, n 7)`; only the value where there is one."""
    middle = f"{statistics.median(values):.{digits}f} {unit}"
    if len(values) == 1:
        return middle
    return f"{middle} ({min(values):.{digits}f} to {max(values):.{digits}f}, n {len(values)})"


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, max(0, -int(-len(ordered) * percent // 100) - 1))]


def table(rows: Iterable[Row]) -> str:
    """Markdown."""
    verdicts = {True: "met", False: "missed", None: ""}
    lines = ["| what | measured | goal | |", "|---|---|---|---|"]
    lines += [f"| {row.what} | {row.figure} | {row.goal} | {verdicts[row.met]} |" for row in rows]
    return "\n".join(lines)
