"""One poll of a cloud registry: what was stored before, what it read, and what it changes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from services.model.health import HealthReason, HealthState, Sighting, Target, Transition
from services.model.incident import Incident, Memo


@dataclass(frozen=True)
class Poll:
    """How the last polls of a cloud registry went.

    `failing` is when the current row of failures began, `error` the kind of the last one.
    """

    acr: str
    due: datetime
    succeeded: datetime | None = None
    failing: datetime | None = None
    failures: int = 0
    error: str = ""


@dataclass(frozen=True)
class LastSighting:
    """The last sighting of a connected registry, its health then and since when, and whether it ever was active."""

    sighting: Sighting
    state: HealthState
    reason: HealthReason
    since: datetime
    activated: bool


@dataclass(frozen=True)
class StoredState:
    """What is stored about a cloud registry before a poll is applied; `memos` by an incident's subject."""

    poll: Poll
    sightings: Mapping[Target, LastSighting]
    open_incidents: tuple[Incident, ...]
    memos: Mapping[str, Memo] = field(default_factory=dict)


@dataclass(frozen=True)
class PollResult:
    """What a poll changes in what is stored.

    `sightings` holds those that differ from what is stored; `removed` are connected registries that are no longer
    listed. `memos` replace those that are stored; None leaves them as they are.
    """

    poll: Poll
    sightings: tuple[LastSighting, ...] = ()
    removed: tuple[Target, ...] = ()
    transitions: tuple[Transition, ...] = ()
    opened: tuple[Incident, ...] = ()
    changed: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    memos: Mapping[str, Memo] | None = None

    @property
    def incident_ids(self) -> tuple[str, ...]:
        """Ids of the incidents that it writes."""
        return tuple(incident.id for incident in (*self.opened, *self.changed, *self.resolved))
