"""Twenty deployments that want an address of the same small range at the same time."""

import asyncio
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox.controlplane.api import Api
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.errors import Failure
from services.model.operation import Operation
from services.model.people import Place
from services.model.plan import PlannedStep
from services.operations.deploy.addresses import Choice, choose
from services.operations.deploy.causes import Cause
from services.operations.deploy.outputs import AddressHeld
from services.operations.deploy.request import DeployOptions
from services.operations.deploy.steps.cluster import HOLD_ADDRESS
from services.operations.step import Done, Scene
from services.policy.sites import Site
from services.store import Store

RACERS = 20
SIZE = 30
"""Usable addresses of the cluster's range."""
SERVICES = "/api/v1/namespaces/default/services"
SITE = Site.model_validate(
    {
        "name": "small",
        "environment": "development",
        "subscription": "22222222-2222-4222-8222-222222222222",
        "resource_group": "edge-rg",
        "acr": {"name": "contosoacr"},
        "cluster": {"name": "small-arc"},
    }
)
CLUSTER = SITE.cluster_ref.id.lower()


@pytest.fixture
async def scenes(small: KubernetesCluster, store: Store) -> list[Scene]:
    """Deployments that were planned at the same time, so that all have picked the same address."""
    choice = choose(await small.service_ranges())
    assert isinstance(choice, Choice)
    return [await stored(scene(f"op-{at:06}", choice.address, small, store), store) for at in range(RACERS)]


async def stored(one: Scene, store: Store) -> Scene:
    await store.operations.create(one.operation, one.operation.id)
    return one


def scene(operation: str, address: str, cluster: KubernetesCluster, store: Store, *, repeated: bool = False) -> Scene:
    async def reached() -> KubernetesCluster:
        return cluster

    azure: Any = None  # holding an address asks Azure nothing
    return Scene(
        operation=_operation(operation),
        site=SITE,
        planned=PlannedStep("service_ip.hold", {"address": address, "namespace": "default", "picked": True}, "create"),
        azure=azure,
        cluster=reached,
        leases=store.leases,
        children=azure,
        repeated=repeated,
    )


def _operation(name: str) -> Operation:
    return Operation(
        id=name,
        kind="deploy",
        target="edge01",
        site="small",
        environment="development",
        locks=(CLUSTER,),
        requester="U0ALICE",
        requester_name="alice",
        place=Place("T0CONTOSO", "C0EDGE"),
        options=DeployOptions(),
        state="running",
        created=datetime.now(UTC),
    )


async def take(admin: Api, count: int) -> None:
    """Let somebody else have as many of the lowest free addresses."""
    listed = (await admin.get("/api/v1/services"))["items"]
    used = {item["spec"]["clusterIP"] for item in listed}
    free = [address for at in range(1, SIZE + 1) if (address := f"10.96.0.{at}") not in used]
    for address in free[:count]:
        spec = {"clusterIP": address, "ports": [{"port": 80}]}
        await admin.create(SERVICES, {"metadata": {"name": f"taken-{address.replace('.', '-')}"}, "spec": spec})


async def placeholders(admin: Api) -> dict[str, list[str]]:
    """Operation to the addresses that are held for it."""
    found: dict[str, list[str]] = {}
    for item in (await admin.get(SERVICES))["items"]:
        if operation := (item["metadata"].get("labels") or {}).get("registry-bot/operation"):
            found.setdefault(operation, []).append(item["spec"]["clusterIP"])
    return found


async def begin(one: Scene) -> str | Failure:
    try:
        progress = await HOLD_ADDRESS.begin(one)
    except Failure as failure:
        return failure
    assert isinstance(progress, Done)
    assert isinstance(progress.output, AddressHeld)
    return progress.output.address


async def end(one: Scene) -> None:
    """What happens when an operation ends, however it does."""
    assert HOLD_ADDRESS.undo is not None
    await HOLD_ADDRESS.undo(one)
    await one.leases.release(one.operation.id)


async def test_each_of_twenty_gets_an_address_of_its_own(scenes: list[Scene], small_admin: Api) -> None:
    got = await asyncio.gather(*(begin(one) for one in scenes))

    assert Counter(map(str, got)).most_common(1)[0][1] == 1
    held = await placeholders(small_admin)
    assert {name: addresses[0] for name, addresses in held.items() if len(addresses) == 1} == {
        one.operation.id: address for one, address in zip(scenes, got, strict=True)
    }


async def test_those_who_find_the_range_full_are_told_its_figures(
    small: KubernetesCluster, store: Store, small_admin: Api
) -> None:
    await take(small_admin, 16)
    choice = choose(await small.service_ranges())
    assert isinstance(choice, Choice)
    racing = [await stored(scene(f"op-{at:06}", choice.address, small, store), store) for at in range(RACERS)]

    got = await asyncio.gather(*(begin(one) for one in racing))

    failures = [one for one in got if isinstance(one, Failure)]
    assert len(set(map(str, got)) - set(map(str, failures))) == SIZE - 2 - 16
    assert {(one.cause, one.facts["ranges"], one.facts["size"]) for one in failures} == {
        (Cause.ADDRESS_RANGE_FULL, ("10.96.0.0/27",), SIZE)
    }
    assert {int(one.facts["used"]) + int(one.facts["leased"]) for one in failures} == {SIZE}


async def test_nothing_is_left_of_those_that_are_cancelled(scenes: list[Scene], small_admin: Api, store: Store) -> None:
    tasks = [asyncio.create_task(begin(one)) for one in scenes]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await asyncio.gather(*(end(one) for one in scenes[::2]))

    assert set(await placeholders(small_admin)) == {one.operation.id for one in scenes[1::2]}
    await asyncio.gather(*(end(one) for one in scenes[1::2]))
    assert await placeholders(small_admin) == {}
    assert await store.leases.of_others(CLUSTER, "") == frozenset()


async def test_those_that_are_killed_go_on_with_one_address_each(
    scenes: list[Scene], small: KubernetesCluster, small_admin: Api, store: Store
) -> None:
    tasks = [asyncio.create_task(begin(one)) for one in scenes]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)

    again = [scene(one.operation.id, str(one.params["address"]), small, store, repeated=True) for one in scenes]
    got = await asyncio.gather(*(begin(one) for one in again))

    assert await placeholders(small_admin) == {
        one.operation.id: [address] for one, address in zip(scenes, got, strict=True)
    }
