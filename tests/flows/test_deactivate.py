"""Deactivating a connected registry, as a conversation."""

from inline_snapshot import snapshot

from tests.flows.conversation import Conversation, alike


async def active(registry: Conversation, site: str = "berlin") -> None:
    """Let edge01 be deployed and online."""
    await registry.say(f"deploy edge01 --site {site}")
    if site == "hamburg":
        await registry.click("Approve", as_="bob")
    registry.said.clear()


async def activation(registry: Conversation) -> str:
    """As Azure has it."""
    state = await registry.azure()
    found = [one for acr in state["registries"] for one in acr["connectedRegistries"] if one["name"] == "edge01"]
    return str(found[0]["activation"])


async def test_the_activation_is_freed_and_the_card_says_what_goes_on(registry: Conversation) -> None:
    await active(registry, "hamburg")
    await registry.say("deactivate edge01 --site hamburg")
    asked = await registry.answer()
    await registry.click("Approve", as_="bob", card="Deactivate")

    assert asked == snapshot("""\
Registry: :raised_hand:  *Deactivate edge01 at hamburg*  ·  waiting for approval
  requested by @alice TIME  ·  production  ·  `op-1`
  :warning:  The extension `edge01` stays installed at `hamburg`. It keeps serving the images that it has, but can no longer sync: new images don't arrive, and pushes don't reach the cloud.
  To use it again, deploy `edge01` to the site again.
  Plan: 2 steps
  [ ] Change: Activation of edge01
      Active → Inactive; another installation can be activated then
  [ ] Verify: edge01 is inactive
  Rule *production needs a second person*  ·  plan `DIGEST`
  :raised_hand:  *Deactivate edge01 at hamburg?* Needs one approval from edge-approvers. Expires TIME.
  [Approve] [Reject…] [Cancel] [Show details]\
""")
    assert await registry.transcript() == snapshot("""\
alice  /registry deactivate edge01 --site hamburg
bot    Deactivate edge01 at hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bot    Deactivate edge01 at hamburg: inactive, approved by bob\
""")
    assert await registry.thread() == snapshot(
        [
            ":raised_hand:  @edge-approvers please look at the plan above and decide.",
            ":thumbsup:  Approved by bob",
            ":white_check_mark:  Change: Activation of edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Verify: edge01 is inactive  ·  N s",
            ":white_check_mark:  Deactivate edge01 at hamburg: inactive in N s, approved by bob. @alice",
        ]
    )
    assert await activation(registry) == "Inactive"


async def test_one_that_is_inactive_needs_nothing_and_nobodys_approval(registry: Conversation) -> None:
    await active(registry, "hamburg")
    await registry.azure_deactivates()
    await registry.say("deactivate edge01 --site hamburg")

    assert await registry.answer() == snapshot("""\
Registry: :white_check_mark:  *Deactivate edge01 at hamburg*  ·  inactive
  requested by @alice TIME  ·  production  ·  `op-1`
  1 step, kept as it is
  There was nothing to do: everything is as requested.
  [Show details]\
""")
    assert await registry.requests("POST .*/deactivate") == []


async def test_a_name_that_is_wrong_is_refused_with_one_that_is_right(registry: Conversation) -> None:
    await active(registry)
    await registry.say("deactivate edge10 --site berlin")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  The cloud registry `contosoacr` has no connected registry `edge10`.
  Check the name; similar ones: `edge01`.
  `az acr connected-registry list --registry contosoacr --resource-group edge-rg --subscription ID --output table`\
""")


async def test_a_dry_run_shows_the_plan_and_writes_nothing(registry: Conversation) -> None:
    await active(registry)
    await registry.say("deactivate edge01 --site berlin --dry-run")

    assert await registry.answer() == snapshot("""\
Registry (only you): :mag:  *Deactivate edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  The extension `edge01` stays installed at `berlin`. It keeps serving the images that it has, but can no longer sync: new images don't arrive, and pushes don't reach the cloud.
  To use it again, deploy `edge01` to the site again.
  *Plan: 2 steps*
  :white_circle:  Change: Activation of edge01  ·  Active → Inactive; another installation can be activated then
  :white_circle:  Verify: edge01 is inactive
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert await activation(registry) == "Active"


async def test_a_viewer_may_not(registry: Conversation) -> None:
    await active(registry)
    await registry.say("deactivate edge01 --site berlin", as_="dave")

    assert await registry.transcript() == snapshot("""\
dave   /registry deactivate edge01 --site berlin
bot    (only dave) This needs `registry:write`, which you don't have. The role *operator* or *admin* includes it; the access file grants roles. `/registry whoami` shows what you have.\
""")


async def test_what_azure_refuses_fails_and_a_retry_goes_on(registry: Conversation) -> None:
    await active(registry)
    await registry.fault("azure", "POST .*/deactivate", status=409, code="Conflict", message="It is in use.")
    await registry.say("deactivate edge01 --site berlin")
    failed = await registry.card_of("berlin")
    await registry.click("Retry", as_="carol")

    assert failed == snapshot(
        """\
Registry: :x:  *Deactivate edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  0 of 2 steps done, stopped at *Change: Activation of edge01*
  Something is in the way of this change of `connectedRegistries/edge01`: `Conflict` `It is in use.`
  Fix what it names, or wait until that has finished. Then retry.
  Left behind: perhaps Activation of edge01.
  [Retry] [Show details]\
"""
    )
    assert await registry.transcript() == snapshot("""\
alice  /registry deactivate edge01 --site berlin
bot    Deactivate edge01 at berlin: failed   [Retry]
bot    :x:  Deactivate edge01 at berlin: failed: Something is in the way of this change of `connectedRegistries/edge01`: `Conflict` `It is in use.` <@U0ALICE>
carol  [Retry]
bot    Deactivate edge01 at berlin: inactive, retried by carol
bot    :white_check_mark:  Deactivate edge01 at berlin: inactive in N s, retried by carol. <@U0ALICE>\
""")
    assert await activation(registry) == "Inactive"


async def test_a_reply_that_was_lost_is_no_reason_to_ask_azure_twice(registry: Conversation) -> None:
    await active(registry)
    await registry.fault("azure", "POST .*/deactivate", "lose_reply")
    await registry.say("deactivate edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"
    assert len(await registry.requests("POST .*/deactivate")) == 1


async def test_its_plan_is_sent_as_a_script(registry: Conversation) -> None:
    await active(registry)
    await registry.say("deactivate edge01 --site berlin --dry-run")
    await registry.click("Show details", as_="alice")
    await registry.click("Show as script", as_="alice")
    [file] = await registry.sent_files("alice")

    assert file["name"] == "deactivate-edge01-berlin.sh"
    assert alike(file["content"]) == snapshot("""\
#!/bin/sh
# Deactivate edge01 at berlin: the plan DIGEST of op-1, as az and kubectl lines.
# You need: az with its extension k8s-extension, and az login.
set -eu

# 1. Change: Activation of edge01
az acr connected-registry deactivate --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --yes

# 2. Verify: edge01 is inactive
while activation=$(az acr connected-registry show --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --query activation.status --output tsv) || exit; do
  case $activation in Inactive) break ;; esac
  sleep 3
done
""")
