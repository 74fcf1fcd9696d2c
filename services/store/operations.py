"""Operations, their steps, decisions and events. Every change is one transaction and grows the revision."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.model.clock import Clock
from services.model.operation import LIVE, Decision, Event, EventKind, Operation, Related, State, StepRun
from services.model.plan import Plan
from services.store.base import Queries, columns, value
from services.store.locks import Locks
from services.store.tables import decisions, events, leases, messages, operations, steps

COLUMNS = tuple(column.key for column in operations.c if column.key not in {"key", "expires", "remind", "shown"})

RELATED = (operations.c.id, operations.c.kind, operations.c.target, operations.c.site, operations.c.state)

_PART = operations.alias()
# Nearly all have the same parent, none: PostgreSQL would read all of them to see whether an operation has parts. The
# index leaves them out, and SQLite takes it only where the question has the index's condition word for word.
_NO_PARENT: ColumnElement[str] = literal_column("''")
# Most operations have neither decisions nor parts: their tables are read only where there are any.
_WHOLE = select(
    operations,
    exists().where(decisions.c.operation == operations.c.id).label("has_decisions"),
    exists().where(_PART.c.parent == operations.c.id, _PART.c.parent != _NO_PARENT).label("has_children"),
)
# Asked several times in each step. SQLAlchemy works out how to compile a statement once for each that is built.
_ONE = _WHOLE.where(operations.c.id == bindparam("operation"))
_CANCELLING = select(operations.c.cancelling).where(operations.c.id == bindparam("operation"))
_STATE = select(operations.c.state).where(operations.c.id == bindparam("operation"))
_IDS: BindParameter[Any] = bindparam("ids", expanding=True)
_STEPS = select(steps).where(steps.c.operation.in_(_IDS)).order_by(steps.c.index)
_DECISIONS = select(decisions).where(decisions.c.operation.in_(_IDS)).order_by(decisions.c.at)
_CHILDREN = (
    select(operations.c.parent, *RELATED)
    .where(operations.c.parent.in_(_IDS), operations.c.parent != _NO_PARENT)
    .order_by(operations.c.created, operations.c.id)
)


class Operations(Queries):
    """Reads come as whole `Operation` values. What happens to steps is dated by `clock`."""

    def __init__(self, engine: AsyncEngine, locks: Locks, clock: Clock) -> None:
        super().__init__(engine)
        self._locks = locks
        self._clock = clock

    async def create(self, operation: Operation, key: str) -> tuple[Operation, bool]:
        """Insert it unless one exists with that key; the stored one, and whether it is new."""
        row = {name: getattr(operation, name) for name in COLUMNS}
        async with self._writing() as connection:
            inserted = await connection.execute(self._insert_once(operations).values(**row, key=key))
        (stored,) = await self._load(_WHOLE.where(operations.c.key == key))
        return stored, inserted.rowcount == 1

    async def get(self, operation: str) -> Operation | None:
        """The operation, or None."""
        loaded = await self._load(_ONE, operation=operation)
        return loaded[0] if loaded else None

    async def state(self, operation: str) -> State | None:
        """Its state, or None where there is no such operation."""
        async with self._reading() as connection:
            state: State | None = await connection.scalar(_STATE, {"operation": operation})
            return state

    async def is_cancelling(self, operation: str) -> bool:
        """Whether somebody has cancelled it while it ran."""
        async with self._reading() as connection:
            return bool(await connection.scalar(_CANCELLING, {"operation": operation}))

    async def child(self, parent: str, keys: Collection[str]) -> Operation | None:
        """The newest child of an operation that was created under one of these keys."""
        query = _WHOLE.where(operations.c.parent == parent, operations.c.key.in_(keys))
        loaded = await self._load(query.order_by(operations.c.created.desc(), operations.c.id).limit(1))
        return loaded[0] if loaded else None

    async def find(
        self,
        *,
        states: Collection[State] | None = None,
        sites: Collection[str] | None = None,
        target: str | None = None,
        requester: str | None = None,
        skip: int = 0,
        limit: int = 50,
    ) -> tuple[Operation, ...]:
        """The newest ones except the first `skip`, newest first. Dry runs are not among them."""
        newest_first = (operations.c.created.desc(), operations.c.id)
        query = select(operations.c.id).where(operations.c.dry_run.is_(False))
        if states is not None:
            query = query.where(operations.c.state.in_(states))
        if requester is not None:
            query = query.where(operations.c.requester == requester)
        if sites is not None:
            query = query.where(operations.c.site.in_(sites))
        if target is not None:
            query = query.where(operations.c.target == target)
        # Apart: PostgreSQL would look for decisions and parts of all that match, before it takes the first ones.
        page = query.order_by(*newest_first).offset(skip).limit(limit)
        return await self._load(_WHOLE.where(operations.c.id.in_(page)).order_by(*newest_first))

    async def runs(self) -> dict[tuple[str, int], State]:
        """Those that are being planned, wait for their turn or run: id and attempt, 0 for planning, and state."""
        query = select(operations.c.id, operations.c.attempt, operations.c.state)
        query = query.where(operations.c.state.in_(("planning", "queued", "running")), operations.c.dry_run.is_(False))
        async with self._reading() as connection:
            rows = await connection.execute(query.order_by(operations.c.created.desc(), operations.c.id))
            return {(row.id, 0 if row.state == "planning" else row.attempt): row.state for row in rows}

    async def counts(self) -> dict[str, int]:
        """How many there are, by state."""
        query = select(operations.c.state, func.count()).group_by(operations.c.state)
        async with self._reading() as connection:
            return {str(state): int(count) for state, count in await connection.execute(query)}

    async def oldest(self) -> dict[str, datetime]:
        """When the oldest of those that have not ended was asked for, by state."""
        query = select(operations.c.state, func.min(operations.c.created)).where(operations.c.state.in_(LIVE))
        async with self._reading() as connection:
            return {
                str(state): created for state, created in await connection.execute(query.group_by(operations.c.state))
            }

    async def running_steps(self) -> tuple[int, datetime | None]:
        """How many steps run now, and when the oldest of them began."""
        query = select(func.count(), func.min(steps.c.started)).join_from(steps, operations)
        query = query.where(operations.c.state == "running", steps.c.state == "running")
        async with self._reading() as connection:
            number, started = (await connection.execute(query)).one()
        return number, started

    async def due(self, now: datetime) -> tuple[Operation, ...]:
        """Waiting ones whose time for a reminder, or for their end, has come."""
        is_due = or_(operations.c.expires <= now, operations.c.remind <= now)
        return await self._load(_WHOLE.where(operations.c.state == "waiting", is_due))

    async def with_approvals(self) -> tuple[Operation, ...]:
        """Waiting ones that somebody has approved."""
        approvals = select(decisions.c.operation).where(
            decisions.c.operation == operations.c.id, decisions.c.verdict == "approve"
        )
        return await self._load(_WHOLE.where(operations.c.state == "waiting", approvals.exists()))

    async def ran_since(self, locks: Collection[str], moment: datetime, *, but: str) -> bool:
        """Whether another operation that locks one of these things has run since, or is running."""
        query = select(operations.c.locks).where(
            operations.c.id != but,
            operations.c.started_at.is_not(None),
            or_(operations.c.ended_at.is_(None), operations.c.ended_at >= moment),
        )
        async with self._reading() as connection:
            return any(set(locks) & set(others) for others in await connection.scalars(query))

    async def ended_with_leases(self) -> tuple[Operation, ...]:
        """Those that have ended and could not give their addresses back."""
        leased = select(leases.c.operation)
        # Not "in ENDED": SQLite would take the index of states, which finds all of them.
        is_over = operations.c.state.not_in(LIVE)
        return await self._load(_WHOLE.where(operations.c.id.in_(leased), is_over))

    async def move(
        self,
        operation: str,
        came_from: Collection[State],
        to: State,
        *,
        event: EventKind | None = None,
        of: tuple[int, int] | None = None,
        **changes: Any,
    ) -> bool:
        """Compare and set the state, with other columns; False when it is in none of the states it may come from.

        `of` is the round and attempt that it has to be in too, for a decision that was made about those alone.
        """
        is_as_expected: list[ColumnElement[bool]] = [operations.c.state.in_(came_from)]
        if of is not None:
            is_as_expected.append(tuple_(operations.c.round, operations.c.attempt) == of)
        async with self._writing() as connection:
            attempt = await self._change(connection, operation, *is_as_expected, state=to, **changes)
            if attempt is not None and event:
                await self._add_event(connection, operation, event, f"{event}:{to}:{attempt}")
            if attempt is not None:
                await self._moved(connection, operation, to)
        return attempt is not None

    async def plan(
        self,
        operation: str,
        plan: Plan,
        came_from: Collection[State],
        to: State,
        *,
        event: EventKind | None = None,
        **changes: Any,
    ) -> bool:
        """Store the plan with its steps as pending, and move on."""
        async with self._writing() as connection:
            done = await connection.execute(
                update(operations)
                .where(operations.c.id == operation, operations.c.state.in_(came_from))
                .values(state=to, plan=plan, revision=operations.c.revision + 1, **changes)
            )
            if done.rowcount:
                await connection.execute(steps.delete().where(steps.c.operation == operation))
                if plan.steps:
                    pending = {"operation": operation, "state": "pending", "correlation_id": "", "output": None}
                    rows = [{**pending, "index": index} for index in range(len(plan.steps))]
                    await connection.execute(insert(steps), rows)
                if event:
                    await self._add_event(connection, operation, event, f"{event}:{to}:{changes.get('round', 1)}")
                await self._moved(connection, operation, to)
        return done.rowcount == 1

    async def _moved(self, connection: AsyncConnection, operation: str, to: State) -> None:
        """Claim or free its locks as the new state needs, and note a change of its parent, whose card shows it."""
        if to == "queued":
            await self._locks.claim(connection, operation)
        elif to != "running":
            await self._locks.give_back(connection, operation)
        parent = select(operations.c.parent).where(operations.c.id == operation).scalar_subquery()
        await connection.execute(
            update(operations).where(operations.c.id == parent).values(revision=operations.c.revision + 1)
        )

    async def decide(self, operation: str, decision: Decision) -> bool:
        """Add the decision; False when this person has decided this round already."""
        async with self._writing() as connection:
            row = {"operation": operation, **columns(decision)}
            inserted = await connection.execute(self._insert_once(decisions).values(row))
            if inserted.rowcount:
                await self._change(connection, operation)
        return inserted.rowcount == 1

    async def withdraw(self, operation: str, approval: Decision) -> bool:
        """Take an approval back, with an event that names its giver; False when it is no longer waited for."""
        same = and_(decisions.c.operation == operation, decisions.c.round == approval.round)
        mine = and_(same, decisions.c.person == approval.person, decisions.c.verdict == "approve")
        async with self._writing() as connection:
            if await self._change(connection, operation, operations.c.state == "waiting") is None:
                return False
            withdrawn = (await connection.execute(delete(decisions).where(mine))).rowcount == 1
            if withdrawn:
                key = f"withdrawn:{approval.round}:{approval.person}:{int(approval.at.timestamp())}"
                await self._add_event(connection, operation, "withdrawn", key, facts={"name": approval.name})
        return withdrawn

    async def change(self, operation: str, *, event: EventKind | None = None, key: str = "", **changes: Any) -> None:
        """Change columns without a move."""
        async with self._writing() as connection:
            await self._change(connection, operation, **changes)
            if event:
                await self._add_event(connection, operation, event, key or event)

    async def begin_step(self, operation: str, index: int) -> None:
        """Note that the step runs; a second call, after a crash, keeps the first start."""
        async with self._writing() as connection:
            step = and_(steps.c.operation == operation, steps.c.index == index)
            await connection.execute(
                update(steps).where(step, steps.c.state != "running").values(state="running", started=self._clock.now())
            )
            await self._change(connection, operation)

    async def note_step(self, operation: str, index: int, note: object) -> None:
        """What people should read beside a step while it runs; None for nothing. Its output takes the same place."""
        async with self._writing() as connection:
            await connection.execute(
                update(steps)
                .where(steps.c.operation == operation, steps.c.index == index, steps.c.state == "running")
                .values(output=note)
            )
            await self._change(connection, operation)

    async def end_step(
        self,
        operation: str,
        index: int,
        *,
        ok: bool,
        output: object = None,
        correlation_id: str = "",
    ) -> timedelta:
        """Note that the step has ended, and return how long it took; a good end is an event, for the thread."""
        step, now = and_(steps.c.operation == operation, steps.c.index == index), self._clock.now()
        async with self._writing() as connection:
            state = "complete" if ok else "error"
            values = {"state": state, "finished": now, "output": output, "correlation_id": correlation_id}
            started = await connection.scalar(update(steps).where(step).values(values).returning(steps.c.started))
            attempt = await self._change(connection, operation)
            if ok:
                await self._add_event(connection, operation, "step", f"step:{attempt}:{index}", step=index)
        return now - (started or now)

    async def forget(self, before: datetime, limit: int) -> int:
        """Delete up to `limit` operations that ended before that time, with all that hangs on them; returns how many.

        One that still reserves an address stays, and so does one whose parts have not all ended. Parts go after their
        parent, whose card lists them.
        """
        part, parent = operations.alias(), operations.alias()
        is_part = and_(part.c.parent == operations.c.id, part.c.parent != _NO_PARENT)
        has_live_part = select(part.c.id).where(is_part, part.c.state.in_(LIVE)).exists()
        has_parent = select(parent.c.id).where(parent.c.id == operations.c.parent).exists()
        has_leases = select(leases.c.operation).where(leases.c.operation == operations.c.id).exists()
        old = (
            select(operations.c.id)
            # Not "in ENDED": SQLite would take the index of states, which finds all of them.
            .where(operations.c.state.not_in(LIVE), operations.c.ended_at < before)
            .where(~has_live_part, ~has_parent, ~has_leases)
            .order_by(operations.c.ended_at)
            .limit(limit)
            # Several processes delete beside each other, each its own bite.
            .with_for_update(skip_locked=True)
        )
        async with self._writing() as connection:
            ids = (await connection.scalars(old)).all()
            shown = and_(messages.c.kind == "operation", messages.c.subject.in_(ids))
            await connection.execute(delete(messages).where(shown))
            await connection.execute(delete(operations).where(operations.c.id.in_(ids)))
        return len(ids)

    async def events(self, operation: str, after: int) -> tuple[Event, ...]:
        """Events with a greater id, oldest first."""
        query = select(events).where(events.c.operation == operation, events.c.id > after).order_by(events.c.id)
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(value(Event, row) for row in rows)

    async def _load(self, query: Select[Any], **parameters: str) -> tuple[Operation, ...]:
        async with self._reading() as connection:
            rows = (await connection.execute(query, parameters)).mappings().all()
            ids = [row["id"] for row in rows]
            runs_of = defaultdict[str, list[StepRun]](list)
            for row in (await connection.execute(_STEPS, {"ids": ids})).mappings():
                runs_of[row["operation"]].append(value(StepRun, row))
            decisions_of = defaultdict[str, list[Decision]](list)
            if decided := [row["id"] for row in rows if row["has_decisions"]]:
                for row in (await connection.execute(_DECISIONS, {"ids": decided})).mappings():
                    decisions_of[row["operation"]].append(value(Decision, row))
            waits_for = await self._waits_for(connection, [row["id"] for row in rows if row["state"] == "queued"])
            children = await self._children(connection, [row["id"] for row in rows if row["has_children"]])
        return tuple(
            Operation(
                **{name: row[name] for name in COLUMNS},
                steps=tuple(runs_of[row["id"]]),
                decisions=tuple(decisions_of[row["id"]]),
                waits_for=waits_for.get(row["id"], ()),
                children=tuple(children[row["id"]]),
            )
            for row in rows
        )

    async def _waits_for(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, tuple[Related, ...]]:
        ahead = await self._locks.ahead(connection, ids)
        if not ahead:
            return {}
        names = {name for names_ahead in ahead.values() for name in names_ahead}
        rows = await connection.execute(select(*RELATED).where(operations.c.id.in_(names)))
        related = {row.id: Related(*row) for row in rows}
        return {operation: tuple(related[name] for name in ahead[operation]) for operation in ahead}

    async def _children(self, connection: AsyncConnection, ids: Collection[str]) -> defaultdict[str, list[Related]]:
        children = defaultdict[str, list[Related]](list)
        if not ids:
            return children
        rows = await connection.execute(_CHILDREN, {"ids": ids})
        for parent, *child in rows:
            children[parent].append(Related(*child))
        return children

    async def _change(
        self, connection: AsyncConnection, operation: str, *conditions: ColumnElement[bool], **changes: Any
    ) -> int | None:
        """Change columns and grow the revision where the conditions hold; the attempt, None where nothing changed."""
        query = update(operations).where(operations.c.id == operation, *conditions)
        query = query.values(revision=operations.c.revision + 1, **changes)
        attempt: int | None = await connection.scalar(query.returning(operations.c.attempt))
        return attempt

    async def _add_event(
        self,
        connection: AsyncConnection,
        operation: str,
        kind: EventKind,
        key: str,
        *,
        step: int | None = None,
        facts: Mapping[str, object] | None = None,
    ) -> None:
        await connection.execute(
            self._insert_once(events).values(
                operation=operation, key=key, kind=kind, step=step, facts=facts or {}, at=self._clock.now()
            )
        )
