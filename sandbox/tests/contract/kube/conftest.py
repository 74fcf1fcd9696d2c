"""A cluster with version 1.37 and the range 10.96.0.0/16, and clients for it.

`kubeconfig` is the only fixture that knows what serves it: the stand-in, and a real API server. Its contexts are
`berlin-admin` (everything), `berlin` (the rights of `sandbox.kube.rights` for user `bot`) and `berlin-reader`. A test
that pulls the stand-in's own levers has only that.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kubernetes.aio import client, config

from sandbox.clock import Clock
from sandbox.controlplane.part import RealKubePart
from sandbox.faults import Faults
from sandbox.kube import KubePart
from sandbox.speed import IMMEDIATE
from sandbox.testing.clusters import BERLIN_AND_HAMBURG, RealClusters
from sandbox.testing.watches import PATIENCE, first
from sandbox.tls import Authority

WORLD: dict[str, Any] = {
    "kube": {
        "clusters": [
            {
                "name": "berlin",
                "version": "v1.37.2",
                "service_cidrs": ["10.96.0.0/16"],
                "nodes": [{"name": "berlin-1", "arch": "amd64"}],
                "storage_classes": [{"name": "standard", "default": True}],
            }
        ]
    }
}
OWN_LEVERS = "test_sandbox_control"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "served" in metafunc.fixturenames:
        alone = "part" in metafunc.fixturenames or metafunc.module.__name__.endswith(OWN_LEVERS)
        metafunc.parametrize("served", ["stand-in"] if alone else ["stand-in", "real"], indirect=True)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def part(authority: Authority, tmp_path: Path) -> AsyncIterator[KubePart]:
    part = KubePart(WORLD, authority=authority, folder=tmp_path, clock=Clock(), speed=IMMEDIATE, faults=Faults())
    await part.start()
    yield part
    await part.stop()


@pytest.fixture
def real(real_clusters: RealClusters) -> Iterator[RealKubePart]:
    part = real_clusters.part(BERLIN_AND_HAMBURG)
    yield part
    real_clusters.run(part.release("berlin"))


@pytest.fixture
def served(request: pytest.FixtureRequest) -> KubePart | RealKubePart:
    part: KubePart | RealKubePart = request.getfixturevalue({"stand-in": "part"}.get(request.param, request.param))
    return part


@pytest.fixture
def kubeconfig(served: KubePart | RealKubePart) -> Path:
    return served.kubeconfig


@pytest.fixture
def forget(served: KubePart | RealKubePart) -> Callable[[], Awaitable[None]]:
    """Lets the cluster forget former versions, as an API server does in time."""
    return lambda: served.forget("berlin")


Connect = Callable[[str], Awaitable[Any]]


@pytest.fixture
async def connect(kubeconfig: Path) -> AsyncIterator[Connect]:
    """Opens a client for a context."""
    opened = []

    async def open_client(context: str) -> Any:
        load: Any = config.new_client_from_config
        opened.append(await load(str(kubeconfig), context))
        return opened[-1]

    yield open_client
    for connection in opened:
        await connection.close()


@pytest.fixture
async def admin(connect: Connect) -> Any:
    return await connect("berlin-admin")


@pytest.fixture
async def bot(connect: Connect) -> Any:
    return await connect("berlin")


@pytest.fixture
async def reader(connect: Connect) -> Any:
    return await connect("berlin-reader")


@pytest.fixture
def core(admin: Any) -> Any:
    return api(client.CoreV1Api, admin)


@pytest.fixture
def apps(admin: Any) -> Any:
    return api(client.AppsV1Api, admin)


@pytest.fixture
def networking(admin: Any) -> Any:
    return api(client.NetworkingV1Api, admin)


@pytest.fixture
async def namespace(core: Any) -> str:
    """A namespace of the test's own, with its service account."""
    created = await core.create_namespace({"metadata": {"generateName": "test-"}})
    name = created.metadata.name
    await first(core.list_namespaced_service_account, lambda one: one.metadata.name == "default", namespace=name)
    return str(name)


def api(kind: Any, connection: Any) -> Any:
    """A part of the client; its type hints know models only, though it takes plain dictionaries as well."""
    return kind(connection)


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Return when the condition holds; for what an API server knows only a moment later."""
    async with asyncio.timeout(PATIENCE):
        while not await condition():
            await asyncio.sleep(0.02)
