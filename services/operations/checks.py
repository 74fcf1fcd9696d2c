"""Preflight checks: how one is declared, and what running them gives. Each kind of operation lists its own.

A check is a pure function of the site, the request and what was observed.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Generic, TypeVar

from services.model.errors import DomainError, Foreign, NoAccess
from services.model.plan import Finding
from services.operations.answers import Answer, Known, NotAsked, Unknown
from services.policy.sites import Site

T = TypeVar("T")
R = TypeVar("R")
O = TypeVar("O")  # noqa: E741 - of `Observation`
Rule = Callable[[Site, R, O], Finding | None]
"""None: the check has nothing to say, because another one has said what matters."""

UNPROVEN = "unproven"
"""Code of the finding at a site without access to its cluster; `proofs` in its facts are what nobody has looked at."""
UNASKED = "unasked"
"""Code of a finding whose question could not be asked; `error`, `service`, `target`, `code`, `message` and `action` in
its facts say why."""


@dataclass(frozen=True)
class Check(Generic[R, O]):
    """One preflight question. Without an answer it blocks if the plan can't be made without (`essential`).

    `proofs` are what stays unproven where the site gives no access to its cluster; without any the check is silent
    there.
    """

    id: str
    title: str
    essential: bool
    proofs: tuple[str, ...]
    rule: Rule[R, O]


class _NoAnswerError(Exception):
    def __init__(self, answer: Unknown) -> None:
        super().__init__()
        self.answer = answer


def check(
    name: str, *, title: str, essential: bool = False, proofs: tuple[str, ...] = ()
) -> Callable[[Rule[R, O]], Check[R, O]]:
    """Declare a check. Inside, `required` takes an answer apart; without one the check ends as `UNASKED`.

    A check that asks the cluster names the `proofs` that a site without access to its cluster lacks.
    """
    return lambda rule: Check(name, title, essential, proofs, rule)


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
    raise _NoAnswerError(answer)


def unproven(answer: Answer[T]) -> None:
    """Leaves the check where the cluster was not asked; for proofs that a step of the plan gives elsewhere."""
    if isinstance(answer, NotAsked):
        raise _NoAnswerError(answer)


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


_BY_CODE_ALONE = frozenset(
    {"AgentsAway", "NotAuthenticated", "SubscriptionUnknown", "Unreachable", "Unreadable", "Throttled"}
)
"""Errors that say the same of everything in one system; their texts may differ by ids and times."""


def _obstacle(finding: Finding) -> object:
    """What keeps a question from an answer, alike for all questions that it keeps from one."""
    facts = finding.facts
    if finding.code == UNPROVEN:
        return UNPROVEN
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
    level = "blocker" if "blocker" in (first.level, other.level) else first.level
    lists = {
        key: (*values, *more)
        for key in ("titles", "proofs")
        if isinstance(values := first.facts.get(key), tuple) and isinstance(more := other.facts.get(key), tuple)
    }
    return replace(first, level=level, facts={**first.facts, **lists})


def _finding(check: Check[R, O], site: Site, request: R, observation: O) -> Finding | None:
    try:
        finding = check.rule(site, request, observation)
    except _NoAnswerError as unanswered:
        if not isinstance(unanswered.answer, NotAsked):
            return _unasked(check, unanswered.answer.error)
        if not check.proofs or not isinstance(unanswered.answer.error, NoAccess):
            return None
        return Finding(check.id, "unknown", UNPROVEN, {"proofs": check.proofs})
    return replace(finding, check=check.id) if finding is not None else None


def _unasked(check: Check[R, O], error: DomainError) -> Finding:
    facts: dict[str, object] = {"error": type(error).__name__, "titles": (check.title,)}
    if isinstance(error, Foreign):
        facts |= {item.name: getattr(error, item.name) for item in fields(error)}
    return Finding(check.id, "blocker" if check.essential else "unknown", UNASKED, facts)
