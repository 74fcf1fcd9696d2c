"""A summary as people see it: what is not well for the channel, all rows in pages for a reader, and a file. Pure."""

import csv as csv_format
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from io import StringIO

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.language import phrase, t
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, date, duration, escape, labelled, listed
from handlers.views import health as words
from handlers.views import watches
from services.model.watch import Watch
from services.watching.health import last_contact
from services.watching.summaries import Report, Row, Summary

COLUMNS = (
    phrase("Name"),
    phrase("Health"),
    phrase("Site"),
    phrase("Last sync"),
    phrase("Lag"),
    phrase("Changed"),
    phrase("State"),
    phrase("Schedule (UTC)"),
)
SEVERAL = (*COLUMNS, phrase("Cloud registry"))
"""Where rows are of more than one."""
MOST = 25
"""Rows in a channel's summary; the reader gets all of them on pages."""
MOST_UNREAD = 5
"""Cloud registries that could not be read, of which a summary says why."""
_CSV = (
    "cloud_registry",
    "site",
    "name",
    "health",
    "reason",
    "connection_state",
    "activation",
    "last_sync",
    "last_contact",
    "lag_seconds",
    "next_contact",
    "lost_from",
    "schedule",
    "window_seconds",
    "cluster",
    "disk_full_in_days",
    "changes",
)


def of_watch(
    watch: Watch, report: Report, page_number: int = 1, *, mine: bool = False, late: datetime | None = None
) -> Message:
    """A watch's summary: the channel's, without what is as expected; or all of it for one reader (`mine`), in pages."""
    title, show_all = watches.subject(watch), f"summary show {watch.id}"
    if mine:
        message = page(report.summary, page_number, turns=f"{show_all} --turn", title=title)
    else:
        message = folded(report.summary, title=title, show_all=show_all, late=late)
    if not report.unread:
        return message
    names = listed(map(bold, report.unread))
    note = t(
        ":grey_question:  {names} could not be read, so nothing is known about the connected registries there.",
        names=names,
    )
    return replace(message, blocks=(*message.blocks, blocks.context(note)))


def folded(summary: Summary, *, title: str, show_all: str, late: datetime | None = None) -> Message:
    """What is not well or has changed, worst first; everything that is as expected in one line.

    Args:
        summary: Whole.
        title: What is watched, such as `site berlin`.
        show_all: The command of the button that shows every row.
        late: When it was due, for one that is posted late.
    """
    parts = [*_head(summary, title, late), *_unread(summary)]
    rows = summary.notable
    columns, cells = _table(rows[:MOST])
    if rows:
        parts.append(blocks.table(columns, cells, right=(4,)))
    left_out = len(rows) - MOST
    expected = words.counts(summary.expected)
    parts.append(
        blocks.context(
            t("and {left_out} more that are not well or have changed", left_out=left_out) if left_out > 0 else "",
            t("As expected: {expected}", expected=expected) if expected else "",
            t("As of {at}", at=date(summary.at)),
        )
    )
    if left_out > 0 or expected:
        parts.append(blocks.actions(button(t("Show all"), runs=show_all)))
    return Message(_text(summary, title), tuple(parts), visibility="channel")


def pages(summary: Summary) -> int:
    """How many pages it has. At least 1."""
    return max(1, len(blocks.pages_of_rows(*_table(summary.rows))))


def page(summary: Summary, number: int, *, turns: str, title: str = "") -> Message:
    """One page of all rows, counted from 1 (numbers beyond the ends give the nearest page).

    Args:
        summary: Whole.
        number: Which page.
        turns: The command of the paging buttons, to which ` --page N` is added, such as `summary show sm-1`.
        title: What is watched, such as `site berlin`.
    """
    columns, cells = _table(summary.rows)
    all_pages = blocks.pages_of_rows(columns, cells)
    foot = blocks.context(t("As of {at}", at=date(summary.at)))
    if not all_pages:
        return Message(_text(summary, title), (*_head(summary, title), foot))
    head = f"{bold(_name(title))}  ·  {_totals(summary)}"
    table = blocks.paged(head, columns, all_pages, number, turns=turns, right=(4,))
    return Message(_text(summary, title), (*table, *_unread(summary), foot))


