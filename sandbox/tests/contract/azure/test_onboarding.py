"""Connecting a cluster by ARM, the extension types that it offers, and a registry's replications."""

from sandbox.tests.contract.azure.cloud import GROUP, REGISTRY, Cloud

TYPE = "microsoft.containerregistry.connectedregistry"


async def test_a_cluster_is_connected_by_arm_and_stays_connecting(cloud: Cloud) -> None:
    path = f"{cloud.group_id}/providers/Microsoft.Kubernetes/connectedClusters/bergen-arc"
    await cloud.arm(
        "POST", f"{cloud.group_id.split('/resourceGroups')[0]}/providers/Microsoft.Kubernetes/register", "2021-04-01"
    )
    body = {
        "location": "norwayeast",
        "identity": {"type": "SystemAssigned"},
        "properties": {"agentPublicKeyCertificate": "MIICCgKCAgEA"},
    }
    created = await cloud.arm("PUT", path, "2024-01-01", body)
    done = await cloud.follow(created.headers["Azure-AsyncOperation"])
    deleted = await cloud.arm("DELETE", path, "2024-01-01")
    await cloud.follow(deleted.headers["Location"])

    assert (created.status, created.json["properties"]["connectivityStatus"]) == (201, "Connecting")
    assert done.json["status"] == "Succeeded"
    assert (await cloud.arm("GET", path, "2024-01-01")).status == 404


async def test_a_cluster_and_a_region_list_extension_types(cloud: Cloud) -> None:
    provider = "providers/Microsoft.KubernetesConfiguration"
    region = f"{cloud.group_id.split('/resourceGroups')[0]}/{provider}/locations/westeurope"
    for place in (f"{cloud.cluster_id}/{provider}", region):
        types = await cloud.arm("GET", f"{place}/extensionTypes", "2023-05-01-preview")
        newest = await cloud.arm("GET", f"{place}/extensionTypes/{TYPE}/versions", "2023-05-01-preview")

        assert TYPE in [one["name"] for one in types.json["value"]]
        assert newest.json["value"][0]["properties"]["version"] == "0.11.0"


async def test_a_premium_registry_is_replicated_beside_its_home_region(cloud: Cloud) -> None:
    body = {"location": "northeurope"}
    await (await cloud.acr.replications.begin_create(GROUP, REGISTRY, "northeurope", body)).result()
    names = [one.name async for one in cloud.acr.replications.list(GROUP, REGISTRY)]
    await (await cloud.acr.replications.begin_delete(GROUP, REGISTRY, "northeurope")).result()

    assert names == ["westeurope", "northeurope"]
    assert [one.name async for one in cloud.acr.replications.list(GROUP, REGISTRY)] == ["westeurope"]
    assert [one.name async for one in cloud.acr.replications.list(GROUP, "contosolab")] == []
