"""Deploying a connected registry, as a conversation."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.flows.conversation import Conversation

pytestmark = pytest.mark.on_real_clusters


async def test_a_development_site_needs_nobodys_approval(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
bot    Deploy edge01 to berlin: online\
""")


async def test_production_waits_for_a_second_person(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="alice")
    await registry.click("Approve", as_="bob")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site hamburg
bot    Deploy edge01 to hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
alice  [Approve]
bot    (only alice) You requested this, so somebody else has to approve it (rule *production needs a second person*).
bob    [Approve]
bot    Deploy edge01 to hamburg: online, approved by bob\
""")


async def test_everything_that_the_procedure_makes_is_there_afterwards(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg")
    await registry.click("Approve", as_="bob")

    registry_, cluster = _made(await registry.azure(), "hamburg-arc")
    assert registry_ == snapshot(
        {
            "name": "contosoacr",
            "resourceGroup": "edge-rg",
            "location": "westeurope",
            "sku": "Premium",
            "state": "Succeeded",
            "dataEndpointEnabled": True,
            "images": ["hello-world:latest"],
            "scopeMaps": {
                "edge01": [
                    "gateway/edge01/config/read",
                    "gateway/edge01/config/write",
                    "gateway/edge01/message/read",
                    "gateway/edge01/message/write",
                    "repositories/hello-world/content/read",
                    "repositories/hello-world/metadata/read",
                ]
            },
            "tokens": [{"name": "edge01", "scopeMap": "edge01", "status": "enabled", "passwords": {"password1": None}}],
            "connectedRegistries": [
                {
                    "name": "edge01",
                    "mode": "ReadOnly",
                    "state": "Succeeded",
                    "connectionState": "Online",
                    "activation": "Active",
                    "syncToken": "edge01",
                    "statusDetails": [],
                    "version": "0.11.0",
                }
            ],
        }
    )
    assert cluster == snapshot(
        {
            "name": "hamburg-arc",
            "resourceGroup": "edge-rg",
            "kube": "hamburg",
            "connectivityStatus": "Connected",
            "extensions": [
                {
                    "name": "edge01",
                    "extensionType": "microsoft.containerregistry.connectedregistry",
                    "generation": 1,
                    "state": "Succeeded",
                    "error": None,
                    "settings": {
                        "pvc.storageRequest": "250Gi",
                        "cert-manager.install": "false",
                        "service.clusterIP": "10.112.0.2",
                    },
                    "protectedSettings": ["connectionString"],
                }
            ],
            "leaving": [],
        }
    )


async def test_a_dry_run_writes_nothing(registry: Conversation) -> None:
    before = await registry.azure()
    await registry.say("deploy edge01 --site berlin --dry-run")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin --dry-run
bot    (only alice) Deploy edge01 to berlin: dry run\
""")
    assert _without_times(await registry.azure()) == _without_times(before)


async def test_the_same_deployment_again_changes_nothing(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    before = await registry.azure()
    await registry.say("deploy edge01 --site berlin")

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin
bot    Deploy edge01 to berlin: online
alice  /registry deploy edge01 --site berlin
bot    Deploy edge01 to berlin: online\
""")
    assert _made(await registry.azure(), "berlin-arc") == _made(before, "berlin-arc")


async def test_typed_bare_it_is_a_form_whose_slips_are_told_beside_the_field(registry: Conversation) -> None:
    await registry.say("deploy --site berlin")
    slip = await registry.fill(name="Edge-1")
    await registry.fill(name="edge01")

    assert slip["errors"] == snapshot(
        {
            "name": "Edge-1 can't be the name of a connected registry. Use 5 to 40 lowercase letters and digits, beginning with a letter."
        }
    )
    assert await registry.transcript() == snapshot("""\
alice  /registry deploy --site berlin
alice  (form) name=Edge-1
alice  (form) name=edge01
bot    Deploy edge01 to berlin: online\
""")


def _made(state: dict[str, Any], arc: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The cloud registry and the cluster, without what differs from run to run."""
    registry = next(one for one in state["registries"] if one["name"] == "contosoacr")
    cluster = next(one for one in state["clusters"] if one["name"] == arc)
    return _without_times(registry), _without_times(cluster)


CHANCE = {"lastSyncTime", "lastActivityTime", "lastConnectivityTime", "instance", "loginServer", "throttle"}


def _without_times(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_times(item) for key, item in value.items() if key not in CHANCE}
    return [_without_times(item) for item in value] if isinstance(value, list) else value
