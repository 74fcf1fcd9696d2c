"""A summary as people see it: pages of one table each, and a file. Pure."""

from datetime import datetime

from handlers.kit.message import Message
from services.summaries import Summary


def pages(summary: Summary) -> int:
    """How many pages it has; one table each, a cloud registry's rows or a part of them. At least 1."""
    raise NotImplementedError


def page(summary: Summary, number: int, *, turns: str, title: str = "", late: datetime | None = None) -> Message:
    """One page, counted from 1 (others are the nearest that exists).

    Args:
        summary: Whole.
        number: Which page.
        turns: The command of the paging buttons, to which ` --page N` is added, such as `summary show sm-1`.
        title: What is watched, such as `site berlin`.
        late: When it was due, for one that is posted late.
    """
    raise NotImplementedError


def csv(summary: Summary) -> str:
    """All rows as CSV (RFC 4180, times in ISO 8601 UTC, durations in seconds)."""
    raise NotImplementedError
