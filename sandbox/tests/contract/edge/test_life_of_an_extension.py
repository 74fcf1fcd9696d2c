"""From installing to removing, as operators see it through the official clients."""

from typing import Any

import pytest
from azure.core.rest import HttpRequest
from kubernetes.aio.client import ApiException

from sandbox.compose import Sandbox
from sandbox.tests.contract.edge.operator_at_work import ACR, ADDRESS, FAST, GROUP, NAMESPACE, Operator, eventually

pytestmark = pytest.mark.on_real_clusters


async def test_a_good_connection_string_brings_the_registry_online(operator: Operator) -> None:
    await operator.create_registry()

    extension = await operator.install()

    assert extension.properties.provisioning_state == "Succeeded"
    assert extension.properties.current_version == "0.11.0"
    registry = await operator.until_state("Online")
    assert registry.activation.status == "Active"
    assert registry.login_server.host == ADDRESS
    assert registry.login_server.tls.status == "Enabled"
    assert registry.parent.sync_properties.last_sync_time is not None


async def test_the_cluster_shows_what_helm_brought(operator: Operator) -> None:
    await operator.deploy()

    service = await operator.core.read_namespaced_service("connected-registry", NAMESPACE)
    claim = await operator.core.read_namespaced_persistent_volume_claim("connected-registry-pvc", NAMESPACE)
    deployment = await operator.apps.read_namespaced_deployment("connected-registry", NAMESPACE)
    assert (service.spec.cluster_ip, service.spec.ports[0].port) == (ADDRESS, 443)
    assert (claim.status.phase, claim.spec.resources.requests["storage"]) == ("Bound", "500Gi")
    assert deployment.status.available_replicas == 1
    assert [pod.status.phase for pod in await operator.pods()] == ["Running"]


async def test_the_arc_agents_object_tells_the_outcome(operator: Operator) -> None:
    await operator.deploy()

    outcome = await operator.custom.get_namespaced_custom_object(
        "clusterconfig.azure.com", "v1beta1", "azure-arc", "extensionconfigs", "edge01"
    )

    assert outcome["status"]["status"] == "Succeeded"
    assert "connectionString" not in str(outcome)


async def test_the_heartbeat_makes_the_cluster_connected(operator: Operator) -> None:
    path = f"/subscriptions/{operator.environment['AZURE_SUBSCRIPTION_ID']}/resourceGroups/{GROUP}/providers"
    url = (
        f"{operator.environment['AZURE_RESOURCE_MANAGER_URL']}{path}/Microsoft.Kubernetes/connectedClusters/berlin-arc"
    )

    async def look() -> Any:
        answer = await operator.acr.send_request(HttpRequest("GET", url, params={"api-version": "2024-01-01"}))
        properties = answer.json()["properties"]
        return properties if properties["kubernetesVersion"] == "1.37.2" else None

    cluster = await eventually(look)
    assert cluster["connectivityStatus"] == "Connected"
    assert cluster["totalNodeCount"] == 1


