"""The extension alone, without its connected registry: deleted and installed again, as conversations."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.flows.conversation import Conversation

DELETE = "extension delete edge01 --site berlin"
DEPLOY = "extension deploy edge01 --site berlin"


@pytest.fixture
async def deployed(registry: Conversation) -> Conversation:
    """With edge01 online at berlin."""
    await registry.say("deploy edge01 --site berlin")
    registry.said.clear()
    return registry


def cloud_registry(registry: Conversation) -> Any:
    """The cloud registry inside the sandbox, for what people do to it without the bot."""
    assert registry.box.azure
    return registry.box.azure.cloud.registries["contosoacr"]


async def test_it_goes_and_comes_back_while_the_connected_registry_stays(deployed: Conversation) -> None:
    before, registries = await deployed.services("berlin"), await deployed.requests("(PUT|DELETE) .*/contosoacr/")
    answers = []
    for line in (f"{DELETE} --dry-run", DELETE, DELETE, DEPLOY):
        await deployed.say(line)
        answers.append(await deployed.answer())
    await deployed.say("deactivate edge01 --site berlin")
    await deployed.say("extension deploy edge10 --site berlin")
    refused = [await deployed.blockers()]
    token = cloud_registry(deployed).tokens["edge01"]
    token.status = "disabled"
    await deployed.say(DEPLOY)
    refused.append(await deployed.blockers())
    token.status = "enabled"
    # As older Azure CLIs named it.
    token.name = "edge01-sync-token"
    registry = cloud_registry(deployed)
    registry.tokens["edge01-sync-token"] = registry.tokens.pop("edge01")
    registry.connected["edge01"].token = "edge01-sync-token"
    await deployed.say(DEPLOY)
    answers.append(await deployed.answer())

    assert refused == snapshot(
        [
            """\
  :no_entry:  The cloud registry `contosoacr` has no connected registry `edge10`.
  Check the name; similar ones: `edge01`.
  `az acr connected-registry list --registry contosoacr --resource-group edge-rg --subscription ID --output table`\
""",
            """\
  :no_entry:  Somebody has disabled the token `edge01`, so the connected registry could not sync.
  Enable it, unless it was disabled to cut the connected registry off.
  `az acr token update --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --status enabled`\
""",
        ]
    )
    assert answers == snapshot(
        [
            """\
Registry (only you): :mag:  *Delete the extension of edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  The connected registry `edge01` stays in Azure, with its tokens and its activation: no other installation of it is let in.
  Afterwards deactivate it for another installation, or remove it: `deactivate`, `remove`.
  *Plan: 2 steps*
  :white_circle:  Delete: Extension edge01  ·  the Arc agents uninstall it, with its namespace and its volume
  :white_circle:  Verify: Namespace connected-registry is gone from the cluster
  This was a dry run: nothing was written.
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Delete the extension of edge01 at berlin*  ·  deleted
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Extension* edge01 deleted
  *Cluster* connected-registry is gone
  *Connected registry* edge01 stays, activated: deactivate or remove it
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Delete the extension of edge01 at berlin*  ·  nothing to delete
  requested by @alice TIME  ·  development  ·  `op-1`
  There was nothing to delete: `berlin` has no extension of `edge01`.
  [Show details]\
""",
            """\
Registry: :no_entry:  *Deploy the extension of edge01 to berlin*  ·  blocked
  requested by @alice TIME  ·  development  ·  `op-1`
  :no_entry:  `edge01` is activated by an installation that is not in this cluster (last seen TIME); a second one is refused with `ALREADY_ACTIVATED`.
  Deactivate it if the old installation is gone.
  `az acr connected-registry deactivate --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID`
  [Deactivate]
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Deploy the extension of edge01 to berlin*  ·  online
  requested by @alice TIME  ·  development  ·  `op-1`
  4 of 4 steps done
  *Connected registry* edge01 is Online
  *Extension* Succeeded
  *Service IP* `10.96.0.2`
  *Volume* Bound
  *Last sync* TIME
  *Took* N s
  [Show details]\
""",
        ]
    )
    assert await deployed.services("berlin") == before
    assert await deployed.requests("(PUT|DELETE) .*/contosoacr/") == registries


async def test_what_fails_is_retried_from_there(deployed: Conversation) -> None:
    await deployed.fault("azure", "DELETE .*/extensions/edge01", status=403, code="AuthorizationFailed", message="No.")
    await deployed.say(DELETE)
    failed = [await deployed.card_of("berlin")]
    await deployed.click("Retry", as_="carol")
    deleted = (await deployed.operation()).state
    await deployed.azure_deactivates()
    await deployed.edge(scenario="silent-failure", times=1)
    await deployed.say(DEPLOY)
    failed.append(await deployed.card_of("berlin"))
    await deployed.click("Retry", as_="carol", card="Deploy")

    assert failed == snapshot(
        [
            """\
Registry: :x:  *Delete the extension of edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  0 of 2 steps done, stopped at *Delete: Extension edge01*
  Azure does not let the bot do this: `AuthorizationFailed` `No.`
  Fix what it names: a right that the bot's identity lacks, or a network rule. Then retry.
  Nothing was deleted. Perhaps deleted: Extension edge01.
  [Retry] [Show details]\
""",
            """\
Registry: :x:  *Deploy the extension of edge01 to berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-3`
  1 of 4 steps done, stopped at *Create: Extension edge01*
  The extension ended as `Failed`, and Azure gives no reason.
  Look at the log of the Arc agents. Then retry. If it fails again, reinstall.
  `kubectl logs --namespace azure-arc --selector app.kubernetes.io/component=extension-manager --tail 100`
  [Extension reinstall]
  Left behind: Extension edge01.
  The token `edge01` has a new password in `password2`, and something may work with it already: a retry replaces it. This ends it once nothing works with it:
  `az acr token credential delete --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --password2`
  [Retry] [Show details]\
""",
        ]
    )
    assert (deleted, (await deployed.operation()).state) == ("succeeded", "succeeded")
