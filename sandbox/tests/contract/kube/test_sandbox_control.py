"""What only the sandbox can do: be cut off, fail on demand, take an address, play a kubelet."""

import json
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from kubernetes.aio import client

from sandbox.clock import Clock
from sandbox.faults import Fault, Faults
from sandbox.kube import KubePart, PullRefusedError
from sandbox.speed import IMMEDIATE
from sandbox.testing import watches
from sandbox.tests.contract.kube.conftest import WORLD
from sandbox.tests.contract.kube.test_service_addresses import refusal, service
from sandbox.tls import Authority


async def pull(cluster: str, image: str, secrets: Sequence[dict[str, Any]]) -> str:
    """Images of one registry can be had with a secret only."""
    if image.startswith("closed.example/") and not secrets:
        raise PullRefusedError(f"{cluster}: pull access denied")
    return "sha256:" + "b" * 64


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def part(authority: Authority, tmp_path: Path, faults: Faults, clock: Clock) -> AsyncIterator[KubePart]:
    part = KubePart(WORLD, authority=authority, folder=tmp_path, clock=clock, speed=IMMEDIATE, faults=faults, pull=pull)
    await part.start()
    yield part
    await part.stop()


async def control(part: KubePart, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    connector = aiohttp.TCPConnector(ssl=False)
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.request(method, f"{part.url}/sandbox/kube/{path}", json=body) as answer,
    ):
        return answer.status, await answer.json()


async def test_a_cluster_that_is_cut_off_answers_nobody(part: KubePart, core: Any) -> None:
    part.set_offline("berlin", offline=True)

    with pytest.raises(aiohttp.ClientError):
        await core.create_namespace({"metadata": {"name": "lost"}})


async def test_a_cluster_comes_back_as_it_was(part: KubePart, core: Any) -> None:
    part.set_offline("berlin", offline=True)
    part.set_offline("berlin", offline=False)

    assert await core.read_namespace("default")


async def test_cutting_off_ends_watches(part: KubePart, core: Any) -> None:
    events = watches.events(core.list_namespace, timeout_seconds=20)
    assert await anext(events)

    part.set_offline("berlin", offline=True)

    with pytest.raises(aiohttp.ClientError):
        await drained(events)


async def drained(events: AsyncIterator[Any]) -> list[Any]:
    return [event async for event in events]


async def test_somebody_else_can_take_an_address(part: KubePart, core: Any, namespace: str) -> None:
    place = {"address": "10.96.0.20", "namespace": "others", "name": "first"}

    status, created = await control(part, "POST", "berlin/take-address", place)

    assert (status, created["address"]) == (200, "10.96.0.20")
    refused = await refusal(core.create_namespaced_service(namespace, service("10.96.0.20")))
    assert "provided IP is already allocated" in refused["message"]


async def test_an_address_that_is_taken_is_not_taken_twice(part: KubePart) -> None:
    status, answer = await control(part, "POST", "berlin/take-address", {"address": "10.96.0.1"})

    assert status == 400
    assert "already allocated" in answer["error"]


async def test_an_unknown_cluster_is_named_with_those_that_there_are(part: KubePart) -> None:
    status, answer = await control(part, "POST", "paris", {"offline": True})

    assert status == 404
    assert answer["error"] == "There is no cluster 'paris'; there are berlin."


async def test_requests_are_remembered_until_they_are_forgotten(part: KubePart, core: Any) -> None:
    await core.read_namespace("default")

    _, before = await control(part, "GET", "requests")
    await control(part, "DELETE", "requests")
    _, after = await control(part, "GET", "requests")

    last = before["berlin"][-1]
    assert (last["method"], last["path"], last["user"], last["status"]) == (
        "GET",
        "/api/v1/namespaces/default",
        "admin",
        200,
    )
    assert after == {"berlin": []}


async def test_the_state_shows_every_cluster(part: KubePart) -> None:
    _, state = await control(part, "GET", "state")

    assert state["berlin"]["service_cidrs"] == ["10.96.0.0/16"]
    assert state["berlin"]["services"]["default/kubernetes"] == "10.96.0.1"
    assert state["berlin"]["nodes"] == {"berlin-1": "amd64"}


async def test_a_call_fails_on_demand(faults: Faults, core: Any) -> None:
    faults.add(Fault("kube", "GET /berlin/api/v1/nodes", status=503, code="ServiceUnavailable", message="leader lost"))

    status = await refusal(core.list_node())

    assert (status["code"], status["reason"], status["message"]) == (503, "ServiceUnavailable", "leader lost")
    assert await core.list_node()


async def test_a_lost_reply_leaves_the_work_done(faults: Faults, core: Any) -> None:
    faults.add(Fault("kube", "POST /berlin/api/v1/namespaces$", "lose_reply"))

    with pytest.raises(aiohttp.ClientError):
        await core.create_namespace({"metadata": {"name": "done"}})

    assert await core.read_namespace("done")


async def test_a_watch_from_a_forgotten_version_is_told_that_it_is_gone(part: KubePart, core: Any) -> None:
    listed = await core.list_namespace()
    await core.create_namespace({"metadata": {"name": "later"}})
    part.clusters["berlin"].store.compact()

    stale = {"resource_version": listed.metadata.resource_version, "timeout_seconds": 5}
    with pytest.raises(client.ApiException, match="410"):
        await drained(watches.events(core.list_namespace, **stale))


