"""Leases of processes that share a server: who may go on, and whose work others take over."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import psycopg
import pytest
from sqlalchemy import text
from structlog.testing import capture_logs

from services.model.message import Channel, LiveMessage, Subject
from services.store import Store, open_store
from tests.contract.store.conftest import emptied

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATER = NOW + timedelta(seconds=20)


class Ended(Exception):
    """What a process that lost its lease meets here, in place of its end."""


def end() -> NoReturn:
    raise Ended


@asynccontextmanager
async def processes(url: str, count: int) -> AsyncIterator[list[Store]]:
    """So many with a lease, the oldest first."""
    async with emptied(url), AsyncExitStack() as stack:
        stores = []
        for _ in range(count):
            store = await open_store(url)
            stack.push_async_callback(store.close)
            await store.lease.begin(end)
            stores.append(store)
        yield stores


async def expire(store: Store) -> None:
    """Let the lease of a process run out."""
    async with store.engine.begin() as connection:
        query = text("update executor_lease set expires_at = now() - interval '1 minute' where executor_id = :executor")
        await connection.execute(query, {"executor": store.lease.executor})


async def test_the_oldest_process_leads_until_it_stops_and_is_taken_over_once(postgres: str) -> None:
    async with processes(postgres, 3) as (first, second, third):
        for store in (first, second, third):
            await store.lease.renew()
        leaders = [store.lease.is_leader for store in (first, second, third)]
        await first.lease.end()
        await second.lease.renew()
        taken = [await store.lease.take() for store in (second, third)]

        assert leaders == [True, False, False]
        assert second.lease.is_leader
        assert taken == [(first.lease.executor,), ()]
        assert second.lease.taken == 0  # it had not died


async def test_a_process_that_was_taken_over_is_ended_before_it_writes(postgres: str) -> None:
    async with processes(postgres, 2) as (first, second):
        await first.lease.end()
        await second.lease.take()

        with pytest.raises(Ended):
            await first.lease.renew()


async def test_a_process_that_has_not_renewed_its_own_lease_for_long_takes_nobody_for_dead(postgres: str) -> None:
    async with processes(postgres, 2) as (first, second):
        await expire(first)

        assert await second.lease.take() == ()
        await first.lease.renew()


async def test_work_of_a_process_without_a_lease_is_recognised(postgres: str) -> None:
    async with processes(postgres, 1) as (store,):
        assert await store.lease.without({store.lease.executor, "local"}) == ("local",)


async def test_the_messages_that_a_dead_process_was_writing_are_released(postgres: str) -> None:
    async with processes(postgres, 2) as (first, second):
        message = LiveMessage(Subject("operation", "op-1"), Channel("T0", "C0"))
        await first.messages.claim(message, first.lease.executor, NOW, LATER)
        claims = [await second.messages.claim(message, second.lease.executor, NOW, LATER)]
        await second.messages.release_all([first.lease.executor])
        claims += [await second.messages.claim(message, second.lease.executor, NOW, LATER)]

        assert [claim is not None for claim in claims] == [False, True]


async def test_a_process_that_freezes_in_a_transaction_keeps_its_locks_no_longer_than_its_lease(postgres: str) -> None:
    async with processes(postgres, 1) as (store,), store.engine.connect() as connection:
        assert await connection.scalar(text("show idle_in_transaction_session_timeout")) == "9s"


def expiry(connection: psycopg.Connection) -> datetime:
    """When the only lease runs out; asks without the event loop."""
    (expires_at,) = connection.execute("select expires_at from executor_lease").fetchone() or (NOW,)
    return datetime.fromisoformat(str(expires_at))


async def test_a_lease_is_renewed_while_the_event_loop_has_too_much_to_do(postgres: str) -> None:
    async with processes(postgres, 1) as (store,):
        with psycopg.connect(postgres, autocommit=True) as connection:
            await expire(store)
            store.lease.keep(beat=0.01)
            while expiry(connection) < datetime.now(UTC):
                pass  # the loop gets no turn

        await store.lease.keep_no_longer()


async def test_a_lease_runs_out_when_the_event_loop_stands_still(postgres: str) -> None:
    async with processes(postgres, 1) as (store,):
        with psycopg.connect(postgres, autocommit=True) as connection, capture_logs() as logs:
            await expire(store)
            store.lease.keep(beat=0.01, standstill=0)
            while not logs:
                pass
            expires_at = expiry(connection)

        await store.lease.keep_no_longer()
        assert (logs[0]["event"], expires_at < datetime.now(UTC)) == ("event_loop_stands", True)
