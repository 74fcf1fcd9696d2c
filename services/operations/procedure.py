"""How a kind of operation is declared: everything that planner, runner and store need of it, in one value.

Its words for people stand beside this, in `handlers.views.procedures`.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar

from services.model.errors import DomainError, Failure
from services.model.operation import Operation
from services.model.plan import Finding, Plan, PlannedStep
from services.operations import checks, children
from services.operations.causes import failure_of
from services.operations.checks import Check
from services.operations.digest import digest
from services.operations.step import Step
from services.policy.sites import Site
from services.ports import Azure, Kubernetes

R = TypeVar("R")
O = TypeVar("O")  # noqa: E741 - of `Observation`


class Named(Protocol):
    """A request about one connected registry."""

    @property
    def name(self) -> str:
        """Of the connected registry."""


def site_names(site: Site, request: Named) -> dict[str, object]:
    """The site's names and the connected registry's: what most kinds have in their sentences and command lines."""
    return {**site.names, "name": request.name}


@dataclass(frozen=True)
class Draft:
    """The steps of a plan in the order in which they run, and the facts that it rests on.

    With blockers it may lack steps that could not be planned. `observed` is flat (`registry.sku`: `Premium`), holds
    no times, counters or free parameters, and is what people read when the world has changed.
    """

    steps: tuple[PlannedStep, ...]
    observed: Mapping[str, object]


@dataclass(frozen=True)
class Procedure(Generic[R, O]):
    """One kind of operation, over a request `R` and an observation `O`.

    Args:
        kind: Its word in rows, access files and commands.
        options: The class of what somebody asks for, a frozen value; it is stored.
        request: The options filled up from the site's defaults; raises `Invalid`.
        locks: Names of the things that no other operation may change meanwhile (ARM ids, lower case).
        locks_of_options: Those that only some options need.
        observe: Looks at the world; given the approved plan when it is for a second look.
        checks: Preflight checks in the order in which people read them.
        names: What the site's things are called, for sentences and command lines.
        plan: The steps for what was observed. Pure.
        steps: Every step that a plan of this kind may name, also in plans of older versions.
        values: Classes of options and of steps' outputs by the tags under which they are stored.
        needs_cluster: Whether nothing of it can be done at a site without access to its cluster.
        with_files: The observation with what files and variables of the bot's own machine say that the site names, now.
        with_leased: The observation with Service addresses that other operations have reserved at the cluster.
        diagnose: The cause behind a step's error.
        is_own_doing: Whether a blocker of a retry is what the failed attempt itself has left.
        takes_back: The id of the operation whose steps it takes back, by its options; empty for one that takes none.
    """

    kind: str
    options: Callable[..., Any]
    request: Callable[[Site, str, Any], R]
    locks: Callable[[Site, str], tuple[str, ...]]
    observe: Callable[[Azure, Kubernetes, Site, R, Plan | None], Awaitable[O]]
    checks: tuple[Check[R, O], ...]
    names: Callable[[Site, R], Mapping[str, object]]
    plan: Callable[[Site, R, O], Draft]
    steps: tuple[Step, ...]
    values: Mapping[str, type[Any]] = field(default_factory=dict)
    needs_cluster: bool = False
    with_files: Callable[[O, Site, Mapping[str, str], datetime], O] = lambda observation, *_machine: observation
    with_leased: Callable[[O, frozenset[str]], O] = lambda observation, _leased: observation
    locks_of_options: Callable[[Site, Any], tuple[str, ...]] = lambda _site, _options: ()
    diagnose: Callable[[DomainError], Failure] = failure_of
    is_own_doing: Callable[[Operation, Finding], bool] = lambda _operation, _blocker: False
    takes_back: Callable[[Any], str] = lambda _options: ""

    @property
    def step(self) -> dict[str, Step]:
        """The steps by their kind."""
        return {step.kind: step for step in self.steps}

    def make_plan(self, site: Site, request: R, observation: O, now: datetime) -> Plan:
        """Checks and steps for what was observed `now`. Pure."""
        findings = checks.run(self.checks, site, request, observation, self.names(site, request))
        draft = self.plan(site, request, observation)
        word = digest(self.step, draft.steps, draft.observed)
        return Plan(draft.steps, findings, draft.observed, word, now)


class Procedures:
    """All kinds of operation that this bot has."""

    def __init__(self, procedures: Iterable[Procedure[Any, Any]]) -> None:
        self._by_kind = {procedure.kind: procedure for procedure in procedures}

    @property
    def kinds(self) -> tuple[str, ...]:
        """Their words."""
        return tuple(self._by_kind)

    @property
    def values(self) -> dict[str, type[Any]]:
        """All classes that they store, by tag."""
        own = {tag: kind for procedure in self._by_kind.values() for tag, kind in procedure.values.items()}
        return {**children.VALUES, **own}

    def of(self, operation: Operation) -> Procedure[Any, Any]:
        """The kind of an operation; raises `LookupError` for a kind that only another version has."""
        return self[operation.kind]

    def __getitem__(self, kind: str) -> Procedure[Any, Any]:
        return self._by_kind[kind]

    def step(self, operation: Operation, index: int) -> Step:
        """The declaration of a planned step."""
        return self.of(operation).step[operation.planned[index].kind]
