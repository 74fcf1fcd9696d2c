"""The part of Block Kit that our messages use, kept within Slack's limits (docs.slack.dev, Block Kit reference)."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from handlers.kit.language import t
from handlers.kit.message import Block
from handlers.kit.text import cut

Style = Literal["primary", "danger"]
TaskStatus = Literal["pending", "in_progress", "complete", "error"]

MESSAGE_TEXT = 4000
"""Characters: what chat.update takes, and what Slack advises for a post (docs.slack.dev, chat.postMessage)."""
MESSAGE_BLOCKS = 50
HOME_BLOCKS = 100
TABLE_ROWS = 100
TABLE_CHARACTERS = 10_000
PLAN_TASKS = 50
EMPTY_CELL = "–"  # noqa: RUF001 - a dash


def plain(text: str, limit: int) -> dict[str, Any]:
    """A plain_text object."""
    return {"type": "plain_text", "text": cut(text, limit), "emoji": True}


def mrkdwn(text: str, limit: int = 3000) -> dict[str, Any]:
    """A mrkdwn object; text from outside must have been through `text.escape`."""
    return {"type": "mrkdwn", "text": cut(text, limit)}


def header(text: str) -> Block:
    """A large title, without formatting."""
    return {"type": "header", "text": plain(text, 150)}


def section(text: str, *, accessory: Block | None = None) -> Block:
    """A paragraph."""
    return {"type": "section", "text": mrkdwn(text)} | ({"accessory": accessory} if accessory else {})


def fields(pairs: Iterable[tuple[str, str]]) -> Iterator[Block]:
    """Labelled values in two columns; empty values are left out. A section holds ten of them (Slack's limit)."""
    cells = [mrkdwn(f"*{label}*\n{value}", 2000) for label, value in pairs if value]
    for start in range(0, len(cells), 10):
        yield {"type": "section", "fields": cells[start : start + 10]}


def context(*texts: str) -> Block:
    """Small print, up to ten texts."""
    return {"type": "context", "elements": [mrkdwn(text) for text in texts if text][:10]}


def divider() -> Block:
    """A line."""
    return {"type": "divider"}


@dataclass(frozen=True)
class Confirm:
    """The question that Slack asks before a click counts. It only prevents slips; the door checks everything."""

    title: str
    text: str
    yes: str = "Yes"
    no: str = "No"
    style: Style | None = None


@dataclass(frozen=True)
class Button:
    """A button that runs a command; `runs` is the command's text."""

    label: str
    runs: str
    style: Style | None = None
    confirm: Confirm | None = None


def button(label: str, *, runs: str, style: Style | None = None, confirm: Confirm | None = None) -> Button:
    """A button that runs the command `runs`."""
    return Button(label, runs, style, confirm)


def actions(*buttons: Button | None, block_id: str = "") -> Block:
    """A row of buttons. None is left out, so that callers can list buttons with conditions.

    Action ids only have to differ within a message: two rows need different `block_id`s.
    """
    present = [entry for entry in buttons if entry][:25]
    prefix = f"{block_id}:" if block_id else ""
    elements = [_element(entry, f"run:{prefix}{index}") for index, entry in enumerate(present)]
    return {"type": "actions", "elements": elements} | ({"block_id": block_id} if block_id else {})


def accessory(source: Button, action: str = "accessory") -> Block:
    """A button beside a section's text. `action` makes its id unique within the message."""
    return _element(source, f"run:{action}")


def _element(source: Button, action_id: str) -> dict[str, Any]:
    if len(source.runs) > 2000:  # noqa: PLR2004 - Slack's limit for a button's value
        raise ValueError(f"a button's command has at most 2000 characters: {source.runs[:60]}…")
    element: dict[str, Any] = {
        "type": "button",
        "action_id": cut(action_id, 255),
        "text": plain(source.label, 75),
        "value": source.runs,
    }
    if source.style:
        element["style"] = source.style
    if question := source.confirm:
        element["confirm"] = {
            "title": plain(question.title, 100),
            "text": {"type": "plain_text", "text": cut(question.text, 300)},
            "confirm": plain(question.yes, 30),
            "deny": plain(question.no, 30),
        } | ({"style": question.style} if question.style else {})
    return element


def alert(text: str, level: Literal["default", "info", "warning", "error", "success"] = "default") -> Block:
    """A framed note; Slack allows it in modals only."""
    return {"type": "alert", "level": level, "text": mrkdwn(text, 200)}


# --- table ----------------------------------------------------------------------------------------------------------


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> Block:
    """A table of plain texts; columns in `right` are right-aligned. Slack allows one per message.

    `columns` are phrases, which are translated here. Where there are more rows than Slack takes in one table, the last
    one says how many are missing: long lists are split beforehand, by `pages_of_rows`.
    """
    fitting = list(next(iter(pages_of_rows(columns, rows)), ()))
    if len(fitting) < len(rows):
        # The note needs room of its own, in rows as in characters.
        fitting = list(pages_of_rows((*columns, " " * 100), rows, TABLE_ROWS - 2)[0])
        fitting.append((t("and {number} more", number=len(rows) - len(fitting)), *[""] * (len(columns) - 1)))
    settings = [{"align": "right"} if at in right else {"is_wrapped": True} for at in range(len(columns))]
    lines = (tuple(map(t, columns)), *fitting)
    return {
        "type": "table",
        "column_settings": settings,
        "rows": [[{"type": "raw_text", "text": cell or EMPTY_CELL} for cell in line] for line in lines],
    }


def pages_of_rows(
    columns: Sequence[str], rows: Iterable[Sequence[str]], most: int = TABLE_ROWS - 1
) -> tuple[tuple[Sequence[str], ...], ...]:
    """The rows in pages that each fit into one table under `columns`, at most `most` rows on each. None is left out."""
    heading = sum(map(len, columns))
    pages: list[list[Sequence[str]]] = []
    characters = heading
    for row in rows:
        length = sum(len(cell or EMPTY_CELL) for cell in row)
        if not pages or len(pages[-1]) >= most or characters + length > TABLE_CHARACTERS:
            pages.append([])
            characters = heading
        pages[-1].append(row)
        characters += length
    return tuple(map(tuple, pages))


def paged(
    head: str,
    columns: Sequence[str],
    pages: Sequence[Sequence[Sequence[str]]],
    number: int,
    *,
    turns: str,
    right: Sequence[int] = (),
) -> tuple[Block, ...]:
    """One of `pages` (of `pages_of_rows`, at least one) below its headline in mrkdwn, with buttons to turn.

    Args:
        head: Above the table.
        columns: Of the table.
        pages: All.
        number: Which one, from 1; beyond the ends it is the nearest.
        turns: The command of the buttons, to which ` --page N` is added.
        right: Columns that are set to the right.
    """
    number = min(max(number, 1), len(pages))
    where = t("  ·  page {number} of {last}", number=number, last=len(pages)) if len(pages) > 1 else ""
    parts = [section(f"{head}{where}"), table(columns, pages[number - 1], right=right)]
    back = button(t("Previous page"), runs=f"{turns} --page {number - 1}") if number > 1 else None
    on = button(t("Next page"), runs=f"{turns} --page {number + 1}") if number < len(pages) else None
    return (*parts, actions(back, on)) if back or on else tuple(parts)


# --- plan -----------------------------------------------------------------------------------------------------------


def task(
    task_id: str, title: str, status: TaskStatus, *, details: Block | None = None, output: Block | None = None
) -> Block:
    """One line of a plan block. `details` and `output` are rich texts."""
    card: dict[str, Any] = {"task_id": task_id, "title": cut(title, 256), "status": status}
    if details:
        card["details"] = details
    if output:
        card["output"] = output
    return card


def plan(title: str, tasks: Sequence[Block]) -> Block:
    """Steps with their states. Slack allows one plan per message."""
    return {"type": "plan", "title": cut(title, 256), "tasks": list(tasks)[:PLAN_TASKS]}


# --- rich text ------------------------------------------------------------------------------------------------------


def bit(text: str, *, bold: bool = False, italic: bool = False, code: bool = False, strike: bool = False) -> Block:
    """A piece of rich text, which needs no escaping."""
    style = {"bold": bold, "italic": italic, "code": code, "strike": strike}
    chosen: Mapping[str, bool] = {name: True for name, on in style.items() if on}
    return {"type": "text", "text": text} | ({"style": chosen} if chosen else {})


def person(person_id: str) -> Block:
    """A person, named by Slack, in rich text."""
    return {"type": "user", "user_id": person_id}


def link(url: str, text: str = "") -> Block:
    """A link in rich text."""
    return {"type": "link", "url": url} | ({"text": text} if text else {})


def line(*bits: Block | str) -> Block:
    """A paragraph of rich text."""
    elements = [bit(part) if isinstance(part, str) else part for part in bits if part]
    return {"type": "rich_text_section", "elements": elements}


def preformatted(text: str) -> Block:
    """Fixed-width text, such as a command line."""
    return {"type": "rich_text_preformatted", "elements": [bit(text)]}


def rich(*parts: Block | str) -> Block:
    """A rich text block of lines, lists and preformatted texts; a bare string is a line."""
    return {"type": "rich_text", "elements": [line(part) if isinstance(part, str) else part for part in parts if part]}
