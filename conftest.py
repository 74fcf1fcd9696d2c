"""What all tests share."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from sandbox.controlplane import assets
from sandbox.controlplane.part import RealKubePart
from sandbox.testing.clusters import BERLIN_AND_HAMBURG, RealClusters, opened

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> None:
    """Only what is wrong is worth reading beside a failed test."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    logging.getLogger("dbos").setLevel(logging.ERROR)
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)


@pytest.fixture
def every_log_line() -> Iterator[None]:
    """Even what only a developer reads is written, on standard output."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session")
def chromium_program() -> str:
    """Path of a Chromium; without one the browser tests are skipped, and say why."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install Debian's package chromium")
    return str(Path(found))


@pytest.fixture(scope="session")
def control_plane_programs() -> Path:
    """A real control plane's; where there are none, what needs them is skipped and says why."""
    try:
        return assets.found()
    except assets.AssetsMissingError as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def real_clusters(control_plane_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealClusters]:
    """Clusters with a real API server."""
    yield from opened(control_plane_programs, tmp_path_factory.mktemp("real-clusters"))


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line("markers", "on_real_clusters: the test also runs with a real control plane in its clusters")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that is marked so runs twice: with the stand-in's clusters, and with real ones."""
    if "clusters" in metafunc.fixturenames and metafunc.definition.get_closest_marker("on_real_clusters"):
        metafunc.parametrize("clusters", ["stand-in", "real"], indirect=True)


@pytest.fixture
def clusters(request: pytest.FixtureRequest) -> RealKubePart | None:
    """Real clusters as at the start, for tests that are marked so; None for the stand-in's."""
    if getattr(request, "param", "stand-in") == "stand-in":
        return None
    real: RealClusters = request.getfixturevalue("real_clusters")
    return real.fresh(BERLIN_AND_HAMBURG)
