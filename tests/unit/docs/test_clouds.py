"""docs/connect.md has the endpoints of each cloud, as the bot and the sandbox have them."""

import re
from pathlib import Path

import pytest

from sandbox.azure.environments import ENVIRONMENTS
from services.gateways.azure.clouds import CLOUDS, cloud

PAGE = (Path(__file__).parents[3] / "docs" / "connect.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("**Other clouds**")[2].partition("\n## ")[0]
ROWS = {cells[0]: cells[1:] for line in SECTION.splitlines() if len(cells := re.findall(r"`([^`]+)`", line)) == 7}


def test_every_cloud_has_a_row() -> None:
    assert ROWS.keys() == CLOUDS.keys() == ENVIRONMENTS.keys()


@pytest.mark.parametrize("name", CLOUDS)
def test_a_row_says_what_the_bot_asks_and_what_the_sandbox_answers(name: str) -> None:
    title, sign_in, manager, audience, login_server, data_endpoint = ROWS[name]
    own, environment = CLOUDS[name], ENVIRONMENTS[name]

    assert cloud(title) == own
    assert environment.title == title
    assert (own.authority, own.resource_manager) == (f"https://{sign_in}", f"https://{manager}")
    assert own.scope == f"{audience}/.default"
    assert audience in environment.audiences
    assert login_server == f"NAME.{environment.suffix}"
    assert data_endpoint == f"NAME.REGION.data.{environment.suffix}"
