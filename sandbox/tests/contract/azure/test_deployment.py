"""The quickstart's way through the unmodified SDKs, from an empty registry to an online connected registry."""

from sandbox.tests.contract.azure.cloud import GROUP, REGISTRY, Cloud


async def test_a_connected_registry_comes_online_when_its_runtime_reports(cloud: Cloud) -> None:
    password = await cloud.activated()
    contact = await cloud.runtime("edge01", "contact", password, synced=True)

    assert contact.json["config"]["repositories"] == ["hello-world"]
    connected = await cloud.connected()
    assert (connected["connectionState"], connected["activation"]["status"]) == ("Online", "Active")
    assert connected["parent"]["syncProperties"]["lastSyncTime"]


async def test_a_new_connected_registry_is_offline_and_inactive(cloud: Cloud) -> None:
    await cloud.make_connected()

    connected = await cloud.connected()
    assert (connected["connectionState"], connected["activation"]["status"]) == ("Offline", "Inactive")
    assert connected["loginServer"] == {"tls": {"certificate": {}}}
    assert connected["parent"]["syncProperties"]["gatewayEndpoint"] == "contosoacr.westeurope.data.azurecr.io"
    assert "id" not in connected["parent"]


async def test_a_registry_goes_with_everything_below_it(cloud: Cloud) -> None:
    await cloud.make_connected()

    await (await cloud.acr.registries.begin_delete(GROUP, REGISTRY)).result()

    assert [one.name async for one in cloud.acr.registries.list()] == ["contosolab"]
    again = await cloud.arm("GET", f"{cloud.registry_id}/connectedRegistries/edge01", "2025-11-01")
    assert again.json["error"]["code"] == "ParentResourceNotFound"
