"""The shared control API over HTTP, and what it does to the parts."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import HttpResponseError

from sandbox.compose import Sandbox
from sandbox.kube import KubePart, schemas
from sandbox.tests.contract.edge.operator_at_work import ACR, GROUP, Operator

FAULT = {
    "part": "azure",
    "match": f"GET .*/registries/{ACR}$",
    "status": 403,
    "code": "Forbidden",
    "message": "Not you.",
}


@pytest.fixture
async def control(sandbox: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(sandbox.url) as session:
        yield session


async def answer(response: aiohttp.ClientResponse) -> tuple[int, Any]:
    return response.status, await response.json()


async def test_a_fault_put_in_force_strikes_the_next_call(control: aiohttp.ClientSession, operator: Operator) -> None:
    async with control.post("/sandbox/faults", json=FAULT) as response:
        assert response.status == 200

    with pytest.raises(HttpResponseError, match="Not you"):
        await operator.acr.registries.get(GROUP, ACR)

    assert (await operator.acr.registries.get(GROUP, ACR)).name == ACR


async def test_a_fault_taken_out_of_force_strikes_no_more(control: aiohttp.ClientSession, operator: Operator) -> None:
    async with control.post("/sandbox/faults", json=FAULT) as response:
        _, fault = await answer(response)

    async with control.delete(f"/sandbox/faults/{fault['id']}") as response:
        assert await answer(response) == (200, {"faults": []})

    assert (await operator.acr.registries.get(GROUP, ACR)).name == ACR


async def test_an_unknown_fault_is_refused_in_words(control: aiohttp.ClientSession) -> None:
    async with control.delete("/sandbox/faults/fault99") as response:
        status, body = await answer(response)

    assert status == 404
    assert "GET /sandbox/faults lists them" in body["error"]


@pytest.mark.parametrize("body", ["", "[]", "{", '"turn"'])
async def test_what_is_no_json_object_is_refused_in_words(control: aiohttp.ClientSession, body: str) -> None:
    async with control.post("/sandbox/clock", data=body) as response:
        assert await answer(response) == (400, {"error": "The body must be a JSON object."})


async def test_the_clock_is_turned_for_all_parts(control: aiohttp.ClientSession, sandbox: Sandbox) -> None:
    async with control.post("/sandbox/clock", json={"stop": True, "turn": 86400}) as response:
        _, body = await answer(response)

    assert body["stopped"]
    assert sandbox.clock.now().isoformat() == body["now"]


async def test_the_world_at_a_glance_shows_every_part_and_no_protected_setting(
    control: aiohttp.ClientSession, operator: Operator
) -> None:
    await operator.create_registry()
    password = await operator.password("edge01")
    await operator.install(connection=await operator.connection_string(password=password))

    async with control.get("/sandbox/world") as response:
        text = await response.text()
        world = await response.json()

    assert {"azure", "kube", "edge", "clock", "faults"} <= world.keys()
    assert world["kube"]["berlin"]["services"]["connected-registry/connected-registry"] == "10.96.0.50"
    assert password not in text


async def test_what_the_cluster_holds_has_only_fields_that_there_are(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()

    assert isinstance(sandbox.kube, KubePart)
    cluster = sandbox.kube.clusters["berlin"]
    unknown = {
        f"{resource.kind}: {path}"
        for resource in cluster.catalogue.stored()
        for found in cluster.store.items(resource.key)
        for path in schemas.pruned(resource, found)[1]
    }
    assert unknown == set()
