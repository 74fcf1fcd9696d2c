"""Registries, the import of images, scope maps, tokens and passwords."""

import re
from datetime import timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from sandbox.azure.images import sample_image
from sandbox.clock import Clock
from sandbox.tests.contract.azure.cloud import GROUP, REGISTRY, Cloud

HELLO = {"registryUri": "mcr.microsoft.com", "sourceImage": "hello-world:latest"}
PREMIUM = {"location": "westeurope", "sku": {"name": "Premium"}}


async def create(cloud: Cloud, name: str, body: dict[str, Any]) -> Any:
    return await (await cloud.acr.registries.begin_create(GROUP, name, body)).result()


async def import_image(cloud: Cloud, **body: Any) -> None:
    await (await cloud.acr.registries.begin_import_image(GROUP, REGISTRY, {"source": HELLO} | body)).result()


async def images(cloud: Cloud) -> list[str]:
    state = (await cloud.http.get(f"{cloud.azure.url}/sandbox/azure/state")).json
    names: list[str] = next(one["images"] for one in state["registries"] if one["name"] == REGISTRY)
    return names


async def test_a_registry_is_created_asynchronously(cloud: Cloud) -> None:
    answer = await cloud.arm("PUT", cloud.registry_id.replace(REGISTRY, "newacr"), "2025-11-01", PREMIUM)
    registry = await cloud.acr.registries.get(GROUP, "newacr")

    assert (answer.status, answer.json["properties"]["provisioningState"]) == (201, "Creating")
    assert len(answer.headers["Azure-AsyncOperation"]) > 2000
    assert registry.as_dict()["properties"]["provisioningState"] == "Succeeded"


async def test_newer_api_versions_create_a_registry_at_once(cloud: Cloud) -> None:
    path = cloud.registry_id.replace(REGISTRY, "newacr")
    answer = await cloud.arm("PUT", path, "2026-09-01-preview", PREMIUM)

    assert (answer.status, answer.json["properties"]["provisioningState"]) == (200, "Succeeded")
    assert "Azure-AsyncOperation" not in answer.headers


async def test_the_data_endpoint_has_the_region_in_its_name(cloud: Cloud) -> None:
    await cloud.enable_data_endpoint()

    registry = (await cloud.acr.registries.get(GROUP, REGISTRY)).as_dict()
    assert registry["properties"]["dataEndpointHostNames"] == ["contosoacr.westeurope.data.azurecr.io"]


@pytest.mark.parametrize(
    ("name", "body", "code"),
    [
        ("abc", PREMIUM, "InvalidRegistryName"),
        ("newacr", {"sku": {"name": "Premium"}}, "LocationRequired"),
        ("newacr", PREMIUM | {"location": "atlantis"}, "LocationNotAvailableForResourceType"),
        ("newacr", {"location": "westeurope"}, "ClassicSkuDeprecated"),
        ("newacr", PREMIUM | {"sku": {"name": "Gold"}}, "InvalidSku"),
        (
            "newacr",
            {"location": "westeurope", "sku": {"name": "Basic"}, "properties": {"dataEndpointEnabled": True}},
            "DataEndpointNotSupported",
        ),
        (REGISTRY, PREMIUM | {"location": "eastus"}, "InvalidResourceLocation"),
    ],
)
async def test_a_registry_is_refused(cloud: Cloud, name: str, body: dict[str, Any], code: str) -> None:
    answer = await cloud.arm("PUT", cloud.registry_id.replace(REGISTRY, name), "2025-11-01", body)

    assert answer.json["error"]["code"] == code


async def test_a_name_is_taken_in_the_whole_cloud(cloud: Cloud) -> None:
    await cloud.arm("PUT", cloud.group_id.replace(GROUP, "other-rg"), "2021-04-01", {"location": "westeurope"})
    availability = await cloud.acr.registries.check_name_availability(
        {"name": REGISTRY, "type": "Microsoft.ContainerRegistry/registries"}
    )
    refused = await cloud.arm("PUT", cloud.registry_id.replace(GROUP, "other-rg"), "2025-11-01", PREMIUM)

    assert availability.name_available is False
    assert (refused.status, refused.json["error"]["code"]) == (409, "AlreadyInUse")


async def test_a_registry_with_connected_registries_stays_premium(cloud: Cloud) -> None:
    await cloud.make_connected()

    with pytest.raises(HttpResponseError, match="SkuDowngradeNotAllowed"):
        await cloud.acr.registries.begin_update(GROUP, REGISTRY, {"sku": {"name": "Basic"}})


