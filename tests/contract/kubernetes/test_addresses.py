"""Service ranges, and placeholders that hold an address."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.gateways.kubernetes import placeholders
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.errors import AddressOutside, AddressTaken, NotAllowed


async def test_ranges_and_used_addresses_come_from_their_objects(berlin: KubernetesCluster) -> None:
    found = await berlin.service_ranges()

    assert (found.ranges, found.source) == (("10.96.0.0/24", "10.97.0.0/24"), "ServiceCIDR")
    assert {"10.96.0.1", "10.96.0.10"} <= found.used


async def test_an_older_cluster_names_its_range_in_a_refusal(lyon: KubernetesCluster) -> None:
    found = await lyon.service_ranges()

    assert (found.ranges, found.source) == (("10.128.0.0/20",), "refusal")
    assert {"10.128.0.1", "10.128.0.10"} <= found.used


async def test_asking_for_the_range_leaves_no_service_behind(lyon: KubernetesCluster) -> None:
    before = await lyon.service_ranges()

    assert (await lyon.service_ranges()).used == before.used


async def test_a_held_address_is_in_use(berlin: KubernetesCluster) -> None:
    await berlin.hold_address("10.96.0.20", "default", "op-1")

    assert "10.96.0.20" in (await berlin.service_ranges()).used


async def test_an_address_of_a_second_range_can_be_held(berlin: KubernetesCluster) -> None:
    await berlin.hold_address("10.97.0.20", "default", "op-1")

    assert "10.97.0.20" in (await berlin.service_ranges()).used


async def test_holding_again_for_the_same_operation_changes_nothing(berlin: KubernetesCluster, admin: Any) -> None:
    await berlin.hold_address("10.96.0.20", "default", "op-1")
    await berlin.hold_address("10.96.0.20", "default", "op-1")

    found = await admin.list_namespaced_service("default", label_selector="registry-bot/operation=op-1")
    assert [item.spec.cluster_ip for item in found.items] == ["10.96.0.20"]


async def test_an_address_that_another_operation_holds_is_taken(berlin: KubernetesCluster) -> None:
    await berlin.hold_address("10.96.0.20", "default", "op-1")

    with pytest.raises(AddressTaken) as refused:
        await berlin.hold_address("10.96.0.20", "default", "op-2")
    assert refused.value.address == "10.96.0.20"


async def test_the_api_servers_own_address_is_taken(berlin: KubernetesCluster) -> None:
    with pytest.raises(AddressTaken):
        await berlin.hold_address("10.96.0.1", "default", "op-1")


async def test_an_address_outside_is_refused_with_all_ranges(berlin: KubernetesCluster) -> None:
    with pytest.raises(AddressOutside) as refused:
        await berlin.hold_address("192.100.100.1", "default", "op-1")
    assert refused.value.ranges == ("10.96.0.0/24", "10.97.0.0/24")


async def test_the_network_address_of_a_second_range_is_outside(berlin: KubernetesCluster) -> None:
    with pytest.raises(AddressOutside):
        await berlin.hold_address("10.97.0.0", "default", "op-1")


async def test_an_identity_without_the_right_learns_which_one_it_lacks(reader: KubernetesCluster) -> None:
    with pytest.raises(NotAllowed) as refused:
        await reader.hold_address("10.96.0.20", "default", "op-1")
    assert refused.value.action == "create services in default"


async def test_released_addresses_are_free_again(berlin: KubernetesCluster) -> None:
    await berlin.hold_address("10.96.0.20", "default", "op-1")
    await berlin.hold_address("10.96.0.21", "default", "op-1")

    assert set(await berlin.release_addresses("default", "op-1")) == {"10.96.0.20", "10.96.0.21"}
    assert not {"10.96.0.20", "10.96.0.21"} & (await berlin.service_ranges()).used


async def test_releasing_leaves_other_operations_alone(berlin: KubernetesCluster) -> None:
    await berlin.hold_address("10.96.0.20", "default", "op-1")
    await berlin.hold_address("10.96.0.21", "default", "op-2")
    await berlin.release_addresses("default", "op-1")

    assert "10.96.0.21" in (await berlin.service_ranges()).used


async def test_releasing_what_nobody_holds_says_so(berlin: KubernetesCluster) -> None:
    assert await berlin.release_addresses("default", "op-1") == ()


@settings(deadline=None)
@given(st.from_regex(r"op-[a-z0-9]{6,20}", fullmatch=True), st.ip_addresses().map(str))
def test_a_placeholders_name_is_always_a_dns_label(operation: str, address: str) -> None:
    name = placeholders.name(operation, address)

    assert len(name) <= 63
    assert name.replace("-", "").isalnum()
