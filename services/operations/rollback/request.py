"""What a rollback is asked to take back, and all words for what it sees."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum, auto

from services.model.plan import PlannedStep
from services.operations.remove.request import RemoveOptions, RemoveRequest


class Reason(StrEnum):
    """Why something that an operation did is not taken back. Stored, so a word never changes."""

    SHARED = auto()
    DELETED = auto()
    PASSWORD = auto()
    ACTIVATION = auto()
    SYNC = auto()
    PARTS = auto()
    OF_ROLLBACK = auto()
    FORMER_UNKNOWN = auto()
    NO_FORMER_VALUE = auto()
    CERTIFICATE = auto()
    VERSION = auto()
    PASSWORD_LEFT = auto()
    SYNC_PASSWORD_LEFT = auto()
    CHANGED_SINCE = auto()
    RIGHTS_KEPT = auto()
    TOKEN_IN_USE = auto()
    SCOPE_MAP_IN_USE = auto()


class Code(StrEnum):
    """What else a finding of a rollback can be. `handlers.views.procedures.rollback` has the sentences."""

    UNCERTAIN = auto()
    IN_USE = auto()
    WORKLOAD_UNSEEN = auto()


@dataclass(frozen=True)
class RollbackOptions:
    """What the operation with this id has done, by its own steps in the order in which they ran.

    Of what is `uncertain` nobody knows whether the operation has made it. `reasons` say why other steps of it are
    not taken back, whatever is there now.
    """

    operation: str
    steps: tuple[PlannedStep, ...] = ()
    uncertain: tuple[str, ...] = ()
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True)
class RollbackRequest:
    """What an operation on a connected registry has done and is taken back."""

    name: str
    options: RollbackOptions

    @property
    def removal(self) -> RemoveRequest:
        """The removal of the connected registry: a rollback does a part of it. Client tokens count by themselves."""
        return RemoveRequest(self.name, RemoveOptions(keep_client_tokens=True))

    def has_created(self, kinds: Iterable[str]) -> bool:
        """Whether a step of these kinds has created something."""
        return any(step.kind in kinds and step.effect == "create" for step in self.options.steps)

    def step(self, kind: str) -> PlannedStep | None:
        """The last step of this kind."""
        return next((step for step in reversed(self.options.steps) if step.kind == kind), None)
