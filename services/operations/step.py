"""How a step is declared: the smallest change, declared once for plan, run, retry, undo and script.

What people read of a step stands in its kind's view, under `handlers.views.procedures`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Protocol

from services.model.azure import Pending
from services.model.errors import Absent, Throttled, Unreachable
from services.model.operation import Note, Operation, PasswordLeft
from services.model.plan import PlannedStep
from services.policy.sites import Site
from services.ports import Azure, Cluster, Leases

SETTLED = timedelta(minutes=5)
"""How long Azure may take for one of the changes that a step makes one after the other."""


@dataclass(frozen=True)
class Done:
    """The step has nothing more to do. `output` is a value for later steps and for people; never a secret."""

    output: object = None
    correlation_id: str = ""


@dataclass(frozen=True)
class Going:
    """What the step began goes on by itself. `token`, a value that the store can keep, is how it is followed."""

    token: object = None
    correlation_id: str = ""
    not_before: float = 0
    """Seconds for which the other system wants no further question."""
    paused: Throttled | None = None
    """The refusal that said so, where it was one."""
    note: Note | None = None
    """What people read of it meanwhile."""


Progress = Done | Going


class Children(Protocol):
    """Operations that are parts of another one, each by its step's index in the parent's plan."""

    async def start(self, parent: Operation, index: int) -> Operation:
        """The child of this step. In a retry one that did not end well goes on, or another takes its place."""

    async def get(self, parent: Operation, index: int) -> Operation | None:
        """The newest child of this step; None where none was started."""

    async def cancel(self, parent: Operation, index: int) -> None:
        """Stop the child and wait until it has ended. Nothing to do where it has ended already."""


@dataclass(frozen=True)
class Scene:
    """What a step works with. `operation` has the outputs of the steps before it."""

    operation: Operation
    site: Site
    planned: PlannedStep
    azure: Azure
    cluster: Callable[[], Awaitable[Cluster]]
    leases: Leases
    children: Children
    environment: Mapping[str, str] = field(default_factory=dict)
    """Where passwords are looked up that the site file names by a variable."""
    index: int = 0
    """Of the step in the plan."""
    waited: timedelta = timedelta()
    """For how long this step has been waited for."""
    patience: float = 1
    """Scales how long a cause that may pass by itself must last before it counts."""
    last: bool = False
    """Whether the time of this step is up, so that it fails unless this look ends it."""
    repeated: bool = False
    """Whether it began before, in a process that died or a run that failed: what it creates may exist already."""
    failed_before: bool = False
    """Whether this very step is what failed in the run before."""

    @property
    def params(self) -> Mapping[str, Any]:
        """The plan's parameters of this step."""
        return self.planned.params

    @property
    def name(self) -> str:
        """Of the connected registry."""
        return self.operation.target

    @property
    def run_id(self) -> str:
        """The same for this step however often a crash lets it begin again, and another one in a retry."""
        return f"{self.operation.id} {self.operation.attempt} {self.index}"


async def _nothing(_scene: Scene) -> None:
    return None


@dataclass(frozen=True)
class Step:
    """One kind of step.

    Args:
        kind: Its word in plans that are stored; never reused for something else.
        begin: Looks before it acts, since it may be called again after a crash; raises `services.model.errors`.
        line: What a POSIX shell runs to do the same, by `az` and `kubectl`, for this step of an operation at a site;
            empty for a part with a plan of its own. `services.operations.command_line` quotes the values.
        wait: Asked every `interval` seconds until it is done; the first time `first` seconds after its beginning.
        within: How long that may take.
        patient: At the end of that time the step counts as done rather than failed.
        writes: The ARM id of what it creates or changes; empty where that is none.
        exists: Whether what it creates is there; None where that can't be told. Asked when it did not come to its end.
        leaves: The password that it has left in a token. Asked likewise.
        undo: Takes back what must not outlive a run that stops (a placeholder).
        reserves: The Service address, among its parameters, that nobody else may be given while the plan waits.
        free: Parameters that are no part of what is approved: the run may choose others.
        shifting: Parameters that a failed attempt may have changed by itself: a retry keeps the approved ones.
        frees: Locks that its operation gives back before it begins: it may last, and does not change them.
        repeats: Whether a retry plays it again although it is complete.
    """

    kind: str
    begin: Callable[[Scene], Awaitable[Progress]]
    line: Callable[[Site, Operation, PlannedStep], str]
    wait: Callable[[Scene, Any], Awaitable[Progress]] | None = None
    interval: float = 3
    first: float = 0
    within: timedelta = timedelta(minutes=15)
    patient: bool = False
    writes: Callable[[Site, PlannedStep], str] = lambda _site, _planned: ""
    exists: Callable[[Scene], Awaitable[bool | None]] = _nothing
    leaves: Callable[[Scene], Awaitable[PasswordLeft | None]] = _nothing
    undo: Callable[[Scene], Awaitable[None]] | None = None
    reserves: Callable[[Mapping[str, Any]], str] = lambda _params: ""
    free: Callable[[Mapping[str, Any]], frozenset[str]] = lambda _params: frozenset()
    shifting: frozenset[str] = frozenset()
    frees: Callable[[Site], tuple[str, ...]] = lambda _site: ()
    repeats: Callable[[Operation, int], bool] = lambda _operation, _index: False


def followed(pending: Pending, output: object = None) -> Progress:
    """What an ARM call answered, as a step's progress; `output` once it is done."""
    if pending.kind == "done":
        return Done(output, pending.correlation_id)
    return Going(pending, pending.correlation_id)


async def is_there(question: Awaitable[object]) -> bool:
    """Whether what a question asks for is there: the `exists` of a step."""
    try:
        await question
    except Absent:
        return False
    return True


def again(look: Callable[[Scene], Awaitable[Progress]]) -> Callable[[Scene, Any], Awaitable[Progress]]:
    """Look once more: the `wait` of steps that change nothing, and look for what others bring about."""
    return lambda scene, _token: look(scene)


async def settle(scene: Scene, pending: Pending) -> None:
    """Follow an ARM operation inside a step. Raises `Unreachable` where Azure does not end it in time."""
    try:
        async with asyncio.timeout(SETTLED.total_seconds()):
            while pending.kind != "done":
                await asyncio.sleep(max(1.0, pending.retry_after))
                pending = await scene.azure.operations.poll(pending)
    except TimeoutError:
        raise Unreachable("azure", pending.target, "DeadlineExceeded") from None


async def follow(scene: Scene, token: Pending) -> Progress:
    """Ask an asynchronous ARM operation how it is doing: the `wait` of steps that are one ARM call."""
    return followed(await scene.azure.operations.poll(token))
