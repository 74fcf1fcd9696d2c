"""One clock for all parts: real time plus an offset. It can be turned and stopped."""

import asyncio
from datetime import UTC, datetime, timedelta


class Clock:
    """The sandbox's time.

    `turn` moves it forward at once and wakes every sleeper whose time has come; while `stop` is in force only
    `turn` moves it.
    """

    def __init__(self) -> None:
        self._ahead = timedelta()
        self._stopped_at: datetime | None = None
        self._turned = asyncio.Event()

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        return self._stopped_at or datetime.now(UTC) + self._ahead

    @property
    def stopped(self) -> bool:
        """Whether only `turn` moves this clock."""
        return self._stopped_at is not None

    @property
    def ahead(self) -> float:
        """Seconds by which this clock is ahead of real time (negative: behind)."""
        return (self.now() - datetime.now(UTC)).total_seconds()

    def turn(self, seconds: float) -> None:
        """Move forward by `seconds`; a negative number moves back, and sleepers then wait longer."""
        if self._stopped_at is not None:
            self._stopped_at += timedelta(seconds=seconds)
        else:
            self._ahead += timedelta(seconds=seconds)
        self._wake()

    def stop(self) -> None:
        """Hold the time where it is."""
        self._stopped_at = self.now()
        self._wake()

    def go_on(self) -> None:
        """Let a stopped clock run again from where it stands."""
        if self._stopped_at is not None:
            self._ahead, self._stopped_at = self._stopped_at - datetime.now(UTC), None
            self._wake()

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` have passed on this clock."""
        until = self.now() + timedelta(seconds=seconds)
        while (remaining := (until - self.now()).total_seconds()) > 0:
            turned = self._turned
            try:
                async with asyncio.timeout(None if self.stopped else remaining):
                    await turned.wait()
            except TimeoutError:
                continue

    def _wake(self) -> None:
        self._turned.set()
        self._turned = asyncio.Event()
