"""How long rows are kept that nobody works with any more."""

from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path


@dataclass(frozen=True)
class Retention:
    """The spans begin when the row's subject ended: an operation, a delivery, a change of health, a workflow."""

    operations: timedelta = timedelta(days=400)
    deliveries: timedelta = timedelta(days=2)
    transitions: timedelta = timedelta(days=400)
    """Also of resolved incidents, which are made of them."""
    checkpoints: timedelta = timedelta(days=35)
    """As long as a finished workflow's id is stored, the same work can't be started again."""
    audit: timedelta | None = None
    """None keeps every row in the database."""
    archive: Path | None = None
    """Folder to which audit rows are exported before they leave the database; needed with `audit`."""
