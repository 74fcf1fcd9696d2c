"""Credentials that end, a certificate authority that changes, and what the Arc agents know of their cluster."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from kubernetes.aio import client, config
from kubernetes.aio.client.exceptions import ApiException

from sandbox import world
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.kube import KubePart
from sandbox.speed import IMMEDIATE
from sandbox.tls import Authority

UNAUTHORIZED = 401


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def part(authority: Authority, tmp_path: Path, clock: Clock) -> AsyncIterator[KubePart]:
    loaded = world.only(world.load(), {"berlin"})
    part = KubePart(loaded, authority=authority, folder=tmp_path, clock=clock, speed=IMMEDIATE, faults=Faults())
    await part.start()
    yield part
    await part.stop()


async def connected(part: KubePart, context: str) -> Any:
    """As a client that reads its kubeconfig now."""
    return await config.new_client_from_config(str(part.kubeconfig), context)  # type: ignore[no-untyped-call]


async def control(part: KubePart, path: str, **body: object) -> None:
    async with aiohttp.ClientSession() as session:
        await session.post(f"{part.url}/sandbox/kube/{path}", json=body, ssl=False)


async def test_a_token_ends_and_the_kubeconfig_has_a_new_one(part: KubePart) -> None:
    before = await connected(part, "berlin")
    await client.CoreV1Api(before).list_node()
    await control(part, "credentials", user="bot", do="expire")
    with pytest.raises(ApiException) as refused:
        await client.CoreV1Api(before).list_node()
    await control(part, "credentials", user="bot", do="renew")
    after = await connected(part, "berlin")

    assert refused.value.status == UNAUTHORIZED
    assert (await client.CoreV1Api(after).list_node()).items
    await asyncio.gather(before.close(), after.close())


async def test_a_service_accounts_token_ends_when_it_says(part: KubePart, clock: Clock) -> None:
    admin = await connected(part, "berlin-admin")
    request = client.AuthenticationV1TokenRequest(spec=client.V1TokenRequestSpec(audiences=[], expiration_seconds=600))
    issued: Any = await client.CoreV1Api(admin).create_namespaced_service_account_token("default", "default", request)
    settings = client.Configuration(host=part.url, api_key={"authorization": f"Bearer {issued.status.token}"})
    settings.ssl_ca_cert = str(admin.configuration.ssl_ca_cert)
    account: Any = client.ApiClient(settings)
    await client.VersionApi(account).get_code()
    clock.turn(600)

    with pytest.raises(ApiException) as refused:
        await client.VersionApi(account).get_code()
    assert refused.value.status == UNAUTHORIZED
    await asyncio.gather(admin.close(), account.close())


async def test_a_cluster_gets_another_authority(part: KubePart) -> None:
    before = await connected(part, "berlin-admin")
    await client.CoreV1Api(before).list_node()
    await control(part, "berlin/authority")
    with contextlib.suppress(aiohttp.ClientError, OSError):
        await client.CoreV1Api(before).list_node()  # a connection from before may still answer
    with pytest.raises((aiohttp.ClientError, OSError)):
        await client.CoreV1Api(before).list_node()
    after = await connected(part, "berlin-admin")

    assert (await client.CoreV1Api(after).list_node()).items
    await asyncio.gather(before.close(), after.close())


async def test_the_arc_agents_know_their_resource(part: KubePart) -> None:
    admin = await connected(part, "berlin-admin")
    settings: Any = (await client.CoreV1Api(admin).read_namespaced_config_map("azure-clusterconfig", "azure-arc")).data

    assert (settings["AZURE_RESOURCE_GROUP"], settings["AZURE_RESOURCE_NAME"]) == ("edge-rg", "berlin-arc")
    assert settings["AZURE_ENVIRONMENT"] == "AZUREPUBLICCLOUD"
    await admin.close()
