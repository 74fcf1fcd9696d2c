"""The subjects that have something new to show: one task for each, however often it changes."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from services.model.message import Subject


class Queue:
    """Calls `show` for each subject that changed, and again if it changed in the meantime."""

    def __init__(self, show: Callable[[Subject], Coroutine[Any, Any, None]]) -> None:
        self._show = show
        self._started = False
        self._tasks: dict[Subject, asyncio.Task[None]] = {}
        self._again: dict[Subject, asyncio.Event] = {}
        self._progressed = set[Subject]()
        """Subjects with progress that came while they were being shown."""
        self._later: dict[Subject, asyncio.TimerHandle] = {}
        self._early: dict[Subject, None] = {}
        """Subjects that changed before the start."""
        self._since: dict[Subject, float] = {}
        """By the loop's time, the first change of each subject that is not shown yet."""

    def start(self) -> None:
        """Begin to call `show`."""
        self._started = True
        for subject in self._early:
            self.changed(subject)
        self._early.clear()

    def changed(self, subject: Subject) -> None:
        """Show a subject as soon as possible."""
        self._since.setdefault(subject, asyncio.get_running_loop().time())
        if not self._started:
            self._early[subject] = None
        elif subject in self._tasks:
            self._again[subject].set()
        else:
            self._again[subject] = asyncio.Event()
            self._tasks[subject] = asyncio.create_task(self._show(subject))
            self._tasks[subject].add_done_callback(partial(self._ended, subject))

    def progressed(self, subject: Subject) -> None:
        """Show a subject some time: nobody waits for this change, and it does not end the wait of `changes_within`."""
        if subject in self._tasks:
            self._progressed.add(subject)
        else:
            self.changed(subject)

    def later(self, subject: Subject, seconds: float) -> None:
        """Show a subject after a pause; one that is waiting already keeps its time."""

        def due() -> None:
            del self._later[subject]
            self.changed(subject)

        if subject not in self._later:
            self._later[subject] = asyncio.get_running_loop().call_later(seconds, due)

    async def changes_within(self, subject: Subject, seconds: float) -> bool:
        """Wait until a subject that is being shown changes again; False if it does not. The caller shows the change."""
        again = self._again[subject]
        try:
            async with asyncio.timeout(seconds):
                await again.wait()
        except TimeoutError:
            return False
        again.clear()
        return True

    def _ended(self, subject: Subject, task: asyncio.Task[None]) -> None:
        del self._tasks[subject]
        progressed = subject in self._progressed
        self._progressed.discard(subject)
        if not task.cancelled() and (self._again.pop(subject).is_set() or progressed):
            self.changed(subject)
        elif subject not in self._later:
            self._since.pop(subject, None)

    @property
    def lag(self) -> float:
        """Seconds since the first change that is not shown yet; 0 when everything is."""
        return asyncio.get_running_loop().time() - min(self._since.values()) if self._since else 0.0

    def __len__(self) -> int:
        return len(self._tasks.keys() | self._later.keys() | self._early.keys())

    async def stop(self, deadline: float) -> int:
        """Finish what is being shown, for at most `deadline` seconds; returns the number of subjects not shown."""
        loop = asyncio.get_running_loop()
        until = loop.time() + deadline
        while self._tasks and (remaining := until - loop.time()) > 0:
            await asyncio.wait(self._tasks.values(), timeout=remaining, return_when=asyncio.FIRST_COMPLETED)
        missing = len(self)
        self._started = False
        for timer in self._later.values():
            timer.cancel()
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return missing
