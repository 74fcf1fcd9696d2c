"""What a rollback knows of an operation, and the plan of what it takes back. Pure."""

from collections.abc import Iterator

from services.model.errors import Invalid
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.outputs import ImageKept
from services.operations.procedure import Draft
from services.operations.remove.plan import observed
from services.operations.rollback.inverses import INVERSES, Inverse, Part, Staying, World
from services.operations.rollback.observation import Observation
from services.operations.rollback.request import Reason, RollbackOptions, RollbackRequest
from services.policy.sites import Site

KIND = "operation rollback"


def changes_of(operation: Operation) -> RollbackOptions:
    """What an operation has done, by its steps. Raises `Invalid` where nothing of it can be taken back."""
    options = recorded(operation)
    if options.steps:
        return options
    if options.reasons:
        raise Invalid("id", operation.id, "rollback.impossible", {"reasons": options.reasons})
    raise Invalid("id", operation.id, "rollback.nothing")


def recorded(operation: Operation) -> RollbackOptions:
    """The same, also where nothing of it can be taken back."""
    if operation.kind == KIND:
        return RollbackOptions(operation.id, reasons=(Reason.OF_ROLLBACK,))
    started = {operation.planned[run.index].kind for run in operation.steps if run.state != "pending"}
    steps, uncertain, reasons = list[PlannedStep](), list[str](), dict[str, None]()
    for planned, is_certain in _started(operation):
        inverse = INVERSES.get(planned.kind)
        if isinstance(inverse, Reason):
            reasons[inverse] = None
        elif inverse is None or started & inverse.void_after:
            continue
        elif is_certain or inverse.compares or planned.effect == "change":
            steps.append(planned)
        else:
            uncertain.append(f"{inverse.label} {planned.params['name']}")
    return RollbackOptions(operation.id, tuple(steps), tuple(uncertain), tuple(reasons))


def _started(operation: Operation) -> Iterator[tuple[PlannedStep, bool]]:
    """Steps that may have changed something, and whether they certainly have.

    Of the one that was stopped only a look can tell whether what it was to create is its own.
    """
    remains = operation.outcome.remains if operation.outcome else None
    for run in operation.steps:
        planned = operation.planned[run.index]
        if run.state == "pending" or not planned.runs or isinstance(run.output, ImageKept):
            continue
        if run.state == "complete" or remains is not False or planned.effect != "create":
            yield planned, run.state == "complete" or bool(remains)


def parts_of(site: Site, request: RollbackRequest, observation: Observation) -> tuple[Part, ...]:
    """What is to be done in the present world, the last step first, and what of it stays."""
    world = World(site, request, observation)
    inverses = ((step, INVERSES.get(step.kind)) for step in reversed(request.options.steps))
    parts = [part for step, inverse in inverses if isinstance(inverse, Inverse) for part in inverse.parts(world, step)]
    return (*parts, *(Staying(Reason(reason)) for reason in request.options.reasons))


def plan(site: Site, request: RollbackRequest, observation: Observation) -> Draft:
    """The steps in the order in which they run."""
    steps = tuple(part for part in parts_of(site, request, observation) if isinstance(part, PlannedStep))
    return Draft(steps, observed(request.removal, observation.removal, World(site, request, observation).own))