async def test_usages_count_connected_registries(cloud: Cloud) -> None:
    await cloud.make_connected()

    usages = (await cloud.acr.registries.list_usages(GROUP, REGISTRY)).as_dict()
    assert {one["name"]: one["currentValue"] for one in usages["value"]}["ConnectedRegistries"] == 1


async def test_an_image_is_imported_under_the_tags_asked_for(cloud: Cloud) -> None:
    await import_image(cloud, targetTags=["hello-world:latest", "copies/hello:v1"])

    assert await images(cloud) == ["copies/hello:v1", "hello-world:latest"]


async def test_an_existing_tag_is_overwritten_only_by_force(cloud: Cloud) -> None:
    await import_image(cloud)
    with pytest.raises(HttpResponseError, match="already exists in target registry") as refusal:
        await import_image(cloud)
    await import_image(cloud, mode="Force")

    assert refusal.value.status_code == 409


async def test_an_image_of_an_own_registry_is_imported_by_its_id(cloud: Cloud) -> None:
    source = {"resourceId": cloud.registry_id.replace(REGISTRY, "contosolab"), "sourceImage": "hello-world:latest"}
    await import_image(cloud, source=source, targetTags=["lab:v1"])

    assert await images(cloud) == ["lab:v1"]


async def test_an_unknown_source_image_is_refused(cloud: Cloud) -> None:
    with pytest.raises(HttpResponseError, match="could not be found"):
        await import_image(cloud, source=HELLO | {"sourceImage": "hello-world:v99"})


@pytest.mark.parametrize("options", [{"targetTags": ["Hello World"]}, {"mode": "Overwrite"}])
async def test_an_import_is_refused(cloud: Cloud, options: dict[str, Any]) -> None:
    with pytest.raises(HttpResponseError, match="InvalidParameters"):
        await import_image(cloud, **options)


async def test_a_resource_group_lies_in_a_known_region(cloud: Cloud) -> None:
    refused = await cloud.arm("PUT", f"{cloud.group_id}2", "2021-04-01", {"location": "Atlantis"})

    assert (refused.status, refused.json["error"]["code"]) == (400, "LocationNotAvailableForResourceGroup")


async def test_a_missing_scope_map_is_a_404_of_the_registry(cloud: Cloud) -> None:
    answer = await cloud.arm("GET", f"{cloud.registry_id}/scopeMaps/absent", "2025-11-01")

    assert answer.status == 404
    assert answer.json == {
        "error": {"code": "ResourceNotFound", "message": "The resource absent could not be found."},
        "status": "Failed",
    }


@pytest.mark.parametrize(
    ("actions", "code"),
    [
        (["repositories/hello-world/content/fly"], "InvalidScopeMapActions"),
        (["gateway/edge/config/read"], "InvalidScopeMapActions"),
        ([f"repositories/r{number}/content/read" for number in range(501)], "ScopeMapActionLimitExceeded"),
        ([], "InvalidParameters"),
    ],
)
async def test_a_scope_map_is_refused(cloud: Cloud, actions: list[str], code: str) -> None:
    body = {"properties": {"actions": actions}}
    answer = await cloud.arm("PUT", f"{cloud.registry_id}/scopeMaps/edge01", "2025-11-01", body)

    assert (answer.status, answer.json["error"]["code"]) == (400, code)


async def test_a_scope_map_in_use_is_not_deleted(cloud: Cloud) -> None:
    await cloud.make_token("client", "repositories/hello-world/content/read")

    with pytest.raises(HttpResponseError, match="ScopeMapInUse"):
        await cloud.acr.scope_maps.begin_delete(GROUP, REGISTRY, "client")


async def test_a_new_token_has_no_passwords(cloud: Cloud) -> None:
    await cloud.make_token("client", "repositories/hello-world/content/read")

    token = (await cloud.acr.tokens.get(GROUP, REGISTRY, "client")).as_dict()
    assert token["properties"]["credentials"]["passwords"] == []


async def test_a_password_is_shown_once(cloud: Cloud) -> None:
    token_id = await cloud.make_token("client", "repositories/hello-world/content/read")
    value = await cloud.mint(token_id)

    answer = await cloud.arm("GET", token_id, "2025-11-01")
    assert [one["name"] for one in answer.json["properties"]["credentials"]["passwords"]] == ["password1"]
    assert value not in answer.content.decode()


