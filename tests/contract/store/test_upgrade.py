"""A database of an older version: what it holds is shown and can be gone on with after the upgrade."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from alembic import command
from sqlalchemy import Connection, bindparam, create_engine, text

from services.model.codec import Codec, encode
from services.model.operation import Operation, StillUnderWay
from services.operations.deploy.outputs import (
    AddressHeld,
    ExtensionInstalled,
    RegistryOnline,
    RuntimeVerified,
)
from services.operations.deploy.request import DeployOptions
from services.operations.outputs import ImageKept, RegistryCreated
from services.operations.procedures import PROCEDURES
from services.store import open_store
from services.store.upgrade import migrations
from tests.golden.values import NOW, STATES, plan

OUTPUTS: Mapping[int, Mapping[str, Any]] = {
    0: {"service_ip": "10.112.0.2"},
    3: {"kept hello-world:latest": True},
    6: {"gateway_endpoint": "contosoacr.westeurope.data.azurecr.io"},
    7: {"extension": "Succeeded", "extension_version": "0.11.0"},
    8: {"deployment": "available", "service": "10.112.0.2", "volume": "Bound"},
    9: {"connection_state": "Online", "last_sync": encode(NOW)},
    10: {"connected.synced.late": True},
}
"""What the steps of a deployment left, by their places in the plan, as the first version stored it."""


def store_as_the_first_version(connection: Connection, operation: str, **changes: Any) -> None:
    """Insert an operation with all its steps."""
    row: dict[str, Any] = {
        "id": operation,
        "key": operation,
        "kind": "deploy",
        "target": "edge01",
        "site": "hamburg",
        "environment": "production",
        "cluster": "/arc",
        "requester": "U0ALICE",
        "requester_name": "alice",
        "place": json.dumps({"$": "Place", "team": "T0CONTOSO", "channel": "C0EDGE"}),
        "params": json.dumps({"repositories": ["hello-world"], "window": {"$": "duration", "seconds": 3600.0}}),
        "state": "failed",
        "dry_run": False,
        "plan": json.dumps(encode(plan())),
        "round": 1,
        "attempt": 1,
        "cancelling": "",
        "created": NOW.isoformat(sep=" "),
        "revision": 3,
    } | changes
    names = ", ".join(row)
    values = ", ".join(f":{name}" for name in row)
    connection.execute(text(f"INSERT INTO operations ({names}) VALUES ({values})"), row)  # noqa: S608 - our own names
    for index in range(len(plan().steps)):
        step = {"operation": operation, "index": index, "output": json.dumps(OUTPUTS.get(index, {}))}
        connection.execute(
            text(
                'INSERT INTO steps (operation, "index", state, correlation_id, output)'
                " VALUES (:operation, :index, 'complete', '', :output)"
            ).bindparams(bindparam("index")),
            step,
        )


async def upgraded(url: str, *operations: dict[str, Any]) -> dict[str, Operation]:
    """A database of the second revision with these operations, opened by this version."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        command.upgrade(migrations(connection), "0002")
        for changes in operations:
            store_as_the_first_version(connection, **changes)
    engine.dispose()
    store = await open_store(url, Codec(PROCEDURES.values))
    stored = {operation.id: operation for operation in await store.operations.find()}
    await store.close()
    return stored


async def test_what_was_asked_for_and_what_steps_left_is_shown_and_gone_on_with(url: str) -> None:
    stored = await upgraded(url, {"operation": "op-old"}, {"operation": "op-bare", "plan": None})

    assert stored["op-bare"].options == stored["op-old"].options
    assert stored["op-old"].options == DeployOptions(("hello-world",), window=timedelta(hours=1))
    assert [run.output for run in stored["op-old"].steps] == [
        AddressHeld("10.112.0.2"),
        None,
        None,
        ImageKept("hello-world:latest"),
        None,
        None,
        RegistryCreated("contosoacr.westeurope.data.azurecr.io"),
        ExtensionInstalled("0.11.0"),
        RuntimeVerified("10.112.0.2", "Bound"),
        RegistryOnline(NOW),
        StillUnderWay(),
    ]


async def test_what_was_queued_or_running_keeps_its_cluster_from_later_ones(url: str) -> None:
    states = {"op-running": "running", "op-queued": "queued", "op-ended": "succeeded"}
    await upgraded(url, *({"operation": name, "state": state} for name, state in states.items()))
    store = await open_store(url, Codec(PROCEDURES.values))
    later = replace(STATES["planning"], id="op-later", plan=None, started_at=None, locks=("/arc", "/edge01"))
    await store.operations.create(later, "later")
    await store.operations.move("op-later", ["planning"], "queued", attempt=1)

    assert await store.locks.grant() == ()
    assert not await store.locks.hold("op-queued")
    await store.operations.move("op-running", ["running"], "succeeded")
    assert await store.locks.grant() == ()
    assert await store.locks.hold("op-queued")
    await store.operations.move("op-queued", ["queued"], "cancelled")
    assert await store.locks.grant() == (("op-later", 1),)
    await store.close()


async def test_one_that_an_older_version_did_not_get_to_queue_gets_a_turn(url: str) -> None:
    await upgraded(url, {"operation": "op-old", "state": "queued"})
    store = await open_store(url, Codec(PROCEDURES.values))
    await store.locks.queue_again("op-old")

    assert await store.locks.grant() == (("op-old", 1),)
    await store.close()