def _name(title: str) -> str:
    return t("Summary of {title}", title=title) if title else t("Summary")


def _totals(summary: Summary) -> str:
    return words.counts(summary.totals) or t("no connected registries")


def _text(summary: Summary, title: str) -> str:
    return escape(labelled(_name(title), _totals(summary)))


def _head(summary: Summary, title: str, late: datetime | None = None) -> Iterator[Block]:
    yield blocks.section(f"{bold(_name(title))}  ·  {_totals(summary)}")
    if late:
        yield blocks.context(t(":alarm_clock:  Due {late} and posted late.", late=date(late)))


def _unread(summary: Summary) -> Iterator[Block]:
    """Which cloud registries could not be read, and why: their rows hold the last states known."""
    reasons: dict[str, str] = {}
    for row in summary.rows:
        if row.sighting.failed:
            reasons.setdefault(row.sighting.target.acr, words.why(row.health.facts))
    for acr, reason in list(reasons.items())[:MOST_UNREAD]:
        name = bold(acr.rpartition("/")[2])
        yield blocks.context(
            t(
                ":grey_question:  {name} could not be read: {reason}. The states are the last ones known.",
                name=name,
                reason=reason,
            )
        )
    if len(reasons) > MOST_UNREAD:
        yield blocks.context(
            t(":grey_question:  {number} more cloud registries could not be read.", number=len(reasons) - MOST_UNREAD)
        )


def _table(rows: Sequence[Row]) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Columns and cells."""
    acrs = {row.sighting.target.acr for row in rows}
    if len(acrs) < 2:  # noqa: PLR2004 - several
        return COLUMNS, list(map(_cells, rows))
    return SEVERAL, [(*_cells(row), row.sighting.target.acr.rpartition("/")[2]) for row in rows]


def _cells(row: Row) -> tuple[str, ...]:
    sighting, current = row.sighting, row.health
    changed = ""
    if row.changes:
        first, last = words.word(row.changes[0].before), words.word(row.changes[-1].after)
        change_count = t("{number} changes, from {first} to {last}", number=len(row.changes), first=first, last=last)
        changed = f"{first} → {last}" if len(row.changes) == 1 else change_count
    return (
        sighting.target.name,
        words.word(current.state),
        row.site,
        t("{at} ago", at=duration(sighting.at - sighting.last_sync)) if sighting.last_sync else t("never"),
        duration(current.lag) if current.lag else "",
        changed,
        ", ".join(filter(None, (words.connection(sighting), words.disk(current)))),
        words.schedule(sighting),
    )


# --- file -----------------------------------------------------------------------------------------------------------


_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv(summary: Summary) -> str:
    """All rows as CSV (RFC 4180, times in ISO 8601 UTC, durations in seconds)."""
    text = StringIO(newline="")
    writer = csv_format.writer(text)
    writer.writerow(_CSV)
    for row in summary.rows:
        # A spreadsheet would run a text that begins like a formula.
        writer.writerow(f"'{cell}" if cell.startswith(_FORMULA) else cell for cell in _record(row))
    return text.getvalue()


def _record(row: Row) -> tuple[str, ...]:
    sighting, current = row.sighting, row.health
    contact = last_contact(sighting)
    return (
        sighting.target.acr.rpartition("/")[2],
        row.site,
        sighting.target.name,
        current.state,
        current.reason,
        sighting.connection_state,
        sighting.activation,
        sighting.last_sync.isoformat() if sighting.last_sync else "",
        contact.isoformat() if contact else "",
        f"{current.lag.total_seconds():.0f}" if current.lag is not None else "",
        current.next_contact.isoformat() if current.next_contact else "",
        current.lost_from.isoformat() if current.lost_from else "",
        sighting.schedule,
        f"{sighting.window.total_seconds():.0f}" if sighting.window else "",
        sighting.cluster.rpartition("/")[2],
        f"{current.disk_full_in:.1f}" if current.disk_full_in is not None else "",
        "; ".join(
            t("{isoformat} {before} to {after}", isoformat=one.at.isoformat(), before=one.before, after=one.after)
            for one in row.changes
        ),
    )
