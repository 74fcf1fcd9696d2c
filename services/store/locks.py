"""Locks of operations: the table is the order in which they come.

A queued operation claims everything that it locks, in one transaction with becoming queued, and gives it back in one
with ending. It may run when all of it is free and claimed by nobody who has waited longer.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from services.store.base import Queries
from services.store.tables import locks, operations

FIRST_SHAPE = 0
"""The turn of runs that an older version has queued: they come by that version's own queue, before all others."""


class Locks(Queries):
    """One row for each thing that a queued or running operation locks."""

    async def waiting(self) -> int:
        """How many operations wait for something that another one has locked."""
        query = select(func.count(locks.c.operation.distinct())).where(~locks.c.held)
        async with self._reading() as connection:
            return int((await connection.execute(query)).scalar_one())

    async def claim(self, connection: AsyncConnection, operation: str) -> None:
        """Queue for all that the operation locks, behind everybody else; in the caller's transaction."""
        resources = await connection.scalar(select(operations.c.locks).where(operations.c.id == operation))
        turn = await self._next_turn(connection)
        for resource in resources or ():
            await connection.execute(
                self._insert_once(locks).values(resource=resource, operation=operation, turn=turn, held=False)
            )

    async def free(self, operation: str, resources: Collection[str]) -> None:
        """Give back those of its locks that a running operation needs no more."""
        async with self._writing() as connection:
            await self.give_back(connection, operation, resources)

    async def give_back(
        self, connection: AsyncConnection, operation: str, resources: Collection[str] | None = None
    ) -> None:
        """Free these, or all that it locks, and note a change of those that wait; in the caller's transaction."""
        own = locks.c.operation == operation
        chosen = own if resources is None else and_(own, locks.c.resource.in_(resources))
        freed = await connection.execute(delete(locks).where(chosen).returning(locks.c.resource))
        waiting = select(locks.c.operation).where(locks.c.resource.in_([row.resource for row in freed]))
        await connection.execute(
            update(operations)
            .where(operations.c.state == "queued", operations.c.id.in_(waiting))
            .values(revision=operations.c.revision + 1)
        )

    async def rivals(self, operation: str) -> frozenset[str]:
        """The operation, and those that hold or claim anything that it locks."""
        async with self._reading() as connection:
            resources = await connection.scalar(select(operations.c.locks).where(operations.c.id == operation))
            rivals = select(locks.c.operation).where(locks.c.resource.in_(resources or ()))
            return frozenset({operation, *await connection.scalars(rivals)})

    async def grant(self, among: Collection[str] | None = None) -> tuple[tuple[str, int], ...]:
        """Hand out free locks in the order of turns; all queued operations that hold theirs, with their attempts.

        Repeating it changes nothing. The caller starts each of them at most once an attempt. With `among` only these
        get their turn, and only what they and their rivals lock is read, whatever the length of the queue.
        """
        async with self._writing() as connection:
            live = await self._live(connection)
            claims, turns, holders = await self._claims(connection, of=among, alone=True)
            claimants: defaultdict[str, set[str]] = defaultdict(set)
            granted = set(holders)
            in_order = sorted(claims, key=lambda operation: (operation not in holders, turns[operation], operation))
            for operation in in_order:
                others = set[str]().union(*(claimants[resource] for resource in claims[operation]))
                is_free = others <= _ancestors(operation, live)
                is_candidate = operation not in holders and (among is None or operation in among)
                if is_candidate and is_free and turns[operation] > FIRST_SHAPE:
                    await self._hold(connection, operation)
                    granted.add(operation)
                # Granted or not: nobody who came later goes past it.
                for resource in claims[operation]:
                    claimants[resource].add(operation)
            queued = select(operations.c.id, operations.c.attempt).where(operations.c.state == "queued")
            if among is not None:
                queued = queued.where(operations.c.id.in_(among))
            rows = (await connection.execute(queued.order_by(operations.c.created, operations.c.id))).all()
        return tuple((row.id, row.attempt) for row in rows if row.id in granted or row.id not in claims)

    async def hold(self, operation: str) -> bool:
        """Whether the operation holds all that it locks; a run of the first shape takes what nobody else holds."""
        async with self._writing() as connection:
            claims, _, holders = await self._claims(connection, alone=True)
            if operation in holders or operation not in claims:
                return True
            others = holders - _ancestors(operation, await self._live(connection))
            if any(claims[other] & claims[operation] for other in others):
                return False
            await self._hold(connection, operation)
        return True

    async def queue_again(self, operation: str) -> None:
        """Give a turn to an operation that an older version was about to queue its own way."""
        async with self._writing() as connection:
            await connection.execute(
                update(locks)
                .where(locks.c.operation == operation, locks.c.turn == FIRST_SHAPE, locks.c.held.is_(False))
                .values(turn=await self._next_turn(connection))
            )

    async def ahead(self, connection: AsyncConnection, operation_ids: Iterable[str]) -> dict[str, tuple[str, ...]]:
        """For each of these, the operations that it waits for: holders first, then those whose turn comes before."""
        ids = set(operation_ids)
        if not ids:
            return {}
        claims, turns, holders = await self._claims(connection, of=ids)
        if ids & claims.keys() <= holders:
            return {}
        live = await self._live(connection)

        def order(operation: str) -> tuple[bool, int, str]:
            return operation not in holders, turns[operation], operation

        waited_for: dict[str, tuple[str, ...]] = {}
        for operation in ids & claims.keys() - holders:
            rivals = [
                rival
                for rival in claims.keys() - _ancestors(operation, live)
                if claims[rival] & claims[operation] and order(rival) < order(operation)
            ]
            waited_for[operation] = tuple(sorted(rivals, key=order))
        return waited_for

    async def _claims(
        self, connection: AsyncConnection, *, of: Collection[str] | None = None, alone: bool = False
    ) -> tuple[dict[str, set[str]], dict[str, int], set[str]]:
        """What each operation claims, its turn, and who holds it all; with `of` of these and their rivals alone.

        With `alone` nobody else grants any of it until the transaction ends.
        """
        # In one order: PostgreSQL locks rows as it reads them, and two scans of different order would block each other.
        query = select(locks).order_by(locks.c.resource, locks.c.operation)
        if of is not None:
            resources = select(locks.c.resource).where(locks.c.operation.in_(of))
            query = query.where(locks.c.operation.in_(select(locks.c.operation).where(locks.c.resource.in_(resources))))
        if alone:
            query = query.with_for_update()
        claims: dict[str, set[str]] = {}
        turns: dict[str, int] = {}
        waiting: set[str] = set()
        for row in await connection.execute(query):
            claims.setdefault(row.operation, set()).add(row.resource)
            turns[row.operation] = row.turn
            if not row.held:
                waiting.add(row.operation)
        return claims, turns, claims.keys() - waiting

    async def _live(self, connection: AsyncConnection) -> Mapping[str, str]:
        """Parents of the operations that are queued or running, where they have one."""
        query = select(operations.c.id, operations.c.parent).where(operations.c.parent != "")
        query = query.where(operations.c.state.in_(("queued", "running")))
        return {row.id: row.parent for row in await connection.execute(query)}

    async def _hold(self, connection: AsyncConnection, operation: str) -> None:
        await connection.execute(update(locks).where(locks.c.operation == operation).values(held=True))

    async def _next_turn(self, connection: AsyncConnection) -> int:
        return int(await connection.scalar(select(func.coalesce(func.max(locks.c.turn), FIRST_SHAPE))) or 0) + 1


def _ancestors(operation: str, parents: Mapping[str, str]) -> set[str]:
    """The operations that this one is a part of: what they hold is held for it too."""
    ancestors: set[str] = set()
    while (operation := parents.get(operation, "")) and operation not in ancestors:
        ancestors.add(operation)
    return ancestors
