"""What ARM says before any resource provider is asked."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from email.utils import format_datetime
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError
from azure.identity.aio import ClientSecretCredential
from azure.mgmt.containerregistry.aio import ContainerRegistryManagementClient

from sandbox.azure import AzurePart
from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.speed import IMMEDIATE
from sandbox.tests.contract.azure.cloud import GROUP, REGISTRY, Cloud, Http
from sandbox.tls import Authority

SCOPE = "https://management.azure.com/.default"
ACR = "providers/Microsoft.ContainerRegistry/registries/contosoacr"
EXTENSION = (
    "providers/Microsoft.Kubernetes/connectedClusters/berlin-arc/"
    "providers/Microsoft.KubernetesConfiguration/extensions/edge01"
)
READER = "44444444-4444-4444-8444-444444444444"


async def token_of(azure: AzurePart, options: dict[str, Any], client: str, secret: str, scope: str = SCOPE) -> str:
    async with ClientSecretCredential(azure.cloud.tenant, client, secret, **options) as credential:
        return (await credential.get_token(scope)).token


@asynccontextmanager
async def another_cloud(world: dict[str, Any], authority: Authority) -> AsyncIterator[AzurePart]:
    azure = AzurePart(world, authority=authority, clock=Clock(), speed=IMMEDIATE, faults=Faults())
    await azure.start()
    yield azure
    await azure.stop()


async def test_a_request_without_a_token_is_challenged(azure: AzurePart, http: Http) -> None:
    reply = await http.get(f"{azure.url}/subscriptions?api-version=2022-12-01")

    assert (reply.status, reply.json["error"]["code"]) == (401, "AuthenticationFailed")
    assert f'authorization_uri="{azure.url}/{azure.cloud.tenant}"' in reply.headers["WWW-Authenticate"]


@pytest.mark.parametrize("audience", ["https://management.azure.com", "https://management.core.windows.net/"])
async def test_both_audiences_are_taken(
    azure: AzurePart, http: Http, credential_options: dict[str, Any], audience: str
) -> None:
    secret = azure.environment()
    token = await token_of(
        azure, credential_options, secret["AZURE_CLIENT_ID"], secret["AZURE_CLIENT_SECRET"], f"{audience}/.default"
    )
    reply = await http.with_bearer(token).get(f"{azure.url}/subscriptions?api-version=2022-12-01")

    assert reply.json["value"][0]["displayName"] == "Contoso Edge"


async def test_a_token_for_another_audience_is_refused(
    azure: AzurePart, http: Http, credential_options: dict[str, Any]
) -> None:
    token = await token_of(azure, credential_options, READER, "reader-secret", "https://vault.azure.net/.default")
    reply = await http.with_bearer(token).get(f"{azure.url}/subscriptions?api-version=2022-12-01")

    assert (reply.status, reply.json["error"]["code"]) == (401, "InvalidAuthenticationTokenAudience")


async def test_an_expired_token_is_refused(world: dict[str, Any], authority: Authority, http: Http) -> None:
    world["azure"]["token_life"] = 0
    async with another_cloud(world, authority) as azure:
        options = {"authority": azure.url, "connection_verify": str(authority.ca_file)}
        token = await token_of(azure, options, READER, "reader-secret")
        reply = await http.with_bearer(token).get(f"{azure.url}/subscriptions?api-version=2022-12-01")

    assert (reply.status, reply.json["error"]["code"]) == (401, "ExpiredAuthenticationToken")
    assert 'error="invalid_token"' in reply.headers["WWW-Authenticate"]


async def test_a_token_of_another_tenant_is_refused(
    world: dict[str, Any], authority: Authority, http: Http, azure: AzurePart, credential: ClientSecretCredential
) -> None:
    token = (await credential.get_token(SCOPE)).token
    world["azure"]["tenant"] = "99999999-1111-4111-8111-111111111111"
    async with another_cloud(world, authority) as second_cloud:
        reply = await http.with_bearer(token).get(f"{second_cloud.url}/subscriptions?api-version=2022-12-01")

    assert (reply.status, reply.json["error"]["code"]) == (401, "InvalidAuthenticationTokenTenant")


@pytest.mark.parametrize(
    ("path", "version", "status", "code"),
    [
        ("providers/Microsoft.ContainerRegistry/registries", None, 400, "MissingApiVersionParameter"),
        ("providers/Microsoft.ContainerRegistry/registries", "latest", 400, "InvalidApiVersionParameter"),
        ("providers/Microsoft.ContainerRegistry/registries", "2099-01-01", 400, "NoRegisteredProviderFound"),
        ("providers/Microsoft.ContainerRegistry/nothings", "2025-11-01", 404, "InvalidResourceType"),
        ("providers/Microsoft.Nothing/registries", "2025-11-01", 404, "InvalidResourceNamespace"),
        ("providers/Microsoft.ContainerRegistry/registries/absent", "2025-11-01", 404, "ResourceNotFound"),
        ("/subscriptions/nonsense/resourceGroups", "2021-04-01", 400, "InvalidSubscriptionId"),
        (
            "/subscriptions/99999999-2222-4222-8222-222222222222/resourceGroups",
            "2021-04-01",
            404,
            "SubscriptionNotFound",
        ),
        ("providers/Microsoft.Kubernetes/connectedClusters/absent", "2024-01-01", 404, "ResourceNotFound"),
        ("providers/Microsoft.ContainerService/managedClusters/absent", "2024-09-01", 404, "ResourceNotFound"),
    ],
)
async def test_what_does_not_exist_is_refused_in_arms_words(
    cloud: Cloud, path: str, version: str | None, status: int, code: str
) -> None:
    reply = await cloud.arm("GET", path, version)

    assert (reply.status, reply.json["error"]["code"]) == (status, code)


async def test_an_absent_resource_group_has_its_own_code(cloud: Cloud) -> None:
    with pytest.raises(HttpResponseError, match="ResourceGroupNotFound"):
        await cloud.acr.registries.get("absent-rg", REGISTRY)


async def test_paths_are_read_without_regard_to_case(cloud: Cloud) -> None:
    reply = await cloud.arm("GET", cloud.registry_id.upper().replace("/SUBSCRIPTIONS", "/Subscriptions"), "2025-11-01")

    assert reply.json["name"] == REGISTRY


async def test_a_reader_may_not_write(azure: AzurePart, authority: Authority) -> None:
    async with (
        ClientSecretCredential(
            azure.cloud.tenant,
            READER,
            "reader-secret",
            authority=azure.url,
            connection_verify=str(authority.ca_file),
        ) as credential,
        ContainerRegistryManagementClient(
            credential, azure.cloud.subscription, base_url=azure.url, connection_verify=str(authority.ca_file)
        ) as acr,
    ):
        assert (await acr.registries.get(GROUP, REGISTRY)).name == REGISTRY
        with pytest.raises(HttpResponseError, match=r"'Microsoft\.ContainerRegistry/registries/write' over scope"):
            await acr.registries.begin_update(GROUP, REGISTRY, {"tags": {}})


async def test_a_denied_action_is_refused_whatever_the_role(cloud: Cloud) -> None:
    principals = cloud.azure.cloud.principals
    [client, _] = principals
    denied = ("Microsoft.ContainerRegistry/registries/generateCredentials/*",)
    principals[client] = replace(principals[client], denied_actions=denied)

    reply = await cloud.arm("POST", f"{cloud.registry_id}/generateCredentials", "2025-11-01", {})

    assert (reply.status, reply.json["error"]["code"]) == (403, "AuthorizationFailed")


async def test_every_answer_says_what_is_left_of_the_bucket(cloud: Cloud) -> None:
    reply = await cloud.arm("GET", cloud.registry_id, "2025-11-01")

    assert int(reply.headers["x-ms-ratelimit-remaining-subscription-reads"]) > 0
    assert reply.headers["x-ms-request-id"]
    assert reply.headers["x-ms-correlation-request-id"]


async def test_every_answer_has_the_worlds_time(azure: AzurePart, http: Http, clock: Clock, faults: Faults) -> None:
    clock.stop()
    clock.turn(3 * 24 * 3600)
    faults.add(Fault("azure", "GET /subscriptions"))

    failed = await http.get(f"{azure.url}/subscriptions?api-version=2022-12-01")
    refused = await http.get(f"{azure.url}/subscriptions?api-version=2022-12-01")

    assert (failed.status, refused.status) == (500, 401)
    assert failed.headers["Date"] == refused.headers["Date"] == format_datetime(clock.now(), usegmt=True)


async def test_an_empty_bucket_is_answered_with_429(cloud: Cloud, clock: Clock) -> None:
    clock.stop()
    await cloud.http.post(f"{cloud.azure.url}/sandbox/azure/throttle", {"writes": 1, "refill": 0.5})

    first = await cloud.arm("PATCH", cloud.registry_id, "2025-11-01", {"tags": {}})
    second = await cloud.arm("PATCH", cloud.registry_id, "2025-11-01", {"tags": {}})
    clock.turn(2)
    third = await cloud.arm("PATCH", cloud.registry_id, "2025-11-01", {"tags": {}})

    assert [first.status, second.status, third.status] == [200, 429, 200]
    assert second.headers["Retry-After"] == "2"


async def test_a_fault_answers_in_arms_form(cloud: Cloud, faults: Faults) -> None:
    faults.add(Fault("azure", "GET .*/registries/", status=503, code="ServiceUnavailable", message="Later."))

    reply = await cloud.arm("GET", cloud.registry_id, "2025-11-01")

    assert (reply.status, reply.json) == (503, {"error": {"code": "ServiceUnavailable", "message": "Later."}})


async def test_a_lost_reply_leaves_the_work_done(cloud: Cloud, faults: Faults) -> None:
    faults.add(Fault("azure", "PATCH .*/registries/", action="lose_reply"))

    with pytest.raises(Exception, match=r"(?i)connection|disconnected"):
        await cloud.arm("PATCH", cloud.registry_id, "2025-11-01", {"tags": {"kept": "yes"}})

    assert (await cloud.acr.registries.get(GROUP, REGISTRY)).tags == {"kept": "yes"}


async def test_a_dropped_request_leaves_nothing_done(cloud: Cloud, faults: Faults) -> None:
    faults.add(Fault("azure", "PATCH .*/registries/", action="drop"))

    with pytest.raises(Exception, match=r"(?i)connection|disconnected"):
        await cloud.arm("PATCH", cloud.registry_id, "2025-11-01", {"tags": {"kept": "yes"}})

    assert not (await cloud.acr.registries.get(GROUP, REGISTRY)).tags


async def test_requests_are_logged_with_their_principal(cloud: Cloud) -> None:
    await cloud.acr.registries.get(GROUP, REGISTRY)

    log = (await cloud.http.get(f"{cloud.azure.url}/sandbox/azure/requests")).json["requests"]

    assert [(line["method"], line["status"], line["apiVersion"]) for line in log] == [("GET", 200, "2025-11-01")]
    assert log[0]["principal"] == cloud.azure.environment()["AZURE_CLIENT_ID"]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("throttle", {"writes": "few"}, 400),
        ("throttle", {"wishes": 3}, 400),
        ("clusters/absent", {"connectivityStatus": "Offline"}, 404),
        ("clusters/berlin-arc", {"connectivityStatus": "Asleep"}, 400),
        ("connectedregistries/contosoacr/absent", {}, 404),
    ],
)
async def test_the_control_api_says_what_is_wrong(cloud: Cloud, path: str, body: dict[str, Any], status: int) -> None:
    refused = await cloud.http.post(f"{cloud.azure.url}/sandbox/azure/{path}", body)

    assert refused.status == status
    assert refused.json["error"].endswith(".")


async def test_a_limit_is_taken_away_with_null(cloud: Cloud) -> None:
    url = f"{cloud.azure.url}/sandbox/azure/throttle"
    await cloud.http.post(url, {"writes": 0})
    await cloud.http.post(url, {"writes": None})

    assert (await cloud.arm("PATCH", cloud.registry_id, "2025-11-01", {"tags": {}})).status == 200


async def test_a_body_that_is_not_json_is_refused(
    azure: AzurePart, http: Http, cloud: Cloud, credential: ClientSecretCredential
) -> None:
    client = http.with_bearer((await credential.get_token(SCOPE)).token)
    url = f"{azure.url}{cloud.registry_id}?api-version=2025-11-01"
    refused = await client.send("PUT", url, data=b"{nonsense")

    assert (refused.status, refused.json["error"]["code"]) == (400, "InvalidRequestContent")


@pytest.mark.parametrize(
    ("request_line", "body", "where"),
    [
        (f"PATCH {ACR}", {"sku": "Premium"}, "sku has to be an object"),
        (f"PATCH {ACR}", {"properties": {"dataEndpointEnabled": 1}}, "dataEndpointEnabled has to be true or false"),
        (f"POST {ACR}/importImage", {"targetTags": "a:b"}, "targetTags has to be a list"),
        (f"PUT {ACR}/scopeMaps/edge01", {"properties": {"actions": [7]}}, "actions[0] has to be a string"),
        (f"PUT {ACR}/connectedRegistries/edge01", {"properties": {"parent": "x"}}, "properties.parent has to be"),
        (f"PUT {EXTENSION}", {"properties": {"configurationSettings": {"a": 1}}}, "configurationSettings.a has to be"),
    ],
)
async def test_a_body_of_another_shape_is_refused(
    cloud: Cloud, request_line: str, body: dict[str, Any], where: str
) -> None:
    await cloud.register_kubernetes_configuration()
    method, _, path = request_line.partition(" ")
    refused = await cloud.arm(method, path, "2024-11-01", body)

    assert (refused.status, refused.json["error"]["code"]) == (400, "InvalidRequestContent")
    assert where in refused.json["error"]["message"]


async def test_what_lies_below_a_missing_resource_names_the_verb(cloud: Cloud) -> None:
    await cloud.register_kubernetes_configuration()
    refused = await cloud.arm("DELETE", EXTENSION.replace("berlin-arc", "nowhere"), "2023-05-01")

    assert refused.json["error"]["code"] == "ParentResourceNotFound"
    assert "Failed to perform 'delete'" in refused.json["error"]["message"]
