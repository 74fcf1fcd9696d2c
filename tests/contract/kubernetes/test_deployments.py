"""Workloads that the gateway makes in a cluster, and what it shows of them."""

import asyncio
import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from services.gateways.kubernetes import KubernetesGateway
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.azure import ClusterRef
from services.model.errors import Conflict, WrongCluster
from services.model.kubernetes import DeployedWorkload, PullSecret, WorkloadSpec
from services.model.secret import Secret

PASSWORD = "a-password-of-a-client-token"
SPEC = WorkloadSpec("default", "shop", "edge01", "nginx:1.25", 2, 8080, "regcred-shop-1")
SECRET = PullSecret("default", "regcred-shop-1", "shop", "edge01", "10.96.0.2", "edge01-shop", Secret(PASSWORD))


async def shown(cluster: KubernetesCluster, when: Callable[[DeployedWorkload | None], Any]) -> DeployedWorkload | None:
    """The workload, as soon as it is so."""
    async with asyncio.timeout(60):
        while True:
            workload = await cluster.workload("default", "shop")
            if when(workload):
                return workload
            await asyncio.sleep(0.05)


async def test_a_workload_is_made_and_shown_with_its_pods(berlin: KubernetesCluster) -> None:
    await berlin.put_pull_secret(SECRET)
    await berlin.put_workload(SPEC)
    workload = await shown(berlin, lambda one: one and len(one.pods) == 2 and all(pod.image_id for pod in one.pods))

    assert workload
    assert (workload.spec, workload.managed, workload.refusal) == (SPEC, True, "")
    assert {pod.state for pod in workload.pods} == {"running"}
    assert all("nginx@sha256:" in pod.image_id for pod in workload.pods)
    assert await berlin.workloads_of("edge01") == (workload,)
    assert await berlin.workloads_of("edge02") == ()


async def test_a_second_put_changes_what_is_there(berlin: KubernetesCluster) -> None:
    await berlin.put_workload(SPEC)
    changed = replace(SPEC, image="nginx:1.26", replicas=1, pull_secret="regcred-shop-2")
    await berlin.put_workload(changed)

    workload = await shown(berlin, lambda one: one and [pod.image for pod in one.pods] == ["nginx:1.26"])
    assert workload
    assert workload.spec == changed


async def test_what_one_manifest_had_set_goes_with_the_next_and_a_dry_run_changes_nothing(
    berlin: KubernetesCluster,
) -> None:
    container = {"name": "web", "env": [{"name": "LANGUAGE", "value": "de"}]}
    pod = {"containers": [container], "nodeSelector": {"kubernetes.io/os": "linux"}}
    first = replace(SPEC, port=None, manifest="one", pod=pod, labels={"app": "shop"})
    assert await berlin.try_workload(first) == ""
    assert await berlin.workload("default", "shop") is None

    await berlin.put_workload(first)
    taken = await berlin.workload("default", "shop")
    await berlin.switch_pull_secret("default", "shop", "regcred-shop-2")
    assert await berlin.try_workload(SPEC) == ""
    switched = await berlin.workload("default", "shop")
    await berlin.put_workload(SPEC)
    plain = await berlin.workload("default", "shop")

    assert taken
    assert switched
    assert plain
    assert (taken.spec.manifest, switched.spec.manifest, plain.spec.manifest) == ("one", "one", "")
    assert (switched.spec.pull_secret, plain.spec) == ("regcred-shop-2", SPEC)


async def test_what_the_api_server_has_against_a_workload_is_told_in_its_words(berlin: KubernetesCluster) -> None:
    assert "spec.replicas" in await berlin.try_workload(replace(SPEC, replicas=-1))


async def test_a_workload_is_gone_with_its_pods(berlin: KubernetesCluster) -> None:
    await berlin.put_workload(SPEC)
    workload = await shown(berlin, lambda one: one and one.pods)
    assert workload
    await berlin.delete_workload("default", "shop", workload.uid)
    await berlin.delete_workload("default", "shop", workload.uid)

    assert await shown(berlin, lambda one: one is None) is None


async def test_a_deployment_that_has_taken_the_place_of_the_one_meant_is_not_deleted(berlin: KubernetesCluster) -> None:
    await berlin.put_workload(SPEC)
    with pytest.raises(Conflict):
        await berlin.delete_workload("default", "shop", "the-uid-of-another")

    assert await berlin.workload("default", "shop")


async def test_a_pull_secret_is_what_kubectl_would_make(berlin: KubernetesCluster, admin: Any) -> None:
    await berlin.put_pull_secret(replace(SECRET, password=Secret("an older one")))
    await berlin.put_pull_secret(SECRET)
    secret = await admin.read_namespaced_secret("regcred-shop-1", "default")
    entry = json.loads(base64.b64decode(secret.data[".dockerconfigjson"]))["auths"]["10.96.0.2"]

    assert secret.type == "kubernetes.io/dockerconfigjson"
    assert secret.metadata.labels["registry-bot/connected-registry"] == "edge01"
    assert (entry["username"], entry["password"]) == ("edge01-shop", PASSWORD)
    assert base64.b64decode(entry["auth"]).decode() == f"edge01-shop:{PASSWORD}"


async def test_a_pull_secret_that_is_gone_is_no_mistake(berlin: KubernetesCluster) -> None:
    await berlin.put_pull_secret(SECRET)
    for _ in range(2):
        await berlin.delete_pull_secret("default", "regcred-shop-1")


async def test_nothing_is_written_into_a_cluster_that_does_not_say_which_it_is(
    part: Any, gateway: KubernetesGateway
) -> None:
    kubeconfig: Path = part.kubeconfig
    expected = ClusterRef("22222222-2222-4222-8222-222222222222", "edge-rg", "lyon-arc")
    lyon = await gateway.cluster(str(kubeconfig), "lyon", expected)

    for write in (
        lyon.put_workload(SPEC),
        lyon.delete_workload("default", "shop", "uid"),
        lyon.put_pull_secret(SECRET),
        lyon.delete_pull_secret("default", "regcred-shop-1"),
    ):
        with pytest.raises(WrongCluster):
            await write
