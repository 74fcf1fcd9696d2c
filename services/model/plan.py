"""Findings of checks, planned steps, and the plan that they make."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """The answer of one check. `code` is a word that the views know; `facts` fill in its sentence.

    `unknown` means that the question could not be asked (`facts["error"]` says why); it blocks only where the check
    says so.
    """

    check: str
    level: Literal["ok", "warning", "blocker", "unknown"]
    code: str
    facts: Mapping[str, object] = field(default_factory=dict)


CHILD_STEPS = frozenset({"child.run", "child.start"})
"""Kinds of steps that start an operation (`services.operations.children`)."""
Effect = Literal["create", "change", "reuse", "delete", "verify", "hold", "reserve", "temporary"]


@dataclass(frozen=True)
class PlannedStep:
    """One line of a plan: which declared step with which parameters (JSON values, no secrets).

    `details` are facts beside them that nobody approves; of a change, `before` is what was there.
    """

    kind: str
    params: Mapping[str, object]
    effect: Effect
    details: Mapping[str, object] = field(default_factory=dict)

    @property
    def starts_child(self) -> bool:
        """Whether it starts another operation, which its parameters name."""
        return self.kind in CHILD_STEPS

    @property
    def runs(self) -> bool:
        """Whether there is something to do; a reused thing is only shown."""
        return self.effect != "reuse"


@dataclass(frozen=True)
class Plan:
    """What an operation will do. `digest` is what approvers approve: over the steps and over what was observed."""

    steps: tuple[PlannedStep, ...]
    findings: tuple[Finding, ...]
    observed: Mapping[str, object]
    """What of the world the plan was made for, as flat facts (`registry.sku`: `Premium`), to tell what has changed."""
    digest: str
    made: datetime

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """What stands in the way."""
        return tuple(finding for finding in self.findings if finding.level == "blocker")
