"""When an edge talks to the cloud, and what the cloud knows of it at a moment. Pure; moments as in `script`."""

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
"""How long before and after a script its edges are in contact: a weekly one has been heard before the first day."""


@lru_cache(maxsize=4096)
def firings(schedule: str, begin: int, end: int) -> tuple[int, ...]:
    """Every moment in a stretch at which a schedule fires."""
    moments = []
    for moment in CronSim(schedule, datetime.fromtimestamp(begin - 1, UTC)):
        at = int(moment.timestamp())
        if at >= end:
            break
        moments.append(at)
    return tuple(moments)


def planned(edge: Edge, begin: int, end: int) -> list[Stretch]:
    """The stretches in which an edge is to be in contact, in order and apart from each other."""
    if edge.schedule == CONTINUOUS:
        return [(begin, end)]
    return _merged((at, min(at + edge.window, end)) for at in firings(edge.schedule, begin, end))


def silences(edge: Edge, begin: int, end: int) -> list[Stretch]:
    """The stretches in which nothing is to be heard of it."""
    # A window may have been opened before the stretch.
    return without([(begin, end)], planned(edge, begin - edge.window, end))


def cuts(trouble: Trouble) -> list[Stretch]:
    """When a trouble keeps an edge from talking."""
    if trouble.kind in ("disk", "slow", "acr"):
        return []
    if trouble.kind != "flapping":
        return [(trouble.begin, trouble.end)]
    starts = range(trouble.begin, trouble.end, trouble.down + trouble.up)
    return [(start, min(start + trouble.down, trouble.end)) for start in starts]


@dataclass(frozen=True)
class Known:
    """What the cloud knows of an edge: moments of the last contact and of the last sync, and whether one runs."""

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
        # Whoever is activated is in contact at once and synchronises, whatever the schedule says.
        fresh = [(one.end, one.end + edge.sync + MINUTE) for one in troubles if one.kind == "deactivated"]
        plan = _merged(sorted([*planned(edge, *span), *fresh])) if edge.activated else []
        for start, stop in without(plan, down):
            for part, period in self._paced(start, stop, slow):
                self._stretches.append(part)
                self._periods.append(period)
        self._starts = [start for start, _ in self._stretches]

    def _paced(self, start: int, stop: int, slow: Sequence[Trouble]) -> Iterator[tuple[Stretch, int]]:
        """A stretch of contact with its period: over a slow line a window opens late, and minutes are left out."""
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
        """What is known at a moment."""
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
        """First contact of a stretch, and the last one not after a moment (None: there is none)."""
        start, stop = self._stretches[place]
        period = self._periods[place]
        first = start if start in self._activations else start + (self._edge.phase - start) % MINUTE
        latest = min(moment, stop - 1)
        return first, None if latest < first else first + (latest - first) // period * period

    def _goes_on(self, place: int) -> bool:
        """Whether a stretch only continues the one before it at another pace."""
        return place > 0 and self._stretches[place - 1][1] == self._stretches[place][0]

    def next(self, moment: int) -> int | None:
        """The first contact at or after a moment; None when no more is planned."""
        place = max(bisect_right(self._starts, moment) - 1, 0)
        for index in range(place, len(self._stretches)):
            first, _ = self._ends(index, moment)
            period = self._periods[index]
            contact = first if moment <= first else first + -(-(moment - first) // period) * period
            if contact < self._stretches[index][1]:
                return contact
        return None

    def gaps(self, begin: int, end: int, least: int) -> Iterator[Stretch]:
        """From the last contact to the next one, wherever at least so much lies between them."""
        for place, (_, stop) in enumerate(self._stretches[:-1]):
            last = self._ends(place, stop)[1]
            if last is None or not begin <= last < end:
                continue
            following = self.next(stop)
            if following is not None and following - last >= least:
                yield last, following


def _merged(stretches: Iterable[Stretch]) -> list[Stretch]:
    """Sorted stretches with those put together that overlap or touch."""
    merged: list[Stretch] = []
    for start, stop in stretches:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    return merged


def without(stretches: Iterable[Stretch], cut: Sequence[Stretch]) -> list[Stretch]:
    """What is left of stretches after sorted cuts."""
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
    """The parts of sorted stretches between two moments."""
    starts = [start for start, _ in stretches]
    place = max(bisect_left(starts, begin) - 1, 0)
    clipped = []
    for start, stop in stretches[place:]:
        if start >= end:
            break
        if stop > begin:
            clipped.append((max(start, begin), min(stop, end)))
    return clipped
