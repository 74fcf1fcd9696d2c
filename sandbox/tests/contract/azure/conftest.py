"""A cloud of its own for every test, spoken to by the unmodified async clients."""

import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import yaml
from azure.identity.aio import ClientSecretCredential
from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient
from azure.mgmt.kubernetesconfiguration.aio import SourceControlConfigurationClient

import sandbox
from sandbox.azure import AzurePart
from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.speed import IMMEDIATE
from sandbox.tests.contract.azure.cloud import Cloud, Http
from sandbox.tls import Authority

WORLD = Path(sandbox.__file__).with_name("world.yaml")


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def world() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(WORLD.read_text())
    loaded["azure"]["page_size"] = 20  # so that fifty connected registries are several pages
    loaded["azure"]["principals"].append(
        {
            "client_id": "44444444-4444-4444-8444-444444444444",
            "client_secret": "reader-secret",
            "name": "reader",
            "role": "Reader",
        }
    )
    loaded["azure"]["managed_clusters"] = [
        {"name": "lab-aks", "resource_group": "edge-rg", "service_cidr": "10.7.0.0/16"}
    ]
    return loaded


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def azure(world: dict[str, Any], authority: Authority, clock: Clock, faults: Faults) -> AsyncIterator[AzurePart]:
    part = AzurePart(world, authority=authority, clock=clock, speed=IMMEDIATE, faults=faults)
    await part.start()
    yield part
    await part.stop()


@pytest.fixture
def credential_options(azure: AzurePart, authority: Authority) -> dict[str, Any]:
    return {"authority": azure.url, "connection_verify": str(authority.ca_file)}


@pytest.fixture
async def credential(azure: AzurePart, credential_options: dict[str, Any]) -> AsyncIterator[ClientSecretCredential]:
    environment = azure.environment()
    async with ClientSecretCredential(
        environment["AZURE_TENANT_ID"],
        environment["AZURE_CLIENT_ID"],
        environment["AZURE_CLIENT_SECRET"],
        **credential_options,
    ) as opened:
        yield opened


@pytest.fixture
async def acr(
    azure: AzurePart, authority: Authority, credential: ClientSecretCredential
) -> AsyncIterator[ContainerRegistryManagementClient]:
    async with ContainerRegistryManagementClient(
        credential,
        azure.environment()["AZURE_SUBSCRIPTION_ID"],
        base_url=azure.url,
        connection_verify=str(authority.ca_file),
        polling_interval=0,
        retry_total=0,
    ) as client:
        yield client


@pytest.fixture
async def kubernetes_configuration(
    azure: AzurePart, authority: Authority, credential: ClientSecretCredential
) -> AsyncIterator[SourceControlConfigurationClient]:
    async with SourceControlConfigurationClient(
        credential,
        azure.environment()["AZURE_SUBSCRIPTION_ID"],
        base_url=azure.url,
        connection_verify=str(authority.ca_file),
        polling_interval=0,
        retry_total=0,
    ) as client:
        yield client


@pytest.fixture
async def http(authority: Authority) -> AsyncIterator[Http]:
    context = ssl.create_default_context(cafile=str(authority.ca_file))
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=context)) as session:
        yield Http(session)


@pytest.fixture
async def cloud(
    azure: AzurePart,
    acr: ContainerRegistryManagementClient,
    kubernetes_configuration: SourceControlConfigurationClient,
    http: Http,
) -> Cloud:
    return Cloud(azure, acr, kubernetes_configuration, http)
