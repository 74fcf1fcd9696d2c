"""Things that changed → shown, one task a thing, a bounded number at once, tried again while Slack can't be reached."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import structlog

from services.model.errors import Throttled, Unreachable

LONGEST = 60.0
"""Seconds between two tries."""
log = structlog.get_logger("notifier")


class CatchUp:
    """`show` brings one thing up to date, from what is stored; `changed` may be called as often as one likes."""

    def __init__(self, show: Callable[[str], Awaitable[None]], *, at_once: int = 8) -> None:
        self._bring_up = show
        self._at_once = at_once
        self._dirty: dict[str, None] = {}
        self._showing: dict[str, asyncio.Task[None]] = {}
        self._wake = asyncio.Event()
        self._owner: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to show."""
        self._owner = asyncio.create_task(self._run())

    async def stop(self, deadline: float = 5) -> None:
        """Show what is left, as far as the time (seconds) allows; the next start finds the rest."""
        if self._owner is None:
            return
        loop = asyncio.get_running_loop()
        until = loop.time() + deadline
        while self._showing and (left := until - loop.time()) > 0:
            await asyncio.wait(self._showing.values(), timeout=left, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)  # lets the loop below start what became dirty meanwhile
        if self.waiting:
            log.warning("not_all_shown", things=self.waiting)
        for task in (self._owner, *self._showing.values()):
            task.cancel()
        await asyncio.gather(self._owner, *self._showing.values(), return_exceptions=True)

    def changed(self, thing: str) -> None:
        """There is something new to show."""
        self._dirty[thing] = None
        self._wake.set()

    def take(self, thing: str) -> bool:
        """Whether it has changed again while it is being shown; whoever asks shows that too."""
        return self._dirty.pop(thing, "") is None

    @property
    def waiting(self) -> int:
        """Things whose last state is not shown yet."""
        return len(self._dirty) + len(self._showing)

    async def _run(self) -> None:
        while True:
            await self._wake.wait()
            self._wake.clear()
            ready = [one for one in self._dirty if one not in self._showing]
            for thing in ready[: self._at_once - len(self._showing)]:
                del self._dirty[thing]
                task = asyncio.create_task(self._show(thing))
                self._showing[thing] = task
                task.add_done_callback(partial(self._done, thing))

    def _done(self, thing: str, _task: asyncio.Task[None]) -> None:
        self._showing.pop(thing, None)
        if self._dirty:
            self._wake.set()

    async def _show(self, thing: str) -> None:
        pause = 1.0
        while True:
            try:
                await self._bring_up(thing)
            except (Throttled, Unreachable) as error:
                log.warning("not_shown_yet", thing=thing, error=str(error), seconds=pause)
            except Exception:
                # Slack refuses it for good, or a defect: the next change tries again.
                log.exception("not_shown", thing=thing)
                return
            else:
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST)
