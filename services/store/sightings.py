"""Results of polls: last sightings, transitions, and incidents, each poll in one transaction."""

from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.model.health import Target, Transition
from services.model.incident import Incident
from services.model.poll import LastSighting, Poll, PollResult, StoredState
from services.store.base import UNLIKELY, Queries, columns, value
from services.store.tables import incidents, memos, polls, sightings, transitions


class Sightings(Queries):
    """One row for each connected registry and cloud registry, and all transitions."""

    async def claim(self, acr: str, now: datetime, until: datetime, own: datetime | None = None) -> bool:
        """Whether this process may poll this cloud registry now; no other process does before `until`.

        `own` is the time that this process set last. It comes when it is over, whatever the clock says.
        """
        async with self._writing() as connection:
            fresh = await connection.execute(self._insert_once(polls).values(acr=acr, due=until, failures=0, error=""))
            if fresh.rowcount:
                return True
            # No back-off is that long: a time so far ahead was written by a wrong clock.
            free = or_(polls.c.due <= now, polls.c.due > now + UNLIKELY, polls.c.due == own)
            mine = update(polls).where(polls.c.acr == acr, free).values(due=until)
            return (await connection.execute(mine)).rowcount == 1

    async def apply_poll(self, acr: str, now: datetime, decide: Callable[[StoredState], PollResult]) -> PollResult:
        """Read what is stored about a cloud registry, let `decide` (pure) say what changes, write it.

        One transaction: two processes that poll the same cloud registry take turns at its row.
        """
        async with self._writing() as connection:
            await connection.execute(self._insert_once(polls).values(acr=acr, due=now, failures=0, error=""))
            row = (await connection.execute(select(polls).where(polls.c.acr == acr).with_for_update())).mappings().one()
            result = decide(await self._stored_state(connection, value(Poll, row)))
            await self._write(connection, acr, result)
        return result

    async def _stored_state(self, connection: AsyncConnection, poll: Poll) -> StoredState:
        last = (await connection.execute(select(sightings).where(sightings.c.acr == poll.acr))).mappings()
        unresolved = select(incidents).where(incidents.c.acr == poll.acr, incidents.c.resolved.is_(None))
        open_incidents = (await connection.execute(unresolved)).mappings()
        stored_memos = await connection.execute(select(memos.c.subject, memos.c.memo).where(memos.c.acr == poll.acr))
        return StoredState(
            poll,
            {Target(row["acr"], row["name"]): _last_sighting(row) for row in last},
            tuple(value(Incident, row) for row in open_incidents),
            {row.subject: row.memo for row in stored_memos},
        )

    async def _write(self, connection: AsyncConnection, acr: str, result: PollResult) -> None:
        await connection.execute(update(polls).where(polls.c.acr == acr).values(**columns(result.poll)))
        names = {target.name for target in result.removed} | {last.sighting.target.name for last in result.sightings}
        if names:
            await connection.execute(
                delete(sightings).where(sightings.c.acr == acr, sightings.c.name.in_(sorted(names)))
            )
        if result.sightings:
            rows = [
                columns(last, but="sighting")
                | {"acr": last.sighting.target.acr, "name": last.sighting.target.name, "seen": last.sighting}
                for last in result.sightings
            ]
            await connection.execute(insert(sightings), rows)
        if result.transitions:
            rows = [
                columns(turn, but="target") | {"acr": turn.target.acr, "name": turn.target.name}
                for turn in result.transitions
            ]
            await connection.execute(insert(transitions), rows)
        if result.opened:
            rows = [columns(incident) | {"acr": acr, "revision": 0} for incident in result.opened]
            await connection.execute(insert(incidents), rows)
        for incident in (*result.changed, *result.resolved):
            changes = columns(incident) | {"revision": incidents.c.revision + 1}
            await connection.execute(update(incidents).where(incidents.c.id == incident.id).values(**changes))
        if result.memos is not None:
            await connection.execute(delete(memos).where(memos.c.acr == acr))
            rows = [{"acr": acr, "subject": subject, "memo": memo} for subject, memo in result.memos.items()]
            if rows:
                await connection.execute(insert(memos), rows)

    # --- reading ----------------------------------------------------------------------------------------------------

    async def poll(self, acr: str) -> Poll | None:
        """Of one cloud registry; None where it was never polled."""
        async with self._reading() as connection:
            row = (await connection.execute(select(polls).where(polls.c.acr == acr))).mappings().first()
        return value(Poll, row) if row else None

    async def polls(self) -> tuple[Poll, ...]:
        """Of all cloud registries that are polled."""
        async with self._reading() as connection:
            rows = (await connection.execute(select(polls).order_by(polls.c.acr))).mappings()
            return tuple(value(Poll, row) for row in rows)

    async def last(self, acrs: Collection[str], names: Collection[str] | None = None) -> tuple[LastSighting, ...]:
        """The last sightings in these cloud registries (ARM ids in lower case), as of their last successful poll.

        All of them, or those of the connected registries with these names.
        """
        query = (
            select(sightings, polls.c.succeeded)
            .join(polls, polls.c.acr == sightings.c.acr)
            .where(sightings.c.acr.in_(sorted(acrs)))
            .order_by(sightings.c.acr, sightings.c.name)
        )
        if names is not None:
            query = query.where(sightings.c.name.in_(sorted(names)))
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(_last_sighting(row, row["succeeded"]) for row in rows)

    async def transitions(self, acrs: Collection[str], since: datetime) -> tuple[Transition, ...]:
        """After that time, oldest first."""
        query = (
            select(transitions)
            .where(transitions.c.acr.in_(sorted(acrs)), transitions.c.at > since)
            .order_by(transitions.c.at, transitions.c.id)
        )
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(value(Transition, {**row, "target": Target(row["acr"], row["name"])}) for row in rows)

    async def forget(self, before: datetime, limit: int) -> int:
        """Drop up to `limit` transitions from before that time; returns how many it dropped."""
        return await self._delete_some(transitions.c.id, transitions.c.at < before, limit=limit)

    async def drop(self, acr: str, now: datetime) -> tuple[str, ...]:
        """Forget a cloud registry that is no longer watched, except transitions; ids of the incidents that end."""
        unresolved = and_(incidents.c.acr == acr, incidents.c.resolved.is_(None))
        async with self._writing() as connection:
            ended = tuple(await connection.scalars(select(incidents.c.id).where(unresolved)))
            values = {"resolved": now, "changed": now, "reason": "unwatched", "revision": incidents.c.revision + 1}
            await connection.execute(update(incidents).where(unresolved).values(**values))
            for table in (sightings, memos, polls):
                await connection.execute(delete(table).where(table.c.acr == acr))
        return ended


def _last_sighting(row: RowMapping, succeeded: datetime | None = None) -> LastSighting:
    """What a row holds; as new as the last successful poll, since a poll without news writes no sightings."""
    sighting = row["seen"]
    if succeeded is not None and succeeded > sighting.at and not sighting.failed:
        sighting = replace(sighting, at=succeeded)
    return LastSighting(sighting, row["state"], row["reason"], row["since"], row["activated"])
