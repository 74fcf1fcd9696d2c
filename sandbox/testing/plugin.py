"""Fixtures for pytest: real clusters, their programs, and a browser. What this machine lacks skips the test.

A `conftest.py` at the root of the tests takes it with `pytest_plugins = ["sandbox.testing.plugin"]`.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from sandbox.controlplane import assets
from sandbox.controlplane.part import RealKubePart
from sandbox.testing.browser import ARGUMENTS, PATIENCE, find_chromium
from sandbox.testing.clusters import BERLIN_AND_HAMBURG, RealClusters


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker `on_real_clusters`."""
    config.addinivalue_line("markers", "on_real_clusters: the test also runs with a real control plane in its clusters")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test with the marker twice: with the stand-in's clusters, and with real ones."""
    if "clusters" in metafunc.fixturenames and metafunc.definition.get_closest_marker("on_real_clusters"):
        metafunc.parametrize("clusters", ["stand-in", "real"], indirect=True)


@pytest.fixture(scope="session")
def chromium_program() -> str:
    """Path of a Chromium."""
    program = find_chromium()
    if program is None:
        pytest.skip("no Chromium on this machine: install Debian's package chromium")
    return program


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chromium(chromium_program: str) -> AsyncIterator[Browser]:
    """A browser for the tests of a module, in the module's event loop: `pytest.mark.asyncio(loop_scope="module")`."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_program, args=ARGUMENTS)
        expect.set_options(timeout=PATIENCE)
        yield browser
        await browser.close()


@pytest.fixture(scope="session")
def control_plane_programs() -> Path:
    """Folder with etcd, kube-apiserver and kube-controller-manager."""
    try:
        return assets.locate()
    except assets.AssetsMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def real_clusters(control_plane_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealClusters]:
    """Clusters with a real API server, which all tests of the session share."""
    with RealClusters(control_plane_programs, tmp_path_factory.mktemp("real-clusters")) as clusters:
        yield clusters


@pytest.fixture
def clusters(request: pytest.FixtureRequest) -> RealKubePart | None:
    """What a `Sandbox` takes as its control plane: real clusters, reset; or None, for the stand-in's clusters."""
    if getattr(request, "param", "stand-in") == "stand-in":
        return None
    real: RealClusters = request.getfixturevalue("real_clusters")
    return real.fresh(BERLIN_AND_HAMBURG)
