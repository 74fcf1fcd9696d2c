"""Channels' subscriptions."""

from dataclasses import fields
from typing import Any

from sqlalchemy import RowMapping, Select, delete, select

from services.model.watch import Watch
from services.store.base import Queries
from services.store.tables import watches

_FIELDS = tuple(item.name for item in fields(Watch))


class Watches(Queries):
    """One row for each channel and what it watches."""

    async def save(self, watch: Watch) -> Watch:
        """Add it, or change the one that this channel has on the same subject: it keeps its id and begins anew."""
        row = {name: getattr(watch, name) for name in _FIELDS} | {
            "team": watch.place.team,
            "channel": watch.place.channel,
        }
        same = (
            (watches.c.team == watch.place.team)
            & (watches.c.channel == watch.place.channel)
            & (watches.c.scope == watch.scope)
            & (watches.c.subject == watch.subject)
        )
        async with self._writing() as connection:
            done = await connection.execute(self._insert_once(watches).values(**row))
            if not done.rowcount:
                changes = {name: value for name, value in row.items() if name != "id"}
                await connection.execute(watches.update().where(same).values(**changes))
            stored = (await connection.execute(select(watches).where(same))).mappings().one()
        return _watch(stored)

    async def remove(self, watch: str) -> bool:
        """End it; False when it was gone."""
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
            return tuple(map(_watch, (await connection.execute(query)).mappings()))


def _watch(row: RowMapping) -> Watch:
    return Watch(**{name: row[name] for name in _FIELDS})
