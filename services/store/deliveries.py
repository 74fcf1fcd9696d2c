"""What Slack has delivered, so that a second delivery does nothing."""

from datetime import UTC, datetime

from services.store.base import Queries
from services.store.tables import deliveries


class Deliveries(Queries):
    """Implements `ports.Deliveries`: one row for each key (a trigger's id, an event's id)."""

    async def first(self, key: str) -> bool:
        """The primary key decides between processes."""
        async with self._writing() as connection:
            done = await connection.execute(self._insert_once(deliveries).values(key=key[:255], at=datetime.now(UTC)))
        return done.rowcount == 1

    async def forget(self, before: datetime, limit: int) -> int:
        """Drop up to `limit` keys from before that time; returns how many it dropped."""
        return await self._delete_some(deliveries.c.key, deliveries.c.at < before, limit=limit)
