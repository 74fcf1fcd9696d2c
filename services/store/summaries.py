"""Which summaries were posted. A slot (watch and due time) is claimed, so that one process posts it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select, update

from services.store.base import Queries
from services.store.tables import summaries


@dataclass(frozen=True)
class Slot:
    """A due time of a watch. `posting` says that a post was begun whose reply is not known."""

    watch: str
    due: datetime
    posting: bool = False
    ts: str = ""
    posted: datetime | None = None


class Summaries(Queries):
    """One row a slot."""

    async def claim(self, watch: str, due: datetime, holder: str, now: datetime, until: datetime) -> Slot | None:
        """Take the slot until then; None when it was posted, another process has it, or a later one was taken.

        Who holds it already prolongs it. A slot whose holder fell silent can be taken again.
        """
        same = and_(summaries.c.watch == watch, summaries.c.due == due)
        async with self._writing() as connection:
            # Slots that a clock took which had jumped ahead don't count: their time is still to come.
            newest = select(func.max(summaries.c.due)).where(summaries.c.watch == watch, summaries.c.due <= now)
            last = await connection.scalar(newest)
            if last is not None and last > due:
                return None
            await connection.execute(
                self._insert_once(summaries).values(
                    watch=watch, due=due, holder=holder, until=until, posting=False, ts=""
                )
            )
            free = or_(summaries.c.holder == holder, summaries.c.until <= now)
            done = await connection.execute(
                update(summaries).where(same, summaries.c.posted.is_(None), free).values(holder=holder, until=until)
            )
            if not done.rowcount:
                return None
            posting = await connection.scalar(select(summaries.c.posting).where(same))
        return Slot(watch, due, bool(posting))

    async def save(self, watch: str, due: datetime, **changes: object) -> None:
        """Change the named columns."""
        async with self._writing() as connection:
            await connection.execute(
                update(summaries).where(summaries.c.watch == watch, summaries.c.due == due).values(**changes)
            )

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
        return Slot(row["watch"], row["due"], row["posting"], row["ts"], row["posted"]) if row else None

    async def forget(self, before: datetime) -> int:
        """Drop slots from before that time but each watch's newest; how many there were."""
        newest = select(func.max(summaries.c.due)).group_by(summaries.c.watch)
        async with self._writing() as connection:
            done = await connection.execute(
                summaries.delete().where(summaries.c.due < before, summaries.c.due.not_in(newest))
            )
        return done.rowcount
