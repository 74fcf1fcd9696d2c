"""Due summaries → posts in their channels: each due time once, whatever was restarted in between."""

import asyncio
import secrets
from collections.abc import Callable
from datetime import UTC, datetime

import structlog

from bot.messages.posting import NOT_THERE, Posting
from handlers.views import summary as views
from handlers.watch import summary as shown
from services.model.errors import Absent, DomainError, NotAllowed, Refused, Throttled, Unreachable
from services.model.watch import Watch
from services.store import Store
from services.watching.reports import Due, Report, SummaryReports
from services.watching.summaries import Summary

KIND = "registry_summary"
AT_ONCE = 4
FILE_FROM = 4
"""Pages from which on all rows come as a file too."""
log = structlog.get_logger("summaries")


class Summaries:
    """Posts what is due. Whoever asks (the scheduler, a sweep, a start), the database gives each slot to one."""

    def __init__(
        self,
        posting: Posting,
        store: Store,
        reporting: SummaryReports,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._posting = posting
        self._store = store
        self._reporting = reporting
        self._now = now
        self._bound = asyncio.Semaphore(AT_ONCE)

    async def sweep(self) -> None:
        """Post everything that is due and not posted: missed while no process ran, or left by one that died."""
        await asyncio.gather(*map(self._safely, await self._store.watches.all()))

    async def due(self, watch: str) -> None:
        """The scheduler says that a watch's time has come."""
        found = await self._store.watches.get(watch)
        if found is not None:
            await self._safely(found)

    async def post_now(self, watch: Watch) -> None:
        """Post a summary beside those on schedule; raises `services.model.errors`."""
        report = await self._reporting.report(watch)
        due = Due(watch, report.summary.at, late=False)
        ts = await self._post(due, report, f"{watch.id}:now:{secrets.token_hex(4)}")
        await self._file(due, report.summary, ts)

    async def _safely(self, watch: Watch) -> None:
        """One watch's trouble is no other's; what could not be posted is tried again by the next sweep."""
        async with self._bound:
            try:
                await self._post_due(watch)
            except (Throttled, Unreachable) as error:
                log.warning("not_posted_yet", watch=watch.id, error=str(error))
            except Exception:
                log.exception("not_posted", watch=watch.id)

    async def _post_due(self, watch: Watch) -> None:
        due = await self._reporting.claim(watch)
        if due is None:
            return
        mark = f"{watch.id}:{int(due.at.timestamp())}"
        found = await self._posting.find(watch.place.channel, mark, kind=KIND) if due.tried else ""
        if found:
            await self._reporting.posted(due, found)
            return
        report = await self._reporting.report(watch, before=due.at)
        if not await self._reporting.begin(due):
            return
        try:
            ts = await self._post(due, report, mark)
        except (NotAllowed, Refused, Absent) as error:
            if error.code not in NOT_THERE:
                raise
            log.warning("not_in_channel", watch=watch.id, channel=watch.place.channel, error=error.code)
            await self._reporting.give_up(due)
            return
        await self._reporting.posted(due, ts)
        log.info("summary_posted", watch=watch.id, due=due.at.isoformat(), late=due.late)
        await self._file(due, report.summary, ts)

    async def _post(self, due: Due, report: Report, mark: str) -> str:
        message = shown(due.watch, report, late=due.at if due.late else None)
        return await self._posting.post(due.watch.place.channel, message, kind=KIND, mark=mark)

    async def _file(self, due: Due, summary: Summary, ts: str) -> None:
        """All rows of a long one, in its thread. The summary is there without it, so its failure fails nothing."""
        if views.pages(summary) < FILE_FROM:
            return
        name = f"{due.watch.subject or 'all'}-{due.at:%Y-%m-%d-%H%M}.csv"
        title = f"All rows, {due.at:%Y-%m-%d %H:%M} UTC"
        try:
            await self._posting.upload(due.watch.place.channel, name, views.csv(summary), title=title, thread=ts)
        except DomainError as error:
            log.warning("file_not_shared", watch=due.watch.id, error=str(error))
