"""What the words of a kind of operation consist of."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from services.model.operation import Operation


@dataclass(frozen=True)
class CauseWords:
    """Why it failed and what to do, as templates over a failure's facts; `line` is for their own shell."""

    sentence: str
    remedy: str
    line: str = ""


@dataclass(frozen=True)
class FindingWords:
    """What a check found and how to fix it, as templates over its facts.

    `line` is for their own shell, `command` what a button of the bot runs.
    """

    sentence: str
    fix: str = ""
    line: str = ""
    command: str = ""


def _no_details(_params: Mapping[str, Any]) -> str:
    return ""


@dataclass(frozen=True)
class StepWords:
    """A step as people read it: `title` is a template over the plan's parameters, `details` what they decide by."""

    title: str
    details: Callable[[Mapping[str, Any]], str] = _no_details


def _no_fields(_operation: Operation) -> Iterable[tuple[str, str]]:
    return ()


def _no_remark(_output: object) -> str:
    return ""


@dataclass(frozen=True)
class ProcedureWords:
    """The words of one kind of operation.

    Args:
        title: A template over `target` and `site`.
        success: What it is when all went well, such as `online`.
        steps: By the steps' kinds.
        fields: What a success shows, as pairs of label and mrkdwn.
        remark: What a finished step's output has to say in small print; empty for nothing.
        causes: By the causes' words.
        findings: By the findings' codes.
    """

    title: str
    success: str
    steps: Mapping[str, StepWords] = field(default_factory=dict)
    fields: Callable[[Operation], Iterable[tuple[str, str]]] = _no_fields
    remark: Callable[[object], str] = _no_remark
    causes: Mapping[str, CauseWords] = field(default_factory=dict)
    findings: Mapping[str, FindingWords] = field(default_factory=dict)
