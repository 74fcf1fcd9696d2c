"""The roles in deploy/azure give exactly the rights that the code names."""

import json
from pathlib import Path

import pytest

from services.gateways.azure import rights

ROLES = Path(__file__).parents[3] / "deploy" / "azure"
READING = {*rights.READING_AT_ACR, *rights.READING_AT_CLUSTER, *rights.PULLING}
DEPLOYING = {*rights.DEPLOYING_AT_ACR, *rights.DEPLOYING_AT_CLUSTER, *rights.ASKING, *rights.ASKING_FOR_LOCKS}


@pytest.mark.parametrize(("role", "actions"), [("reader", READING), ("writer", READING | DEPLOYING)])
def test_a_role_gives_what_the_code_names(role: str, actions: set[str]) -> None:
    content = json.loads((ROLES / f"{role}.json").read_text(encoding="utf-8"))

    assert set(content["Actions"]) == actions