@pytest.mark.parametrize("version", ["2020-11-01-preview", "2025-11-01", "2026-09-01-preview"])
async def test_credentials_come_at_once(cloud: Cloud, version: str) -> None:
    token_id = await cloud.make_token("client", "repositories/hello-world/content/read")
    body = {"tokenId": token_id, "name": "password2"}
    answer = await cloud.arm("POST", f"{cloud.registry_id}/generateCredentials", version, body)

    assert (answer.status, [one["name"] for one in answer.json["passwords"]]) == (200, ["password2"])


async def test_a_changed_scope_map_is_updating_until_its_operation_ends(cloud: Cloud) -> None:
    await cloud.make_token("client", "repositories/hello-world/content/read")
    path = f"{cloud.registry_id}/scopeMaps/client"
    answer = await cloud.arm("PATCH", path, "2026-09-01-preview", {"properties": {"description": "for tests"}})
    status = await cloud.follow(answer.headers["Azure-AsyncOperation"])
    scope_map = await cloud.acr.scope_maps.get(GROUP, REGISTRY, "client")

    assert (answer.status, answer.json["properties"]["provisioningState"]) == (201, "Updating")
    assert (status.json, "Azure-AsyncOperation" in status.headers) == ({"status": "Succeeded"}, True)
    assert (scope_map.provisioning_state, scope_map.description) == ("Succeeded", "for tests")


async def test_a_digest_is_imported_under_a_tag_that_the_call_names(cloud: Cloud) -> None:
    digest = sample_image("mcr.microsoft.com/hello-world:latest").top.digest
    source = HELLO | {"sourceImage": f"hello-world@{digest}"}
    await import_image(cloud, source=source, targetTags=["hello-world:pinned"])

    assert cloud.azure.cloud.registries[REGISTRY].images.find("hello-world", "pinned")
    with pytest.raises(HttpResponseError, match="needs targetTags"):
        await import_image(cloud, source=source)
    with pytest.raises(HttpResponseError, match="both a tag and a digest"):
        await import_image(cloud, source=HELLO | {"sourceImage": f"hello-world:latest@{digest}"})


async def test_official_images_of_docker_hub_lie_below_library(cloud: Cloud) -> None:
    cloud.azure.cloud.public_images["docker.io"] = frozenset({"library/python:3.12"})
    source = {"registryUri": "docker.io"}
    with pytest.raises(HttpResponseError, match="UNAUTHORIZED: authentication required"):
        await import_image(cloud, source=source | {"sourceImage": "python:3.12"})
    await import_image(cloud, source=source | {"sourceImage": "library/python:3.12"}, targetTags=["python:3.12"])

    assert cloud.azure.cloud.registries[REGISTRY].images.find("python", "3.12")


async def test_a_name_of_somebody_else_is_taken(cloud: Cloud) -> None:
    cloud.azure.cloud.taken_names = frozenset({"corpacr"})
    question = {"name": "corpacr", "type": "Microsoft.ContainerRegistry/registries"}
    available = await cloud.acr.registries.check_name_availability(question)
    body = {"location": "westeurope", "sku": {"name": "Premium"}}

    assert (available.name_available, available.reason) == (False, "AlreadyExists")
    with pytest.raises(HttpResponseError, match="AlreadyInUse"):
        await cloud.acr.registries.begin_create(GROUP, "corpacr", body)


async def test_a_domain_name_label_is_in_the_hosts(cloud: Cloud) -> None:
    scope = {"autoGeneratedDomainNameLabelScope": "TenantReuse"}
    path = f"/subscriptions/{cloud.azure.cloud.subscription}/providers/Microsoft.ContainerRegistry"
    available = await cloud.arm("POST", f"{path}/checkNameAvailability", "2025-11-01", {"name": "labelled"} | scope)
    body = {"location": "westeurope", "sku": {"name": "Premium"}, "properties": {"dataEndpointEnabled": True} | scope}
    await (await cloud.acr.registries.begin_create(GROUP, "labelled", body)).result()

    registry = cloud.azure.cloud.registries["labelled"]
    assert available.json["availableLoginServerName"] == registry.host
    assert re.fullmatch(r"labelled-[a-z]{16}\.azurecr\.io", registry.host)
    assert registry.gateway == registry.host.replace(".azurecr.io", ".westeurope.data.azurecr.io")
    assert cloud.azure.cloud.registry_at(registry.host) is registry


async def test_an_import_says_that_it_is_accepted_and_that_it_succeeded(cloud: Cloud) -> None:
    answer = await cloud.arm("POST", f"{cloud.registry_id}/importImage", "2025-11-01", {"source": HELLO})
    done = await cloud.follow(answer.headers["Location"])

    assert (answer.status, answer.json) == (202, {"status": "Accepted"})
    assert (done.status, done.json) == (200, {"status": "Succeeded"})


