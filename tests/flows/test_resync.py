"""A full sync on demand, as conversations."""

import pytest
from inline_snapshot import snapshot

from tests.flows.azure_roles import grant
from tests.flows.conversation import Conversation

RESYNC = "resync edge01 --site berlin"
MINUTE = 60


@pytest.fixture
async def deployed(registry: Conversation) -> Conversation:
    """With edge01 online at berlin."""
    await registry.say("deploy edge01 --site berlin")
    registry.said.clear()
    return registry


async def contact(registry: Conversation) -> None:
    """Let the edge make its next contact."""
    await registry.running("connected.resynced")
    await registry.post("/sandbox/clock", turn=MINUTE)
    await registry.quiet()


async def test_it_ends_when_azure_shows_the_sync_as_ended_since(deployed: Conversation) -> None:
    await deployed.say(f"{RESYNC} --dry-run")
    preview = await deployed.answer()
    await deployed.say(RESYNC, quiet=False)
    await contact(deployed)

    assert preview == snapshot("""\
Registry (only you): :mag:  *Resync edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  *Plan: 2 steps*
  :white_circle:  Change: Full sync of edge01  ·  all its repositories, from the start
  :white_circle:  Verify: Full sync of edge01 has ended
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert await deployed.answer() == snapshot("""\
Registry: :white_check_mark:  *Resync edge01 at berlin*  ·  done
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Full sync* ended TIME
  *Took* N s
  [Show details]\
""")
    assert await deployed.thread() == snapshot(
        [
            ":white_check_mark:  Change: Full sync of edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Verify: Full sync of edge01 has ended  ·  N s",
            ":white_check_mark:  Resync edge01 at berlin: done in N s. @alice",
        ]
    )


async def test_where_azure_has_no_such_action_or_would_refuse_it_the_plan_says_so(registry: Conversation) -> None:
    kind = "Microsoft.ContainerRegistry/registries/connectedRegistries/resync"
    await registry.post("/sandbox/azure/versions", **{kind: ["2025-11-01"]})
    await registry.say("deploy edge01 --site berlin")
    grant(registry)
    answers = []
    for line in (RESYNC, "resync edge10 --site berlin"):
        await registry.say(line)
        answers.append(await registry.blockers())
    await registry.azure_deactivates()
    await registry.say(RESYNC)
    answers.append("\n".join((await registry.blockers()).splitlines()[2:4]))

    assert answers == snapshot(
        [
            """\
  :no_entry:  This cloud does not offer resyncs yet: they came with the API version 2026-01-01-preview, and it has `2025-11-01`.
  One that syncs all the time does so each minute anyway, and takes changes of its repositories over then.
  :no_entry:  The bot's Azure identity lacks rights at `contosoacr`: `Microsoft.ContainerRegistry/registries/connectedRegistries/resync/action`.
  Whoever runs the bot has to give it the custom role in `deploy/azure/resync.json`.\
""",
            """\
  :no_entry:  The cloud registry `contosoacr` has no connected registry `edge10`.
  Check the name; similar ones: `edge01`.
  `az acr connected-registry list --registry contosoacr --resource-group edge-rg --subscription ID --output table`
  :no_entry:  This cloud does not offer resyncs yet: they came with the API version 2026-01-01-preview, and it has `2025-11-01`.
  One that syncs all the time does so each minute anyway, and takes changes of its repositories over then.\
""",
            """\
  :no_entry:  `edge01` is not activated, so nothing could sync.
  Deploy it first.\
""",
        ]
    )
    assert await registry.requests("POST .*/resync") == []


async def test_what_azure_refuses_fails_with_its_cause_and_a_retry_goes_on(deployed: Conversation) -> None:
    grant(deployed, "writer", "subscription", "resync")
    await deployed.fault(
        "azure", "POST .*/resync", status=409, code="ConnectedRegistryHasOfflineChildren", message="It is not attached."
    )
    await deployed.say(RESYNC)
    failed = await deployed.card_of("berlin")
    await deployed.click("Retry", as_="carol", quiet=False)
    await contact(deployed)

    assert failed == snapshot("""\
Registry: :x:  *Resync edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  0 of 2 steps done, stopped at *Change: Full sync of edge01*
  Azure took no resync of `edge01`, since no runtime of it is in contact: `It is not attached.`
  See whether its edge has power and a way to Azure. Retry when it is online.
  `az acr connected-registry show --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID`
  Left behind: perhaps Full sync of edge01.
  [Retry] [Show details]\
""")
    assert (await deployed.operation()).state == "succeeded"
