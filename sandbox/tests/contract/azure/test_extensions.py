"""Connected clusters and their extensions, between ARM and the cluster's agent."""

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.identity.aio import ClientSecretCredential

from sandbox.clock import Clock
from sandbox.tests.contract.azure.cloud import Cloud

HOURS = 3600
CONFIGURATION = "providers/Microsoft.KubernetesConfiguration/extensions"


async def test_an_extension_is_created_when_the_agent_reports_success(cloud: Cloud) -> None:
    poller = await cloud.install()
    before = (await cloud.extension()).provisioning_state
    [extension] = await cloud.desired_extensions()
    await cloud.report("Succeeded", currentVersion="0.11.0")
    done = await poller.result()

    assert extension["configurationProtectedSettings"] == {"connectionString": "secret"}
    assert extension["releaseNamespace"] == "connected-registry"
    assert (before, done.provisioning_state, done.current_version) == ("Creating", "Succeeded", "0.11.0")
    assert done.configuration_protected_settings == {"connectionString": ""}
    assert done.extension_type == "Microsoft.ContainerRegistry.ConnectedRegistry"


async def test_a_failed_installation_ends_the_operation_with_its_error(cloud: Cloud) -> None:
    poller = await cloud.install()
    status = {"code": "InstallationFailed", "level": "Error", "message": "no such chart", "time": "now"}
    await cloud.report("Failed", error={"code": "ExtensionCreationFailed", "message": "no chart"}, statuses=[status])

    with pytest.raises(HttpResponseError, match="no chart"):
        await poller.result()
    extension = await cloud.extension()
    assert (extension.provisioning_state, extension.error_info.code) == ("Failed", "ExtensionCreationFailed")
    assert extension.statuses[0].code == "InstallationFailed"


async def test_an_unregistered_provider_refuses_extensions(cloud: Cloud, credential: ClientSecretCredential) -> None:
    token = (await credential.get_token("https://management.azure.com/.default")).token
    url = f"{cloud.azure.url}{cloud.cluster_id}/{CONFIGURATION}/flux?api-version=2023-05-01"
    body = {"properties": {"extensionType": "microsoft.flux"}}
    refused = await cloud.http.with_bearer(token).send("PUT", url, json=body)

    assert (refused.status, refused.json["error"]["code"]) == (409, "MissingSubscriptionRegistration")


async def test_the_operation_lies_below_the_extension(cloud: Cloud) -> None:
    await cloud.register_kubernetes_configuration()
    body = {"properties": {"extensionType": "microsoft.flux"}}
    answer = await cloud.arm("PUT", f"{cloud.cluster_id}/{CONFIGURATION}/flux", "2023-05-01", body)

    assert answer.status == 201
    assert "/ConnectedClusters/berlin-arc/" in answer.headers["Azure-AsyncOperation"]
    assert answer.headers["Azure-AsyncOperation"].endswith("?api-Version=2023-05-01")
    assert "dp.kubernetesconfiguration.azure.com" in answer.headers["Location"]


async def test_a_cluster_holds_one_connected_registry_extension(cloud: Cloud) -> None:
    await cloud.install()

    with pytest.raises(HttpResponseError, match="already installed on cluster berlin-arc by the extension onprem"):
        await cloud.install("another")


async def test_an_extension_keeps_its_type(cloud: Cloud) -> None:
    await cloud.install()

    with pytest.raises(HttpResponseError, match="ExtensionTypeChangeNotAllowed"):
        await cloud.install(extensionType="microsoft.flux")


async def test_a_patch_replaces_protected_settings_and_merges_the_others(cloud: Cloud) -> None:
    await cloud.install()
    await cloud.report("Succeeded")
    patch = {
        "properties": {
            "configurationSettings": {"pvc.storageRequest": "20Gi"},
            "configurationProtectedSettings": {"tls.crt": "certificate"},
        }
    }
    poller = await cloud.extensions.extensions.begin_update(*cloud.of_cluster("onprem"), patch)
    [extension] = await cloud.desired_extensions()
    await cloud.report("Succeeded")
    await poller.result()

    assert extension["generation"] == 2
    assert extension["configurationProtectedSettings"] == {"tls.crt": "certificate"}
    assert extension["configurationSettings"] == {"service.clusterIP": "10.96.0.10", "pvc.storageRequest": "20Gi"}
    assert (await cloud.extension()).provisioning_state == "Succeeded"


async def test_an_update_with_empty_protected_settings_keeps_them(cloud: Cloud) -> None:
    await cloud.install()
    await cloud.report("Succeeded")
    patch = {"properties": {"version": "0.12.0", "configurationProtectedSettings": {}}}
    await cloud.extensions.extensions.begin_update(*cloud.of_cluster("onprem"), patch)
    [extension] = await cloud.desired_extensions()

    assert extension["version"] == "0.12.0"
    assert extension["configurationProtectedSettings"] == {"connectionString": "secret"}


async def test_what_an_extension_does_not_have_is_absent(cloud: Cloud) -> None:
    await cloud.register_kubernetes_configuration()
    body = {"properties": {"extensionType": "microsoft.flux"}}
    answer = await cloud.arm("PUT", f"{cloud.cluster_id}/{CONFIGURATION}/flux", "2023-05-01", body)

    assert not {"identity", "plan"} & answer.json.keys()
    assert not {"errorInfo", "packageUri", "customLocationSettings"} & answer.json["properties"].keys()


