"""What approvers approve, as one word, and what has become different since."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from services.model.codec import encode
from services.model.plan import PlannedStep

LENGTH = 16
"""Hexadecimal digits: enough that nobody finds a second plan with the same word, short enough to compare by eye."""


def digest(steps: tuple[PlannedStep, ...], observed: Mapping[str, object]) -> str:
    """Over every step with its parameters, and what was observed. A picked address may be replaced, so it is out."""
    told = json.dumps([[essence(step) for step in steps], encode(dict(observed))], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()[:LENGTH]


def essence(step: PlannedStep) -> Any:
    """What of a step was approved, comparable; its effect is left out, since a retry finds half of it done."""
    params = {key: value for key, value in step.params.items() if not (key == "address" and step.params.get("picked"))}
    return [step.kind, encode(params)]


def covers(approved: tuple[PlannedStep, ...], now: tuple[PlannedStep, ...]) -> bool:
    """Whether everything that a plan would do now was approved before: a retry does what is left of it."""
    known = [_left_to_do(step) for step in approved]
    return all(_left_to_do(step) in known for step in now if step.runs)


def _left_to_do(step: PlannedStep) -> Any:
    """The run before may have filled the password slot that was idle: a retry fills the approved one again."""
    return essence(replace(step, params={key: value for key, value in step.params.items() if key != "slot"}))
