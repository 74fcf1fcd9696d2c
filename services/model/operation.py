"""One operation's life as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.model.people import Place
from services.model.plan import Plan, PlannedStep

State = Literal[
    "planning",  # reading the world
    "blocked",  # something stands in the way; nothing was written
    "previewed",  # a dry run: plan and checks were shown, nothing was written
    "waiting",  # for approval
    "queued",  # approved; another operation may be running at the site
    "running",
    "succeeded",
    "failed",  # stopped at a step; can be retried
    "cancelled",
    "rejected",
    "expired",  # nobody decided in time
]
ENDED: frozenset[State] = frozenset({"blocked", "previewed", "succeeded", "failed", "cancelled", "rejected", "expired"})
LIVE: frozenset[State] = frozenset({"planning", "waiting", "queued", "running"})

StepState = Literal["pending", "running", "complete", "error"]


@dataclass(frozen=True)
class StepRun:
    """How far one step of the plan has come. `output` holds what later steps and people need of it, never a secret."""

    index: int
    state: StepState = "pending"
    started: datetime | None = None
    finished: datetime | None = None
    correlation_id: str = ""
    output: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Decision:
    """What one approver said, about which round of asking."""

    round: int
    person: str
    name: str
    verdict: Literal["approve", "reject"]
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class Asked:
    """The approval rule (`Approval`) as it stood when the request was made, and the request's end."""

    rule: str
    approvers: tuple[str, ...]
    count: int
    self_approval: bool
    expires: datetime
    remind: datetime | None = None
    mentions: tuple[str, ...] = ()
    """Slack ids of the people and user groups that may approve, as far as the policy names ids."""


@dataclass(frozen=True)
class Ended:
    """Why an operation stopped before its end. `error` is a `DomainError`, `step` the plan's index."""

    error: Exception | None = None
    step: int | None = None
    by: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Operation:
    """A durable piece of work that changes the world."""

    id: str
    kind: str
    target: str
    site: str
    environment: str
    cluster: str
    """ARM id of the cluster, lower case: what is locked while it runs."""
    requester: str
    requester_name: str
    place: Place
    params: Mapping[str, object]
    state: State
    created: datetime
    dry_run: bool = False
    plan: Plan | None = None
    approved: Plan | None = None
    """The plan of the round before, when the world had changed after its approval."""
    round: int = 1
    """Grows when a changed plan has to be approved again."""
    attempt: int = 0
    """Grows with each run: the first one and each retry."""
    asked: Asked | None = None
    decisions: tuple[Decision, ...] = ()
    steps: tuple[StepRun, ...] = ()
    ended: Ended | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancelling: str = ""
    """Who asked for the stop that is under way."""
    behind: str = ""
    """Id of the operation at the same cluster that this one waits for."""
    revision: int = 0

    @property
    def live(self) -> bool:
        """Whether something may still happen by itself or by a decision."""
        return self.state in LIVE

    @property
    def planned(self) -> tuple[PlannedStep, ...]:
        """The plan's steps; none while it is being made."""
        return self.plan.steps if self.plan else ()

    @property
    def results(self) -> dict[str, object]:
        """Outputs of all completed steps, later ones first to tell."""
        told: dict[str, object] = {}
        for step in self.steps:
            if step.state == "complete":
                told.update(step.output)
        return told

    @property
    def approvals(self) -> tuple[Decision, ...]:
        """Who has approved the plan as it stands."""
        return tuple(one for one in self.decisions if one.round == self.round and one.verdict == "approve")


EventKind = Literal["asked", "reminded", "step", "approved", "failed", "ended"]


@dataclass(frozen=True)
class Event:
    """Something that the operation's thread is told, once."""

    id: int
    operation: str
    kind: EventKind
    at: datetime
    step: int | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
