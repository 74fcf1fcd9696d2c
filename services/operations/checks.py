"""Preflight checks: how one is declared, and what running them gives. Each kind of operation lists its own.

A check is a pure function of the site, the request and what was observed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Generic, TypeVar

from services.model.errors import DomainError, Foreign
from services.model.plan import Finding
from services.operations.answers import NOT_ASKED, Answer, Known
from services.policy.sites import Site

T = TypeVar("T")
R = TypeVar("R")
O = TypeVar("O")  # noqa: E741 - of `Observation`
Rule = Callable[[Site, R, O], Finding | None]
"""None: the check has nothing to say, because another one has said what matters."""

UNASKED = "unasked"
"""Code of a finding whose question could not be asked; `error`, `service`, `target`, `code`, `message` and `action` in
its facts say why."""


@dataclass(frozen=True)
class Check(Generic[R, O]):
    """One preflight question. Without an answer it blocks if the plan can't be made without (`essential`)."""

    id: str
    title: str
    essential: bool
    rule: Rule[R, O]


class _NoAnswerError(Exception):
    def __init__(self, error: DomainError) -> None:
        super().__init__()
        self.error = error


def check(name: str, *, title: str, essential: bool = False) -> Callable[[Rule[R, O]], Check[R, O]]:
    """Declare a check. Inside, `required` takes an answer apart; without one the check ends as `UNASKED`."""
    return lambda rule: Check(name, title, essential, rule)


def run(
    checks: Iterable[Check[R, O]], site: Site, request: R, observation: O, names: Mapping[str, object]
) -> tuple[Finding, ...]:
    """What the checks find, in their order. `names` of the site's things go into the facts, for sentences and lines."""
    findings = (_finding(check, site, request, observation) for check in checks)
    return tuple(replace(finding, facts={**names, **finding.facts}) for finding in findings if finding is not None)


def required(answer: Answer[T]) -> T:
    """The value of an answer; leaves the check when the question could not be asked."""
    if isinstance(answer, Known):
        return answer.value
    raise _NoAnswerError(answer.error)


def if_known(answer: Answer[T]) -> T | None:
    """The value of an answer, or None: for what another check reports already."""
    return answer.value if isinstance(answer, Known) else None


def ok(code: str, **facts: object) -> Finding:
    """As it should be."""
    return Finding("", "ok", code, facts)


def warning(code: str, **facts: object) -> Finding:
    """People should know before they approve."""
    return Finding("", "warning", code, facts)


def blocker(code: str, **facts: object) -> Finding:
    """Nothing can be done until it is fixed."""
    return Finding("", "blocker", code, facts)


def _finding(check: Check[R, O], site: Site, request: R, observation: O) -> Finding | None:
    try:
        finding = check.rule(site, request, observation)
    except _NoAnswerError as unanswered:
        return _unasked(check, unanswered.error)
    return replace(finding, check=check.id) if finding is not None else None


def _unasked(check: Check[R, O], error: DomainError) -> Finding | None:
    facts: dict[str, object] = {"error": type(error).__name__, "title": check.title}
    if isinstance(error, Foreign):
        if error.code == NOT_ASKED:
            return None
        facts |= {item.name: getattr(error, item.name) for item in fields(error)}
    return Finding(check.id, "blocker" if check.essential else "unknown", UNASKED, facts)
