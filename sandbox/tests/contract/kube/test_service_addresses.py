"""What was measured on an API server of version 1.37: which Service addresses it gives, takes and refuses."""

import ipaddress
import json
from typing import Any

import pytest
from kubernetes.aio.client import ApiException

from sandbox.testing import watches
from sandbox.tests.contract.kube.conftest import eventually

OUTSIDE = "10.97.0.100"


def service(address: str | None = None, name: str = "placed", **spec: Any) -> dict[str, Any]:
    fixed = {"clusterIP": address} if address else {}
    return {"metadata": {"name": name}, "spec": {"ports": [{"port": 443}]} | fixed | spec}


async def refusal(call: Any) -> dict[str, Any]:
    with pytest.raises(ApiException) as refused:
        await call
    status: dict[str, Any] = json.loads(refused.value.body or "")
    assert status["code"] == refused.value.status
    return status


async def second_range(networking: Any, cidr: str = "10.98.0.0/28") -> None:
    await networking.create_service_cidr({"metadata": {"name": "second"}, "spec": {"cidrs": [cidr]}})
    await watches.first(
        networking.list_service_cidr,
        lambda one: (
            one.metadata.name == "second"
            and one.status
            and any(each.type == "Ready" and each.status == "True" for each in one.status.conditions or [])
        ),
    )


async def test_a_dry_run_accepts_an_address_that_is_in_use(core: Any, namespace: str) -> None:
    await core.create_namespaced_service(namespace, service("10.96.0.200"))

    created = await core.create_namespaced_service(namespace, service("10.96.0.200", name="other"), dry_run="All")

    assert created.spec.cluster_ip == "10.96.0.200"


async def test_a_dry_run_accepts_the_api_servers_own_address(core: Any, namespace: str) -> None:
    created = await core.create_namespaced_service(namespace, service("10.96.0.1"), dry_run="All")

    assert created.spec.cluster_ip == "10.96.0.1"


async def test_a_dry_run_leaves_nothing_behind(core: Any, networking: Any, namespace: str) -> None:
    await core.create_namespaced_service(namespace, service("10.96.0.201"), dry_run="All")

    services = await core.list_namespaced_service(namespace)
    addresses = await networking.list_ip_address()

    assert services.items == []
    assert "10.96.0.201" not in {one.metadata.name for one in addresses.items}


async def test_creating_a_service_with_an_address_in_use_is_refused(core: Any, namespace: str) -> None:
    await core.create_namespaced_service(namespace, service("10.96.0.200"))

    status = await refusal(core.create_namespaced_service(namespace, service("10.96.0.200", name="other")))

    assert (status["code"], status["reason"]) == (422, "Invalid")
    assert status["message"].endswith("failed to allocate IP 10.96.0.200: provided IP is already allocated")
    assert status["message"].startswith('Service "other" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.200"]')


async def test_a_refusal_names_the_field_in_its_causes(core: Any, namespace: str) -> None:
    await core.create_namespaced_service(namespace, service("10.96.0.200"))

    status = await refusal(core.create_namespaced_service(namespace, service("10.96.0.200", name="other")))

    assert status["details"]["kind"] == "Service"
    assert status["details"]["name"] == "other"
    assert [(cause["reason"], cause["field"]) for cause in status["details"]["causes"]] == [
        ("FieldValueInvalid", "spec.clusterIPs")
    ]


async def test_the_same_service_again_is_refused_for_its_address_before_its_name(core: Any, namespace: str) -> None:
    await core.create_namespaced_service(namespace, service("10.96.0.200"))

    again = await refusal(core.create_namespaced_service(namespace, service("10.96.0.200")))
    elsewhere = await refusal(core.create_namespaced_service(namespace, service("10.96.0.201")))

    assert (again["code"], again["message"].endswith("provided IP is already allocated")) == (422, True)
    assert (elsewhere["code"], elsewhere["message"]) == (409, 'services "placed" already exists')


async def test_an_address_is_free_again_when_the_name_was_refused(core: Any, namespace: str) -> None:
    await core.create_namespaced_service(namespace, service("10.96.0.200"))
    await refusal(core.create_namespaced_service(namespace, service("10.96.0.201")))

    created = await core.create_namespaced_service(namespace, service("10.96.0.201", name="other"))

    assert created.spec.cluster_ip == "10.96.0.201"


