"""Locks, policies, deny assignments, a disabled subscription, and what is not visible yet."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.tests.contract.azure.cloud import GROUP, REGISTRY, Cloud, Reply

HELLO = {"registryUri": "mcr.microsoft.com", "sourceImage": "hello-world:latest"}
VERSION = "2025-11-01"


async def rule(cloud: Cloud, kind: str, **body: Any) -> Reply:
    return await cloud.http.post(f"{cloud.azure.url}/sandbox/azure/{kind}", body)


@pytest.mark.parametrize("scope", ["subscription", GROUP, REGISTRY])
async def test_a_read_only_lock_stops_actions_as_well_as_writes(cloud: Cloud, scope: str) -> None:
    await rule(cloud, "locks", name="keep", scope=scope, level="ReadOnly")

    with pytest.raises(HttpResponseError, match="ScopeLocked") as imported:
        await cloud.acr.registries.begin_import_image(GROUP, REGISTRY, {"source": HELLO})
    with pytest.raises(HttpResponseError, match="cannot perform write operation because following scope"):
        await cloud.acr.registries.begin_update(GROUP, REGISTRY, {"tags": {}})
    assert imported.value.status_code == 409
    assert (await cloud.acr.registries.get(GROUP, REGISTRY)).name == REGISTRY


async def test_a_lock_against_deletion_stops_deletions_alone(cloud: Cloud) -> None:
    await rule(cloud, "locks", name="keep", scope=REGISTRY, level="CanNotDelete")
    await cloud.acr.registries.begin_update(GROUP, REGISTRY, {"tags": {}})

    with pytest.raises(HttpResponseError, match="cannot perform delete operation"):
        await cloud.acr.registries.begin_delete(GROUP, REGISTRY)
    group = await cloud.arm("DELETE", cloud.group_id, "2021-04-01")
    assert (group.status, group.json["error"]["code"]) == (409, "ScopeLocked")


async def test_an_owner_sets_and_removes_locks_by_arm_and_a_contributor_does_not(cloud: Cloud) -> None:
    path = f"{cloud.registry_id}/providers/Microsoft.Authorization/locks/keep"
    refused = await cloud.arm("PUT", path, "2020-05-01", {"properties": {"level": "CanNotDelete"}})
    await rule(cloud, "principals/registry-bot", role="Owner")
    created = await cloud.arm("PUT", path, "2020-05-01", {"properties": {"level": "ReadOnly"}})
    blocked = await cloud.arm("PATCH", cloud.registry_id, VERSION, {"tags": {}})
    removed = await cloud.arm("DELETE", path, "2020-05-01")

    assert (refused.status, refused.json["error"]["code"]) == (403, "AuthorizationFailed")
    assert created.json["properties"]["level"] == "ReadOnly"
    assert (created.status, blocked.status, removed.status) == (201, 409, 200)


async def test_a_policy_refuses_a_resource_with_its_evaluation(cloud: Cloud) -> None:
    kind = "Microsoft.ContainerRegistry/registries/tokens"
    await rule(cloud, "policies", name="no-tokens", scope=GROUP, types=[kind], display_name="No registry tokens")
    refused = await cloud.arm("PUT", f"{cloud.registry_id}/tokens/edge01", VERSION, {"properties": {}})

    error = refused.json["error"]
    assert (refused.status, error["code"], error["target"]) == (403, "RequestDisallowedByPolicy", "edge01")
    assert '"name":"No registry tokens"' in error["message"]
    [information] = error["additionalInfo"]
    assert (information["type"], information["info"]["policyAssignmentName"]) == ("PolicyViolation", "no-tokens")


async def test_a_policy_on_regions_lets_the_allowed_ones_pass(cloud: Cloud) -> None:
    registries = "Microsoft.ContainerRegistry/registries"
    await rule(cloud, "policies", name="regions", types=[registries], allowed_locations=["westeurope"])
    path, body = cloud.registry_id.replace(REGISTRY, "another"), {"sku": {"name": "Basic"}, "location": "eastus"}
    refused = await cloud.arm("PUT", path, VERSION, body)
    allowed = await cloud.arm("PUT", path, VERSION, body | {"location": "West Europe"})

    assert (refused.status, allowed.status) == (403, 201)


async def test_a_deny_assignment_is_told_from_a_missing_role(cloud: Cloud) -> None:
    action = "Microsoft.ContainerRegistry/registries/generateCredentials/action"
    await rule(cloud, "denyassignments", name="managed", scope=REGISTRY, actions=[action])
    refused = await cloud.arm("POST", f"{cloud.registry_id}/generateCredentials", VERSION, {})

    assert (refused.status, refused.json["error"]["code"]) == (403, "DenyAssignmentAuthorizationFailed")
    assert f"has permission to perform action '{action}'" in refused.json["error"]["message"]


async def test_a_disabled_subscription_is_read_only(cloud: Cloud) -> None:
    await rule(cloud, "subscription", state="Disabled")
    refused = await cloud.arm("PATCH", cloud.registry_id, VERSION, {"tags": {}})
    answer = await cloud.arm("GET", f"/subscriptions/{cloud.azure.cloud.subscription}", "2022-12-01")

    assert (refused.status, refused.json["error"]["code"]) == (409, "ReadOnlyDisabledSubscription")
    assert answer.json["state"] == "Disabled"


async def test_what_was_made_is_not_found_for_a_while(cloud: Cloud, clock: Clock) -> None:
    clock.stop()
    await rule(cloud, "subscription", visibleAfter=5)
    path, body = f"{cloud.registry_id}/scopeMaps/client", {"properties": {"actions": ["gateway/edge01/config/read"]}}
    created = await cloud.arm("PUT", path, VERSION, body)
    with pytest.raises(ResourceNotFoundError):
        await cloud.acr.scope_maps.get(GROUP, REGISTRY, "client")
    clock.turn(5)

    assert created.status == 200
    assert (await cloud.acr.scope_maps.get(GROUP, REGISTRY, "client")).name == "client"


async def test_a_password_is_refused_for_a_token_that_is_not_visible_yet(cloud: Cloud, clock: Clock) -> None:
    clock.stop()
    token = await cloud.make_token("first", "gateway/edge01/config/read")
    await rule(cloud, "subscription", visibleAfter=5)
    body = {"properties": {"scopeMapId": token.replace("/tokens/", "/scopeMaps/")}}
    created = await cloud.arm("PUT", f"{cloud.registry_id}/tokens/second", VERSION, body)
    done = await cloud.follow(created.headers["Azure-AsyncOperation"])
    path, request = f"{cloud.registry_id}/generateCredentials", {"tokenId": created.json["id"], "name": "password1"}
    early = await cloud.arm("POST", path, VERSION, request)
    clock.turn(5)
    late = await cloud.arm("POST", path, VERSION, request)

    assert (done.json["status"], early.status, late.status) == ("Succeeded", 404, 200)


async def test_a_rule_without_a_scope_of_this_world_is_refused(cloud: Cloud) -> None:
    refused = await rule(cloud, "locks", name="keep", scope="nowhere", level="ReadOnly")

    assert (refused.status, "resource group" in refused.json["error"]) == (400, True)


async def test_a_fault_carries_details_and_may_be_an_operation_that_failed(cloud: Cloud, faults: Faults) -> None:
    cause = {"code": "Inner", "message": "the cause"}
    faults.add(Fault("azure", "GET .*/registries/", status=200, code="Outer", message="the frame", details=[cause]))
    answer = await cloud.arm("GET", cloud.registry_id, VERSION)

    assert (answer.status, answer.json["status"]) == (200, "Failed")
    assert answer.json["error"] == {"code": "Outer", "message": "the frame", "details": [cause]}


async def test_the_callers_permissions_are_those_of_its_role(cloud: Cloud) -> None:
    path = f"{cloud.registry_id}/providers/Microsoft.Authorization/permissions"
    contributor = await cloud.arm("GET", path, "2022-04-01")
    await rule(cloud, "principals/registry-bot", actions=["Microsoft.ContainerRegistry/registries/read"])
    refused = await cloud.arm("GET", path, "2022-04-01")

    [role] = contributor.json["value"]
    assert (role["actions"], "microsoft.authorization/*/write" in role["notActions"]) == (["*"], True)
    assert (refused.status, refused.json["error"]["code"]) == (403, "AuthorizationFailed")
