"""Connected registries: what may be put, how they are listed, and how their state moves."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from sandbox.clock import Clock
from sandbox.tests.contract.azure.cloud import GROUP, REGISTRY, Cloud

PREVIEW = "2026-09-01-preview"


async def test_it_is_created_with_the_services_defaults(cloud: Cloud) -> None:
    await cloud.make_connected()

    connected = await cloud.connected(version=PREVIEW)
    assert connected["mode"] == "ReadOnly"
    assert connected["logging"] == {"logLevel": "Information", "auditLogStatus": "Disabled"}
    assert connected["garbageCollection"] == {"enabled": True, "schedule": "0 0 * * *"}
    assert connected["parent"]["syncProperties"]["authType"] == "SyncToken"
    assert not {"clientTokenIds", "statusDetails", "notificationsList", "registrySyncResult"} & connected.keys()


async def test_only_newer_api_versions_show_the_sync_result(cloud: Cloud) -> None:
    password = await cloud.activated()
    await cloud.runtime("edge01", "contact", password, synced=True)

    assert (await cloud.connected(version=PREVIEW))["registrySyncResult"]["syncState"] == "Succeeded"
    assert "registrySyncResult" not in await cloud.connected(version="2025-11-01")


@pytest.mark.parametrize("version", ["2025-11-01", PREVIEW])
async def test_a_put_is_done_at_once(cloud: Cloud, version: str) -> None:
    await cloud.enable_data_endpoint()
    token_id = await cloud.make_token("edge01", "gateway/edge01/config/read")
    body = {"properties": {"mode": "readonly", "parent": {"syncProperties": {"tokenId": token_id}}}}
    answer = await cloud.arm("PUT", f"{cloud.registry_id}/connectedRegistries/edge01", version, body)

    assert (answer.status, answer.json["properties"]["mode"]) == (200, "ReadOnly")
    assert answer.json["properties"]["provisioningState"] == "Succeeded"
    assert "Azure-AsyncOperation" not in answer.headers


@pytest.mark.parametrize(
    ("name", "properties", "code"),
    [
        ("edge", {}, "InvalidResourceName"),
        ("1edge01", {}, "InvalidResourceName"),
        ("edge-01", {}, "InvalidResourceName"),
        ("edge02", {"mode": "WriteOnly"}, "InvalidParameters"),
        ("edge02", {"sync": {"schedule": "0 12 * * *"}}, "InvalidSyncWindow"),
        ("edge02", {"sync": {"schedule": "noon"}}, "InvalidSchedule"),
        ("edge02", {"sync": {"schedule": "0 12 * * *", "syncWindow": "PT30M"}}, "InvalidSyncWindow"),
        ("edge02", {"sync": {"messageTtl": "PT1H"}}, "InvalidMessageTtl"),
        ("edge02", {"sync": {"messageTtl": "P91D"}}, "InvalidMessageTtl"),
        ("edge02", {"sync": {"tokenId": "/nowhere/tokens/edge01"}}, "InvalidSyncToken"),
        ("edge02", {"clientTokenIds": ["/nowhere/tokens/client"]}, "InvalidClientToken"),
        ("edge02", {"parent": "/nowhere/connectedRegistries/top01"}, "InvalidParent"),
        ("edge02", {"logging": {"logLevel": "Loud"}}, "InvalidParameters"),
        ("edge02", {"logging": {"auditLogStatus": "Loud"}}, "InvalidParameters"),
        ("edge02", {"garbageCollection": {"schedule": "noon"}}, "InvalidSchedule"),
        ("edge02", {"notificationsList": ["hello-world:pull"]}, "InvalidParameters"),
    ],
)
async def test_it_is_refused(cloud: Cloud, name: str, properties: dict[str, Any], code: str) -> None:
    await cloud.enable_data_endpoint()
    token_id = await cloud.make_token("edge02", "gateway/edge02/config/read")

    with pytest.raises(HttpResponseError, match=code):
        await cloud.put_connected(name, token_id, **properties)


async def test_it_needs_the_data_endpoint(cloud: Cloud) -> None:
    token_id = await cloud.make_token("edge01", "gateway/edge01/config/read")

    with pytest.raises(HttpResponseError, match="DataEndpointDisabled"):
        await cloud.put_connected("edge01", token_id)


async def test_it_needs_a_premium_registry(cloud: Cloud) -> None:
    with pytest.raises(HttpResponseError, match="ConnectedRegistryNotSupported"):
        await cloud.acr.connected_registries.begin_create(GROUP, "contosolab", "edge01", {"properties": {}})


async def test_a_registry_holds_fifty_of_them(cloud: Cloud) -> None:
    await cloud.enable_data_endpoint()
    token_id = await cloud.make_token("edge01", "gateway/edge01/config/read")
    for number in range(50):
        await cloud.put_connected(f"edge{number:02}x", token_id)

    with pytest.raises(HttpResponseError, match="ConnectedRegistryLimitExceeded"):
        await cloud.put_connected("onemore", token_id)

    listed = [one.name async for one in cloud.acr.connected_registries.list(GROUP, REGISTRY)]
    page = await cloud.arm("GET", f"{cloud.registry_id}/connectedRegistries", "2025-11-01")
    assert len(listed) == len(set(listed)) == 50
    assert len(page.json["value"]) < 50


async def test_a_read_only_parent_takes_no_writing_child(cloud: Cloud) -> None:
    parent = await cloud.make_connected("top01")
    token_id = await cloud.make_token("child01", "gateway/child01/config/read")

    with pytest.raises(HttpResponseError, match="InvalidParentMode"):
        await cloud.put_connected("child01", token_id, parent=parent.id, mode="ReadWrite")
    child = await cloud.put_connected("child01", token_id, parent=parent.id)

    assert child.as_dict()["properties"]["parent"]["id"] == parent.id
    with pytest.raises(HttpResponseError, match="ConnectedRegistryHasChildren"):
        await cloud.acr.connected_registries.begin_delete(GROUP, REGISTRY, "top01")


async def test_lists_are_filtered(cloud: Cloud) -> None:
    parent = await cloud.make_connected("top01")
    token_id = await cloud.make_token("child01", "gateway/child01/config/read")
    await cloud.put_connected("child01", token_id, parent=parent.id)

    async def names(text: str) -> list[str | None]:
        return [one.name async for one in cloud.acr.connected_registries.list(GROUP, REGISTRY, filter=text)]

    assert await names(f"properties.parent.id eq '{parent.id}'") == ["child01"]
    assert await names("parent.id eq null and mode eq 'readonly'") == ["top01"]
    assert await names("connectionState eq 'Online'") == []


async def test_mode_never_changes(cloud: Cloud) -> None:
    connected = await cloud.make_connected()

    with pytest.raises(HttpResponseError, match="ModeChangeNotAllowed"):
        await cloud.put_connected("edge01", connected.properties.parent.sync_properties.token_id, mode="ReadWrite")


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({"parent": "/nowhere/connectedRegistries/top01"}, "ParentChangeNotAllowed"),
        ({"sync": {"tokenId": "/nowhere/tokens/other"}}, "SyncTokenChangeNotAllowed"),
    ],
)
async def test_parent_and_sync_token_never_change(cloud: Cloud, properties: dict[str, Any], code: str) -> None:
    created = await cloud.make_connected()

    with pytest.raises(HttpResponseError, match=code):
        await cloud.put_connected("edge01", created.properties.parent.sync_properties.token_id, **properties)


async def test_a_patch_makes_the_time_of_creation_anew(cloud: Cloud, clock: Clock) -> None:
    connected = await cloud.make_connected()
    clock.turn(60)
    path = f"{cloud.registry_id}/connectedRegistries/edge01"
    patched = await cloud.arm("PATCH", path, PREVIEW, {"properties": {}})

    created = datetime.fromisoformat(patched.json["systemData"]["createdAt"])
    assert created - connected.system_data.created_at >= timedelta(seconds=60)


async def test_garbage_collection_is_switched_by_a_word_too(cloud: Cloud) -> None:
    created = await cloud.make_connected(garbageCollection={"enabled": "false"})

    assert created.properties.garbage_collection.enabled is False


async def test_a_patch_changes_what_it_names(cloud: Cloud) -> None:
    await cloud.make_connected()
    client = await cloud.make_token("client", "repositories/hello-world/content/read")
    poller = await cloud.acr.connected_registries.begin_update(
        GROUP,
        REGISTRY,
        "edge01",
        {
            "properties": {
                "syncProperties": {"schedule": "0 12 * * *", "syncWindow": "PT4H"},
                "clientTokenIds": [client],
                "notificationsList": ["hello-world:*:push"],
            }
        },
    )
    properties = (await poller.result()).as_dict()["properties"]

    sync = properties["parent"]["syncProperties"]
    assert (sync["schedule"], sync["syncWindow"], sync["messageTtl"]) == ("0 12 * * *", "PT4H", "P2D")
    assert (properties["clientTokenIds"], properties["notificationsList"]) == ([client], ["hello-world:*:push"])


IDENTITY = "/subscriptions/22222222-2222-4222-8222-222222222222/resourcegroups/edge-rg/providers/Microsoft.ManagedIdentity/userAssignedIdentities/edge"
WITH_IDENTITY = {
    "identity": {"type": "UserAssigned", "userAssignedIdentities": {IDENTITY: {}}},
    "properties": {"syncProperties": {"authType": "ManagedIdentity"}, "garbageCollection": {}, "logging": {}},
}


async def use_repository_permissions(cloud: Cloud) -> None:
    change = {"properties": {"roleAssignmentMode": "AbacRepositoryPermissions"}}
    await cloud.arm("PATCH", cloud.registry_id, PREVIEW, change)


async def test_a_sync_token_is_replaced_by_a_managed_identity(cloud: Cloud) -> None:
    await cloud.make_connected()
    await use_repository_permissions(cloud)
    path = f"{cloud.registry_id}/connectedRegistries/edge01"
    patched = await cloud.arm("PATCH", path, PREVIEW, WITH_IDENTITY)
    older = await cloud.arm("GET", path, "2025-11-01")

    assert patched.status == 200
    assert patched.json["identity"]["type"] == "userAssigned"
    assert patched.json["identity"]["userAssignedIdentities"][IDENTITY].keys() == {"principalId", "clientId"}
    synchronisation = patched.json["properties"]["parent"]["syncProperties"]
    assert (synchronisation["authType"], "tokenId" in synchronisation) == ("ManagedIdentity", False)
    assert "identity" not in older.json
    assert not {"authType", "tokenId"} & older.json["properties"]["parent"]["syncProperties"].keys()


async def test_a_connected_registry_is_created_with_a_managed_identity(cloud: Cloud) -> None:
    await cloud.enable_data_endpoint()
    await use_repository_permissions(cloud)
    sync = {"schedule": "* * * * *", "messageTtl": "P2D", "authType": "ManagedIdentity"}
    body = WITH_IDENTITY | {"properties": {"mode": "readonly", "parent": {"syncProperties": sync}}}
    answer = await cloud.arm("PUT", f"{cloud.registry_id}/connectedRegistries/edge01", PREVIEW, body)

    assert (answer.status, answer.json["properties"]["activation"]["status"]) == (200, "Inactive")


@pytest.mark.parametrize(("version", "reason"), [(PREVIEW, "AbacRepositoryPermissions"), ("2025-11-01", "sync token")])
async def test_a_managed_identity_needs_repository_permissions_and_a_newer_version(
    cloud: Cloud, version: str, reason: str
) -> None:
    await cloud.enable_data_endpoint()
    sync = {"schedule": "* * * * *", "messageTtl": "P2D", "authType": "ManagedIdentity"}
    body = WITH_IDENTITY | {"properties": {"mode": "readonly", "parent": {"syncProperties": sync}}}
    refused = await cloud.arm("PUT", f"{cloud.registry_id}/connectedRegistries/edge01", version, body)

    assert (refused.status, reason in refused.json["error"]["message"]) == (400, True)


async def test_an_active_connected_registry_keeps_its_sync_token(cloud: Cloud) -> None:
    await cloud.activated()
    await use_repository_permissions(cloud)
    refused = await cloud.arm("PATCH", f"{cloud.registry_id}/connectedRegistries/edge01", PREVIEW, WITH_IDENTITY)

    assert (refused.status, "deactivated" in refused.json["error"]["message"]) == (400, True)


async def test_a_bad_patch_changes_nothing(cloud: Cloud) -> None:
    await cloud.make_connected()

    with pytest.raises(HttpResponseError, match="InvalidParameters"):
        await cloud.acr.connected_registries.begin_update(
            GROUP,
            REGISTRY,
            "edge01",
            {"properties": {"syncProperties": {"messageTtl": "P5D"}, "logging": {"logLevel": "Loud"}}},
        )

    assert (await cloud.connected())["parent"]["syncProperties"]["messageTtl"] == "P2D"


async def test_deleting_keeps_token_and_scope_map(cloud: Cloud) -> None:
    await cloud.make_connected()
    await (await cloud.acr.connected_registries.begin_delete(GROUP, REGISTRY, "edge01")).result()
    again = await cloud.arm("DELETE", f"{cloud.registry_id}/connectedRegistries/edge01", "2025-11-01")

    assert again.status == 204
    assert (await cloud.acr.tokens.get(GROUP, REGISTRY, "edge01")).name == "edge01"


async def test_a_second_instance_can_not_activate(cloud: Cloud) -> None:
    password = await cloud.activated()
    refused = await cloud.runtime("edge01", "activate", password, instance="two")

    assert (refused.status, refused.json["errors"][0]["code"]) == (409, "ALREADY_ACTIVATED")


async def test_deactivating_frees_the_activation_and_cuts_the_instance_off(cloud: Cloud) -> None:
    password = await cloud.activated()
    await (await cloud.acr.connected_registries.begin_deactivate(GROUP, REGISTRY, "edge01")).result()
    cut = await cloud.runtime("edge01", "contact", password)
    second = await cloud.runtime("edge01", "activate", password, instance="two")

    assert (cut.status, cut.json["errors"][0]["code"]) == (403, "DEACTIVATED")
    assert second.status == 200


@pytest.mark.parametrize(
    ("contact", "state"),
    [
        ({"syncing": True}, "Syncing"),
        ({"synced": True}, "Online"),
        ({"statusDetails": [{"code": "DISK_FULL", "type": "Disk", "description": "full"}]}, "Unhealthy"),
    ],
)
async def test_the_state_is_what_the_runtime_says(cloud: Cloud, contact: dict[str, Any], state: str) -> None:
    password = await cloud.activated()
    await cloud.runtime("edge01", "contact", password, **contact)

    assert (await cloud.connected())["connectionState"] == state


async def test_it_is_offline_after_five_minutes_of_silence(cloud: Cloud, clock: Clock) -> None:
    password = await cloud.activated()
    await cloud.runtime("edge01", "contact", password)
    clock.turn(301)

    connected = await cloud.connected()
    assert (connected["connectionState"], connected["activation"]["status"]) == ("Offline", "Active")


async def test_it_is_offline_when_the_runtime_says_goodbye(cloud: Cloud) -> None:
    password = await cloud.activated()
    await cloud.runtime("edge01", "contact", password)
    await cloud.runtime("edge01", "goodbye", password)

    assert (await cloud.connected())["connectionState"] == "Offline"


async def test_a_wrong_password_is_refused_at_the_gateway(cloud: Cloud) -> None:
    await cloud.activated()
    refused = await cloud.runtime("edge01", "contact", "wrong")

    assert refused.status == 401
    assert refused.json["errors"][0]["message"] == "Incorrect Password"


async def test_a_disabled_token_is_refused_at_the_gateway(cloud: Cloud) -> None:
    password = await cloud.activated()
    await cloud.acr.tokens.begin_update(GROUP, REGISTRY, "edge01", {"properties": {"status": "disabled"}})

    assert (await cloud.runtime("edge01", "contact", password)).status == 401


async def test_a_resync_reaches_the_runtime_once(cloud: Cloud) -> None:
    password = await cloud.activated()
    await cloud.runtime("edge01", "contact", password, synced=True)
    answer = await cloud.arm("POST", f"{cloud.registry_id}/connectedRegistries/edge01/resync", PREVIEW)
    first = await cloud.runtime("edge01", "contact", password)
    second = await cloud.runtime("edge01", "contact", password, synced=True)

    assert answer.json["properties"]["registrySyncResult"]["syncTrigger"] == "ManualResync"
    assert (first.json["config"]["resync"], second.json["config"]["resync"]) == (True, False)


async def test_a_resync_needs_an_attached_runtime(cloud: Cloud) -> None:
    await cloud.make_connected()
    refused = await cloud.arm("POST", f"{cloud.registry_id}/connectedRegistries/edge01/resync", PREVIEW)

    assert refused.json["error"]["code"] == "ConnectedRegistryHasOfflineChildren"


async def test_older_api_versions_do_not_know_resync(cloud: Cloud) -> None:
    await cloud.make_connected()
    refused = await cloud.arm("POST", f"{cloud.registry_id}/connectedRegistries/edge01/resync", "2025-11-01")

    assert refused.json["error"]["code"] == "NoRegisteredProviderFound"


async def test_client_tokens_reach_the_runtime_with_their_scopes(cloud: Cloud) -> None:
    await cloud.enable_data_endpoint()
    client = await cloud.make_token("client", "repositories/hello-world/content/read")
    created = await cloud.make_connected(clientTokenIds=[client])
    password = await cloud.mint(created.properties.parent.sync_properties.token_id)
    answer = await cloud.runtime("edge01", "activate", password)

    assert answer.json["config"]["clientTokens"] == [
        {"name": "client", "scopes": ["repositories/hello-world/content/read"]}
    ]


async def test_a_scene_can_be_set_by_hand(cloud: Cloud, clock: Clock) -> None:
    await cloud.make_connected()
    url = f"{cloud.azure.url}/sandbox/azure/connectedregistries/{REGISTRY}/edge01"
    scene = {"activation": "Active", "connectionState": "Online", "lastSyncTime": "2026-01-02T03:04:05Z"}
    await cloud.http.post(url, scene)
    clock.turn(3600)
    refused = await cloud.http.post(url, {"mood": "good"})

    connected = await cloud.connected()
    assert (connected["connectionState"], connected["activation"]["status"]) == ("Online", "Active")
    assert connected["parent"]["syncProperties"]["lastSyncTime"].startswith("2026-01-02T03:04:05")
    assert (refused.status, "mood" in refused.json["error"]) == (400, True)


@pytest.mark.parametrize(
    "wrong",
    [
        {"registrySyncResult": {"syncState": "Bad"}},
        {"statusDetails": 7},
        {"version": {}},
        {"lastSyncTime": "noon"},
        {"mood": "good"},
    ],
)
async def test_a_scene_with_one_wrong_value_changes_nothing(cloud: Cloud, wrong: dict[str, Any]) -> None:
    await cloud.make_connected()
    url = f"{cloud.azure.url}/sandbox/azure/connectedregistries/{REGISTRY}/edge01"
    refused = await cloud.http.post(url, {"connectionState": "Online"} | wrong)

    assert (refused.status, (await cloud.connected())["connectionState"]) == (400, "Offline")
