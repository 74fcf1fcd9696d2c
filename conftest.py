"""What the tests of the product and those of the sandbox share."""

import os
import re
from collections.abc import Iterator

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

from sandbox.testing import loopback

pytest_plugins = ["sandbox.testing.plugin"]

loopback.install()
# So no test meets a public certificate authority; to read all of them takes OpenSSL 40 ms for each TLS context.
os.environ["SSL_CERT_FILE"] = os.devnull


@pytest.fixture(autouse=True)
def _stays_on_this_machine() -> Iterator[None]:
    yield
    refused = ", ".join(loopback.REFUSED)
    loopback.REFUSED.clear()
    if refused:
        pytest.fail(f"The test tried to {refused}: tests use the loopback interface only.")


class Distribution(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Gives one worker all tests on real clusters, which then start once, and each other file to any worker."""

    def _split_scope(self, nodeid: str) -> str:
        scope: str = super()._split_scope(nodeid)
        return "real clusters" if re.search(r"[\[-]real[\]-]", nodeid) else scope


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Distribution | None:
    """Hand out the tests so under `--dist loadfile`."""
    return Distribution(config, log) if config.getoption("dist") == "loadfile" else None
