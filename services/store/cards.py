"""Which message in Slack shows which operation, and how much of it has been shown."""

from dataclasses import dataclass

from sqlalchemy import or_, select, update

from services.store.base import Queries
from services.store.tables import cards, events, operations


@dataclass(frozen=True)
class Card:
    """The message of one operation.

    `shown` is the revision it shows, `told` the id of the last event its thread has, `posting` the mark of a post whose
    reply has not come yet.
    """

    operation: str
    ts: str = ""
    shown: int = -1
    told: int = 0
    posting: str = ""


class Cards(Queries):
    """One row an operation."""

    async def get(self, operation: str) -> Card:
        """The operation's card; an empty one when nothing was posted yet."""
        async with self._reading() as connection:
            row = (await connection.execute(select(cards).where(cards.c.operation == operation))).mappings().first()
        return Card(**row) if row else Card(operation)

    async def save(self, operation: str, **changes: object) -> None:
        """Change the named columns."""
        fresh = {"ts": "", "shown": -1, "told": 0, "posting": ""}
        async with self._writing() as connection:
            await connection.execute(self._insert_once(cards).values(operation=operation, **fresh))
            await connection.execute(update(cards).where(cards.c.operation == operation).values(**changes))

    async def behind(self) -> tuple[str, ...]:
        """Operations whose card or thread does not show their last state, oldest first."""
        newest = select(events.c.id).where(events.c.operation == operations.c.id, events.c.id > cards.c.told).exists()
        query = (
            select(operations.c.id)
            .outerjoin(cards, cards.c.operation == operations.c.id)
            .where(or_(cards.c.operation.is_(None), cards.c.shown < operations.c.revision, newest))
            .order_by(operations.c.created)
        )
        async with self._reading() as connection:
            return tuple(await connection.scalars(query))
