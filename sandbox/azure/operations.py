"""Asynchronous operations, and everything else that happens at a scheduled time.

Nothing runs in the background: `settle` does what is due before anything is shown, so the clock can be turned by days
and the answer is the same.
"""

import asyncio
import contextlib
import heapq
import itertools
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal

from sandbox.azure.errors import ArmError
from sandbox.clock import Clock

KEPT = 20_000
"""Operations that can be polled, before the oldest of those that have ended are forgotten."""
Status = Literal["InProgress", "Succeeded", "Failed", "Canceled"]


@dataclass
class Operation:
    """One asynchronous operation of a resource."""

    id: str
    resource: str
    started: datetime
    word: str = "InProgress"
    """What a poll shows until the end; the service often says `Creating` there."""
    status: Status = "InProgress"
    error: ArmError | None = None
    result: dict[str, Any] | None = None
    """What a poll of `Location` shows at the end; None for an empty body."""
    accepted: dict[str, Any] | None = None
    """What a poll of `Location` shows until the end; None for an empty body."""
    _over: asyncio.Event = field(default_factory=asyncio.Event, repr=False)

    async def over(self, seconds: float) -> None:
        """Return when it has ended, or after `seconds` of real time."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    @property
    def ended(self) -> bool:
        """Whether a poll would end now."""
        return self.status != "InProgress"

    def succeed(self, result: dict[str, Any] | None = None) -> None:
        """End successfully; an operation that has ended stays as it is."""
        if not self.ended:
            self.status, self.result = "Succeeded", result
            self._over.set()

    def fail(self, error: ArmError) -> None:
        """End with an error; an operation that has ended stays as it is."""
        if not self.ended:
            self.status, self.error = "Failed", error
            self._over.set()

    def cancel(self) -> None:
        """End it because a later operation replaces it."""
        if not self.ended:
            self.status = "Canceled"
            self._over.set()
            self.error = ArmError(409, "Canceled", "The operation was superseded by a later one on the same resource.")


@dataclass(order=True)
class _Due:
    at: datetime
    number: int
    act: Callable[[], None] = field(compare=False)


class Operations:
    """All operations, by id, and the agenda of what is due when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._operations: dict[str, Operation] = {}
        self._agenda: list[_Due] = []
        self._numbers = itertools.count()

    def begin(self, prefix: str, resource: str, word: str = "InProgress") -> Operation:
        """A new operation, which the caller has to end; ids are `<prefix><guid>`."""
        operation = Operation(f"{prefix}{uuid.uuid4()}", resource, self._clock.now(), word)
        self._operations[operation.id.lower()] = operation
        if len(self._operations) > KEPT:
            # Drop the older half of what has ended, as the service does after a day.
            ended = [key for key, operation in self._operations.items() if operation.ended]
            for key in ended[: len(ended) // 2]:
                del self._operations[key]
        return operation

    def find(self, operation_id: str) -> Operation | None:
        """The operation of that id, whatever its case."""
        return self._operations.get(operation_id.lower())

    def after(self, seconds: float, act: Callable[[], None]) -> None:
        """Schedule `act` for `seconds` from now; the first `settle` after that calls it."""
        due = _Due(self._clock.now() + timedelta(seconds=seconds), next(self._numbers), act)
        heapq.heappush(self._agenda, due)

    def settle(self) -> None:
        """Do everything that is due, in order."""
        if not self._agenda:
            return
        now = self._clock.now()
        while self._agenda and self._agenda[0].at <= now:
            heapq.heappop(self._agenda).act()
