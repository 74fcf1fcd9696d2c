"""What the tests of the product share."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.log_lines import collect, only_trouble


@pytest.fixture(autouse=True, scope="session")
def _quiet() -> None:
    """Only what is wrong is worth reading beside a failed test."""
    structlog.configure(
        processors=[collect, only_trouble, *structlog.get_config()["processors"]],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
    )
    logging.getLogger("dbos").setLevel(logging.ERROR)
    logging.getLogger("slack_bolt").setLevel(logging.ERROR)


@pytest.fixture
def every_log_line() -> Iterator[None]:
    """Even what only a developer reads is written, on standard output."""
    before = structlog.get_config()
    structlog.configure(processors=[one for one in before["processors"] if one is not only_trouble])
    yield
    structlog.configure(**before)
