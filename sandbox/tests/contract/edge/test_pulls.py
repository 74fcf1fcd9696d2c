"""Workloads that pull from the edge."""

import pytest

from sandbox.azure.images import sample_image
from sandbox.compose import Sandbox
from sandbox.tests.contract.edge.operator_at_work import ACR, ADDRESS, FAST, GROUP, Operator, eventually


async def client_token(operator: Operator, sandbox: Sandbox, *repositories: str, linked: bool = True) -> str:
    """A client token for repositories, known at the edge if it is linked; its password."""
    actions = [f"repositories/{name}/{what}" for name in repositories for what in ("content/read", "metadata/read")]
    token = await operator.create_token("client01", actions)
    password = await operator.password("client01")
    if linked:
        patch = {"properties": {"clientTokenIds": [token]}}
        await (await operator.acr.connected_registries.begin_update(GROUP, ACR, "edge01", patch, **FAST)).result()
        sandbox.clock.turn(60)
    return password


async def refused(operator: Operator) -> str:
    """Why the Pod's image can't be pulled, in the words of its events."""
    status = await operator.workload_status(
        lambda one: one.state.waiting and one.state.waiting.reason == "ImagePullBackOff"
    )

    async def event() -> str | None:
        events = await operator.core.list_namespaced_event("default")
        return next((one.message for one in events.items if "Failed to pull image" in (one.message or "")), None)

    assert await eventually(event)
    return str(status.state.waiting.message)


async def test_a_pull_is_proven_by_the_digest_of_the_cloud(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "azuredocs/aks-helloworld")

    await operator.workload(f"{ADDRESS}/azuredocs/aks-helloworld:v1", user="client01", password=password)

    status = await operator.workload_status(lambda one: one.ready)
    edges = sandbox.edge.status()["clusters"] if sandbox.edge else []
    images = next(edge for edge in edges if edge["name"] == "berlin-arc")["runtimes"][0]["images"]
    assert status.image_id == f"{ADDRESS}/azuredocs/aks-helloworld@{images['azuredocs/aks-helloworld']['v1']}"


async def test_hello_world_says_its_line_and_is_started_for_ever(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world")

    await operator.workload(f"{ADDRESS}/hello-world:latest", user="client01", password=password)

    status = await operator.workload_status(lambda one: one.image_id)
    assert status.state.waiting.reason == "CrashLoopBackOff"
    assert status.last_state.terminated.exit_code == 0
    assert not status.ready

    async def log() -> str | None:
        text = await operator.core.read_namespaced_pod_log("app", "default")
        return text if "Hello from Docker!" in text else None

    assert await eventually(log)


async def test_hello_world_in_a_pod_that_is_run_once_has_completed(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world")

    await operator.workload(f"{ADDRESS}/hello-world:latest", user="client01", password=password, restart="Never")

    status = await operator.workload_status(lambda one: one.state.terminated)
    assert (status.state.terminated.reason, status.restart_count) == ("Completed", 0)
    assert status.image_id.startswith(f"{ADDRESS}/hello-world@sha256:")
    assert "Hello from Docker!" in await operator.core.read_namespaced_pod_log("app", "default")


@pytest.mark.parametrize("user", ["", "client01"])
async def test_a_pull_without_the_right_password_is_unauthorized(
    operator: Operator, sandbox: Sandbox, user: str
) -> None:
    await operator.deploy()
    await client_token(operator, sandbox, "hello-world")

    await operator.workload(f"{ADDRESS}/hello-world:latest", user=user, password="wrong")

    assert "401 Unauthorized" in await refused(operator)


async def test_a_password_that_has_ended_pulls_until_the_edge_has_synced(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world")
    await operator.workload(f"{ADDRESS}/hello-world:latest", user="client01", password=password)
    await operator.workload_status(lambda one: one.image_id)

    await operator.password("client01")
    await operator.workload_again()
    await operator.workload_status(lambda one: one.image_id)
    synced = (await operator.registry()).properties.parent.sync_properties.last_sync_time
    sandbox.clock.turn(60)

    async def has_synced() -> bool:
        return bool((await operator.registry()).properties.parent.sync_properties.last_sync_time != synced)

    await eventually(has_synced)
    await operator.workload_again()

    assert "401 Unauthorized" in await refused(operator)
    assert sandbox.edge
    pulls = sandbox.edge.agent("berlin-arc").status()["pulls"]
    assert pulls["done"] == 2
    assert ["401 Unauthorized" in reason for reason in pulls["failed"]] == [True]


async def test_a_token_that_the_connected_registry_does_not_list_is_unauthorized(
    operator: Operator, sandbox: Sandbox
) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world", linked=False)

    await operator.workload(f"{ADDRESS}/hello-world:latest", user="client01", password=password)

    assert "401 Unauthorized" in await refused(operator)


async def test_a_repository_outside_the_scope_is_denied(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world")

    await operator.workload(f"{ADDRESS}/azuredocs/aks-helloworld:v1", user="client01", password=password)

    assert "insufficient_scope" in await refused(operator)


async def test_an_image_without_a_variant_for_the_node_matches_no_platform(
    operator: Operator, sandbox: Sandbox
) -> None:
    await operator.deploy()
    assert sandbox.azure
    images = sandbox.azure.cloud.registries[ACR].images
    images.put("hello-world", "arm64", sample_image("hello-world:arm64", ("arm64",)), sandbox.clock.now())
    password = await client_token(operator, sandbox, "hello-world")

    await operator.workload(f"{ADDRESS}/hello-world:arm64", user="client01", password=password)

    assert f'image "{ADDRESS}/hello-world:arm64": no match for platform in manifest: not found' in await refused(
        operator
    )


async def test_a_tag_that_is_not_at_the_edge_is_not_found(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world")

    await operator.workload(f"{ADDRESS}/hello-world:v9", user="client01", password=password)

    assert f"{ADDRESS}/hello-world:v9: not found" in await refused(operator)


async def test_a_node_that_does_not_trust_the_registry_refuses_its_certificate(
    operator: Operator, sandbox: Sandbox
) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world")
    await operator.control(scenario="trust-missing")

    await operator.workload(f"{ADDRESS}/hello-world:latest", user="client01", password=password)

    assert "x509: certificate signed by unknown authority" in await refused(operator)


async def test_without_trust_distribution_no_node_trusts_the_registry(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy(trustDistribution__enabled="false")
    password = await client_token(operator, sandbox, "hello-world")

    await operator.workload(f"{ADDRESS}/hello-world:latest", user="client01", password=password)

    assert "x509" in await refused(operator)


async def test_a_pull_that_failed_succeeds_once_its_token_is_linked(operator: Operator, sandbox: Sandbox) -> None:
    await operator.deploy()
    password = await client_token(operator, sandbox, "hello-world", linked=False)
    await operator.workload(f"{ADDRESS}/hello-world:latest", user="client01", password=password)
    await refused(operator)

    token = await operator.acr.tokens.get(GROUP, ACR, "client01")
    patch = {"properties": {"clientTokenIds": [token.id]}}
    await (await operator.acr.connected_registries.begin_update(GROUP, ACR, "edge01", patch, **FAST)).result()
    sandbox.clock.turn(60)

    assert await operator.workload_status(lambda one: one.image_id)
