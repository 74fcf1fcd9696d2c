"""Which workloads run images of a registry, by the addresses in their image references."""

from typing import Any

from kubernetes.aio import client

from sandbox.testing import watches
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.kubernetes import Workload


def containers(image: str) -> dict[str, Any]:
    return {"containers": [{"name": "app", "image": image}]}


async def pod(admin: Any, name: str, image: str) -> None:
    await admin.create_namespaced_pod("default", {"metadata": {"name": name}, "spec": containers(image)})


async def deployment(admin: Any, name: str, image: str) -> None:
    """With a Pod, which its ReplicaSet owns."""
    labels = {"app": name}
    template = {"metadata": {"labels": labels}, "spec": containers(image)}
    spec = {"replicas": 1, "selector": {"matchLabels": labels}, "template": template}
    body: Any = {"metadata": {"name": name}, "spec": spec}
    await client.AppsV1Api(admin.api_client).create_namespaced_deployment("default", body)
    await watches.first(
        admin.list_namespaced_pod, lambda one: one.metadata.name.startswith(f"{name}-"), namespace="default"
    )


async def test_pods_that_run_a_registrys_images_are_named_by_their_owner(berlin: KubernetesCluster, admin: Any) -> None:
    await deployment(admin, "shop", "10.96.0.30/shop:1")
    await pod(admin, "alone", "10.96.0.30:443/tools@sha256:" + "0" * 64)
    await pod(admin, "elsewhere", "mcr.microsoft.com/10.96.0.30/app:1")
    await pod(admin, "neighbour", "10.96.0.3/app:1")

    assert await berlin.workloads(["10.96.0.30", "fd00::1"]) == (
        Workload("default", "alone", ("10.96.0.30:443/tools@sha256:" + "0" * 64,)),
        Workload("default", "shop", ("10.96.0.30/shop:1",)),
    )


async def test_without_an_address_there_is_nothing_to_look_for(berlin: KubernetesCluster, admin: Any) -> None:
    await pod(admin, "alone", "docker.io/library/nginx:1")

    assert await berlin.workloads(["", ""]) == ()


async def test_an_identity_that_may_only_read_lacks_nothing_for_a_removal(reader: KubernetesCluster) -> None:
    assert await reader.missing_rights_to_remove() == ()