def pod(image: str, **spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "one"}, "spec": {"containers": [{"name": "main", "image": image}]} | spec}


async def test_a_pod_runs_the_image_that_was_pulled(core: Any, namespace: str) -> None:
    await core.create_namespaced_pod(namespace, pod("open.example/app:1"))

    running = await watches.first(
        core.list_namespaced_pod, lambda one: one.status.phase == "Running", namespace=namespace
    )

    status = running.status.container_statuses[0]
    assert (status.ready, status.image_id) == (True, "open.example/app@sha256:" + "b" * 64)


async def test_a_pod_whose_image_can_not_be_pulled_says_so(clock: Clock, core: Any, namespace: str) -> None:
    clock.stop()
    await core.create_namespaced_pod(namespace, pod("closed.example/app:1"))

    pending = await watches.first(
        core.list_namespaced_pod,
        lambda one: bool(one.status.container_statuses) and waiting(one).reason == "ImagePullBackOff",
        namespace=namespace,
    )

    assert pending.status.phase == "Pending"
    assert waiting(pending).message == ('Back-off pulling image "closed.example/app:1": berlin: pull access denied')


def waiting(pod: Any) -> Any:
    return pod.status.container_statuses[0].state.waiting or pod.status.container_statuses[0].state


async def test_a_pod_with_a_pull_secret_runs(core: Any, namespace: str) -> None:
    text = json.dumps({"auths": {"closed.example": {"auth": ""}}})
    body = {"type": "kubernetes.io/dockerconfigjson", "stringData": {".dockerconfigjson": text}}
    await core.create_namespaced_secret(namespace, body | {"metadata": {"name": "regcred"}})

    await core.create_namespaced_pod(namespace, pod("closed.example/app:1", imagePullSecrets=[{"name": "regcred"}]))

    await watches.first(core.list_namespaced_pod, lambda one: one.status.phase == "Running", namespace=namespace)


async def test_a_pod_that_fits_no_node_says_why(core: Any, namespace: str) -> None:
    await core.create_namespaced_pod(namespace, pod("app:1", nodeSelector={"kubernetes.io/arch": "arm64"}))

    event = await watches.first(
        core.list_namespaced_event, lambda one: one.reason == "FailedScheduling", namespace=namespace
    )

    assert event.message.startswith("0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector.")


async def test_a_claim_is_bound_when_a_pod_uses_it(core: Any, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    await core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "disk"}, "spec": spec})
    volume = {"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}

    await core.create_namespaced_pod(namespace, pod("app:1", volumes=[volume]))

    claim = await watches.first(
        core.list_namespaced_persistent_volume_claim, lambda one: one.status.phase == "Bound", namespace=namespace
    )
    assert claim.status.capacity == {"storage": "1Gi"}
    await watches.first(core.list_namespaced_pod, lambda one: one.status.phase == "Running", namespace=namespace)


async def test_a_claim_whose_volume_somebody_removes_is_lost(core: Any, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    await core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "disk"}, "spec": spec})
    volume = {"name": "disk", "persistentVolumeClaim": {"claimName": "disk"}}
    await core.create_namespaced_pod(namespace, pod("app:1", volumes=[volume]))
    claims = core.list_namespaced_persistent_volume_claim
    claim = await watches.first(claims, lambda one: one.status.phase == "Bound", namespace=namespace)

    await core.patch_persistent_volume(claim.spec.volume_name, {"metadata": {"finalizers": None}})
    await core.delete_persistent_volume(claim.spec.volume_name)

    await watches.first(claims, lambda one: one.status.phase == "Lost", namespace=namespace)
    event = await watches.first(core.list_namespaced_event, lambda one: one.reason == "ClaimLost", namespace=namespace)
    assert event.message == "Bound claim has lost its PersistentVolume. Data on the volume is lost!"


async def test_logs_are_what_the_annotations_say(core: Any, namespace: str) -> None:
    body = pod("app:1")
    body["metadata"]["annotations"] = {"sandbox.local/log": "now\n", "sandbox.local/previous-log": "before\n"}
    await core.create_namespaced_pod(namespace, body)

    assert await core.read_namespaced_pod_log("one", namespace) == "now\n"
    assert await core.read_namespaced_pod_log("one", namespace, previous=True) == "before\n"


async def test_a_pod_of_the_edge_is_left_to_whoever_plays_the_kubelet(core: Any, namespace: str) -> None:
    body = pod("app:1")
    body["metadata"]["annotations"] = {"sandbox.local/kubelet": "edge"}
    await core.create_namespaced_pod(namespace, body)

    bound = await watches.first(core.list_namespaced_pod, lambda one: one.spec.node_name, namespace=namespace)

    assert bound.status.phase == "Pending"
    assert not bound.status.container_statuses


async def test_the_arc_agents_are_healthy_from_the_start(apps: Any) -> None:
    agents = await apps.list_namespaced_deployment("azure-arc")

    assert len(agents.items) == 11
    assert all(one.status.available_replicas == 1 for one in agents.items)
