"""How a check is declared: once, as a pure function of the site, the request and what was observed."""

from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from typing import TypeVar

from services.model.errors import DomainError, Foreign
from services.model.plan import Finding
from services.operations.deploy.checks.codes import Code
from services.operations.deploy.observation import Answer, Observation, Seen
from services.operations.deploy.request import DeployRequest
from services.policy.sites import Site

T = TypeVar("T")
Judge = Callable[[Site, DeployRequest, Observation], Finding | None]
"""None: the check has nothing to say here, because another one already has said what matters."""


@dataclass(frozen=True)
class Check:
    """One preflight question. Without an answer it blocks if the plan can't be made without (`essential`)."""

    id: str
    title: str
    essential: bool
    judge: Judge


CHECKS: list[Check] = []
"""All checks in the order in which people read them."""

NOT_WANTED = "NotWanted"
"""Code of an answer that was left out on purpose: checks that need it are silent."""


class _NoAnswerError(Exception):
    def __init__(self, error: DomainError) -> None:
        super().__init__()
        self.error = error


def check(name: str, *, title: str, essential: bool = False) -> Callable[[Judge], Judge]:
    """Declare a check. Inside, `known` takes an answer apart; without one the check ends as `unasked`."""

    def declare(judge: Judge) -> Judge:
        CHECKS.append(Check(name, title, essential, judge))
        return judge

    return declare


def run(site: Site, request: DeployRequest, observation: Observation) -> tuple[Finding, ...]:
    """What all checks find, in declared order. Facts also name the site's things, for sentences and commands."""
    names = site_names(site, request)
    found = (_found(one, site, request, observation) for one in CHECKS)
    return tuple(replace(finding, facts=names | dict(finding.facts)) for finding in found if finding is not None)


def known(answer: Answer[T]) -> T:
    """The value of an answer; leaves the check when the question could not be asked."""
    if isinstance(answer, Seen):
        return answer.value
    raise _NoAnswerError(answer.error)


def if_known(answer: Answer[T]) -> T | None:
    """The value of an answer, or None: for what another check already tells people."""
    return answer.value if isinstance(answer, Seen) else None


def ok(code: Code, **facts: object) -> Finding:
    """As it should be."""
    return Finding("", "ok", code, facts)


def warning(code: Code, **facts: object) -> Finding:
    """People should know before they approve."""
    return Finding("", "warning", code, facts)


def blocker(code: Code, **facts: object) -> Finding:
    """Nothing can be done until it is mended."""
    return Finding("", "blocker", code, facts)


def _found(one: Check, site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    try:
        finding = one.judge(site, request, observation)
    except _NoAnswerError as failed:
        return _unasked(one, failed.error)
    return replace(finding, check=one.id) if finding is not None else None


def _unasked(one: Check, error: DomainError) -> Finding | None:
    facts: dict[str, object] = {"error": type(error).__name__, "title": one.title}
    if isinstance(error, Foreign):
        if error.code == NOT_WANTED:
            return None
        facts |= {item.name: getattr(error, item.name) for item in fields(error)}
    return Finding(one.id, "blocker" if one.essential else "unknown", Code.UNASKED, facts)


def site_names(site: Site, request: DeployRequest) -> dict[str, object]:
    """What the site's things are called: facts for command lines."""
    acr, cluster = site.acr_ref, site.cluster_ref
    return {
        "site": site.name,
        "name": request.name,
        "registry": acr.name,
        "group": acr.resource_group,
        "subscription": site.subscription,
        "cluster": cluster.name,
        "cluster_group": cluster.resource_group,
        "extension": request.extension_name,
    }
