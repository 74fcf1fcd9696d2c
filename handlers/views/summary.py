"""A summary as people see it: pages of one table each, and a file. Pure."""

import csv as csv_format
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from io import StringIO

from handlers.kit import blocks
from handlers.kit.blocks import TABLE_CHARACTERS, TABLE_ROWS, button
from handlers.kit.message import Block, Message
from handlers.kit.text import bold, date, duration
from handlers.views import health as words
from services.watching.health import last_contact
from services.watching.summaries import Row, Summary

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

    whole: Summary
    rows: tuple[tuple[str, ...], ...]
    part: int
    parts: int


def pages(summary: Summary) -> int:
    """How many pages it has; one table each, a cloud registry's rows or a part of them. At least 1."""
    return max(1, len(_pages(summary)))


def page(summary: Summary, number: int, *, turns: str, title: str = "", late: datetime | None = None) -> Message:
    """One page, counted from 1 (others are the nearest that exists).

    Args:
        summary: Whole.
        number: Which page.
        turns: The command of the paging buttons, to which ` --page N` is added, such as `summary show sm-1`.
        title: What is watched, such as `site berlin`.
        late: When it was due, for one that is posted late.
    """
    found = _pages(summary)
    number = min(max(number, 1), len(found) or 1)
    told = words.counts(summary.totals) or "no connected registries"
    name = f"Summary of {title}" if title else "Summary"
    shown = [blocks.section(f"{bold(name)}  ·  {told}")]
    if late:
        shown.append(
            blocks.context(f":alarm_clock:  This was due {date(late)} and comes late: it could not be posted then.")
        )
    if found:
        shown += _shown(found[number - 1], number, len(found))
    shown.append(blocks.context(f"As of {date(summary.at)}"))
    if len(found) > 1:
        shown.append(_turning(turns, number, len(found)))
    return Message(f"{name}: {told}", tuple(shown), visibility="channel")


def _shown(one: _Page, number: int, of: int) -> Iterator[Block]:
    acr = one.whole.rows[0].sighting.target.acr.rpartition("/")[2]
    some = f", part {one.part} of {one.parts}" if one.parts > 1 else ""
    where = f"  ·  page {number} of {of}" if of > 1 else ""
    yield blocks.section(f"{bold(acr)}{some}: {words.counts(one.whole.totals)}{where}")
    if failed := next((row for row in one.whole.rows if row.sighting.failed), None):
        why = words.why(failed.health.facts)
        yield blocks.context(f":grey_question:  It could not be asked: {why}. States are those that were seen last.")
    yield blocks.table(COLUMNS, one.rows, right=(4,))


def _turning(turns: str, number: int, of: int) -> Block:
    back = button("Previous page", runs=f"{turns} --page {number - 1}")
    on = button("Next page", runs=f"{turns} --page {number + 1}")
    return blocks.actions(back if number > 1 else None, on if number < of else None)


def _pages(summary: Summary) -> tuple[_Page, ...]:
    found: list[_Page] = []
    for whole in summary.by_acr():
        parts = tuple(_parts([_cells(row) for row in whole.rows]))
        found += [_Page(whole, part, at, len(parts)) for at, part in enumerate(parts, 1)]
    return tuple(found)


def _parts(rows: list[tuple[str, ...]]) -> Iterator[tuple[tuple[str, ...], ...]]:
    """As many rows at a time as Slack allows in one table."""
    part: list[tuple[str, ...]] = []
    heading = sum(map(len, COLUMNS))
    characters = heading
    for row in rows:
        more = sum(max(1, len(cell)) for cell in row)
        if part and (len(part) == TABLE_ROWS - 1 or characters + more > TABLE_CHARACTERS):
            yield tuple(part)
            part, characters = [], heading
        part.append(row)
        characters += more
    yield tuple(part)


def _cells(row: Row) -> tuple[str, ...]:
    sighting, current = row.sighting, row.health
    lag = duration(current.lag) if current.lag else ""
    synced = f"{sighting.last_sync:%Y-%m-%d %H:%M}" if sighting.last_sync else "never"
    return (
        sighting.target.name,
        words.word(current.state),
        words.connection(sighting),
        synced,
        lag,
        words.schedule(sighting),
        _changed(row),
    )


def _changed(row: Row) -> str:
    """What happened since the last summary."""
    if not row.changes:
        return ""
    first, last = row.changes[0], row.changes[-1]
    if len(row.changes) == 1:
        return f"{words.word(first.before)} → {words.word(last.after)}"
    return f"{len(row.changes)} changes, from {words.word(first.before)} to {words.word(last.after)}"


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