async def test_a_report_on_an_older_generation_is_stale(cloud: Cloud) -> None:
    await cloud.install()
    await cloud.install()
    body = {"cluster": cloud.cluster_id, "name": "onprem", "generation": 1, "state": "Succeeded"}
    stale = await cloud.agent.post(f"{cloud.azure.url}/agent/extension-status", body)

    assert stale.status == 409
    assert (await cloud.extension()).provisioning_state == "Updating"


@pytest.mark.parametrize("force", [False, True])
async def test_the_agent_hears_of_a_deletion_after_arm_forgot_it(cloud: Cloud, force: bool) -> None:
    await cloud.install()
    await cloud.report("Succeeded")
    poller = await cloud.extensions.extensions.begin_delete(*cloud.of_cluster("onprem"), force_delete=force)
    await poller.result()
    with pytest.raises(ResourceNotFoundError):
        await cloud.extension()
    leaving = await cloud.desired_extensions()
    await cloud.report("Deleted")

    assert [(one["name"], one["deleting"]) for one in leaving] == [("onprem", True)]
    assert await cloud.desired_extensions() == []


async def test_deleting_what_is_not_there_is_no_content(cloud: Cloud) -> None:
    await cloud.register_kubernetes_configuration()
    answer = await cloud.arm("DELETE", f"{cloud.cluster_id}/{CONFIGURATION}/absent", "2023-05-01")

    assert answer.status == 204


async def test_a_name_can_be_used_again_while_the_agent_still_removes_it(cloud: Cloud) -> None:
    await cloud.install()
    await (await cloud.extensions.extensions.begin_delete(*cloud.of_cluster("onprem"))).result()
    await cloud.install()

    assert [one["deleting"] for one in await cloud.desired_extensions()] == [True, False]


async def test_an_undelivered_extension_fails_after_two_days(cloud: Cloud, clock: Clock) -> None:
    poller = await cloud.install()
    clock.turn(48 * HOURS + 1)

    with pytest.raises(HttpResponseError, match="48 hours"):
        await poller.result()
    assert (await cloud.extension()).provisioning_state == "Failed"


async def test_what_the_agent_was_told_of_stays_creating(cloud: Cloud, clock: Clock) -> None:
    await cloud.install()
    await cloud.desired_extensions()
    clock.turn(48 * HOURS + 1)

    assert (await cloud.extension()).provisioning_state == "Creating"


async def test_a_cluster_without_an_agent_installs_by_itself(cloud: Cloud) -> None:
    next(iter(cloud.azure.cloud.clusters.values())).kube = None
    done = await (await cloud.install()).result()

    assert done.provisioning_state == "Succeeded"


async def test_a_cluster_is_offline_after_fifteen_minutes_of_silence(cloud: Cloud, clock: Clock) -> None:
    clock.turn(901)
    silent = (await cloud.arm("GET", cloud.cluster_id, "2024-01-01")).json["properties"]
    await cloud.agent.post(
        f"{cloud.azure.url}/agent/heartbeat",
        {"cluster": cloud.cluster_id, "kubernetesVersion": "v1.33.4", "totalNodeCount": 3, "agentVersion": "1.29.3"},
    )
    heard = (await cloud.arm("GET", cloud.cluster_id, "2024-01-01")).json["properties"]

    assert (silent["connectivityStatus"], heard["connectivityStatus"]) == ("Offline", "Connected")
    assert (heard["kubernetesVersion"], heard["totalNodeCount"]) == ("1.33.4", 3)


async def test_a_cluster_set_offline_reaches_no_agent(cloud: Cloud) -> None:
    await cloud.http.post(f"{cloud.azure.url}/sandbox/azure/clusters/berlin-arc", {"connectivityStatus": "Offline"})
    status = (await cloud.arm("GET", cloud.cluster_id, "2024-01-01")).json["properties"]["connectivityStatus"]
    refused = await cloud.agent.get(f"{cloud.azure.url}/agent/extensions?cluster={cloud.cluster_id}")

    assert (status, refused.status) == ("Offline", 503)


async def test_an_aks_cluster_tells_its_service_range(cloud: Cloud) -> None:
    path = "providers/Microsoft.ContainerService/managedClusters/lab-aks"
    answer = await cloud.arm("GET", path, "2024-09-01")

    assert answer.json["properties"]["networkProfile"]["serviceCidr"] == "10.7.0.0/16"


async def test_an_agent_with_a_wrong_key_is_refused(cloud: Cloud) -> None:
    refused = await cloud.http.with_bearer("wrong").get(f"{cloud.azure.url}/agent/clusters")

    assert refused.status == 401


async def test_the_agent_learns_its_clusters(cloud: Cloud) -> None:
    clusters = (await cloud.agent.get(f"{cloud.azure.url}/agent/clusters")).json["clusters"]

    assert [(one["name"], one["kube"]) for one in clusters] == [
        ("berlin-arc", "berlin"),
        ("hamburg-arc", "hamburg"),
        ("lyon-arc", "lyon"),
        ("oslo-arc", "oslo"),
    ]
