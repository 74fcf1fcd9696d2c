"""A site whose Azure and cluster are both there, and both gateways."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from sandbox.clock import Clock
from sandbox.faults import Faults
from sandbox.kube import KubePart
from sandbox.speed import IMMEDIATE
from sandbox.tls import Authority
from services.gateways.azure import Connection, Deadlines, Identity, Options, cloud, open_azure
from services.gateways.kubernetes import KubernetesGateway
from services.model.secret import Secret
from services.policy.sites import Site
from tests.contract.azure.sandboxed import WORLD, Sandboxed

SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys")


@pytest.fixture
async def arm(keys: Path) -> AsyncIterator[Sandboxed]:
    server = Sandboxed(keys)
    await server.start()
    yield server
    await server.stop()


@pytest.fixture
async def connection(arm: Sandboxed) -> AsyncIterator[Connection]:
    options = Options(
        cloud=cloud("public", authority=arm.url, resource_manager=arm.url),
        identity=Identity(
            "secret",
            "11111111-1111-4111-8111-111111111111",
            "33333333-3333-4333-8333-333333333333",
            Secret("sandbox-client-secret"),
        ),
        ca_file=arm.ca_file,
        deadlines=Deadlines(read=5, write=5),
        password_interval=0.01,
    )
    async with await open_azure(options) as opened:
        yield opened


@pytest.fixture
async def clusters(keys: Path, tmp_path: Path) -> AsyncIterator[KubePart]:
    world = yaml.safe_load(WORLD.read_text())
    part = KubePart(world, authority=Authority(keys), folder=tmp_path, clock=Clock(), speed=IMMEDIATE, faults=Faults())
    await part.start()
    yield part
    await part.stop()


@pytest.fixture
async def kubernetes() -> AsyncIterator[KubernetesGateway]:
    gateway = KubernetesGateway(deadline=5, environment={})
    yield gateway
    await gateway.close()


@pytest.fixture
def berlin(clusters: KubePart) -> Site:
    return site("berlin", str(clusters.kubeconfig))


def site(name: str, kubeconfig: str, **changes: object) -> Site:
    """A site of the sandbox's world."""
    values = {
        "name": name,
        "environment": "development",
        "subscription": SUBSCRIPTION,
        "resource_group": "edge-rg",
        "acr": {"name": "contosoacr"},
        "cluster": {"name": f"{name}-arc", "kubernetes": {"kubeconfig": kubeconfig, "context": name}},
        "sync": {"repositories": ["hello-world"]},
        "images": {"hello-world": "mcr.microsoft.com/hello-world:latest"},
    }
    return Site.model_validate(values | changes)
