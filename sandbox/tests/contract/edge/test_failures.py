"""How installations and runtimes fail: by the state of the world, and on demand."""

from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from sandbox.compose import Sandbox
from sandbox.tests.contract.edge.operator_at_work import ADDRESS, NAMESPACE, Operator, eventually


async def failure(operator: Operator, **settings: Any) -> str:
    """Install, expect that it fails, and give the text that Azure has for it."""
    with pytest.raises(HttpResponseError):
        await operator.install(**settings)
    extension = await operator.extension()
    assert extension.provisioning_state == "Failed"
    return str(extension.error_info.message) if extension.error_info else ""


async def still_creating(operator: Operator) -> bool:
    return bool((await operator.extension()).provisioning_state == "Creating")


async def test_an_address_that_another_service_has(operator: Operator) -> None:
    await operator.create_registry()
    spec = {"clusterIP": ADDRESS, "ports": [{"port": 80}]}
    await operator.core.create_namespaced_service("default", {"metadata": {"name": "squatter"}, "spec": spec})

    text = await failure(operator)

    assert f"failed to allocate IP {ADDRESS}: provided IP is already allocated" in text
    assert not (await operator.core.list_namespaced_service(NAMESPACE)).items


async def test_an_address_outside_the_service_range(operator: Operator) -> None:
    await operator.create_registry()

    text = await failure(operator, service__clusterIP="192.100.100.1")

    assert "failed to allocate IP 192.100.100.1: the provided network does not match the current range" in text


async def test_no_address_at_all(operator: Operator) -> None:
    await operator.create_registry()

    assert "service.clusterIP is required" in await failure(operator, service__clusterIP="")


async def test_no_connection_string(operator: Operator) -> None:
    await operator.create_registry()

    assert "connectionString is required" in await failure(operator, connection="")


async def test_a_storage_class_that_does_not_exist_leaves_the_extension_creating(operator: Operator) -> None:
    await operator.create_registry()

    await operator.install(pvc__storageClassName="azurefile", wait=False)

    pod = await operator.pod()

    async def event() -> str | None:
        events = await operator.core.list_namespaced_event(NAMESPACE)
        return next((one.message for one in events.items if "unbound immediate" in (one.message or "")), None)

    assert "PersistentVolumeClaims" in await eventually(event)
    assert pod.status.phase == "Pending"
    claim = await operator.core.read_namespaced_persistent_volume_claim("connected-registry-pvc", NAMESPACE)
    assert claim.status.phase == "Pending"
    assert await still_creating(operator)


async def test_a_cluster_without_an_amd64_node_leaves_the_extension_creating(sandbox: Sandbox) -> None:
    lyon = Operator(sandbox, "lyon")
    await lyon.open()
    await lyon.create_registry()

    await lyon.install(service__clusterIP="10.128.0.50", wait=False)

    assert (await lyon.pod()).status.phase == "Pending"
    assert await still_creating(lyon)
    await lyon.close()


@pytest.mark.parametrize("password", ["wrong", "<sync token password>"])
async def test_a_password_that_does_not_fit(operator: Operator, password: str) -> None:
    await operator.create_registry()

    await operator.install(connection=await operator.connection_string(password=password), wait=False)

    log = await operator.until_log("UNAUTHORIZED")
    assert "Incorrect Password" in log
    assert await still_creating(operator)
    properties = (await operator.registry()).properties
    assert (properties.connection_state, properties.activation.status) == ("Offline", "Inactive")


async def test_a_byte_order_mark_before_the_connection_string(operator: Operator) -> None:
    await operator.create_registry()

    await operator.install(connection="\ufeff" + await operator.connection_string(), wait=False)

    await operator.until_log("byte order mark")
    assert await still_creating(operator)


