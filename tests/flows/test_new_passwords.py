"""What becomes of a new password that did not reach whoever was to work with it, as conversations."""

from typing import Any

from inline_snapshot import snapshot

from tests.flows.conversation import Conversation
from tests.flows.test_workload import deploy

PUT_EXTENSION, PATCH_EXTENSION = "PUT .*/extensions/edge01", "PATCH .*/extensions/edge01"
PUT_SECRET = "POST .*/namespaces/default/secrets"
ROTATE = "token rotate edge01 --site berlin"


def passwords(registry: Conversation) -> Any:
    """By token, each slot that holds a password, with when that was made."""
    assert registry.box.azure
    tokens = registry.box.azure.cloud.registries["contosoacr"].tokens
    return {
        name: {slot: password.created for slot, password in token.passwords.items()}
        for name, token in tokens.items()
        if token.passwords
    }


async def refuse(registry: Conversation, line: str, write: str, part: str = "azure") -> str:
    """Say it while this write is refused for good: the card."""
    await registry.fault(part, write, status=403, code="RequestDisallowedByPolicy", message="No.", times=None)
    await registry.say(line)
    await registry.mended()
    return await registry.card_of("berlin")


async def test_one_that_azure_or_the_cluster_refuses_to_hand_on_ends_and_the_other_one_stays(
    registry: Conversation,
) -> None:
    await refuse(registry, "deploy edge01 --site berlin", PUT_EXTENSION)
    first = passwords(registry)
    await refuse(registry, "extension deploy edge01 --site berlin", PUT_EXTENSION)
    second = passwords(registry)
    await registry.say("extension deploy edge01 --site berlin")
    await deploy(registry)
    before = passwords(registry)
    cards = [
        await refuse(registry, ROTATE, PATCH_EXTENSION),
        await refuse(
            registry, "extension update edge01 --site berlin --tls secret --tls-secret edge-tls", PATCH_EXTENSION
        ),
        await refuse(registry, f"{ROTATE} --workload hello-world", PUT_SECRET, "kube"),
    ]

    assert [first, second] == [{}, {}]
    assert passwords(registry) == before
    assert [("failed" in card, "new password" in card) for card in cards] == [(True, False)] * 3


async def test_one_that_may_have_been_handed_on_stays_and_the_card_says_how_it_ends(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.fault("azure", PATCH_EXTENSION, "drop", times=None)
    await registry.say(ROTATE)
    await registry.mended()

    assert await registry.card_of("berlin") == snapshot("""\
Registry: :x:  *Rotate the sync token of edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  0 of 4 steps done, stopped at *Change: Password in the extension edge01*
  Azure could not be reached, or failed itself: `NoConnection` `Server disconnected`
  Retry when it answers again.
  Left behind: perhaps Password in the extension edge01. Nothing was deleted. Still there: Password password1 of edge01.
  The token `edge01` has a new password in `password2`, and something may work with it already: a retry replaces it. This ends it once nothing works with it:
  `az acr token credential delete --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --password2`
  [Retry] [Show details]\
""")
    assert [*passwords(registry)["edge01"]] == ["password1", "password2"]


async def test_one_that_azure_does_not_let_end_is_on_the_card(registry: Conversation) -> None:
    await refuse(registry, "deploy edge01 --site berlin", PUT_EXTENSION)
    await registry.fault("azure", "PATCH .*/tokens/edge01", status=403, code="AuthorizationFailed", message="No.")

    assert await refuse(registry, "extension deploy edge01 --site berlin", PUT_EXTENSION) == snapshot("""\
Registry: :x:  *Deploy the extension of edge01 to berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  1 of 4 steps done, stopped at *Create: Extension edge01*
  An Azure policy forbids this change of `extensions/edge01`. Its message: `No.`
  Change what it objects to, if the site file has that, or ask those who manage the policy for an exemption.
  Nobody has the new password of the token `edge01` in `password1`. This ends it:
  `az acr token credential delete --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --password1`
  [Retry] [Show details]\
""")
    assert [*passwords(registry)["edge01"]] == ["password1"]


async def test_one_that_a_bot_has_made_before_it_was_started_again_ends_likewise(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    before = passwords(registry)
    await registry.hold(PATCH_EXTENSION)
    await registry.fault("azure", PATCH_EXTENSION, status=403, code="RequestDisallowedByPolicy", times=None)
    await registry.say(ROTATE, quiet=False)
    await registry.until(lambda: len(passwords(registry)["edge01"]) > 1)
    await registry.restart()
    await registry.reached("failed")

    assert passwords(registry) == before
