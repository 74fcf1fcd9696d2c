"""What a connected registry may sync, and the tokens that it syncs by and clients sign in with."""

from datetime import timedelta
from typing import Any

from inline_snapshot import snapshot

from sandbox.azure.cloud import ConnectedRegistry, Origin, Password, ScopeMap, Token
from tests.flows.azure_roles import grant
from tests.flows.conversation import Conversation

TOKENS_READ = "Microsoft.ContainerRegistry/registries/tokens/read"


def cloud(registry: Conversation) -> Any:
    """The cloud registry inside the sandbox, for what people do to it without the bot."""
    assert registry.box.azure
    return next(one for one in registry.box.azure.cloud.registries.values() if one.name == "contosoacr")


def below_a_plant_without_rights(registry: Conversation) -> None:
    """Put edge01 below a connected registry that may read nothing for it, and give it client tokens."""
    acr, now, origin = cloud(registry), registry.box.clock.now(), Origin.now("somebody", registry.box.clock.now())
    gateways = [f"gateway/plant/{verb}" for verb in ("config/read", "config/write", "message/read", "message/write")]
    acr.scope_maps["plant"] = ScopeMap("plant", [*gateways, "repositories/hello-world/metadata/read"], now, origin)
    acr.tokens["plant"] = Token("plant", "plant", now, origin)
    acr.connected["plant"] = ConnectedRegistry("plant", "ReadWrite", "plant", origin)
    acr.connected["edge01"].parent = "plant"
    for name, days in (("till", 12), ("scanner", -1), ("edge01-old", 400)):
        acr.tokens[name] = Token(name, "_repositories_pull", now, origin)
        password, _ = Password.mint("password1", now, now + timedelta(days=days, hours=1))
        acr.tokens[name].passwords["password1"] = password
    acr.tokens["scanner"].status = "disabled"
    at_acr = registry.bot.services.sites["berlin"].acr_ref.id
    acr.connected["edge01"].client_tokens = [f"{at_acr}/tokens/{name}" for name in ("till", "scanner", "gone")]


async def test_permissions_and_tokens_are_shown(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("permissions show edge01", as_="dave")
    alone = await registry.answer("dave")
    below_a_plant_without_rights(registry)
    await registry.say("permissions show edge01 --site berlin", as_="dave")
    below = await registry.answer("dave")
    await registry.say("token list edge01", as_="dave")

    assert (alone, below, await registry.answer("dave")) == snapshot(
        (
            """\
Registry (only you): :white_check_mark:  *edge01* at *berlin* may sync 1 repository: 6 of at most 500 permissions.
  *edge01* (ReadOnly): sync token `edge01`, scope map `edge01`, 6 of at most 500 permissions
  *Permissions*
  Repository or gateway | edge01
  hello-world | content/read, metadata/read
  gateway edge01 | config/read, config/write, message/read, message/write\
""",
            """\
Registry (only you): :warning:  *edge01* at *berlin* may sync 1 repository: 6 of at most 500 permissions.
  :warning:  The scope map `plant` of *plant* lacks 5 permissions that *edge01* needs: `gateway/edge01/config/read`, `gateway/edge01/config/write`, `gateway/edge01/message/read`, `gateway/edge01/message/write` and `repositories/hello-world/content/read`. To add them:
  az acr scope-map update --name plant --registry contosoacr --resource-group edge-rg --subscription ID --add-gateway edge01 config/read config/write message/read message/write --add-repository hello-world content/read
  `/registry permissions add edge01 hello-world --site berlin` gives those above the rights on these repositories, with a plan.
  *edge01* (ReadOnly): sync token `edge01`, scope map `edge01`, 6 of at most 500 permissions
  *plant* above it (ReadWrite): sync token `plant`, scope map `plant`, 5 of at most 500 permissions
  *Permissions*
  Repository or gateway | edge01 | plant (above)
  hello-world | content/read, metadata/read | metadata/read; lacks content/read
  gateway edge01 | config/read, config/write, message/read, message/write | lacks config/read, config/write, message/read, message/write\
""",
            """\
Registry (only you): :warning:  *edge01* at *berlin* has 5 tokens: 1 deleted, 1 disabled and 1 with a password that expires soon
  Token | Use | Status | Scope map | Password 1 | Password 2 | Linked
  gone | client | does not exist any more | – | – | – | yes
  scanner | client | disabled | _repositories_pull | created TIME, expired TIME | none | yes
  till | client | enabled | _repositories_pull | created TIME, expires in 12 days | none | yes
  edge01 | sync | enabled | edge01 | created TIME, never expires | none | as sync token
  edge01-old | none | enabled | _repositories_pull | created TIME, expires in 400 days | none | no
  Linked tokens are those with which clients sign in at the edge. Times are in UTC.\
""",
        )
    )


async def test_permissions_and_tokens_that_cannot_be_read_are_not_said_to_be_missing(registry: Conversation) -> None:
    await registry.say("token list edge01")
    absent = await registry.answer()
    cloud(registry).connected["edge01"] = ConnectedRegistry(
        "edge01", "ReadOnly", "edge01", Origin.now("somebody", registry.box.clock.now())
    )
    grant(registry, "reader", but={TOKENS_READ})
    await registry.say("token list edge01")
    refused = await registry.answer()
    grant(registry, "reader")
    await registry.fault("azure", "GET .*/scopeMaps$", status=503, times=None)
    await registry.say("permissions show edge01")

    assert (absent, refused, await registry.answer()) == snapshot(
        (
            "Registry (only you): There is no connected registry `edge01`.",
            "Registry (only you): Azure does not let the bot do this: the bot's own identity lacks `Microsoft.ContainerRegistry/registries/tokens/read` at `/subscriptions/ID/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr/tokens`. Grant it that right; a role that was granted or activated a moment ago takes up to ten minutes to act. Only those who run the bot can do that. Its answer: _AuthorizationFailed: The client 'ID' with object id 'ID' does not have authorization to perform action 'Microsoft.ContainerRegistry/registries/tokens/read' over scope '/subscriptions/ID/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosoacr/tokens' or the scope is invalid. If access was recently granted, please refresh your credentials._ Correlation id for support: `ID`.",
            "Registry (only you): Azure could not be reached, so the state of `contosoacr/scopeMaps` is unknown. Try again soon. Its answer: _InternalServerError: The server encountered an internal error._",
        )
    )
