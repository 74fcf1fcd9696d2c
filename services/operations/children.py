"""Operations inside an operation: steps that start others and follow them, and gates between them.

A parent's plan names its children in full, so that whoever approves it sees them all. A child is an operation like any
other, with a plan, locks and steps of its own.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from services.model.errors import Failure
from services.model.operation import Operation, State
from services.model.plan import PlannedStep
from services.operations.causes import EngineCause
from services.operations.step import Done, Going, Progress, Scene, Step, again
from services.policy.sites import Site

PATIENCE = timedelta(days=30)
"""A child may wait for approval and for its turn; only the child itself decides when that has taken too long."""


@dataclass(frozen=True)
class ChildStarted:
    """The child goes on by itself; the next gate waits for it."""

    operation: str


@dataclass(frozen=True)
class ChildEnded:
    """The child has ended, well or not: the next gate decides what that means."""

    operation: str
    state: State


VALUES = {"child.started": ChildStarted, "child.ended": ChildEnded}


def child(kind: str, target: str, site: str, options: Any, *, follow: bool = True) -> PlannedStep:
    """A step that starts this operation. Without `follow` the next step begins at once, and a gate waits for it."""
    params = {"kind": kind, "target": target, "site": site, "options": asdict(options)}
    return PlannedStep(CHILD_RUN.kind if follow else CHILD_START.kind, params, "change")


def gate(most_failed: int = 0) -> PlannedStep:
    """A step that waits for all children before it, and goes on if at most so many of them did not end well."""
    return PlannedStep(GATE.kind, {"most_failed": most_failed}, "verify")


async def _start(scene: Scene) -> Progress:
    started = await scene.children.start(scene.operation, scene.index)
    return Done(ChildStarted(started.id))


async def _run(scene: Scene) -> Progress:
    return _progress(await scene.children.start(scene.operation, scene.index))


async def _follow(scene: Scene, _token: object) -> Progress:
    current = await scene.children.get(scene.operation, scene.index)
    return Going() if current is None else _progress(current)


def _progress(current: Operation) -> Progress:
    return Going() if current.live else Done(ChildEnded(current.id, current.state))


async def _cancel(scene: Scene) -> None:
    """Cancel the child of a parent that is cancelled, and wait for its end."""
    if scene.operation.cancelling:
        await scene.children.cancel(scene.operation, scene.index)


def _did_not_end_well(operation: Operation, index: int) -> bool:
    output = operation.steps[index].output
    child_id = output.operation if isinstance(output, ChildStarted | ChildEnded) else ""
    return any(related.id == child_id and related.state != "succeeded" for related in operation.children)


async def _pass(scene: Scene) -> Progress:
    before = [index for index, step in enumerate(scene.operation.planned[: scene.index]) if step.starts_child]
    current = [await scene.children.get(scene.operation, index) for index in before]
    if any(operation is None or operation.live for operation in current):
        return Going()
    failed = [operation for operation in current if operation is not None and operation.state != "succeeded"]
    if len(failed) > scene.params["most_failed"]:
        facts = {"failed": len(failed), "count": len(current), "most": scene.params["most_failed"]}
        raise Failure(EngineCause.CHILDREN_FAILED, facts)
    return Done()


def _no_line(_site: Site, _operation: Operation, _planned: PlannedStep) -> str:
    return ""


CHILD_RUN = Step("child.run", _run, _no_line, wait=_follow, within=PATIENCE, undo=_cancel, repeats=_did_not_end_well)
CHILD_START = Step("child.start", _start, _no_line, undo=_cancel, repeats=_did_not_end_well)
GATE = Step("child.gate", _pass, _no_line, wait=again(_pass), within=PATIENCE)
STEPS: tuple[Step, ...] = (CHILD_RUN, CHILD_START, GATE)
"""What a kind with children lists among its steps."""


def orders(planned: Iterable[PlannedStep]) -> list[tuple[str, str]]:
    """Kinds and sites of the children in a plan."""
    return [(str(step.params["kind"]), str(step.params["site"])) for step in planned if step.starts_child]