@pytest.mark.parametrize(("version", "status"), [("2025-11-01", 200), ("2026-09-01-preview", 202)])
async def test_a_registry_is_deleted_at_once_in_older_api_versions(cloud: Cloud, version: str, status: int) -> None:
    answer = await cloud.arm("DELETE", cloud.registry_id, version)

    assert (answer.status, b'"name":"contosoacr"' in answer.content) == (status, status == 202)


async def test_a_password_expires(cloud: Cloud, clock: Clock) -> None:
    token_id = await cloud.make_token("client", "repositories/hello-world/content/read")
    expiry = (clock.now() + timedelta(hours=1)).isoformat()
    poller = await cloud.acr.registries.begin_generate_credentials(
        GROUP, REGISTRY, {"tokenId": token_id, "name": "password1", "expiry": expiry}
    )
    password = (await poller.result()).as_dict()["passwords"][0]["value"]
    client = cloud.http.with_basic("client", password)
    url = f"{cloud.azure.environment()['ACR_CONTOSOACR_URL']}/v2/"

    before = await client.get(url)
    clock.turn(3601)
    after = await client.get(url)

    assert (before.status, after.status) == (200, 401)


async def test_generating_one_password_leaves_the_other(cloud: Cloud) -> None:
    token_id = await cloud.make_token("client", "repositories/hello-world/content/read")
    first = await cloud.mint(token_id, "password1")
    second = await cloud.mint(token_id, "password2")
    await cloud.mint(token_id, "password2")
    url = f"{cloud.azure.environment()['ACR_CONTOSOACR_URL']}/v2/"

    assert (await cloud.http.with_basic("client", first).get(url)).status == 200
    assert (await cloud.http.with_basic("client", second).get(url)).status == 401


async def test_a_sync_token_in_use_is_not_deleted(cloud: Cloud) -> None:
    await cloud.make_connected()

    with pytest.raises(HttpResponseError, match="TokenInUse"):
        await cloud.acr.tokens.begin_delete(GROUP, REGISTRY, "edge01")


async def test_the_admin_users_passwords_need_the_admin_user(cloud: Cloud) -> None:
    with pytest.raises(HttpResponseError, match="admin user is disabled"):
        await cloud.acr.registries.list_credentials(GROUP, REGISTRY)
    await cloud.acr.registries.begin_update(GROUP, REGISTRY, {"properties": {"adminUserEnabled": True}})
    before = (await cloud.acr.registries.list_credentials(GROUP, REGISTRY)).as_dict()["passwords"]
    renewed = await cloud.acr.registries.regenerate_credential(GROUP, REGISTRY, {"name": "password2"})
    after = renewed.as_dict()["passwords"]
    url = f"{cloud.azure.environment()['ACR_CONTOSOACR_URL']}/v2/_catalog"

    assert (before[0] == after[0], before[1] == after[1]) == (True, False)
    assert (await cloud.http.with_basic(REGISTRY, after[1]["value"]).get(url)).status == 200
    assert (await cloud.http.with_basic(REGISTRY, before[1]["value"]).get(url)).status == 401


async def test_resources_are_found_by_type_and_name(cloud: Cloud) -> None:
    path = f"/subscriptions/{cloud.azure.cloud.subscription}/resources"
    text = "resourceType eq 'microsoft.containerregistry/REGISTRIES' and name eq 'contosolab'"
    answer = await cloud.arm("GET", f"{path}?$filter={text}", "2022-09-01")
    refused = await cloud.arm("GET", f"{path}?$filter=colour eq 'red'", "2022-09-01")

    assert [one["name"] for one in answer.json["value"]] == ["contosolab"]
    assert refused.status == 400


async def test_a_provider_is_registering_before_it_is_registered(cloud: Cloud) -> None:
    path = f"/subscriptions/{cloud.azure.cloud.subscription}/providers/Microsoft.ExtendedLocation"
    first = await cloud.arm("POST", f"{path}/register", "2021-04-01")
    then = await cloud.arm("GET", path, "2021-04-01")

    assert [one.json["registrationState"] for one in (first, then)] == ["Registering", "Registered"]


async def test_a_resource_group_goes_with_its_registries(cloud: Cloud) -> None:
    deleted = await cloud.arm("DELETE", cloud.group_id, "2021-04-01")

    assert deleted.status == 202
    assert [one.name async for one in cloud.acr.registries.list()] == []
