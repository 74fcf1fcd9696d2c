"""Clusters behind TLS, with rights in force, and the gateway that the product uses.

`berlin` is served by the stand-in and by a real API server; a test that breaks something on purpose (`part`, `faults`)
has the stand-in only.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client, config

from sandbox.clock import Clock
from sandbox.controlplane.part import RealKubePart
from sandbox.faults import Faults
from sandbox.kube import KubePart
from sandbox.speed import IMMEDIATE
from sandbox.testing.clusters import RealClusters
from sandbox.tls import Authority
from services.gateways.kubernetes import KubernetesGateway
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.azure import ClusterRef

NODES = [{"name": "n1", "arch": "amd64"}, {"name": "n2", "arch": "arm64"}]
ARC = ClusterRef("22222222-2222-4222-8222-222222222222", "edge-rg", "berlin-arc")
"""Which Arc-enabled cluster berlin is; lyon's agents don't say."""
WORLD: dict[str, Any] = {
    "azure": {
        "tenant": "11111111-1111-4111-8111-111111111111",
        "subscription": {"id": ARC.subscription},
        "connected_clusters": [{"name": ARC.name, "resource_group": ARC.resource_group, "kube": "berlin"}],
    },
    "kube": {
        "clusters": [
            {
                "name": "berlin",
                "version": "v1.37.2",
                "service_cidrs": ["10.96.0.0/24", "10.97.0.0/24"],
                "nodes": NODES,
                "storage_classes": [{"name": "standard", "default": True}, {"name": "slow"}],
            },
            {
                "name": "lyon",
                "version": "v1.29.9",
                "service_cidrs": ["10.128.0.0/20"],
                "nodes": NODES[1:],
                "storage_classes": [],
                "cert_manager": True,
            },
        ]
    },
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "served" in metafunc.fixturenames:
        alone = {"part", "faults"} & set(metafunc.fixturenames)
        metafunc.parametrize("served", ["stand-in"] if alone else ["stand-in", "real"], indirect=True)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
async def part(authority: Authority, tmp_path: Path, faults: Faults) -> AsyncIterator[KubePart]:
    part = KubePart(WORLD, authority=authority, folder=tmp_path, clock=Clock(), speed=IMMEDIATE, faults=faults)
    await part.start()
    yield part
    await part.stop()


@pytest.fixture
def real(real_clusters: RealClusters) -> Iterator[RealKubePart]:
    part = real_clusters.part(WORLD["kube"]["clusters"][:1])
    yield part
    real_clusters.run(part.reset("berlin"))


@pytest.fixture
def served(request: pytest.FixtureRequest) -> KubePart | RealKubePart:
    """What serves the clusters."""
    found: KubePart | RealKubePart = request.getfixturevalue({"stand-in": "part"}.get(request.param, request.param))
    return found


@pytest.fixture
def kubeconfig(served: KubePart | RealKubePart) -> Path:
    return served.kubeconfig


@pytest.fixture
async def gateway() -> AsyncIterator[KubernetesGateway]:
    gateway = KubernetesGateway(deadline=5, environment={})
    yield gateway
    await gateway.close()


@pytest.fixture
async def berlin(kubeconfig: Path, gateway: KubernetesGateway) -> KubernetesCluster:
    """By the identity with a deployment's rights."""
    return await gateway.cluster(str(kubeconfig), "berlin")


@pytest.fixture
async def reader(kubeconfig: Path, gateway: KubernetesGateway) -> KubernetesCluster:
    """By an identity that may look and do nothing."""
    return await gateway.cluster(str(kubeconfig), "berlin-reader")


@pytest.fixture
async def lyon(part: KubePart, gateway: KubernetesGateway) -> KubernetesCluster:
    """A cluster older than ServiceCIDR and IPAddress objects."""
    return await gateway.cluster(str(part.kubeconfig), "lyon")


@pytest.fixture
async def admin(kubeconfig: Path) -> AsyncIterator[Any]:
    """The official client with every right, for what others do in the cluster."""
    api = await config.new_client_from_config(str(kubeconfig), "berlin-admin", persist_config=False)  # type: ignore[no-untyped-call]
    yield client.CoreV1Api(api)
    await api.close()


@pytest.fixture
async def lyon_apps(part: KubePart) -> AsyncIterator[Any]:
    """Its Deployments, with every right."""
    api = await config.new_client_from_config(str(part.kubeconfig), "lyon-admin", persist_config=False)  # type: ignore[no-untyped-call]
    yield client.AppsV1Api(api)
    await api.close()
