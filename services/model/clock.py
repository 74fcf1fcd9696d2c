"""What time it is, as a value that is handed in: whoever compares moments reads this clock and no other."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Something that knows the time."""

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""


@dataclass(frozen=True)
class MachineClock:
    """The clock of the machine that the process runs on."""

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        return datetime.now(UTC)