@pytest.mark.parametrize("address", [OUTSIDE, "10.96.0.0", "10.96.255.255"])
async def test_outside_network_and_broadcast_address_are_refused_without_a_range_being_named(
    core: Any, namespace: str, address: str
) -> None:
    status = await refusal(core.create_namespaced_service(namespace, service(address)))

    assert status["code"] == 422
    assert status["message"] == (
        f'Service "placed" is invalid: spec.clusterIPs: Invalid value: ["{address}"]: '
        f"failed to allocate IP {address}: the provided network does not match the current range"
    )


@pytest.mark.parametrize("address", [OUTSIDE, "10.96.0.0", "10.96.255.255"])
async def test_a_dry_run_names_the_first_range(core: Any, namespace: str, address: str) -> None:
    status = await refusal(core.create_namespaced_service(namespace, service(address), dry_run="All"))

    assert status["code"] == 422
    assert status["message"].endswith(
        f"failed to allocate IP {address}: the provided IP ({address}) is not in the valid range. "
        "The range of valid IPs is 10.96.0.0/16"
    )


async def test_an_address_of_a_second_range_is_given(core: Any, networking: Any, namespace: str) -> None:
    await second_range(networking)

    created = await core.create_namespaced_service(namespace, service("10.98.0.5"))

    assert created.spec.cluster_ip == "10.98.0.5"


async def test_a_dry_run_asks_any_one_of_several_ranges(core: Any, networking: Any, namespace: str) -> None:
    await second_range(networking)
    answers = set()

    async def both_were_given() -> bool:
        answers.add(await dry_run_answer(core, namespace, "10.98.0.5"))
        return len(answers) == 2

    await eventually(both_were_given)
    accepted, refused = sorted(answers)
    assert accepted == "accepted"
    assert refused.endswith("is not in the valid range. The range of valid IPs is 10.96.0.0/16")


async def dry_run_answer(core: Any, namespace: str, address: str) -> str:
    try:
        await core.create_namespaced_service(namespace, service(address), dry_run="All")
    except ApiException as refused:
        return str(json.loads(refused.body or "")["message"].partition("]: ")[2])
    return "accepted"


@pytest.mark.parametrize("address", ["10.98.0.0", "10.98.0.15"])
async def test_network_and_broadcast_address_of_a_further_range_are_refused(
    core: Any, networking: Any, namespace: str, address: str
) -> None:
    await second_range(networking)

    status = await refusal(core.create_namespaced_service(namespace, service(address)))

    assert status["code"] == 422
    assert status["message"].endswith("the provided network does not match the current range")


async def test_an_address_in_use_is_an_object_that_names_its_service(
    core: Any, networking: Any, namespace: str
) -> None:
    await core.create_namespaced_service(namespace, service("10.96.0.202"))

    address = await networking.read_ip_address("10.96.0.202")

    parent = address.spec.parent_ref
    assert (parent.resource, parent.namespace, parent.name) == ("services", namespace, "placed")


async def test_an_address_is_free_again_when_its_service_is_deleted(core: Any, networking: Any, namespace: str) -> None:
    await core.create_namespaced_service(namespace, service("10.96.0.203"))

    await core.delete_namespaced_service("placed", namespace)

    with pytest.raises(ApiException, match="404"):
        await networking.read_ip_address("10.96.0.203")
    again = await core.create_namespaced_service(namespace, service("10.96.0.203"))
    assert again.spec.cluster_ip == "10.96.0.203"


async def test_the_first_range_is_an_object_that_is_ready(networking: Any) -> None:
    current = await watches.first(
        networking.list_service_cidr,
        lambda one: one.metadata.name == "kubernetes" and one.status and one.status.conditions,
    )

    assert current.spec.cidrs == ["10.96.0.0/16"]
    assert [(each.type, each.status) for each in current.status.conditions] == [("Ready", "True")]


async def test_a_deleted_range_stays_until_its_addresses_are_free(core: Any, networking: Any, namespace: str) -> None:
    await second_range(networking)
    await core.create_namespaced_service(namespace, service("10.98.0.5"))

    await networking.delete_service_cidr("second")
    terminating = await watches.first(
        networking.list_service_cidr,
        lambda one: (
            one.metadata.name == "second" and any(each.status == "False" for each in one.status.conditions or [])
        ),
    )
    await core.delete_namespaced_service("placed", namespace)

    assert terminating.metadata.deletion_timestamp is not None
    await watches.first(
        networking.list_service_cidr, lambda one: one.metadata.name == "second", deleted_after=terminating
    )


