"""What Slack has delivered, so that a second delivery does nothing."""

from datetime import UTC, datetime

from sqlalchemy import delete

from services.store.base import Queries
from services.store.tables import deliveries


class Deliveries(Queries):
    """Keys of deliveries (trigger ids, event ids)."""

    async def first(self, key: str) -> bool:
        """Whether this key has not been seen before; it counts as seen from now on, for all processes."""
        async with self._writing() as connection:
            done = await connection.execute(self._insert_once(deliveries).values(key=key[:255], at=datetime.now(UTC)))
        return done.rowcount == 1

    async def forget(self, before: datetime) -> int:
        """Drop keys seen before that time; how many there were."""
        async with self._writing() as connection:
            done = await connection.execute(delete(deliveries).where(deliveries.c.at < before))
        return done.rowcount
