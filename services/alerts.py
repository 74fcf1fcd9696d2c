"""Incidents: when one opens, develops, is hidden by a greater one, and is over. A pure reducer."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.watch import Health, Incident, Sighting

UNTIL_CHANGE = datetime.max  # with UTC below


@dataclass(frozen=True)
class Policy:
    """The rules' numbers."""

    confirm_offline: int = 1
    """Sightings in a row before an incident opens; a missed contact has its own grace."""
    confirm_unhealthy: int = 2
    confirm_acr: int = 2
    settle: timedelta = timedelta(minutes=10)
    """For how long a registry waits for its siblings on the same cluster, when nothing says that the cluster lives."""
    steady: timedelta = timedelta(minutes=15)
    """For how long it must be well before an incident is over; doubled by every flap, up to `steadiest`."""
    steadiest: timedelta = timedelta(hours=4)
    reopened: timedelta = timedelta(hours=6)
    """An incident within this time of the last one counts as a flap."""


@dataclass(frozen=True)
class Memo:
    """What is remembered of a subject beside its open incident. To be kept over restarts; small, and only of some."""

    subject: str
    odd_since: datetime | None = None
    """Time of the first of the bad sightings in a row that have not opened an incident yet."""
    odd_seen: datetime | None = None
    odd_count: int = 0
    excused: datetime | None = None
    """A greater incident told of it; it has until then to be heard of again."""
    closed: datetime | None = None
    flaps: int = 0


@dataclass(frozen=True)
class Decisions:
    """What is to be done. `memos` replace those that were given.

    A resolved incident with the fact `hidden_by` (an incident's id) is not over: a greater one tells of it from now on.
    """

    opened: tuple[Incident, ...] = ()
    changed: tuple[Incident, ...] = ()
    resolved: tuple[Incident, ...] = ()
    memos: Mapping[str, Memo] = field(default_factory=dict)


def subject(seen: Sighting) -> str:
    """An incident's subject for one connected registry: `acr/name`."""
    return f"{seen.target.acr}/{seen.target.name}"


def decide(
    open_incidents: Mapping[str, Incident],
    now_seen: Sequence[tuple[Sighting, Health]],
    acr_failures: Mapping[str, str],
    now: datetime,
    *,
    memos: Mapping[str, Memo] | None = None,
    gone: Collection[str] = (),
    policy: Policy = Policy(),  # noqa: B008 - frozen
) -> Decisions:
    """What becomes of incidents.

    Args:
        open_incidents: By subject.
        now_seen: The latest sighting of every registry that is known, with its health at `now`: of all of them, also of
            those that this cycle did not ask, so that a cluster's children can be counted. Order does not matter.
        acr_failures: Why a cloud registry could not be asked, by its ARM id in lower case.
        now: The moment.
        memos: The last decisions' memos.
        gone: Subjects that no longer exist.
        policy: The numbers.
    """
    raise NotImplementedError


def acknowledge(incident: Incident, by: str, at: datetime) -> Incident:
    """Somebody takes care of it (a Slack id); it holds until it gets worse."""
    raise NotImplementedError


def snooze(incident: Incident, choice: str, at: datetime, tz: str) -> Incident:
    """`choice` is `1h` (or any `45m`, `2h`, `1d`), `morning` (the next 08:00 in `tz`) or `change`. Raises `Invalid("until")`."""
    raise NotImplementedError


def worse(before: Incident, after: Incident) -> bool:
    """Whether it got worse, which ends acknowledgement and snooze and is told in its thread."""
    raise NotImplementedError


def is_quiet(incident: Incident, now: datetime) -> bool:
    """Whether it is snoozed."""
    raise NotImplementedError
