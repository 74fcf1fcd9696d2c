"""A summary as people see it: pages of one table each, and a file. Pure."""

import csv as csv_format
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from io import StringIO

from handlers.kit import blocks
from handlers.kit.blocks import button
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, date, duration, escape, listed
from handlers.views import health as words
from handlers.views import watches
from services.model.watch import Watch
from services.watching.health import last_contact
from services.watching.summaries import Report, Row, Summary

COLUMNS = ("Name", "Health", "State", "Last sync (UTC)", "Lag", "Schedule (UTC)", "Changed")
_CSV = (
    "cloud_registry",
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
    "changes",
)


@dataclass(frozen=True)
class _Page:
    """A cloud registry's rows, or some of them."""

    acr: Summary
    rows: tuple[Sequence[str], ...]
    part: int
    parts: int


def of_watch(
    watch: Watch, report: Report, page_number: int = 1, *, mine: bool = False, late: datetime | None = None
) -> Message:
    """A page of a watch's summary: the channel's, or one reader's own (`mine`), who turns pages privately."""
    turns = f"summary show {watch.id}" + (" --turn" if mine else "")
    message = page(report.summary, page_number, turns=turns, title=watches.subject(watch), late=late)
    if not report.unread:
        return message
    names = listed(map(bold, report.unread))
    note = f":grey_question:  {names} could not be read, so nothing is known about the connected registries there."
    return replace(message, blocks=(*message.blocks, blocks.context(note)))


def pages(summary: Summary) -> int:
    """How many pages it has; one table each, a cloud registry's rows or a part of them. At least 1."""
    return max(1, len(_pages(summary)))


def page(summary: Summary, number: int, *, turns: str, title: str = "", late: datetime | None = None) -> Message:
    """One page, counted from 1 (numbers beyond the ends give the nearest page).

    Args:
        summary: Whole.
        number: Which page.
        turns: The command of the paging buttons, to which ` --page N` is added, such as `summary show sm-1`.
        title: What is watched, such as `site berlin`.
        late: When it was due, for one that is posted late.
    """
    all_pages = _pages(summary)
    number = min(max(number, 1), len(all_pages) or 1)
    totals = words.counts(summary.totals) or "no connected registries"
    name = f"Summary of {title}" if title else "Summary"
    sections = [blocks.section(f"{bold(name)}  ·  {totals}")]
    if late:
        sections.append(blocks.context(f":alarm_clock:  Due {date(late)} and posted late."))
    if all_pages:
        sections += _table(all_pages[number - 1], number, len(all_pages))
    sections.append(blocks.context(f"As of {date(summary.at)}"))
    if len(all_pages) > 1:
        back = button("Previous page", runs=f"{turns} --page {number - 1}")
        on = button("Next page", runs=f"{turns} --page {number + 1}")
        sections.append(blocks.actions(back if number > 1 else None, on if number < len(all_pages) else None))
    return Message(escape(f"{name}: {totals}"), tuple(sections), visibility="channel")


def _table(shown_page: _Page, number: int, of: int) -> Iterator[Block]:
    acr = shown_page.acr.rows[0].sighting.target.acr.rpartition("/")[2]
    part = f", part {shown_page.part} of {shown_page.parts}" if shown_page.parts > 1 else ""
    where = f"  ·  page {number} of {of}" if of > 1 else ""
    yield blocks.section(f"{bold(acr)}{part}: {words.counts(shown_page.acr.totals)}{where}")
    if failed := next((row for row in shown_page.acr.rows if row.sighting.failed), None):
        why = words.why(failed.health.facts)
        yield blocks.context(f":grey_question:  It could not be read: {why}. The states are the last ones known.")
    yield blocks.table(COLUMNS, shown_page.rows, right=(4,))


def _pages(summary: Summary) -> tuple[_Page, ...]:
    """As many rows on each as Slack allows in one table."""
    all_pages: list[_Page] = []
    for acr in summary.by_acr():
        parts = blocks.pages_of_rows(COLUMNS, map(_cells, acr.rows))
        all_pages += [_Page(acr, part, at, len(parts)) for at, part in enumerate(parts, 1)]
    return tuple(all_pages)


def _cells(row: Row) -> tuple[str, ...]:
    sighting, current = row.sighting, row.health
    changed = ""
    if row.changes:
        first, last = words.word(row.changes[0].before), words.word(row.changes[-1].after)
        change_count = f"{len(row.changes)} changes, from {first} to {last}"
        changed = f"{first} → {last}" if len(row.changes) == 1 else change_count
    return (
        sighting.target.name,
        words.word(current.state),
        words.connection(sighting),
        f"{sighting.last_sync:%Y-%m-%d %H:%M}" if sighting.last_sync else "never",
        duration(current.lag) if current.lag else "",
        words.schedule(sighting),
        changed,
    )


# --- file -----------------------------------------------------------------------------------------------------------


def csv(summary: Summary) -> str:
    """All rows as CSV (RFC 4180, times in ISO 8601 UTC, durations in seconds)."""
    text = StringIO(newline="")
    writer = csv_format.writer(text)
    writer.writerow(_CSV)
    for row in summary.rows:
        writer.writerow(map(_harmless, _record(row)))
    return text.getvalue()


def _record(row: Row) -> tuple[str, ...]:
    sighting, current = row.sighting, row.health
    contact = last_contact(sighting)
    return (
        sighting.target.acr.rpartition("/")[2],
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
        "; ".join(f"{one.at.isoformat()} {one.before} to {one.after}" for one in row.changes),
    )


def _harmless(cell: str) -> str:
    """A spreadsheet would run a text that begins like a formula."""
    return f"'{cell}" if cell[:1] in {"=", "+", "-", "@", "\t", "\r"} else cell
