"""Who did what: one row for every command, decision and write to the outside."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal


@dataclass(frozen=True)
class AuditRow:
    """`person` is a Slack id, or `bot` for what it does by itself; `outcome` a word: `done`, `denied`, `failed`."""

    kind: Literal["command", "decision", "write"]
    person: str
    outcome: str
    text: str = ""
    channel: str = ""
    operation: str = ""
    rule: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)
    at: datetime = field(default_factory=lambda: datetime.now(UTC))
