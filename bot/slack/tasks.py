"""Tasks that outlive the delivery that started them: owned, bounded, and waited for at shutdown."""

import asyncio
from collections.abc import Coroutine
from datetime import timedelta
from typing import Any, TypeVar

import structlog

T = TypeVar("T")
_log = structlog.get_logger("work")


class Tasks:
    """Owns the running tasks."""

    def __init__(self, *, most: int = 1000) -> None:
        self._most = most
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closed = False

    @property
    def has_room(self) -> bool:
        """Whether `start` accepts another task."""
        return not self._closed and len(self._tasks) < self._most

    def __len__(self) -> int:
        return len(self._tasks)

    def start(self, coroutine: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Run a coroutine as a task; check `has_room` first."""
        task = asyncio.create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _log.error("fault", exc_info=error)

    async def idle(self) -> None:
        """Wait until no task is running."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def drain(self, deadline: timedelta) -> int:
        """Accept nothing more and wait for running tasks; returns how many were cancelled at the deadline."""
        self._closed = True
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=deadline.total_seconds())
        unfinished = list(self._tasks)
        for task in unfinished:
            task.cancel()
        await asyncio.gather(*unfinished, return_exceptions=True)
        return len(unfinished)
