"""What polls saw: last sightings, transitions, and the incidents that follow, each poll in one transaction."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, and_, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.model.health import Target, Transition
from services.model.incident import Memo
from services.model.poll import Known, Poll, Seen, Verdict
from services.store.base import UNLIKELY, Room
from services.store.incidents import incident_of, incident_row
from services.store.tables import incidents, memos, polls, sightings, transitions

_TRANSITION = tuple(item.name for item in fields(Transition) if item.name != "target")


class Sightings(Room):
    """One row for each connected registry and cloud registry, and all transitions."""

    async def claim(self, acr: str, now: datetime, until: datetime) -> bool:
        """Whether this process is the one to ask this cloud registry now; nobody else does before `until`."""
        async with self._writing() as connection:
            fresh = await connection.execute(self._insert_once(polls).values(acr=acr, due=until, failures=0, error=""))
            if fresh.rowcount:
                return True
            # A time far ahead was written by a clock that was; nobody backs off for so long.
            free = or_(polls.c.due <= now, polls.c.due > now + UNLIKELY)
            mine = update(polls).where(polls.c.acr == acr, free).values(due=until)
            return (await connection.execute(mine)).rowcount == 1

    async def judge(self, acr: str, now: datetime, judge: Callable[[Known], Verdict]) -> Verdict:
        """Read what is known of a cloud registry, let `judge` (pure) say what changes, write it: one transaction."""
        async with self._writing() as connection:
            await connection.execute(self._insert_once(polls).values(acr=acr, due=now, failures=0, error=""))
            # The row also keeps two processes apart that judge the same cloud registry.
            row = (await connection.execute(select(polls).where(polls.c.acr == acr).with_for_update())).mappings().one()
            verdict = judge(await self._known(connection, _poll(row)))
            await self._write(connection, acr, verdict)
        return verdict

    async def _known(self, connection: AsyncConnection, poll: Poll) -> Known:
        rows = (await connection.execute(select(sightings).where(sightings.c.acr == poll.acr))).mappings()
        still = select(incidents).where(incidents.c.acr == poll.acr, incidents.c.resolved.is_(None))
        found = (await connection.execute(still)).mappings()
        kept = await connection.execute(select(memos.c.subject, memos.c.memo).where(memos.c.acr == poll.acr))
        return Known(
            poll,
            {Target(row["acr"], row["name"]): _seen(row) for row in rows},
            tuple(map(incident_of, found)),
            {row.subject: row.memo for row in kept},
        )

    async def _write(self, connection: AsyncConnection, acr: str, verdict: Verdict) -> None:
        values = {item.name: getattr(verdict.poll, item.name) for item in fields(Poll) if item.name != "acr"}
        await connection.execute(update(polls).where(polls.c.acr == acr).values(**values))
        dropped = {one.name for one in verdict.gone} | {one.sighting.target.name for one in verdict.seen}
        if dropped:
            await connection.execute(
                delete(sightings).where(sightings.c.acr == acr, sightings.c.name.in_(sorted(dropped)))
            )
        if verdict.seen:
            await connection.execute(insert(sightings), [_seen_row(one) for one in verdict.seen])
        if verdict.transitions:
            rows = [
                {"acr": one.target.acr, "name": one.target.name, **{name: getattr(one, name) for name in _TRANSITION}}
                for one in verdict.transitions
            ]
            await connection.execute(insert(transitions), rows)
        if verdict.opened:
            await connection.execute(
                insert(incidents), [incident_row(one) | {"acr": acr, "revision": 0} for one in verdict.opened]
            )
        await self._remember(connection, acr, verdict.memos)
        for one in (*verdict.changed, *verdict.resolved):
            changes = {name: value for name, value in incident_row(one).items() if name != "id"}
            await connection.execute(
                update(incidents).where(incidents.c.id == one.id).values(**changes, revision=incidents.c.revision + 1)
            )

    async def _remember(self, connection: AsyncConnection, acr: str, kept: Mapping[str, Memo] | None) -> None:
        if kept is None:
            return
        await connection.execute(delete(memos).where(memos.c.acr == acr))
        if kept:
            rows = [{"acr": acr, "subject": subject, "memo": memo} for subject, memo in kept.items()]
            await connection.execute(insert(memos), rows)

    # --- reading ----------------------------------------------------------------------------------------------------

    async def polls(self) -> tuple[Poll, ...]:
        """Of all cloud registries that were ever asked."""
        async with self._reading() as connection:
            return tuple(map(_poll, (await connection.execute(select(polls).order_by(polls.c.acr))).mappings()))

    async def seen(self, acrs: Collection[str]) -> tuple[Seen, ...]:
        """The last sightings in these cloud registries (ARM ids in lower case), as of their last successful poll."""
        query = (
            select(sightings, polls.c.succeeded)
            .join(polls, polls.c.acr == sightings.c.acr)
            .where(sightings.c.acr.in_(sorted(acrs)))
            .order_by(sightings.c.acr, sightings.c.name)
        )
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(_as_of(_seen(row), row["succeeded"]) for row in rows)

    async def transitions(self, acrs: Collection[str], since: datetime) -> tuple[Transition, ...]:
        """After that time, oldest first."""
        query = (
            select(transitions)
            .where(transitions.c.acr.in_(sorted(acrs)), transitions.c.at > since)
            .order_by(transitions.c.at, transitions.c.id)
        )
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(
            Transition(Target(row["acr"], row["name"]), **{name: row[name] for name in _TRANSITION}) for row in rows
        )

    async def forget(self, before: datetime) -> int:
        """Drop transitions from before that time; how many there were."""
        async with self._writing() as connection:
            return (await connection.execute(delete(transitions).where(transitions.c.at < before))).rowcount

    async def drop(self, acr: str, now: datetime) -> tuple[str, ...]:
        """Forget one that is watched no more; ids of the incidents that end with that. Its transitions stay."""
        still = and_(incidents.c.acr == acr, incidents.c.resolved.is_(None))
        async with self._writing() as connection:
            ended = tuple(await connection.scalars(select(incidents.c.id).where(still)))
            values = {"resolved": now, "changed": now, "reason": "unwatched", "revision": incidents.c.revision + 1}
            await connection.execute(update(incidents).where(still).values(**values))
            for table in (sightings, memos, polls):
                await connection.execute(delete(table).where(table.c.acr == acr))
        return ended


def _poll(row: RowMapping) -> Poll:
    return Poll(**{item.name: row[item.name] for item in fields(Poll)})


def _seen(row: RowMapping) -> Seen:
    return Seen(row["seen"], row["state"], row["reason"], row["since"], row["activated"])


def _seen_row(one: Seen) -> dict[str, Any]:
    target = one.sighting.target
    return {
        "acr": target.acr,
        "name": target.name,
        "seen": one.sighting,
        "state": one.state,
        "reason": one.reason,
        "since": one.since,
        "activated": one.activated,
    }


def _as_of(one: Seen, succeeded: datetime | None) -> Seen:
    """A poll that saw nothing new writes nothing, so the time of the last good one is that of all its sightings."""
    if one.sighting.failed or succeeded is None or succeeded <= one.sighting.at:
        return one
    return replace(one, sighting=replace(one.sighting, at=succeeded))