async def test_the_edge_holds_the_very_digests_of_the_cloud(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()

    async with operator.http.get(f"{sandbox.url}/sandbox/edge") as answer:
        edges = (await answer.json())["clusters"]
    images = next(edge for edge in edges if edge["name"] == "berlin-arc")["runtimes"][0]["images"]
    assert images.keys() == {"hello-world", "azuredocs/aks-helloworld"}
    assert images["hello-world"]["latest"].startswith("sha256:")
    assert "Imported hello-world:latest@" + images["hello-world"]["latest"] in await operator.log()


async def test_deleting_the_extension_clears_the_cluster_and_takes_the_registry_offline(operator: Operator) -> None:
    await operator.deploy()

    await operator.remove()

    await until_namespace_is_gone(operator)
    registry = await operator.until_state("Offline")
    assert registry.activation.status == "Active"


async def test_an_extension_deployed_again_finds_the_registry_activated_already(operator: Operator) -> None:
    await operator.deploy()
    await operator.remove()
    await until_namespace_is_gone(operator)

    again = await operator.install()

    assert again.properties.provisioning_state == "Succeeded"
    await operator.until_log("ALREADY_ACTIVATED")
    assert (await operator.registry()).properties.connection_state == "Offline"
    await operator.until_waiting("CrashLoopBackOff")
    assert "ALREADY_ACTIVATED" in await operator.log(previous=True)


async def test_after_deactivating_the_crashing_pod_recovers_by_itself(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    await operator.remove()
    await until_namespace_is_gone(operator)
    await operator.install()
    await operator.until_log("ALREADY_ACTIVATED")

    await (await operator.acr.connected_registries.begin_deactivate(GROUP, ACR, "edge01", **FAST)).result()
    sandbox.clock.turn(120)

    await operator.until_state("Online")


async def test_deactivating_silences_the_running_instance(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()

    await (await operator.acr.connected_registries.begin_deactivate(GROUP, ACR, "edge01", **FAST)).result()
    sandbox.clock.turn(60)

    await operator.until_log("DEACTIVATED")
    assert (await operator.registry()).properties.activation.status == "Inactive"


async def test_a_new_password_is_handed_over_by_patching_the_extension(operator: Operator) -> None:
    await operator.deploy()
    before = (await operator.pod()).metadata.uid
    fresh = await operator.connection_string(password=await operator.password("edge01", "password2"))

    patch: Any = {"properties": {"configurationProtectedSettings": {"connectionString": fresh}}}
    await (await operator.arc.extensions.begin_update(*operator.at("edge01"), patch, **FAST)).result()

    assert (await operator.extension()).provisioning_state == "Succeeded"
    assert (await operator.pod()).metadata.uid != before
    await operator.until_state("Online")


async def test_a_password_regenerated_elsewhere_takes_a_running_registry_offline(
    operator: Operator, sandbox: Sandbox
) -> None:
    await operator.deploy()

    await operator.password("edge01")
    # A contact that is under way when the clock is turned does not notice: so it is turned again.
    await operator.until_log("UNAUTHORIZED", meanwhile=lambda: sandbox.clock.turn(60))
    sandbox.clock.turn(360)

    await operator.until_state("Offline")


async def test_patching_the_right_connection_string_heals_a_bad_one(operator: Operator) -> None:
    await operator.create_registry()
    await operator.install(connection=await operator.connection_string(password="wrong"), wait=False)
    await operator.until_log("UNAUTHORIZED")

    patch: Any = {
        "properties": {"configurationProtectedSettings": {"connectionString": await operator.connection_string()}}
    }
    await (await operator.arc.extensions.begin_update(*operator.at("edge01"), patch, **FAST)).result()

    await operator.until_state("Online")


async def test_several_clusters_run_their_own_registries(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy("edge01")
    hamburg = Operator(sandbox, "hamburg")
    await hamburg.open()

    await hamburg.deploy("edge02", service__clusterIP="10.112.0.50", cert_manager__install="false")

    assert (await operator.registry("edge01")).properties.connection_state == "Online"
    await hamburg.close()


async def until_namespace_is_gone(operator: Operator) -> None:
    async def look() -> bool:
        try:
            await operator.core.read_namespace(NAMESPACE)
        except ApiException as error:
            return bool(error.status == 404)
        return False

    assert await eventually(look)


@pytest.mark.parametrize("again", [1, 2])
async def test_an_agent_that_starts_again_goes_on_as_the_same_instance(
    operator: Operator, sandbox: Sandbox, again: int
) -> None:
    await operator.deploy()
    pod = (await operator.pod()).metadata.uid
    assert sandbox.edge is not None

    for _ in range(again):
        await sandbox.edge.stop()
        await sandbox.edge.start()
    sandbox.clock.turn(400)

    await operator.until_state("Online")
    assert (await operator.pod()).metadata.uid == pod
