"""When an edge contacts the cloud, and what the cloud knows about it at a moment. Pure; moments as in `script`."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from cronsim import CronSim

from sandbox.fleet.script import CONTINUOUS, DAY, MINUTE, Edge, Trouble

Stretch = tuple[int, int]
"""From a moment until before another one."""
BEFORE, AFTER = 9 * DAY, 31 * DAY
"""Edges are in contact this long before and after the script, so that a weekly one has been seen before it begins."""


@lru_cache(maxsize=4096)
def firings(schedule: str, begin: int, end: int) -> tuple[int, ...]:
    """All moments of a stretch at which a schedule fires."""
    moments = []
    for moment in CronSim(schedule, datetime.fromtimestamp(begin - 1, UTC)):
        at = int(moment.timestamp())
        if at >= end:
            break
        moments.append(at)
    return tuple(moments)


def planned(edge: Edge, begin: int, end: int) -> list[Stretch]:
    """The stretches in which an edge should be in contact, in order and disjoint."""
    if edge.schedule == CONTINUOUS:
        return [(begin, end)]
    return _merged((at, min(at + edge.window, end)) for at in firings(edge.schedule, begin, end))


def silences(edge: Edge, begin: int, end: int) -> list[Stretch]:
    """The stretches in which no contact is planned."""
    # A window may have been opened before the stretch.
    return without([(begin, end)], planned(edge, begin - edge.window, end))


def cuts(trouble: Trouble) -> list[Stretch]:
    """When a trouble prevents an edge's contacts."""
    if trouble.kind in ("disk", "slow", "acr"):
        return []
    if trouble.kind != "flapping":
        return [(trouble.begin, trouble.end)]
    starts = range(trouble.begin, trouble.end, trouble.down + trouble.up)
    return [(start, min(start + trouble.down, trouble.end)) for start in starts]


@dataclass(frozen=True)
class Known:
    """What the cloud knows about an edge: the last contact, the last sync, and whether a sync is running."""

    heard: int | None
    synced: int | None
    syncing: bool


class Contacts:
    """All contacts of one edge over a script, given everything that goes wrong with it."""

    def __init__(self, edge: Edge, troubles: Iterable[Trouble], begin: int, end: int) -> None:
        span = (begin - BEFORE, end + AFTER)
        troubles = tuple(troubles)
        slow = [trouble for trouble in troubles if trouble.kind == "slow"]
        down = _merged(sorted(cut for trouble in troubles for cut in cuts(trouble)))
        self._edge = edge
        self._activations = frozenset(one.end for one in troubles if one.kind == "deactivated")
        self._stretches: list[Stretch] = []
        self._periods: list[int] = []
        # After its activation an edge is in contact at once and synchronises, regardless of the schedule.
        fresh = [(one.end, one.end + edge.sync + MINUTE) for one in troubles if one.kind == "deactivated"]
        plan = _merged(sorted([*planned(edge, *span), *fresh])) if edge.activated else []
        for start, stop in without(plan, down):
            for part, period in self._paced(start, stop, slow):
                self._stretches.append(part)
                self._periods.append(period)
        self._starts = [start for start, _ in self._stretches]

    def _paced(self, start: int, stop: int, slow: Sequence[Trouble]) -> Iterator[tuple[Stretch, int]]:
        """A stretch of contact with its period: over a slow line a window opens late, and minutes are skipped."""
        if self._edge.window:
            late = max((slowdown.late for slowdown in slow if slowdown.begin <= start < slowdown.end), default=0)
            if start + late < stop:
                yield (start + late, stop), MINUTE
            return
        for slowdown in slow:
            if slowdown.begin < stop and slowdown.end > start:
                if start < slowdown.begin:
                    yield (start, slowdown.begin), MINUTE
                yield (max(start, slowdown.begin), min(stop, slowdown.end)), slowdown.late
                start = slowdown.end
        if start < stop:
            yield (start, stop), MINUTE

    def at(self, moment: int) -> Known:
        """The state at a moment."""
        place = bisect_right(self._starts, moment) - 1
        heard = synced = None
        syncing = False
        while place >= 0 and synced is None:
            first, last = self._ends(place, moment)
            if last is not None:
                done = last - first >= self._edge.sync or self._goes_on(place)
                if heard is None:
                    heard, syncing = last, not done
                synced = last if done else None
            place -= 1
        return Known(heard, synced, syncing)

    def _ends(self, place: int, moment: int) -> tuple[int, int | None]:
        """The first contact of a stretch, and the last one up to a moment (None if there is none)."""
        start, stop = self._stretches[place]
        period = self._periods[place]
        first = start if start in self._activations else start + (self._edge.phase - start) % MINUTE
        latest = min(moment, stop - 1)
        return first, None if latest < first else first + (latest - first) // period * period

    def _goes_on(self, place: int) -> bool:
        """Whether a stretch continues the previous one at another pace."""
        return place > 0 and self._stretches[place - 1][1] == self._stretches[place][0]

    def next(self, moment: int) -> int | None:
        """The first contact at or after a moment; None if no more are planned."""
        place = max(bisect_right(self._starts, moment) - 1, 0)
        for index in range(place, len(self._stretches)):
            first, _ = self._ends(index, moment)
            period = self._periods[index]
            contact = first if moment <= first else first + -(-(moment - first) // period) * period
            if contact < self._stretches[index][1]:
                return contact
        return None

    def gaps(self, begin: int, end: int, least: int) -> Iterator[Stretch]:
        """The stretches between two contacts that are at least this long."""
        for place, (_, stop) in enumerate(self._stretches[:-1]):
            last = self._ends(place, stop)[1]
            if last is None or not begin <= last < end:
                continue
            following = self.next(stop)
            if following is not None and following - last >= least:
                yield last, following


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Sorted stretches; those that overlap or touch are merged."""
    merged: list[Stretch] = []
    for start, stop in stretches:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    return merged


def without(stretches: Iterable[Stretch], cut: Sequence[Stretch]) -> list[Stretch]:
    """Stretches without sorted cuts."""
    remaining: list[Stretch] = []
    stops = [stop for _, stop in cut]
    for begin, end in stretches:
        start = begin
        for cut_start, cut_stop in cut[bisect_right(stops, begin) :]:
            if cut_start >= end:
                break
            if start < cut_start:
                remaining.append((start, cut_start))
            start = max(start, cut_stop)
        if start < end:
            remaining.append((start, end))
    return remaining


def within(stretches: Sequence[Stretch], begin: int, end: int) -> list[Stretch]:
    """The parts of sorted stretches that are between two moments."""
    starts = [start for start, _ in stretches]
    place = max(bisect_left(starts, begin) - 1, 0)
    clipped = []
    for start, stop in stretches[place:]:
        if start >= end:
            break
        if stop > begin:
            clipped.append((max(start, begin), min(stop, end)))
    return clipped
