"""One operation's life as a value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, TypeVar

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
T = TypeVar("T")


@dataclass(frozen=True)
class StepRun:
    """How far one step of the plan has come.

    `output` is a value of the step's own class with what later steps and people need of it, never a secret; None where
    there is nothing to hand on.
    """

    index: int
    state: StepState = "pending"
    started: datetime | None = None
    finished: datetime | None = None
    correlation_id: str = ""
    output: object = None


@dataclass(frozen=True)
class StillUnderWay:
    """Output of a step that was waited for long enough: what it began goes on by itself."""


@dataclass(frozen=True)
class Note:
    """In the place of a step's output while it is under way, for people to read."""


@dataclass(frozen=True)
class Paused(Note):
    """The step waits: the other system wants no request before `until`."""

    service: str
    until: datetime


@dataclass(frozen=True)
class Decision:
    """What somebody decided: an approver about a round of asking, or whoever ran a failed operation again.

    The `round` of a retry is the negative number of the attempt that it began, since it answers no request.
    """

    round: int
    person: str
    name: str
    verdict: Literal["approve", "reject", "retry"]
    at: datetime
    reason: str = ""


@dataclass(frozen=True)
class ApprovalRequest:
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
class PasswordLeft:
    """A password that a step has made in a token's `slot`, and of which nobody knows whether something works with it.

    `slot` is empty where Azure could not be asked; `line` is the command that ends it, or shows the token's passwords.
    """

    token: str
    slot: str
    line: str


@dataclass(frozen=True)
class Outcome:
    """Why an operation stopped before its end. `error` is a `DomainError`, `step` the plan's index."""

    error: Exception | None = None
    step: int | None = None
    by: str = ""
    reason: str = ""
    remains: bool | None = None
    """Whether what the last step was to create is there and its own; None where nobody could look."""
    password: PasswordLeft | None = None
    """What the last step has left in a token."""


@dataclass(frozen=True)
class Related:
    """Another operation, as far as its name and state."""

    id: str
    kind: str
    target: str
    site: str
    state: State


@dataclass(frozen=True)
class Operation:
    """A durable piece of work that changes the world."""

    id: str
    kind: str
    target: str
    site: str
    environment: str
    locks: tuple[str, ...]
    """Names of what no other operation may change while it runs: ARM ids, lower case."""
    requester: str
    requester_name: str
    place: Place
    options: object
    """What was asked for, a value of the kind's own class; a mapping in rows of older versions."""
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
    approval_request: ApprovalRequest | None = None
    decisions: tuple[Decision, ...] = ()
    steps: tuple[StepRun, ...] = ()
    outcome: Outcome | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    cancelling: str = ""
    """Who asked for the stop that is under way."""
    parent: str = ""
    """Id of the operation that this one is a part of."""
    waits_for: tuple["Related", ...] = ()
    """Operations that lock something which this one needs and come before it."""
    children: tuple["Related", ...] = ()
    """Its parts, in the order in which they were started."""
    revision: int = 0

    @property
    def live(self) -> bool:
        """Whether something may still happen by itself or by a decision."""
        return self.state in LIVE

    @property
    def shown_by_parent(self) -> bool:
        """Whether people follow it on its parent's card: it has one of its own only if it asks them something."""
        return bool(self.parent) and self.approval_request is None

    @property
    def planned(self) -> tuple[PlannedStep, ...]:
        """The plan's steps; none while it is being made."""
        return self.plan.steps if self.plan else ()

    @property
    def is_idle(self) -> bool:
        """Whether none of the plan's steps has anything to do."""
        return not any(step.runs for step in self.planned)

    def output(self, kind: type[T]) -> T | None:
        """The output of this class that a completed step left; the last one's where several did."""
        outputs = [run.output for run in self.steps if run.state == "complete" and isinstance(run.output, kind)]
        return outputs[-1] if outputs else None

    def has_done(self, step: str) -> bool:
        """Whether a step of this kind is complete."""
        return any(run.state == "complete" and self.planned[run.index].kind == step for run in self.steps)

    @property
    def approvals(self) -> tuple[Decision, ...]:
        """The approvals of the present plan."""
        return tuple(entry for entry in self.decisions if entry.round == self.round and entry.verdict == "approve")


EventKind = Literal["asked", "reminded", "step", "approved", "withdrawn", "retried", "failed", "ended"]


@dataclass(frozen=True)
class Event:
    """Something that the operation's thread is told, once."""

    id: int
    operation: str
    kind: EventKind
    at: datetime
    step: int | None = None
    facts: Mapping[str, object] = field(default_factory=dict)
