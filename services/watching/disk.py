"""When the disk of a connected registry is full, by what polls have seen of it. Pure.

The service shows free and total room with the runtime's status details since 2026-09-01-preview, and it is not known
whether it does while nothing is wrong. So few samples are kept of those that come, and nothing is said without them.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from itertools import combinations
from statistics import median

from services.model.azure import StatusDetail
from services.model.health import DiskSample

APART = timedelta(hours=12)
"""Between two samples: a disk fills over days."""
MOST = 14
"""Samples of a connected registry: a week."""
FEWEST, SPAN = 3, timedelta(days=1)
"""Samples, and the time between the first and the last of them, below which they say nothing about a trend."""
STALE = timedelta(days=2)
"""After which the last sample says nothing about now."""
NEAR = 7.0
"""Days before the end at which somebody should know of it."""
FARTHEST = 90.0
"""Days: nobody can say what is in a year by what was in a week."""
_DAY = timedelta(days=1)


def remembered(samples: Sequence[DiskSample], details: Iterable[StatusDetail], at: datetime) -> tuple[DiskSample, ...]:
    """The samples with what these details say `at` that moment, oldest first.

    A disk of another size is another disk, of which nothing is known yet.
    """
    sample = next((sample for detail in details if (sample := _sample(detail, at))), None)
    if sample is None or (samples and at - samples[-1].at < APART):
        return tuple(samples)
    former = [former for former in samples if former.total_gib == sample.total_gib]
    return (*former, sample)[-MOST:]


def days_left(samples: Sequence[DiskSample], now: datetime) -> float | None:
    """In how many days the disk is full if it goes on as in these samples; None where that can't be said.

    The trend is the median of those between any two of them, so that garbage collection in between, or one large image,
    does not decide it.
    """
    if len(samples) < FEWEST or samples[-1].at - samples[0].at < SPAN or now - samples[-1].at > STALE:
        return None
    daily = median(
        (later.available_gib - earlier.available_gib) / ((later.at - earlier.at) / _DAY)
        for earlier, later in combinations(samples, 2)
    )
    last = samples[-1]
    if daily >= 0:
        return None
    days = max(last.available_gib / -daily - (now - last.at) / _DAY, 0.0)
    return days if days <= FARTHEST else None


def _sample(detail: StatusDetail, at: datetime) -> DiskSample | None:
    """None where the detail says nothing of a disk, or numbers that can't be."""
    available, total = detail.available_gib, detail.total_gib
    if not detail.is_of_disk or available is None or total is None or not 0 <= available <= total or total <= 0:
        return None
    return DiskSample(at, available, total)
