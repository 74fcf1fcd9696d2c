"""The bot's identity under the custom roles of deploy/azure."""

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from tests.flows.worlds import Surroundings

ROLES = Path(__file__).parents[2] / "deploy" / "azure"


def grant(registry: Surroundings, *roles: str, but: Collection[str] = ()) -> None:
    """Give the bot's identity what these roles list, by default those to write with, and nothing else."""
    assert registry.box.azure
    principals = registry.box.azure.cloud.principals
    files = [
        json.loads((ROLES / f"{role}.json").read_text(encoding="utf-8")) for role in roles or ("writer", "subscription")
    ]
    actions = tuple(action for file in files for action in file["Actions"] if action not in but)
    client = registry.box.environment()["AZURE_CLIENT_ID"]
    principals[client] = replace(principals[client], actions=actions)