async def test_an_address_that_nobody_asked_for_comes_from_the_upper_band(core: Any, namespace: str) -> None:
    created = await core.create_namespaced_service(namespace, service())

    assert ipaddress.IPv4Address(created.spec.cluster_ip) > ipaddress.IPv4Address("10.96.1.0")
    assert created.spec.cluster_ips == [created.spec.cluster_ip]


async def test_a_headless_service_has_no_address(core: Any, namespace: str) -> None:
    created = await core.create_namespaced_service(namespace, service("None"))

    assert created.spec.cluster_ips == ["None"]


async def test_the_api_server_has_the_first_address(core: Any) -> None:
    current = await core.read_namespaced_service("kubernetes", "default")

    assert current.spec.cluster_ip == "10.96.0.1"


async def test_an_address_can_not_be_changed(core: Any, namespace: str) -> None:
    await core.create_namespaced_service(namespace, service("10.96.0.204"))

    body = {"spec": {"clusterIP": "10.96.0.205", "clusterIPs": ["10.96.0.205"]}}
    status = await refusal(core.patch_namespaced_service("placed", namespace, body))

    assert status["code"] == 422
    assert status["message"].endswith("may not change once set")


async def test_an_address_has_to_be_one(core: Any, namespace: str) -> None:
    status = await refusal(core.create_namespaced_service(namespace, service("10.96.0.300")))

    assert status["code"] == 422
    assert "must be a valid IP address" in status["message"]


DUAL_STACK = "this cluster is not configured for dual-stack services"


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"clusterIP": "010.96.0.50"}, 'spec.clusterIPs[0]: Invalid value: "010.96.0.50": must not have leading 0s'),
        (
            {"clusterIP": "fd00::5"},
            'spec.clusterIPs[0]: Invalid value: ["fd00::5"]: IPv6 is not configured on this cluster',
        ),
        ({"ipFamilies": ["IPv6"]}, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'),
        (
            {"ipFamilyPolicy": "RequireDualStack"},
            f'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": {DUAL_STACK}',
        ),
    ],
)
async def test_a_cluster_with_one_family_refuses_the_other(
    core: Any, namespace: str, spec: dict[str, Any], why: str
) -> None:
    status = await refusal(core.create_namespaced_service(namespace, service(**spec)))

    assert (status["code"], status["message"]) == (422, f'Service "placed" is invalid: {why}')


async def test_a_range_ends_where_its_prefix_ends(networking: Any) -> None:
    body = {"metadata": {"name": "odd"}, "spec": {"cidrs": ["10.200.0.1/24"]}}
    status = await refusal(networking.create_service_cidr(body))

    assert status["message"].endswith(
        'spec.cidrs[0]: Invalid value: "10.200.0.1/24": must not have bits set beyond the prefix length'
    )


@pytest.mark.parametrize("dry_run", [None, "All"])
async def test_a_service_in_a_namespace_that_does_not_exist_is_not_found(core: Any, dry_run: str | None) -> None:
    status = await refusal(core.create_namespaced_service("no-such-place", service(), dry_run=dry_run))

    assert (status["code"], status["message"]) == (404, 'namespaces "no-such-place" not found')


PARENT = {"group": "", "resource": "services", "namespace": "default", "name": "somebodys"}


@pytest.mark.parametrize("address", ["10.99.0.7", "fd00::7"])
async def test_an_address_can_be_taken_without_a_service(networking: Any, address: str) -> None:
    created = await networking.create_ip_address({"metadata": {"name": address}, "spec": {"parentRef": PARENT}})

    assert created.metadata.name == address


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("nonsense", "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"),
        ("fd00:0:0::7", 'must be in canonical form ("fd00::7")'),
    ],
)
async def test_an_address_objects_name_is_the_address(networking: Any, name: str, why: str) -> None:
    status = await refusal(networking.create_ip_address({"metadata": {"name": name}, "spec": {"parentRef": PARENT}}))

    assert status["message"] == (
        f'IPAddress.networking.k8s.io "{name}" is invalid: metadata.name: Invalid value: "{name}": {why}'
    )
