"""Faults on demand: the next calls that match fail, are slow, or lose their reply."""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Part = Literal["slack", "azure", "kube"]
Action = Literal["fail", "delay", "drop", "lose_reply"]


@dataclass(frozen=True)
class Fault:
    """What happens to calls whose line matches.

    The line is `METHOD /path` for Azure and Kubernetes (without the query), and the method's name for Slack
    (`chat.update`). `fail` answers with `status`, `code` and `message` in the part's own error form (Slack: `code` is
    the `error` word, and `status` 429 makes it a rate limit); `delay` waits `seconds` first; `drop` closes the
    connection before anything is done; `lose_reply` does the work and then closes the connection.
    """

    part: Part
    match: str
    action: Action = "fail"
    times: int | None = 1
    """How many matching calls it affects; None affects every call until the fault is removed."""
    skip: int = 0
    """How many matching calls are let through first."""
    status: int = 500
    code: str = "InternalServerError"
    message: str = "The server encountered an internal error."
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0
    details: list[dict[str, Any]] = field(default_factory=list)
    """Azure: `details` of the error, and below `additionalInfo`. With a `status` below 400 the answer is Failed."""
    additional_info: list[dict[str, Any]] = field(default_factory=list)
    id: str = ""

    def __post_init__(self) -> None:
        try:
            re.compile(self.match)
        except re.error as error:
            raise ValueError(f"match is not a regular expression: {error}") from None


class Faults:
    """The faults in force, oldest first."""

    def __init__(self) -> None:
        self._faults: dict[str, Fault] = {}
        self._ids = itertools.count(1)

    def __iter__(self) -> Iterator[Fault]:
        return iter(list(self._faults.values()))

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force and return it with its id."""
        fault = replace(fault, id=f"fault{next(self._ids)}")
        self._faults[fault.id] = fault
        return fault

    def remove(self, fault_id: str) -> bool:
        """Remove a fault. Returns False if no fault has that id."""
        return self._faults.pop(fault_id, None) is not None

    def clear(self) -> None:
        """Remove all faults."""
        self._faults.clear()

    def take(self, part: Part, line: str) -> Fault | None:
        """The fault that applies to this call, if any; it is counted as used."""
        for fault in list(self._faults.values()):
            if fault.part != part or not re.search(fault.match, line, re.IGNORECASE):
                continue
            if fault.skip:
                self._faults[fault.id] = replace(fault, skip=fault.skip - 1)
                continue
            if fault.times is not None:
                if fault.times <= 1:
                    del self._faults[fault.id]
                else:
                    self._faults[fault.id] = replace(fault, times=fault.times - 1)
            return fault
        return None
