"""What all tests share."""

import logging
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from sandbox.controlplane import assets
from tests.real_clusters import RealClusters, clusters

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> None:
    """Only what is wrong is worth reading beside a failed test."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    logging.getLogger("dbos").setLevel(logging.ERROR)
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)


@pytest.fixture(scope="session")
def chromium_program() -> str:
    """Path of a Chromium; without one the browser tests are skipped, and say why."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium on this machine: install Debian's package chromium")
    return str(Path(found))


@pytest.fixture(scope="session")
def real_clusters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealClusters]:
    """Clusters with a real API server; where there is none, what needs it is skipped and says why."""
    try:
        programs = assets.found()
    except assets.AssetsMissingError as missing:
        pytest.skip(str(missing))
    yield from clusters(programs, tmp_path_factory.mktemp("real-clusters"))
