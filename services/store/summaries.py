"""Which due times of which watches are done. A summary is posted for a due time once (`messages` holds its message)."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, select, update

from services.store.base import Queries
from services.store.tables import summaries


@dataclass(frozen=True)
class Slot:
    """A due time of a watch; `posted` is when its summary was in the channel."""

    watch: str
    due: datetime
    posted: datetime | None = None


class Summaries(Queries):
    """One row a slot."""

    async def open(self, watch: str, due: datetime, now: datetime) -> bool:
        """Note that a summary is due; False when it was posted, or a later one is due by now."""
        async with self._writing() as connection:
            # Slots that a clock took which had jumped ahead don't count: their time is still to come.
            newest = select(func.max(summaries.c.due)).where(summaries.c.watch == watch, summaries.c.due <= now)
            last = await connection.scalar(newest)
            if last is not None and last > due:
                return False
            await connection.execute(self._insert_once(summaries).values(watch=watch, due=due))
            same = and_(summaries.c.watch == watch, summaries.c.due == due)
            return await connection.scalar(select(summaries.c.posted).where(same)) is None

    async def posted(self, watch: str, due: datetime, at: datetime) -> None:
        """Note that the summary is in the channel since then."""
        same = and_(summaries.c.watch == watch, summaries.c.due == due)
        async with self._writing() as connection:
            await connection.execute(update(summaries).where(same).values(posted=at))

    async def last(self, watch: str, until: datetime) -> Slot | None:
        """The newest slot of a watch up to that time, posted or not."""
        return await self._newest(summaries.c.watch == watch, summaries.c.due <= until)

    async def before(self, watch: str, due: datetime) -> Slot | None:
        """The newest one posted for an earlier time."""
        mine = summaries.c.watch == watch
        return await self._newest(mine, summaries.c.due < due, summaries.c.posted.is_not(None))

    async def _newest(self, *which: ColumnElement[bool]) -> Slot | None:
        query = select(summaries).where(*which).order_by(summaries.c.due.desc()).limit(1)
        async with self._reading() as connection:
            row = (await connection.execute(query)).mappings().first()
        return Slot(**row) if row else None

    async def forget(self, before: datetime) -> int:
        """Drop slots from before that time but each watch's newest; how many there were."""
        newest = select(func.max(summaries.c.due)).group_by(summaries.c.watch)
        async with self._writing() as connection:
            done = await connection.execute(
                summaries.delete().where(summaries.c.due < before, summaries.c.due.not_in(newest))
            )
        return done.rowcount
