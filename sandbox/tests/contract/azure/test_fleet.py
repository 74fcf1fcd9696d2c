"""A fleet through unmodified clients, and through the control API."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity.aio import ClientSecretCredential
from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient
from azure.mgmt.kubernetesconfiguration.aio import SourceControlConfigurationClient

from sandbox import world as worlds
from sandbox.compose import Sandbox
from sandbox.fleet import Size
from sandbox.fleet.script import CONTINUOUS

GROUP = "fleet-rg"


@pytest.fixture
async def box(tmp_path: Path) -> AsyncIterator[Sandbox]:
    world = worlds.load()
    world["azure"]["page_size"] = 20
    async with Sandbox(world, folder=tmp_path, parts=("azure",), fleet=Size(60, 2)) as running:
        running.clock.stop()
        yield running


@pytest.fixture
async def control(box: Sandbox) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(box.url) as session:
        yield session


@pytest.fixture
async def registries(box: Sandbox) -> AsyncIterator[ContainerRegistryManagementClient]:
    values = box.environment()
    options: dict[str, Any] = {"connection_verify": values["SSL_CERT_FILE"]}
    names = ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET")
    async with (
        ClientSecretCredential(
            *(values[name] for name in names), authority=values["AZURE_AUTHORITY_HOST"], **options
        ) as credential,
        ContainerRegistryManagementClient(
            credential,
            values["AZURE_SUBSCRIPTION_ID"],
            base_url=values["AZURE_RESOURCE_MANAGER_URL"],
            retry_total=0,
            **options,
        ) as client,
    ):
        yield client


def well(box: Sandbox) -> str:
    """Key of a continuous edge with nothing wrong, on a cluster that stays alive."""
    assert box.fleet is not None
    return next(
        edge.key
        for edge in box.fleet.script.edges
        if edge.schedule == CONTINUOUS and edge.activated and not box.fleet.troubles_of(edge)
    )


async def test_the_sdk_lists_a_fleet_page_by_page(box: Sandbox, registries: ContainerRegistryManagementClient) -> None:
    assert box.fleet is not None
    quiet = next(
        name for name in box.fleet.script.acrs if not any(one.subject == name for one in box.fleet.script.troubles)
    )
    pages = [
        [one.name async for one in page] async for page in registries.connected_registries.list(GROUP, quiet).by_page()
    ]

    assert [len(page) for page in pages] == [20, 10]
    assert {name for page in pages for name in page} == {
        edge.name for edge in box.fleet.script.edges if edge.acr == quiet
    }


async def test_a_cloud_registry_that_cannot_be_asked_answers_nobody(
    box: Sandbox, control: aiohttp.ClientSession, registries: ContainerRegistryManagementClient
) -> None:
    order = {"outage": {"subject": "fleet01", "seconds": 600, "cause": "ServiceUnavailable"}}
    async with control.post("/sandbox/fleet", json=order) as answer:
        assert answer.status == 200
    with pytest.raises(HttpResponseError) as refusal:
        [one async for one in registries.connected_registries.list(GROUP, "fleet01")]
    assert refusal.value.status_code == 503
    box.clock.turn(601)

    assert [one async for one in registries.connected_registries.list(GROUP, "fleet01")]


async def test_an_outage_can_be_ordered_and_ended(
    box: Sandbox, control: aiohttp.ClientSession, registries: ContainerRegistryManagementClient
) -> None:
    acr, _, name = well(box).partition("/")
    async with control.post("/sandbox/fleet", json={"outage": {"subject": name, "kind": "link"}}) as answer:
        assert (await answer.json())["subject"] == f"{acr}/{name}"
    box.clock.turn(600)
    down = await registries.connected_registries.get(GROUP, acr, name)
    async with control.post("/sandbox/fleet", json={"mend": name}) as answer:
        assert len((await answer.json())["mended"]) == 1
    box.clock.turn(600)
    up = await registries.connected_registries.get(GROUP, acr, name)

    assert down.properties is not None
    assert up.properties is not None
    assert (down.properties.connection_state, up.properties.connection_state) == ("Offline", "Online")


async def test_the_truth_tells_of_every_edge(box: Sandbox, control: aiohttp.ClientSession) -> None:
    async with control.get("/sandbox/fleet") as answer:
        truth = await answer.json()

    assert len(truth["registries"]) == 60
    assert set(truth["acrs"]) == {"fleet01", "fleet02"}
    assert sum(len(one["registries"]) for one in truth["clusters"].values()) == 60
    assert any(one["wrong"] for one in truth["registries"].values())


@pytest.mark.parametrize(
    ("order", "status", "words"),
    [
        ({}, 400, "Send"),
        ({"outage": {}}, 400, "Send"),
        ({"outage": {"subject": "plant-arc", "kind": "disk"}}, 400, "must be one of cluster"),
        ({"outage": {"subject": "plant-arc", "seconds": 0}}, 400, "number of seconds"),
        ({"outage": {"subject": "plant-arc", "colour": "red"}}, 400, "Unknown field"),
        ({"mend": "nobody"}, 404, "nobody"),
    ],
)
async def test_orders_that_cannot_be_done_say_why(
    control: aiohttp.ClientSession, order: dict[str, object], status: int, words: str
) -> None:
    async with control.post("/sandbox/fleet", json=order) as answer:
        assert answer.status == status
        assert words in (await answer.json())["error"]


async def test_a_cluster_shows_who_lives_on_it_and_when_it_is_dead(
    box: Sandbox, control: aiohttp.ClientSession, registries: ContainerRegistryManagementClient
) -> None:
    assert box.fleet is not None
    cluster = "plant-arc"
    values = box.environment()
    async with control.post("/sandbox/fleet", json={"outage": {"subject": cluster}}) as answer:
        assert answer.status == 200
    box.clock.turn(timedelta(minutes=16).total_seconds())
    async with SourceControlConfigurationClient(
        registries._config.credential,
        values["AZURE_SUBSCRIPTION_ID"],
        base_url=values["AZURE_RESOURCE_MANAGER_URL"],
        connection_verify=values["SSL_CERT_FILE"],
    ) as client:
        listed = client.extensions.list(GROUP, "Microsoft.Kubernetes", "connectedClusters", cluster)
        extensions = [one.name async for one in listed]
    state = (await (await control.get("/sandbox/azure/state")).json())["clusters"]

    assert len(extensions) >= 25
    assert {one["connectivityStatus"] for one in state if one["name"] == cluster} == {"Offline"}
    others = {one["connectivityStatus"] for one in state if one["name"].startswith("site")}
    assert "Connected" in others
