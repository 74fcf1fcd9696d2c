"""How a step is declared: the smallest change, told once for plan, card, run, undo and script."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.policy.sites import Site
from services.ports import Azure, Cluster
from services.store.leases import Leases


@dataclass(frozen=True)
class Done:
    """The step has nothing more to do. `output` is told to later steps and to people; never a secret."""

    output: Mapping[str, object] = field(default_factory=dict)
    correlation_id: str = ""


@dataclass(frozen=True)
class Going:
    """What the step began goes on by itself. `token`, a value that the store can keep, is how it is followed."""

    token: object = None
    correlation_id: str = ""
    not_before: float = 0
    """Seconds for which the other system wants no further question."""


Progress = Done | Going


@dataclass(frozen=True)
class Scene:
    """What a step is given to work with. `results` are the outputs of the steps before it."""

    operation: Operation
    site: Site
    planned: PlannedStep
    results: Mapping[str, Any]
    azure: Azure
    cluster: Callable[[], Awaitable[Cluster]]
    leases: Leases
    waited: timedelta = timedelta()
    """For how long this step has been waited for."""
    grace: timedelta = timedelta()
    """For how long a cause must be seen before it counts, where it may pass by itself."""
    second: bool = False
    """Whether it was begun before, by a process that died or in a run that failed: what it makes may be there."""
    failed: bool = False
    """Whether this very step is what failed in the run before."""

    @property
    def params(self) -> Mapping[str, Any]:
        """The plan's parameters of this step."""
        return self.planned.params

    @property
    def name(self) -> str:
        """Of the connected registry."""
        return self.operation.target


@dataclass(frozen=True)
class Step:
    """One kind of step.

    Args:
        kind: Its word in plans that are stored; never reused for something else.
        title: What people read, with the plan's parameters filled in.
        begin: Looks before it acts, since it may be called again after a crash; raises `services.model.errors`.
        wait: Asked every `interval` seconds until it is done; the first time after `first` seconds.
        within: How long that may take.
        patient: At the end of that time the step counts as done rather than failed.
        undo: Takes back what must not outlive a run that stops (a placeholder).
        line: The `az` or `kubectl` line that a person would have typed.
    """

    kind: str
    title: str
    begin: Callable[[Scene], Awaitable[Progress]]
    line: Callable[[Site, str, Mapping[str, Any]], str]
    wait: Callable[[Scene, Any], Awaitable[Progress]] | None = None
    interval: float = 3
    first: float = 0
    within: timedelta = timedelta(minutes=15)
    patient: bool = False
    undo: Callable[[Scene], Awaitable[None]] | None = None
