"""Who did what: one row for every command, decision and write to the outside, each chained to the row before it."""

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

NO_HASH = ""
"""What the first row of a chain has before it."""


@dataclass(frozen=True)
class AuditRow:
    """`person` is a Slack id, or `bot` for what it does by itself; `outcome` a word: `done`, `denied`, `failed`.

    `name` is the person's at that time, `site` where the row belongs to one.
    """

    kind: Literal["command", "decision", "write"]
    person: str
    outcome: str
    text: str = ""
    name: str = ""
    site: str = ""
    channel: str = ""
    operation: str = ""
    rule: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))


@dataclass(frozen=True)
class AuditEntry:
    """A row in its place in the chain, counted from 1."""

    number: int
    row: AuditRow
    previous: str
    hash: str


@dataclass(frozen=True)
class AuditSelection:
    """Which rows somebody asks for; what is left out does not narrow it.

    `by` is a Slack id or a name in any case. `operation` selects what happened to it and commands that name it.
    """

    since: datetime | None = None
    by: str = ""
    sites: Collection[str] | None = None
    """Only rows that belong to these sites; None: all rows, also those that belong to none."""
    operation: str = ""


@dataclass(frozen=True)
class ChainBreak:
    """The first row at which a chain does not hold.

    `content`: the row is not as it was written. `link`: it does not follow the row before it. `end`: it should be there
    and is missing, or should not be there.
    """

    number: int
    reason: Literal["content", "link", "end"]


@dataclass(frozen=True)
class ChainEnd:
    """A row's number and hash; 0 and `NO_HASH` before the first row of all."""

    number: int = 0
    hash: str = NO_HASH


@dataclass(frozen=True)
class ChainReport:
    """What was read of a chain: how many rows behind `start`, the last one's number and hash, and where it breaks."""

    rows: int
    number: int
    hash: str
    broken: ChainBreak | None = None
    start: ChainEnd = ChainEnd()


@dataclass(frozen=True)
class ChainPart:
    """Rows at the beginning of a chain, as lines of an export: those behind `start` up to `end`, which is the last one.

    With `broken` the lines end before the row at which the chain does not hold.
    """

    start: ChainEnd
    end: ChainEnd
    lines: tuple[str, ...]
    broken: ChainBreak | None = None


def content(row: Mapping[str, Any]) -> str:
    """What a row's hash covers, `previous` included: one JSON object, its keys sorted, no spaces, ASCII only.

    `at` is a time, `facts` a JSON value.
    """
    at = row["at"].astimezone(UTC).isoformat(timespec="microseconds")
    return json.dumps({**row, "at": at}, sort_keys=True, separators=(",", ":"))


def hash_of(text: str) -> str:
    """The SHA-256 of a row's content, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def line(text: str, digest: str) -> str:
    """A row of an export: its content with the hash as the last member, so that anybody can take it off and compare."""
    return f'{text[:-1]},"hash":"{digest}"}}'


@dataclass(frozen=True)
class ExportedRow:
    """What a line of an export says of its place in the chain; `intact` when its hash is that of its content."""

    number: int
    previous: str
    hash: str
    intact: bool


def exported_row(text: str) -> ExportedRow:
    """Read a line of an export. Raises `ValueError` when it is no such line."""
    try:
        row = json.loads(text)
        number, previous, digest = int(row["number"]), str(row["previous"]), str(row["hash"])
    except (TypeError, KeyError) as error:
        raise ValueError("a line without number, previous and hash") from error
    without = text.removesuffix(f',"hash":"{digest}"}}')
    return ExportedRow(number, previous, digest, intact=hash_of(without + "}") == digest)
