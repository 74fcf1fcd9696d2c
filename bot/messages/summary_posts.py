"""Due summaries on the board: each due time is posted once; long ones have all rows as a file in the thread."""

import secrets
from datetime import datetime
from functools import partial

from bot.messages.board import Board, File, Reply, View
from handlers.kit.message import Message
from handlers.views import summary as views
from services.model.message import Channel, LiveMessage, Subject, SubjectKind
from services.model.watch import Watch
from services.store import Store
from services.watching.reports import Due, SummaryReports
from services.watching.summaries import Report

FILE_FROM = 4
"""Pages from which on all rows come as a file too."""


class SummaryPosts:
    """A kind of the board (`board.Kind`), and `services.ports.Reports`.

    Its subjects are `watch:due`, the due time in Unix seconds.
    """

    name: SubjectKind = "summary"
    event_type = "registry_summary"

    def __init__(self, board: Board, store: Store, reporting: SummaryReports) -> None:
        self._board = board
        self._store = store
        self._reporting = reporting

    async def due(self, watch_id: str) -> None:
        """Post what a watch has due, now that its time has come."""
        watch = await self._store.watches.get(watch_id)
        due = await self._reporting.due(watch) if watch else None
        if due is not None:
            self._board.changed(Subject(self.name, due.subject))

    async def post_now(self, watch: Watch) -> None:
        """Post a summary beside those on schedule; raises `services.model.errors`."""
        report = await self._reporting.report(watch)
        due = Due(watch, report.summary.at, late=False)
        view = self._view(due, report)
        channel, mark = Channel(watch.place.team, watch.place.channel), f"{watch.id}:now:{secrets.token_hex(4)}"
        await self._board.post_once(view, channel, event_type=self.event_type, mark=mark)

    async def view(self, subject: str) -> View | None:
        """A due summary; None when it was posted, its watch has ended, or a later one is due."""
        watch = await self._store.watches.get(subject.rpartition(":")[0])
        due = await self._reporting.due(watch) if watch else None
        return self._view(due) if due is not None and due.subject == subject else None

    async def behind(self, _since: datetime | None) -> tuple[str, ...]:
        """Every due time that is not posted: missed while no process ran, or left by one that died."""
        due = [await self._reporting.due(watch) for watch in await self._store.watches.all()]
        return tuple(each.subject for each in due if each is not None)

    def _view(self, due: Due, report: Report | None = None) -> View:
        """What is posted asks Azure, so it is made when it is needed, and once."""
        reports = [report] if report else []

        async def latest() -> Report:
            if not reports:
                reports.append(await self._reporting.report(due.watch, before=due.at))
            return reports[0]

        async def render(_plan_blocks: bool) -> Message:
            return views.of_watch(due.watch, await latest(), late=due.at if due.late else None)

        async def replies(message: LiveMessage) -> tuple[Reply, ...]:
            if message.position > 0:
                return ()
            rows = (await latest()).summary
            if views.pages(rows) < FILE_FROM:
                return (Reply(1),)
            name = f"{due.watch.subject or 'all'}-{due.at:%Y-%m-%d-%H%M}.csv"
            return (Reply(1, file=File(name, f"All rows, {due.at:%Y-%m-%d %H:%M} UTC", views.csv(rows))),)

        return View(
            revision=0,
            channels=(Channel(due.watch.place.team, due.watch.place.channel),),
            render=render,
            replies=replies,
            first_position=0,
            complete=partial(self._reporting.posted, due),
        )
