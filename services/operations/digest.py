"""What approvers approve, as one word, and what has become different since."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from services.model.codec import encode
from services.model.plan import PlannedStep
from services.operations.step import Step

LENGTH = 16
"""Hexadecimal digits: enough that nobody finds a second plan with the same word, short enough to compare by eye."""
Steps = Mapping[str, Step]
"""Declarations by their kind."""


def digest(steps: Steps, planned: Iterable[PlannedStep], observed: Mapping[str, object]) -> str:
    """Over every step with its parameters but for free ones, and over what was observed."""
    text = json.dumps([[essence(steps, step) for step in planned], encode(dict(observed))], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:LENGTH]


def essence(steps: Steps, planned: PlannedStep, without: frozenset[str] = frozenset()) -> Any:
    """What of a step was approved, comparable; its effect is left out, since a retry finds half of it done."""
    left_out = steps[planned.kind].free(planned.params) | without
    return [planned.kind, encode({key: value for key, value in planned.params.items() if key not in left_out})]


def covers(steps: Steps, approved: Iterable[PlannedStep], now: Iterable[PlannedStep]) -> bool:
    """Whether everything that a plan would do now was approved before: a retry does what is left of it."""

    def left_to_do(planned: PlannedStep) -> Any:
        return essence(steps, planned, without=steps[planned.kind].shifting)

    before = [left_to_do(step) for step in approved]
    return all(left_to_do(step) in before for step in now if step.runs)
