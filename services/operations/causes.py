"""Why an operation of any kind may fail: what the engine itself causes, and what an outside system answers.

Each kind has causes of its own beside these. A cause's word is stored with the failure, so it never changes.
"""

from dataclasses import fields
from enum import StrEnum, auto

from services.model.errors import (
    Absent,
    Conflict,
    DomainError,
    Failure,
    Foreign,
    NotAllowed,
    NotAuthenticated,
    Throttled,
    Unreachable,
)


class EngineCause(StrEnum):
    """Causes that every kind of operation has. `handlers.views.causes` has a sentence and a remedy for each."""

    STEP_TIMED_OUT = auto()
    INTERRUPTED = auto()
    DEFECT = auto()
    TIMED_OUT = auto()
    UNREACHABLE = auto()
    NOT_AUTHENTICATED = auto()
    NOT_ALLOWED = auto()
    THROTTLED = auto()
    ABSENT = auto()
    CONFLICT = auto()
    REFUSED = auto()
    CHILDREN_FAILED = auto()


class ImageCause(StrEnum):
    """Why an import fails by itself. `handlers.views.procedures.words` has a sentence and a remedy for each."""

    IMAGE_NOT_THERE = auto()
    IMAGE_DIFFERS = auto()
    NO_PASSWORD = auto()
    SOURCE_ABSENT = auto()
    SOURCE_CLOSED = auto()


_BY_CLASS: tuple[tuple[type[DomainError], EngineCause], ...] = (
    (NotAuthenticated, EngineCause.NOT_AUTHENTICATED),
    (NotAllowed, EngineCause.NOT_ALLOWED),
    (Throttled, EngineCause.THROTTLED),
    (Absent, EngineCause.ABSENT),
    (Conflict, EngineCause.CONFLICT),
)


def cause_of(error: DomainError) -> EngineCause:
    """The cause that an error's class alone tells."""
    if isinstance(error, Unreachable):
        return EngineCause.TIMED_OUT if error.code == "DeadlineExceeded" else EngineCause.UNREACHABLE
    return next((cause for kind, cause in _BY_CLASS if isinstance(error, kind)), EngineCause.REFUSED)


def facts_of(error: DomainError | None) -> dict[str, object]:
    """What an outside system's error says, for sentences: its fields, and its class as `error`; empty without one."""
    blank: dict[str, object] = {"service": "", "target": "", "code": "", "message": "", "action": "", "error": ""}
    if not isinstance(error, Foreign):
        return blank
    return blank | {item.name: getattr(error, item.name) for item in fields(error)} | {"error": type(error).__name__}


def failure_of(error: DomainError) -> Failure:
    """A step's error as its failure, for kinds that know nothing more of it."""
    if isinstance(error, Failure):
        return error
    return Failure(cause_of(error), facts_of(error), error.correlation_id if isinstance(error, Foreign) else "")


def defect(error: Exception) -> Failure:
    """A defect of ours, as a failure: the log has the trace, people get the error's class."""
    return Failure(EngineCause.DEFECT, {"error": type(error).__name__})
