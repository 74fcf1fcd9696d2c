"""Azure in China and of the US Government: other audiences, suffixes and regions, and api-versions that come later."""

from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.identity.aio import ClientSecretCredential
from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient

from sandbox.azure import AzurePart
from sandbox.tests.contract.azure.cloud import GROUP, REGISTRY, Http
from sandbox.tls import Authority

CLOUDS = pytest.mark.parametrize(
    ("name", "resource_manager", "suffix", "region"),
    [
        ("china", "https://management.chinacloudapi.cn", "azurecr.cn", "chinaeast2"),
        ("us-government", "https://management.core.usgovcloudapi.net", "azurecr.us", "usgovvirginia"),
    ],
)
OLDER = "2025-06-01-preview"


@pytest.fixture
def world(world: dict[str, Any], name: str) -> dict[str, Any]:
    world["azure"]["cloud"] = name
    return world


def client(
    azure: AzurePart, authority: Authority, credential: ClientSecretCredential, audience: str
) -> ContainerRegistryManagementClient:
    return ContainerRegistryManagementClient(
        credential,
        azure.cloud.subscription,
        base_url=azure.url,
        connection_verify=str(authority.ca_file),
        credential_scopes=[f"{audience}/.default"],
        api_version=OLDER,
        retry_total=0,
    )


@CLOUDS
async def test_a_registry_has_the_hosts_and_a_region_of_the_cloud(
    azure: AzurePart,
    authority: Authority,
    credential: ClientSecretCredential,
    *,
    resource_manager: str,
    suffix: str,
    region: str,
) -> None:
    async with client(azure, authority, credential, resource_manager) as acr:
        await (
            await acr.registries.begin_update(GROUP, REGISTRY, {"properties": {"dataEndpointEnabled": True}})
        ).result()
        registry = (await acr.registries.get(GROUP, REGISTRY)).as_dict()

    assert registry["location"] == region
    assert registry["properties"]["dataEndpointHostNames"] == [f"{REGISTRY}.{region}.data.{suffix}"]


@CLOUDS
async def test_a_token_for_the_public_cloud_is_refused(
    azure: AzurePart,
    authority: Authority,
    credential: ClientSecretCredential,
    *,
    resource_manager: str,
    suffix: str,
    region: str,
) -> None:
    async with client(azure, authority, credential, "https://management.azure.com") as acr:
        with pytest.raises(ClientAuthenticationError, match="wrong audience or resource") as refused:
            await acr.registries.get(GROUP, REGISTRY)

    assert resource_manager in str(refused.value)


@CLOUDS
async def test_a_newer_api_version_is_refused_with_those_that_there_are(
    azure: AzurePart,
    authority: Authority,
    credential: ClientSecretCredential,
    *,
    resource_manager: str,
    suffix: str,
    region: str,
) -> None:
    async with client(azure, authority, credential, resource_manager) as acr:
        acr._config.api_version = "2025-11-01"
        with pytest.raises(HttpResponseError, match="NoRegisteredProviderFound") as refused:
            await acr.registries.get(GROUP, REGISTRY)

    assert OLDER in str(refused.value)
    assert f"location '{region}'" in str(refused.value)


@CLOUDS
async def test_the_cloud_describes_itself(
    azure: AzurePart, http: Http, resource_manager: str, suffix: str, region: str
) -> None:
    document = (await http.get(f"{azure.url}/metadata/endpoints?api-version=2022-09-01")).json

    assert f"{resource_manager}/" in document["authentication"]["audiences"]
    assert document["suffixes"]["acrLoginServer"] == suffix
