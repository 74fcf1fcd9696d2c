"""Deletes old rows in small bites, and writes those of the audit to files first."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog

from bot import audit_archive
from services.model.clock import Clock
from services.model.retention import Retention
from services.operations.engine import Engine
from services.store import Store

BITE = 500
"""Rows that one transaction deletes; on SQLite everything else that writes waits for it."""
OPERATIONS_BITE = 50
"""Operations, each with some fifty rows that hang on it."""
PAUSE = 0.05
"""Seconds between two bites, in which others have their turn."""
SUMMARIES_KEPT = timedelta(days=35)
"""A summary says what has changed since the one before it, which may have been a month ago."""
log = structlog.get_logger("retention")


class OldRows:
    """Several processes may delete beside each other: each row goes once, and no order matters.

    `clock` is Azure's: a machine's own may be set years ahead, and what is deleted does not come back.
    """

    def __init__(self, retention: Retention, store: Store, engine: Engine, clock: Clock) -> None:
        self._retention = retention
        self._store = store
        self._engine = engine
        self._clock = clock

    async def delete(self) -> None:
        """Delete whatever is older than the settings say."""
        now, store, spans = self._clock.now(), self._store, self._retention
        await _in_bites(OPERATIONS_BITE, lambda bite: store.operations.forget(now - spans.operations, bite))
        await _in_bites(BITE, lambda bite: store.deliveries.forget(now - spans.deliveries, bite))
        await _in_bites(BITE, lambda bite: store.sightings.forget(now - spans.transitions, bite))
        await _in_bites(BITE, lambda bite: store.incidents.forget(now - spans.transitions, bite))
        await store.summaries.forget(now - SUMMARIES_KEPT)
        await store.messages.forget_summaries(now - SUMMARIES_KEPT)
        await _in_bites(1, lambda _: self._engine.forget(now - spans.checkpoints))
        if spans.audit is not None and spans.archive is not None:
            # Whole days, so that a file holds a day's rows and not those of the last hour.
            day = (now - spans.audit).astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
            await self._archive_audit(day, spans.archive)

    async def _archive_audit(self, before: datetime, folder: Path) -> None:
        """Rows leave the database after the file that has them is on the disk; a broken chain stays as it is."""
        while True:
            part = await self._store.audit.beginning(before)
            if part.broken is not None:
                log.error("audit_not_archived", row=part.broken.number, reason=part.broken.reason)
                return
            if not part.lines:
                return
            try:
                path = await asyncio.to_thread(audit_archive.write, part, folder)
            except OSError as error:
                log.warning("audit_not_archived", folder=str(folder), reason=error.strerror)
                return
            if await self._store.audit.cut(part):
                log.info("audit_archived", file=str(path), rows=len(part.lines))
            await asyncio.sleep(PAUSE)


async def _in_bites(bite: int, forget: Callable[[int], Awaitable[int]]) -> None:
    """Call `forget` until it deletes less than a whole bite."""
    deleted = bite
    while deleted >= bite:
        deleted = await forget(bite)
        await asyncio.sleep(PAUSE)
