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
    """What the checks find, in their order. `names` of the site's things go into the facts, for sentences and lines.

    What keeps several questions from an answer is one finding, at the place of the first and as grave as the gravest:
    `titles` in its facts are those of all checks that it affects.
    """
    findings: dict[object, Finding] = {}
    for each in checks:
        finding = _finding(each, site, request, observation)
        if finding is None:
            continue
        key = _obstacle(finding)
        findings[key] = _joined(findings[key], finding) if key in findings else finding
    return tuple(replace(finding, facts={**names, **finding.facts}) for finding in findings.values())


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


_BY_CODE_ALONE = frozenset({"NotAuthenticated", "SubscriptionUnknown", "Unreachable", "Unreadable", "Throttled"})
"""Errors that say the same of everything in one system; their texts may differ by ids and times."""


def _obstacle(finding: Finding) -> object:
    """What keeps a question from an answer, alike for all questions that it keeps from one."""
    facts = finding.facts
    if finding.code != UNASKED:
        return finding.check
    error = str(facts["error"])
    obstacle = (facts.get("service"), error, facts.get("code"))
    if error in _BY_CODE_ALONE:
        return obstacle
    if error == "ResourceGroupUnknown":
        return *obstacle, "/".join(str(facts.get("target")).lower().split("/")[:5])
    if error == "VersionNotOffered":
        return *obstacle, facts.get("resource_type")
    return *obstacle, facts.get("action"), facts.get("scope"), facts.get("message")


def _joined(first: Finding, other: Finding) -> Finding:
    titles = (*_titles(first), *_titles(other))
    level = "blocker" if "blocker" in (first.level, other.level) else first.level
    return replace(first, level=level, facts={**first.facts, "titles": titles})


def _titles(finding: Finding) -> tuple[object, ...]:
    titles = finding.facts["titles"]
    return titles if isinstance(titles, tuple) else ()


def _finding(check: Check[R, O], site: Site, request: R, observation: O) -> Finding | None:
    try:
        finding = check.rule(site, request, observation)
    except _NoAnswerError as unanswered:
        return _unasked(check, unanswered.error)
    return replace(finding, check=check.id) if finding is not None else None


def _unasked(check: Check[R, O], error: DomainError) -> Finding | None:
    facts: dict[str, object] = {"error": type(error).__name__, "titles": (check.title,)}
    if isinstance(error, Foreign):
        if error.code == NOT_ASKED:
            return None
        facts |= {item.name: getattr(error, item.name) for item in fields(error)}
    return Finding(check.id, "blocker" if check.essential else "unknown", UNASKED, facts)
