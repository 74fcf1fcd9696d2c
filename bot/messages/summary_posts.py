"""Due summaries on the board: each is posted once, and a long one has all its rows as a file in the thread."""

import secrets
from datetime import datetime
from functools import partial

from bot.messages.board import Board, ThreadReply, View
from handlers.kit.language import t
from handlers.kit.message import File, Message
from handlers.views import summary as views
from services.model.message import Channel, LiveMessage, Subject, SubjectKind
from services.model.watch import Watch
from services.store import Store
from services.watching.reports import Due, SummaryReports
from services.watching.summaries import Report

FILE_FROM = 4
"""Summaries with this many pages or more also come as a file."""


class SummaryPosts:
    """Shows summaries; a `board.Kind`, and implements `services.ports.Reports`.

    Its subjects are `watch:due`, with the due time in Unix seconds.
    """

    name: SubjectKind = "summary"
    event_type = "registry_summary"

    def __init__(self, board: Board, store: Store, reporting: SummaryReports) -> None:
        self._board = board
        self._store = store
        self._reporting = reporting

    async def due(self, watch_id: str) -> None:
        """Post the summary of a watch whose time has come."""
        watch = await self._store.watches.get(watch_id)
        due = await self._reporting.due(watch) if watch else None
        if due is not None:
            self._board.changed(Subject(self.name, due.subject))

    async def post_now(self, watch: Watch) -> None:
        """Post a summary outside the schedule; raises `services.model.errors`."""
        report = await self._reporting.report(watch)
        due = Due(watch, report.summary.at, late=False)
        view = self._view(due, report)
        channel, mark = Channel(watch.place.team, watch.place.channel), f"{watch.id}:now:{secrets.token_hex(4)}"
        await self._board.post_once(view, channel, event_type=self.event_type, mark=mark)

    async def view(self, subject: str) -> View | None:
        """A due summary; None when it was posted, its watch was deleted, or a later one is due."""
        watch = await self._store.watches.get(subject.rpartition(":")[0])
        due = await self._reporting.due(watch) if watch else None
        return self._view(due) if due is not None and due.subject == subject else None

    async def is_urgent(self, _subject: str) -> bool:
        """Every summary is: its time has come."""
        return True

    async def behind(self, _since: datetime | None) -> tuple[str, ...]:
        """Every summary that is due and not posted: missed while no process ran, or left by one that died."""
        dues = [await self._reporting.due(watch) for watch in await self._store.watches.all()]
        return tuple(due.subject for due in dues if due is not None)

    def _view(self, due: Due, report: Report | None = None) -> View:
        """The report needs a request to Azure, so it is made when it is first needed, and only once."""
        reports = [report] if report else []

        async def latest() -> Report:
            if not reports:
                reports.append(await self._reporting.report(due.watch, before=due.at))
            return reports[0]

        async def render(_plan_blocks: bool) -> Message:
            return views.of_watch(due.watch, await latest(), late=due.at if due.late else None)

        async def replies(message: LiveMessage) -> tuple[ThreadReply, ...]:
            if message.position > 0:
                return ()
            rows = (await latest()).summary
            if views.pages(rows) < FILE_FROM:
                return (ThreadReply(1),)
            name = f"{due.watch.subject or 'all'}-{due.at:%Y-%m-%d-%H%MZ}.csv"
            return (
                ThreadReply(
                    1, file=File(name, t("All rows, {due} UTC", due=f"{due.at:%Y-%m-%d %H:%M}"), views.csv(rows))
                ),
            )

        channel = Channel(due.watch.place.team, due.watch.place.channel)
        return View(
            revision=0,
            channels=(channel,),
            readers={channel: due.watch.by},
            render=render,
            replies=replies,
            first_position=0,
            complete=partial(self._reporting.posted, due),
        )
