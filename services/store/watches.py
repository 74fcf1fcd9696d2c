"""Channels' subscriptions."""

from typing import Any

from sqlalchemy import Select, delete, select

from services.model.watch import Watch
from services.store.base import Queries, columns, value
from services.store.tables import watches


class Watches(Queries):
    """One row for each channel and what it watches."""

    async def save(self, watch: Watch) -> Watch:
        """Add it, or replace the one that this channel has on the same subject, under the id of the earlier one."""
        row = columns(watch) | {"team": watch.place.team, "channel": watch.place.channel}
        same = (
            (watches.c.team == watch.place.team)
            & (watches.c.channel == watch.place.channel)
            & (watches.c.scope == watch.scope)
            & (watches.c.subject == watch.subject)
        )
        async with self._writing() as connection:
            done = await connection.execute(self._insert_once(watches).values(**row))
            if not done.rowcount:
                del row["id"]
                await connection.execute(watches.update().where(same).values(**row))
            stored = (await connection.execute(select(watches).where(same))).mappings().one()
        return value(Watch, stored)

    async def remove(self, watch: str) -> bool:
        """Delete it; False when there was none."""
        async with self._writing() as connection:
            done = await connection.execute(delete(watches).where(watches.c.id == watch))
        return done.rowcount == 1

    async def get(self, watch: str) -> Watch | None:
        """By id."""
        stored = await self._load(select(watches).where(watches.c.id == watch))
        return stored[0] if stored else None

    async def all(self) -> tuple[Watch, ...]:
        """Of all channels, oldest first."""
        return await self._load(select(watches).order_by(watches.c.created, watches.c.id))

    async def of_channel(self, team: str, channel: str) -> tuple[Watch, ...]:
        """Of one channel, by what they watch."""
        mine = (watches.c.team == team) & (watches.c.channel == channel)
        return await self._load(select(watches).where(mine).order_by(watches.c.scope, watches.c.subject))

    async def _load(self, query: Select[Any]) -> tuple[Watch, ...]:
        async with self._reading() as connection:
            return tuple(value(Watch, row) for row in (await connection.execute(query)).mappings())
