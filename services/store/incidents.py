"""Incidents, and what people decide about them."""

from collections.abc import Callable, Collection
from datetime import datetime

from sqlalchemy import RowMapping, and_, delete, func, or_, select, tuple_, update

from services.model.incident import Incident, StoredIncident
from services.store.base import Queries, columns, value
from services.store.tables import incidents, messages


class Incidents(Queries):
    """Polls write incidents (`sightings`); people acknowledge and snooze them here."""

    async def get(self, incident: str) -> StoredIncident | None:
        """By id."""
        async with self._reading() as connection:
            row = (await connection.execute(select(incidents).where(incidents.c.id == incident))).mappings().first()
        return _stored(row) if row else None

    async def open(self, acrs: Collection[str] | None = None) -> tuple[StoredIncident, ...]:
        """Those not resolved, oldest first; all, or of these cloud registries."""
        query = select(incidents).where(incidents.c.resolved.is_(None))
        if acrs is not None:
            query = query.where(incidents.c.acr.in_(sorted(acrs)))
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        # Sorted here: SQLite would read all incidents in this order, and the open ones are few.
        return tuple(map(_stored, sorted(rows, key=lambda row: (row["opened"], row["id"]))))

    async def unshown(self, *, with_open: bool) -> tuple[StoredIncident, ...]:
        """Those that have changed since they were last compared with their messages, oldest first.

        `with_open`: and all open ones.
        """
        changed = incidents.c.shown < incidents.c.revision
        which = or_(changed, incidents.c.resolved.is_(None)) if with_open else changed
        query = select(incidents).where(which).order_by(incidents.c.opened, incidents.c.id)
        async with self._reading() as connection:
            return tuple(map(_stored, (await connection.execute(query)).mappings()))

    async def mark_shown(self, shown: Collection[StoredIncident]) -> None:
        """Note that every channel shows these as they are; one that has changed since is compared again."""
        revisions = [(stored.incident.id, stored.revision) for stored in shown]
        same = select(incidents.c.id).where(tuple_(incidents.c.id, incidents.c.revision).in_(revisions))
        # Nobody is waited for, or two replicas that mark and change the same incidents would block each other.
        unlocked = same.with_for_update(skip_locked=True)
        async with self._writing() as connection:
            await connection.execute(
                update(incidents).where(incidents.c.id.in_(unlocked)).values(shown=incidents.c.revision)
            )

    async def with_messages(self) -> frozenset[str]:
        """Cloud registries (ARM ids, lower case) with open incidents that some channel has a message of."""
        about = and_(messages.c.kind == "incident", messages.c.subject == incidents.c.id)
        posted = select(messages.c.ts).where(about, messages.c.ts != "")
        # Not a join: SQLite would begin with the messages of all alerts, also of those that are over.
        query = select(incidents.c.acr).where(incidents.c.resolved.is_(None), posted.exists()).distinct()
        async with self._reading() as connection:
            return frozenset(await connection.scalars(query))

    async def recent(self, limit: int = 3) -> tuple[StoredIncident, ...]:
        """The newest, newest first."""
        query = select(incidents).order_by(incidents.c.opened.desc(), incidents.c.id).limit(limit)
        async with self._reading() as connection:
            return tuple(map(_stored, (await connection.execute(query)).mappings()))

    async def change(self, incident: str, change: Callable[[Incident], Incident]) -> StoredIncident | None:
        """Let `change` (pure) say what becomes of an open one; None when there is none, or it is resolved."""
        query = select(incidents).where(incidents.c.id == incident, incidents.c.resolved.is_(None))
        async with self._writing() as connection:
            row = (await connection.execute(query.with_for_update())).mappings().first()
            if row is None:
                return None
            changed, revision = change(value(Incident, row)), row["revision"] + 1
            values = columns(changed) | {"revision": revision}
            await connection.execute(update(incidents).where(incidents.c.id == incident).values(**values))
        return StoredIncident(changed, row["acr"], revision)

    async def end_snoozes(self, now: datetime) -> tuple[str, ...]:
        """End the snoozes that have run out; the ids of their incidents."""
        over = and_(incidents.c.resolved.is_(None), incidents.c.snoozed_until <= now)
        async with self._writing() as connection:
            ended = tuple(await connection.scalars(select(incidents.c.id).where(over)))
            if ended:
                await connection.execute(
                    update(incidents)
                    .where(incidents.c.id.in_(ended))
                    .values(snoozed_until=None, revision=incidents.c.revision + 1)
                )
        return ended

    async def forget(self, before: datetime, limit: int) -> int:
        """Drop up to `limit` incidents that were resolved before that time, with their messages; returns how many."""
        old = select(incidents.c.id).where(incidents.c.resolved < before).limit(limit).with_for_update(skip_locked=True)
        async with self._writing() as connection:
            ids = (await connection.scalars(old)).all()
            shown = and_(messages.c.kind == "incident", messages.c.subject.in_(ids))
            await connection.execute(delete(messages).where(shown))
            await connection.execute(delete(incidents).where(incidents.c.id.in_(ids)))
        return len(ids)

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many are open, by cloud registry and severity."""
        query = (
            select(incidents.c.acr, incidents.c.severity, func.count())
            .where(incidents.c.resolved.is_(None))
            .group_by(incidents.c.acr, incidents.c.severity)
        )
        async with self._reading() as connection:
            return {(acr, severity): count for acr, severity, count in await connection.execute(query)}


def _stored(row: RowMapping) -> StoredIncident:
    return StoredIncident(value(Incident, row), row["acr"], row["revision"])
