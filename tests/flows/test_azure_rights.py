"""Under the custom roles of deploy/azure the bot does all that it can do, and a right that is missing is named."""

import json
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

from tests.flows.conversation import Conversation

ROLES = Path(__file__).parents[2] / "deploy" / "azure"
DEACTIVATE = "Microsoft.ContainerRegistry/registries/connectedRegistries/deactivate/action"


def grant(registry: Conversation, *, but: Collection[str] = ()) -> None:
    """Give the bot's identity what the writer's and the subscription's role list, and nothing else."""
    assert registry.box.azure
    principals = registry.box.azure.cloud.principals
    roles = [json.loads((ROLES / f"{name}.json").read_text(encoding="utf-8")) for name in ("writer", "subscription")]
    actions = tuple(action for role in roles for action in role["Actions"] if action not in but)
    client = registry.box.environment()["AZURE_CLIENT_ID"]
    principals[client] = replace(principals[client], actions=actions)


async def test_the_listed_actions_are_enough_for_all_that_the_bot_does(registry: Conversation) -> None:
    grant(registry)
    await registry.say("deploy edge01 --site berlin")
    await registry.say("workload deploy edge01 --site berlin --image hello-world", quiet=False)
    await registry.running("client_token.synced")
    await registry.post("/sandbox/clock", turn=60)
    await registry.quiet()
    await registry.say("workload delete hello-world --site berlin")
    await registry.say("deactivate edge01 --site berlin")

    operations = await registry.bot.store.operations.find()
    assert {one.kind: one.state for one in operations} == dict.fromkeys(
        ("deploy", "workload deploy", "workload delete", "deactivate"), "succeeded"
    )


async def test_the_right_to_deactivate_is_named_where_it_is_missing(registry: Conversation) -> None:
    grant(registry, but={DEACTIVATE})
    await registry.say("deploy edge01 --site berlin")
    await registry.say("deactivate edge01 --site berlin")

    assert DEACTIVATE in await registry.card_of("berlin")
