"""The quickstart's way through the unmodified SDKs, from an empty registry to an online connected registry."""

from typing import Any

from tests.contract.azure_sandbox.cloud import CLUSTER, GROUP, REGISTRY, Cloud

CONNECTED_REGISTRY = "microsoft.containerregistry.connectedregistry"


async def test_a_connected_registry_comes_online_when_its_runtime_reports(cloud: Cloud) -> None:
    made = await cloud.make_connected()
    assert (made.properties.connection_state, made.properties.activation.status) == ("Offline", "Inactive")

    password = await cloud.mint(made.properties.parent.sync_properties.token_id)
    activation = await cloud.runtime("edge01", "activate", password)
    contact = await cloud.runtime("edge01", "contact", password, synced=True)

    assert activation.status == contact.status == 200
    assert contact.json["config"]["repositories"] == ["hello-world"]
    seen = await cloud.acr.connected_registries.get(GROUP, REGISTRY, "edge01")
    assert (seen.properties.connection_state, seen.properties.activation.status) == ("Online", "Active")
    assert seen.properties.parent.sync_properties.last_sync_time is not None


async def test_an_extension_is_created_when_the_agent_reports_success(cloud: Cloud) -> None:
    await cloud.register_kubernetes_configuration()
    poller = await cloud.extensions.extensions.begin_create(
        GROUP, "Microsoft.Kubernetes", "connectedClusters", CLUSTER, "onprem", extension()
    )
    assert (await cloud.extensions.extensions.get(
        GROUP, "Microsoft.Kubernetes", "connectedClusters", CLUSTER, "onprem"
    )).provisioning_state == "Creating"  # fmt: skip

    listed = await cloud.agent.get(f"{cloud.azure.url}/agent/extensions?cluster={cloud.cluster_id}")
    [wanted] = listed.json["extensions"]
    report = {"cluster": cloud.cluster_id, "name": "onprem", "generation": wanted["generation"]}
    await cloud.agent.post(f"{cloud.azure.url}/agent/extension-status", report | {"state": "Succeeded"})
    done = await poller.result()

    assert wanted["configurationProtectedSettings"] == {"connectionString": "secret"}
    assert done.provisioning_state == "Succeeded"
    assert done.configuration_protected_settings == {"connectionString": ""}


def extension() -> Any:
    return {
        "identity": {"type": "SystemAssigned"},
        "properties": {
            "extensionType": "Microsoft.ContainerRegistry.ConnectedRegistry",
            "autoUpgradeMinorVersion": True,
            "configurationSettings": {"service.clusterIP": "10.96.0.10"},
            "configurationProtectedSettings": {"connectionString": "secret"},
        },
    }
