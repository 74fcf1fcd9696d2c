"""Two clusters whose own Service ranges are small, served by the stand-in and by real API servers."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.clock import Clock
from sandbox.controlplane.api import Api
from sandbox.controlplane.part import RealKubePart
from sandbox.faults import Faults
from sandbox.kube import KubePart
from sandbox.speed import IMMEDIATE
from sandbox.testing.clusters import RealClusters
from sandbox.tls import Authority
from services.gateways.kubernetes import KubernetesGateway
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.codec import Codec
from services.operations.procedures import PROCEDURES
from services.store import Store, open_store
from tests.bots_account import open_admin

WIDE: dict[str, Any] = {
    "name": "wide",
    "version": "v1.37.2",
    "service_cidrs": ["10.96.0.0/28", "fd00:96::/124"],
    "arc": False,
}
SMALL: dict[str, Any] = WIDE | {"name": "small", "service_cidrs": ["10.96.0.0/27"]}
Served = KubePart | RealKubePart


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def stand_ins(authority: Authority, tmp_path: Path) -> AsyncIterator[KubePart]:
    world = {"clusters": [WIDE, SMALL]}
    part = KubePart(world, authority=authority, folder=tmp_path, clock=Clock(), speed=IMMEDIATE, faults=Faults())
    await part.start()
    yield part
    await part.stop()


@pytest.fixture(scope="module")
def real_clusters(control_plane_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealClusters]:
    """Clusters that end with the module: hundreds of ranges keep a control plane busy long after the test."""
    with RealClusters(control_plane_programs, tmp_path_factory.mktemp("real-clusters")) as clusters:
        yield clusters


@pytest.fixture
def real_wide(real_clusters: RealClusters) -> RealKubePart:
    return real_clusters.fresh([WIDE])


@pytest.fixture
def real_small(real_clusters: RealClusters) -> RealKubePart:
    return real_clusters.fresh([SMALL])


@pytest.fixture(params=["stand-in", "real"])
def server(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def wide_kubeconfig(request: pytest.FixtureRequest, server: str) -> Path:
    served: Served = request.getfixturevalue({"stand-in": "stand_ins", "real": "real_wide"}[server])
    return served.kubeconfig


@pytest.fixture
def small_kubeconfig(request: pytest.FixtureRequest, server: str) -> Path:
    served: Served = request.getfixturevalue({"stand-in": "stand_ins", "real": "real_small"}[server])
    return served.kubeconfig


@pytest.fixture
async def gateway() -> AsyncIterator[KubernetesGateway]:
    gateway = KubernetesGateway(deadline=100, environment={})  # 200 requests at once, on a busy machine
    yield gateway
    await gateway.close()


@pytest.fixture
async def wide(wide_kubeconfig: Path, gateway: KubernetesGateway) -> KubernetesCluster:
    """Ranges of both families; more can be added."""
    return await gateway.cluster(str(wide_kubeconfig), "wide")


@pytest.fixture
async def small(small_kubeconfig: Path, gateway: KubernetesGateway) -> KubernetesCluster:
    """Thirty addresses, two of which are in use."""
    return await gateway.cluster(str(small_kubeconfig), "small")


@pytest.fixture
async def wide_admin(wide_kubeconfig: Path) -> AsyncIterator[Api]:
    async with await open_admin(wide_kubeconfig, "wide") as admin:
        yield admin


@pytest.fixture
async def small_admin(small_kubeconfig: Path) -> AsyncIterator[Api]:
    async with await open_admin(small_kubeconfig, "small") as admin:
        yield admin


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await open_store(f"sqlite:///{tmp_path / 'bot.db'}", Codec(PROCEDURES.values))
    yield store
    await store.close()
