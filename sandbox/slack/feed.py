"""The live events for each person's page."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from sandbox.slack.values import Json


class Feed:
    """Events for the open pages, by person."""

    def __init__(self) -> None:
        self._queues: dict[str, list[asyncio.Queue[Json | None]]] = {}

    @contextmanager
    def open(self, user: str) -> Iterator["asyncio.Queue[Json | None]"]:
        """A queue of this person's events; None in it means that the workspace is closing."""
        queue: asyncio.Queue[Json | None] = asyncio.Queue()
        self._queues.setdefault(user, []).append(queue)
        try:
            yield queue
        finally:
            self._queues[user].remove(queue)

    async def until(self, user: str, true: Callable[[], bool], seconds: float) -> None:
        """Return when a condition on what a person sees is true, or when the time is over."""
        with self.open(user) as news:
            try:
                async with asyncio.timeout(seconds):
                    while not true() and await news.get() is not None:
                        continue
            except TimeoutError:
                return

    def publish(self, event: Json, whom: set[str] | None = None) -> None:
        """Send an event to these people; None is everyone."""
        for user, queues in self._queues.items():
            if whom is None or user in whom:
                for queue in queues:
                    queue.put_nowait(event)

    def close(self) -> None:
        """Disconnect every page."""
        for queues in self._queues.values():
            for queue in queues:
                queue.put_nowait(None)
