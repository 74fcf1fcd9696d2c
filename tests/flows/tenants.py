"""A world with two tenants: a central registry in one, the plants' clusters in the other."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

import sandbox

PLANTS_TENANT = "55555555-5555-4555-8555-555555555555"
PLANTS_SUBSCRIPTION = "66666666-6666-4666-8666-666666666666"
PLANTS_CLIENT = "77777777-7777-4777-8777-777777777777"
PLANTS_SECRET = "plants-client-secret"


def two_tenants() -> dict[str, Any]:
    """The default world, in which berlin-arc belongs to another tenant, in a subscription of its own."""
    world: dict[str, Any] = deepcopy(
        yaml.safe_load((Path(sandbox.__file__).parent / "world.yaml").read_text(encoding="utf-8"))
    )
    azure = world["azure"]
    berlin = next(one for one in azure["connected_clusters"] if one["name"] == "berlin-arc")
    azure["connected_clusters"].remove(berlin)
    azure["neighbours"] = [
        {
            "tenant": PLANTS_TENANT,
            "subscription": {"id": PLANTS_SUBSCRIPTION, "name": "Plants"},
            "principals": [{"client_id": PLANTS_CLIENT, "client_secret": PLANTS_SECRET, "name": "plants-bot"}],
            "resource_groups": [{"name": "plants-rg", "location": "westeurope"}],
            "providers": azure.get("providers", {}),
            "registries": [],
            "connected_clusters": [berlin | {"resource_group": "plants-rg", "agent_key": "plants-agent-key"}],
        }
    ]
    return world
