"""Incidents, what people decide about them, and the messages that show them."""

from collections.abc import Callable, Collection
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, func, or_, select, update

from services.model.incident import Incident, IncidentMessage, StoredIncident
from services.store.base import UNLIKELY, Queries
from services.store.tables import alerts, incidents

_FIELDS = tuple(item.name for item in fields(Incident))


class Incidents(Queries):
    """Polls write incidents (`sightings`); people acknowledge and snooze them here."""

    async def get(self, incident: str) -> StoredIncident | None:
        """By id."""
        async with self._reading() as connection:
            row = (await connection.execute(select(incidents).where(incidents.c.id == incident))).mappings().first()
        return _filed(row) if row else None

    async def open(self, acrs: Collection[str] | None = None) -> tuple[StoredIncident, ...]:
        """Those not resolved, oldest first; all, or of these cloud registries."""
        query = select(incidents).where(incidents.c.resolved.is_(None)).order_by(incidents.c.opened, incidents.c.id)
        if acrs is not None:
            query = query.where(incidents.c.acr.in_(sorted(acrs)))
        async with self._reading() as connection:
            return tuple(map(_filed, (await connection.execute(query)).mappings()))

    async def with_messages(self) -> frozenset[str]:
        """Cloud registries (ARM ids, lower case) with open incidents that some channel has a message of."""
        query = (
            select(incidents.c.acr)
            .join(alerts, alerts.c.incident == incidents.c.id)
            .where(incidents.c.resolved.is_(None), alerts.c.ts != "")
        )
        async with self._reading() as connection:
            return frozenset(await connection.scalars(query.distinct()))

    async def recent(self, limit: int = 3) -> tuple[StoredIncident, ...]:
        """The newest, newest first."""
        query = select(incidents).order_by(incidents.c.opened.desc(), incidents.c.id).limit(limit)
        async with self._reading() as connection:
            return tuple(map(_filed, (await connection.execute(query)).mappings()))

    async def change(self, incident: str, change: Callable[[Incident], Incident]) -> StoredIncident | None:
        """Let `change` (pure) say what becomes of an open one; None when there is none, or it is resolved."""
        still = select(incidents).where(incidents.c.id == incident, incidents.c.resolved.is_(None))
        async with self._writing() as connection:
            row = (await connection.execute(still.with_for_update())).mappings().first()
            if row is None:
                return None
            fresh, revision = change(incident_of(row)), row["revision"] + 1
            values = incident_row(fresh) | {"revision": revision}
            await connection.execute(update(incidents).where(incidents.c.id == incident).values(**values))
        return StoredIncident(fresh, row["acr"], revision)

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

    # --- messages ---------------------------------------------------------------------------------------------------

    async def alerts(self, incident: str) -> tuple[IncidentMessage, ...]:
        """Its messages in all channels."""
        async with self._reading() as connection:
            rows = (await connection.execute(select(alerts).where(alerts.c.incident == incident))).mappings()
            return tuple(
                IncidentMessage(**{item.name: row[item.name] for item in fields(IncidentMessage)}) for row in rows
            )

    async def claim_alert(
        self, alert: IncidentMessage, holder: str, now: datetime, until: datetime
    ) -> IncidentMessage | None:
        """Take a message in hand: the one process that may post in it until then. None when another one has it."""
        same = _same(alert)
        far_ahead = alerts.c.until > now + UNLIKELY
        fresh = {"ts": "", "shown": -1, "told": -1, "posting": "", "holder": "", "until": now}
        key = {"incident": alert.incident, "team": alert.team, "channel": alert.channel}
        async with self._writing() as connection:
            await connection.execute(self._insert_once(alerts).values(**key, **fresh))
            done = await connection.execute(
                update(alerts)
                .where(same, or_(alerts.c.holder.in_(["", holder]), alerts.c.until <= now, far_ahead))
                .values(holder=holder, until=until)
            )
            row = (await connection.execute(select(alerts).where(same))).mappings().one()
        return (
            IncidentMessage(**{item.name: row[item.name] for item in fields(IncidentMessage)})
            if done.rowcount
            else None
        )

    async def save_alert(self, alert: IncidentMessage, **changes: object) -> None:
        """Change the named columns."""
        async with self._writing() as connection:
            await connection.execute(update(alerts).where(_same(alert)).values(**changes))

    async def behind(self, since: datetime | None = None) -> tuple[str, ...]:
        """Incidents that some message does not show as they are, and open ones (changed `since` then), oldest first.

        An open one may lack a message in some channel, which only the watches know.
        """
        late = (
            select(alerts.c.incident)
            .join(incidents, incidents.c.id == alerts.c.incident)
            .where(or_(alerts.c.shown < incidents.c.revision, alerts.c.told < incidents.c.revision))
        )
        still: ColumnElement[bool] = incidents.c.resolved.is_(None)
        if since is not None:
            still = and_(still, incidents.c.changed >= since)
        query = select(incidents.c.id).where(or_(still, incidents.c.id.in_(late))).order_by(incidents.c.opened)
        async with self._reading() as connection:
            return tuple(await connection.scalars(query))

    async def counts(self) -> dict[tuple[str, str], int]:
        """How many are open, by cloud registry and severity."""
        query = (
            select(incidents.c.acr, incidents.c.severity, func.count())
            .where(incidents.c.resolved.is_(None))
            .group_by(incidents.c.acr, incidents.c.severity)
        )
        async with self._reading() as connection:
            return {(acr, severity): count for acr, severity, count in await connection.execute(query)}


def _same(alert: IncidentMessage) -> Any:
    return and_(alerts.c.incident == alert.incident, alerts.c.team == alert.team, alerts.c.channel == alert.channel)


def incident_of(row: RowMapping) -> Incident:
    """The value in a row."""
    return Incident(**{name: row[name] for name in _FIELDS})


def incident_row(one: Incident) -> dict[str, Any]:
    """Its columns."""
    return {name: getattr(one, name) for name in _FIELDS}


def _filed(row: RowMapping) -> StoredIncident:
    return StoredIncident(incident_of(row), row["acr"], row["revision"])
