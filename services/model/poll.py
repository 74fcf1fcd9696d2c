"""One poll of a cloud registry: what was stored before, what it read, and what it changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.model.health import HealthState, Sighting, Target, Transition
from services.model.incident import Incident, Memo


@dataclass(frozen=True)
class Poll:
    """How asking a cloud registry went lately. `failing` is since when in a row; `error` the last one's kind."""

    acr: str
    due: datetime
    succeeded: datetime | None = None
    failing: datetime | None = None
    failures: int = 0
    error: str = ""


@dataclass(frozen=True)
class Seen:
    """The last sighting of a connected registry, its health then and since when, and whether it ever was active."""

    sighting: Sighting
    state: HealthState
    reason: str
    since: datetime
    activated: bool


@dataclass(frozen=True)
class Known:
    """What is stored about a cloud registry before a poll is judged."""

    poll: Poll
    seen: Mapping[Target, Seen]
    open: tuple[Incident, ...]
    memos: Mapping[str, Memo] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a poll changes. `seen` holds the changed ones only; `gone` are no longer listed."""

    poll: Poll
    seen: tuple[Seen, ...] = ()
    gone: tuple[Target, ...] = ()
    transitions: tuple[Transition, ...] = ()
    opened: tuple[Incident, ...] = ()
    changed: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    memos: Mapping[str, Memo] | None = None
    """In place of those that were known; None: as they were."""

    @property
    def told(self) -> tuple[str, ...]:
        """Ids of the incidents that it writes."""
        return tuple(one.id for one in (*self.opened, *self.changed, *self.resolved))
