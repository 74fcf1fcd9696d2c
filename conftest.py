"""What the tests of the product and those of the sandbox share."""

import os
from collections.abc import Iterator

import pytest

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
