"""What the gateway reads of a cluster."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from sandbox.faults import Fault, Faults
from sandbox.kube import KubePart
from services.gateways.kubernetes import KubernetesGateway
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.kubernetes import Node, StorageClass


async def test_the_version_is_the_api_servers(berlin: KubernetesCluster) -> None:
    assert await berlin.version() == "v1.37.2"


async def test_nodes_come_with_platform_readiness_and_labels(berlin: KubernetesCluster) -> None:
    nodes = await berlin.nodes()

    assert [replace(node, labels={}) for node in nodes] == [
        Node("n1", "linux", "amd64", True),
        Node("n2", "linux", "arm64", True),
    ]
    assert [node.labels["kubernetes.io/hostname"] for node in nodes] == ["n1", "n2"]


async def test_storage_classes_tell_which_one_is_the_default(berlin: KubernetesCluster) -> None:
    assert set(await berlin.storage_classes()) == {StorageClass("standard", True), StorageClass("slow", False)}


async def test_a_namespace_that_is_not_there_has_no_phase(berlin: KubernetesCluster) -> None:
    assert await berlin.namespace_phase("connected-registry") == ""


async def test_a_namespace_tells_its_phase(berlin: KubernetesCluster) -> None:
    assert await berlin.namespace_phase("default") == "Active"


async def test_cert_manager_is_seen_by_its_crds(lyon: KubernetesCluster) -> None:
    assert await lyon.has_cert_manager()


async def test_a_cluster_without_cert_manager_is_told_so(berlin: KubernetesCluster) -> None:
    assert not await berlin.has_cert_manager()
    assert not await berlin.runs_cert_manager()


async def test_cert_manager_runs_under_whatever_name_or_not_at_all(lyon: KubernetesCluster, lyon_apps: Any) -> None:
    deployments = (await lyon_apps.list_namespaced_deployment("cert-manager")).items
    named = [one for one in deployments if one.metadata.labels["app.kubernetes.io/name"] == "cert-manager"]
    for controllers in (named, [one for one in deployments if one not in named]):
        assert await lyon.runs_cert_manager()
        for one in controllers:
            await lyon_apps.delete_namespaced_deployment(one.metadata.name, "cert-manager")

    assert await lyon.has_cert_manager()
    assert not await lyon.runs_cert_manager()


async def test_an_identity_with_all_rights_lacks_none(berlin: KubernetesCluster) -> None:
    assert await berlin.missing_rights("default") == ()


async def test_rights_that_an_identity_lacks_are_named(reader: KubernetesCluster) -> None:
    assert await reader.missing_rights("default") == ("create services in default", "delete services in default")


async def test_a_long_list_comes_page_by_page(kubeconfig: Path) -> None:
    gateway = KubernetesGateway(page=1, environment={})
    nodes = await (await gateway.cluster(str(kubeconfig), "berlin")).nodes()
    await gateway.close()

    assert [node.name for node in nodes] == ["n1", "n2"]


async def test_a_list_that_the_server_lost_its_place_in_is_read_in_one_piece(part: KubePart, faults: Faults) -> None:
    gateway = KubernetesGateway(page=1, environment={})
    faults.add(Fault("kube", "nodes.*continue=", status=410, code="Expired"))
    nodes = await (await gateway.cluster(str(part.kubeconfig), "berlin")).nodes()
    await gateway.close()

    assert [node.name for node in nodes] == ["n1", "n2"]