async def test_a_disabled_token_takes_a_registry_offline(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    patch: Any = {"properties": {"status": "disabled"}}
    await (
        await operator.acr.tokens.begin_update("edge-rg", "contosoacr", "edge01", patch, polling_interval=0.05)
    ).result()

    sandbox.clock.turn(60)
    await operator.until_log("UNAUTHORIZED")
    sandbox.clock.turn(360)

    await operator.until_state("Offline")


async def test_cert_manager_that_is_there_already(sandbox: Sandbox) -> None:
    hamburg = Operator(sandbox, "hamburg")
    await hamburg.open()
    await hamburg.create_registry()

    text = await failure(hamburg, service__clusterIP="10.112.0.50")

    assert "cert-manager.io" in text
    assert "invalid ownership metadata" in text
    await hamburg.close()


async def test_cert_manager_that_is_wanted_but_neither_there_nor_installed(operator: Operator) -> None:
    await operator.create_registry()

    text = await failure(operator, cert_manager__install="false")

    assert 'no matches for kind "Certificate" in version "cert-manager.io/v1"' in text


async def test_a_version_that_does_not_exist(operator: Operator) -> None:
    await operator.create_registry()

    assert "chart path not found" in await failure(operator, version="9.9.9")


async def test_a_name_that_another_helm_release_has(operator: Operator) -> None:
    await operator.create_registry()
    await operator.core.create_namespace({"metadata": {"name": NAMESPACE}})
    secret = {"metadata": {"name": "sh.helm.release.v1.edge01.v1"}, "type": "helm.sh/release.v1"}
    await operator.core.create_namespaced_secret(NAMESPACE, secret)

    assert "cannot re-use a name that is still in use" in await failure(operator)


async def test_a_namespace_that_is_still_being_deleted(operator: Operator) -> None:
    await operator.create_registry()
    finalizer = {"name": "keeper", "finalizers": ["example.com/keep"]}
    await operator.core.create_namespace({"metadata": {"name": NAMESPACE}})
    await operator.core.create_namespaced_config_map(NAMESPACE, {"metadata": finalizer})
    await operator.core.delete_namespace(NAMESPACE)

    text = await failure(operator)

    assert f"unable to create new content in namespace {NAMESPACE} because it is being terminated" in text


@pytest.mark.parametrize(
    ("scenario", "says"),
    [
        ("service-ip-taken", "provided IP is already allocated"),
        ("cert-manager-present", "invalid ownership metadata"),
        ("name-in-use", "cannot re-use a name that is still in use"),
        ("namespace-terminating", "because it is being terminated"),
        ("chart-not-found", "chart path not found"),
        ("crd-status-not-populated", "status not populated"),
        ("crd-write-race", "the object has been modified"),
        ("silent-failure", ""),
        ("webhook-untrusted", 'failed calling webhook "webhook.cert-manager.io"'),
        ("release-busy", "another operation (install/upgrade/rollback) is in progress"),
        ("quota-exceeded", 'persistentvolumeclaims "connected-registry-pvc" is forbidden: exceeded quota'),
    ],
)
async def test_an_installation_fails_on_demand(operator: Operator, scenario: str, says: str) -> None:
    await operator.create_registry()
    await operator.control(scenario=scenario)

    assert says in await failure(operator)


async def test_a_silent_failure_has_no_text(operator: Operator) -> None:
    await operator.create_registry()
    await operator.control(scenario="silent-failure")

    assert await failure(operator) == ""
    assert not (await operator.extension()).statuses


async def test_a_failed_installation_can_be_repeated(operator: Operator) -> None:
    await operator.create_registry()
    await operator.control(scenario="crd-write-race", times=1)
    await failure(operator)

    await operator.install()

    await operator.until_state("Online")


async def test_a_firewall_leaves_the_extension_succeeded_and_the_registry_offline(operator: Operator) -> None:
    await operator.create_registry()
    await operator.control(scenario="firewall")

    extension = await operator.install()

    assert extension.properties.provisioning_state == "Succeeded"
    assert "i/o timeout" in await operator.log()
    properties = (await operator.registry()).properties
    assert (properties.connection_state, properties.parent.sync_properties.last_sync_time) == ("Offline", None)


async def test_when_the_firewall_opens_the_registry_comes_online(operator: Operator, sandbox: Sandbox) -> None:
    await operator.create_registry()
    await operator.control(scenario="firewall")
    await operator.install()

    await operator.control(scenario=None)
    sandbox.clock.turn(120)

    await operator.until_state("Online")


async def test_another_instance_may_hold_the_activation_on_demand(operator: Operator) -> None:
    await operator.create_registry()
    await operator.control(scenario="already-activated")

    extension = await operator.install()

    assert extension.properties.provisioning_state == "Succeeded"
    assert "ALREADY_ACTIVATED" in await operator.until_log("ALREADY_ACTIVATED")


@pytest.mark.parametrize("scenario", ["bad-password", "token-disabled"])
async def test_a_refused_token_on_demand(operator: Operator, scenario: str) -> None:
    await operator.create_registry()
    await operator.control(scenario=scenario)

    await operator.install(wait=False)

    await operator.until_log("UNAUTHORIZED")
    assert await still_creating(operator)


async def test_a_full_disk_makes_the_registry_unhealthy_until_it_has_room_again(
    operator: Operator, sandbox: Sandbox
) -> None:
    await operator.deploy()

    await operator.control(scenario="disk-full")
    sandbox.clock.turn(60)

    registry = await operator.until_state("Unhealthy")
    assert [one.code for one in registry.status_details] == ["DiskError"]
    await operator.control(scenario=None)
    sandbox.clock.turn(60)
    assert not (await operator.until_state("Online")).status_details


async def test_a_missing_storage_class_on_demand(operator: Operator) -> None:
    await operator.create_registry()
    await operator.control(scenario="storage-class-missing")

    await operator.install(wait=False)

    assert (await operator.pod()).status.phase == "Pending"
    assert await still_creating(operator)


@pytest.mark.parametrize(
    ("scenario", "ending"), [("out-of-memory", (137, "OOMKilled")), ("crash-without-log", (139, "Error"))]
)
async def test_a_container_that_a_signal_ends_restarts_until_it_is_let_run(
    operator: Operator, sandbox: Sandbox, scenario: str, ending: tuple[int, str]
) -> None:
    await operator.create_registry()
    await operator.control(scenario=scenario)
    await operator.install(wait=False)

    await operator.until_waiting("CrashLoopBackOff")

    [status] = (await operator.pod()).status.container_statuses
    ended = status.last_state.terminated
    assert (ended.exit_code, ended.reason) == ending
    await operator.control(scenario=None)
    sandbox.clock.turn(120)
    await operator.until_state("Online")


async def test_an_image_of_which_pulls_are_limited_is_pulled_later(operator: Operator, sandbox: Sandbox) -> None:
    await operator.create_registry()
    await operator.control(scenario="pull-throttled")
    await operator.install(wait=False)
    await operator.until_waiting("ImagePullBackOff")
    events = (await operator.core.list_namespaced_event(NAMESPACE)).items

    assert any("429 Too Many Requests" in (event.message or "") for event in events)
    assert await still_creating(operator)
    await operator.control(scenario=None)
    sandbox.clock.turn(300)
    await operator.until_state("Online")


async def test_nodes_short_of_disk_evict_a_registry_and_take_no_other_one(operator: Operator) -> None:
    await operator.deploy()
    await operator.control(scenario="node-pressure")

    async def phases() -> bool:
        statuses = [pod.status for pod in await operator.pods()]
        return sorted((status.phase, status.reason) for status in statuses if status) == [
            ("Failed", "Evicted"),
            ("Pending", None),
        ]

    assert await eventually(phases)
    [node] = (await operator.core.list_node()).items
    assert [taint.key for taint in node.spec.taints] == ["node.kubernetes.io/disk-pressure"]
    await operator.control(scenario=None)

    async def runs_again() -> bool:
        return "Running" in [pod.status.phase for pod in await operator.pods()]

    assert await eventually(runs_again)


async def test_a_cordoned_node_takes_no_registry(operator: Operator) -> None:
    await operator.create_registry()
    [node] = (await operator.core.list_node()).items
    await operator.core.patch_node(node.metadata.name, {"spec": {"unschedulable": True}})

    await operator.install(wait=False)

    async def refusal() -> str | None:
        conditions = (await operator.pod()).status.conditions or ()
        return next((one.message for one in conditions if one.reason == "Unschedulable"), None)

    assert str(await eventually(refusal)).startswith("0/1 nodes are available: 1 node(s) were unschedulable.")
