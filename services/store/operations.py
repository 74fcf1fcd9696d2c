"""Operations, their steps, decisions and events. Every change is one transaction and grows the revision."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Select, and_, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.model.clock import Clock
from services.model.operation import ENDED, Decision, Event, EventKind, Operation, Related, State, StepRun
from services.model.plan import Plan
from services.store.base import Queries
from services.store.locks import Locks
from services.store.tables import decisions, events, leases, operations, steps

COLUMNS = tuple(column.key for column in operations.c if column.key not in {"key", "expires", "remind"})

RELATED = (operations.c.id, operations.c.kind, operations.c.target, operations.c.site, operations.c.state)


class Operations(Queries):
    """Reads come as whole `Operation` values. What happens to steps is dated by `clock`."""

    def __init__(self, engine: AsyncEngine, locks: Locks, clock: Clock) -> None:
        super().__init__(engine)
        self._locks = locks
        self._clock = clock

    async def create(self, operation: Operation, key: str) -> tuple[Operation, bool]:
        """Insert it unless one with that key is there; the stored one, and whether it is new."""
        row = {name: getattr(operation, name) for name in COLUMNS}
        async with self._writing() as connection:
            done = await connection.execute(self._insert_once(operations).values(**row, key=key))
            found = await connection.scalar(select(operations.c.id).where(operations.c.key == key))
        stored = await self.get(str(found))
        if stored is None:
            raise LookupError(found)
        return stored, done.rowcount == 1

    async def get(self, operation: str) -> Operation | None:
        """The operation, or None."""
        found = await self._load(select(operations).where(operations.c.id == operation))
        return found[0] if found else None

    async def child(self, parent: str, keys: Collection[str]) -> Operation | None:
        """The newest child of an operation that was created under one of these keys."""
        query = select(operations).where(operations.c.parent == parent, operations.c.key.in_(keys))
        found = await self._load(query.order_by(operations.c.created.desc(), operations.c.id).limit(1))
        return found[0] if found else None

    async def find(
        self,
        *,
        states: Collection[State] | None = None,
        sites: Collection[str] | None = None,
        target: str | None = None,
        skip: int = 0,
        limit: int = 50,
    ) -> tuple[Operation, ...]:
        """The newest ones but for the first `skip`, newest first."""
        query = select(operations).order_by(operations.c.created.desc(), operations.c.id).offset(skip).limit(limit)
        if states is not None:
            query = query.where(operations.c.state.in_(states))
        if sites is not None:
            query = query.where(operations.c.site.in_(sites))
        if target is not None:
            query = query.where(operations.c.target == target)
        return await self._load(query)

    async def counts(self) -> dict[str, int]:
        """How many there are, by state."""
        query = select(operations.c.state, func.count()).group_by(operations.c.state)
        async with self._reading() as connection:
            return {str(state): int(count) for state, count in await connection.execute(query)}

    async def due(self, now: datetime) -> tuple[Operation, ...]:
        """Waiting ones whose reminder or end has come."""
        come = or_(operations.c.expires <= now, operations.c.remind <= now)
        return await self._load(select(operations).where(operations.c.state == "waiting", come))

    async def with_approvals(self) -> tuple[Operation, ...]:
        """Waiting ones that somebody has approved."""
        approvals = select(decisions.c.operation).where(
            decisions.c.operation == operations.c.id, decisions.c.verdict == "approve"
        )
        return await self._load(select(operations).where(operations.c.state == "waiting", approvals.exists()))

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
        held = select(leases.c.operation).where(leases.c.operation == operations.c.id).exists()
        return await self._load(select(operations).where(operations.c.state.in_(ENDED), held))

    async def move(
        self, operation: str, came_from: Collection[State], to: State, *, event: EventKind | None = None, **changes: Any
    ) -> bool:
        """Compare and set, columns too: False when the operation is in none of the states it may come from."""
        async with self._writing() as connection:
            done = await connection.execute(
                update(operations)
                .where(operations.c.id == operation, operations.c.state.in_(came_from))
                .values(state=to, revision=operations.c.revision + 1, **changes)
            )
            if done.rowcount and event:
                attempt = await connection.scalar(select(operations.c.attempt).where(operations.c.id == operation))
                await self._tell(connection, operation, event, f"{event}:{to}:{attempt}")
            if done.rowcount:
                await self._moved(connection, operation, to)
        return done.rowcount == 1

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
                    await connection.execute(
                        insert(steps), [_fresh(operation, index) for index in range(len(plan.steps))]
                    )
                if event:
                    await self._tell(connection, operation, event, f"{event}:{to}:{changes.get('round', 1)}")
                await self._moved(connection, operation, to)
        return done.rowcount == 1

    async def _moved(self, connection: AsyncConnection, operation: str, to: State) -> None:
        """Locks go with the state, and a parent's card shows its children's."""
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
            row = {name: getattr(decision, name) for name in Decision.__dataclass_fields__}
            done = await connection.execute(self._insert_once(decisions).values(operation=operation, **row))
            if done.rowcount:
                await self._grow(connection, operation)
        return done.rowcount == 1

    async def change(self, operation: str, *, event: EventKind | None = None, key: str = "", **changes: Any) -> None:
        """Change columns without a move."""
        async with self._writing() as connection:
            await self._grow(connection, operation, **changes)
            if event:
                await self._tell(connection, operation, event, key or event)

    async def begin_step(self, operation: str, index: int) -> None:
        """The step runs; a second call, after a crash, keeps the first start."""
        async with self._writing() as connection:
            same = and_(steps.c.operation == operation, steps.c.index == index)
            await connection.execute(
                update(steps).where(same, steps.c.state != "running").values(state="running", started=self._clock.now())
            )
            await self._grow(connection, operation)

    async def end_step(
        self,
        operation: str,
        index: int,
        *,
        ok: bool,
        output: object = None,
        correlation_id: str = "",
    ) -> None:
        """The step has ended; its thread line is due when it ended well."""
        async with self._writing() as connection:
            await connection.execute(
                update(steps)
                .where(steps.c.operation == operation, steps.c.index == index)
                .values(
                    state="complete" if ok else "error",
                    finished=self._clock.now(),
                    output=output,
                    correlation_id=correlation_id,
                )
            )
            await self._grow(connection, operation)
            if ok:
                attempt = await connection.scalar(select(operations.c.attempt).where(operations.c.id == operation))
                await self._tell(connection, operation, "step", f"step:{attempt}:{index}", step=index)

    async def events(self, operation: str, after: int) -> tuple[Event, ...]:
        """Events with a greater id, oldest first."""
        query = select(events).where(events.c.operation == operation, events.c.id > after).order_by(events.c.id)
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return tuple(Event(**{name: row[name] for name in Event.__dataclass_fields__}) for row in rows)

    async def _load(self, query: Select[Any]) -> tuple[Operation, ...]:
        async with self._reading() as connection:
            rows = (await connection.execute(query)).mappings().all()
            ids = [row["id"] for row in rows]
            runs = (
                await connection.execute(select(steps).where(steps.c.operation.in_(ids)).order_by(steps.c.index))
            ).mappings()
            made = (
                await connection.execute(
                    select(decisions).where(decisions.c.operation.in_(ids)).order_by(decisions.c.at)
                )
            ).mappings()
            ahead = await self._locks.ahead(connection, [row["id"] for row in rows if row["state"] == "queued"])
            related = await self._related(connection, {each for several in ahead.values() for each in several})
            children = await self._children(connection, ids)
            by_run: dict[str, list[StepRun]] = {one: [] for one in ids}
            for run in runs:
                by_run[run["operation"]].append(StepRun(**{name: run[name] for name in StepRun.__dataclass_fields__}))
            by_decision: dict[str, list[Decision]] = {one: [] for one in ids}
            for one in made:
                by_decision[one["operation"]].append(
                    Decision(**{name: one[name] for name in Decision.__dataclass_fields__})
                )
        return tuple(
            Operation(
                **{name: row[name] for name in COLUMNS},
                steps=tuple(by_run[row["id"]]),
                decisions=tuple(by_decision[row["id"]]),
                waits_for=tuple(related[each] for each in ahead.get(row["id"], ())),
                children=children.get(row["id"], ()),
            )
            for row in rows
        )

    async def _related(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, Related]:
        if not ids:
            return {}
        rows = await connection.execute(select(*RELATED).where(operations.c.id.in_(ids)))
        return {row.id: Related(*row) for row in rows}

    async def _children(self, connection: AsyncConnection, ids: Collection[str]) -> dict[str, tuple[Related, ...]]:
        rows = await connection.execute(
            select(operations.c.parent, *RELATED)
            .where(operations.c.parent.in_(ids), operations.c.parent != "")
            .order_by(operations.c.created, operations.c.id)
        )
        found: dict[str, tuple[Related, ...]] = {}
        for parent, *child in rows:
            found[parent] = (*found.get(parent, ()), Related(*child))
        return found

    async def _grow(self, connection: AsyncConnection, operation: str, **changes: Any) -> None:
        await connection.execute(
            update(operations).where(operations.c.id == operation).values(revision=operations.c.revision + 1, **changes)
        )

    async def _tell(
        self, connection: AsyncConnection, operation: str, kind: EventKind, key: str, step: int | None = None
    ) -> None:
        await connection.execute(
            self._insert_once(events).values(
                operation=operation, key=key, kind=kind, step=step, facts={}, at=self._clock.now()
            )
        )


def _fresh(operation: str, index: int) -> dict[str, Any]:
    return {"operation": operation, "index": index, "state": "pending", "correlation_id": "", "output": None}
