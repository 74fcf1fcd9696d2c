"""Under the custom roles of deploy/azure the bot does all that it can do, and a right that is missing is named."""

from inline_snapshot import snapshot

from tests.flows.azure_roles import grant
from tests.flows.conversation import Conversation

DEACTIVATE = "Microsoft.ContainerRegistry/registries/connectedRegistries/deactivate/action"
PASSWORDS = "Microsoft.ContainerRegistry/registries/generateCredentials/action"
DELETE = "Microsoft.ContainerRegistry/registries/tokens/delete"
NOT_NEEDED_HERE = {
    "Microsoft.ContainerRegistry/checkNameAvailability/read",
    "Microsoft.ContainerRegistry/register/action",
    "Microsoft.ContainerRegistry/registries/operationStatuses/read",
    "Microsoft.ContainerRegistry/registries/metadata/read",
    "Microsoft.ContainerRegistry/registries/pull/read",
}
"""The registry exists, the subscription has the provider registered, these writes are done at once, and images are not read by ARM."""


async def test_the_listed_actions_are_what_the_bot_uses_and_no_more(registry: Conversation) -> None:
    grant(registry)
    await registry.say("deploy edge01 --site berlin")
    await registry.say("workload deploy edge01 --site berlin --image hello-world", quiet=False)
    await registry.running("client_token.synced")
    await registry.post("/sandbox/clock", turn=60)
    await registry.quiet()
    await registry.say("workload delete hello-world --site berlin")
    await registry.say("permissions remove edge01 hello-world --site berlin", quiet=False)
    await registry.running("permissions.synced")
    await registry.post("/sandbox/clock", turn=60)
    await registry.quiet()
    await registry.say("deactivate edge01 --site berlin")
    await registry.say("remove edge01 --site berlin --confirm edge01")
    used = {one["action"] for one in (await registry.get("/sandbox/azure/requests"))["requests"]}
    assert registry.box.azure
    listed = set(registry.box.azure.cloud.principals[registry.box.environment()["AZURE_CLIENT_ID"]].actions)

    operations = await registry.bot.store.operations.find()
    assert {one.kind: one.state for one in operations} == dict.fromkeys(
        ("deploy", "workload deploy", "workload delete", "permissions", "deactivate", "remove"), "succeeded"
    )
    assert listed - used == NOT_NEEDED_HERE


async def test_the_rights_that_a_removal_lacks_are_named_before_anything_is_deleted(registry: Conversation) -> None:
    grant(registry)
    await registry.say("deploy edge01 --site berlin")
    grant(registry, but={DELETE})
    await registry.say("remove edge01 --site berlin --confirm edge01")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  The bot's Azure identity lacks rights at `contosoacr`: `Microsoft.ContainerRegistry/registries/tokens/delete`.
  Whoever runs the bot has to update its custom role: `deploy/azure/writer.json` lists them.\
""")
    assert await registry.requests("DELETE .*") == []


async def test_the_right_to_deactivate_is_named_where_it_is_missing(registry: Conversation) -> None:
    grant(registry, but={DEACTIVATE})
    await registry.say("deploy edge01 --site berlin")
    await registry.say("deactivate edge01 --site berlin")

    assert DEACTIVATE in await registry.card_of("berlin")


async def test_an_extension_is_not_deleted_where_a_right_to_install_it_again_is_missing(registry: Conversation) -> None:
    grant(registry)
    await registry.say("deploy edge01 --site berlin")
    grant(registry, but={DEACTIVATE, PASSWORDS})
    await registry.say("extension reinstall edge01 --site berlin")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  The bot's Azure identity lacks rights at `contosoacr`: `Microsoft.ContainerRegistry/registries/connectedRegistries/deactivate/action` and `Microsoft.ContainerRegistry/registries/generateCredentials/action`.
  Whoever runs the bot has to update its custom role: `deploy/azure/writer.json` lists them.\
""")
    assert await registry.requests("DELETE .*") == []
