"""Rotating a sync token, as conversations."""

from datetime import timedelta
from typing import Any

import pytest
from inline_snapshot import snapshot

from sandbox.azure.cloud import ConnectedRegistry, Origin
from sandbox.azure.images import sample_image
from tests.flows.conversation import Conversation

ROTATE = "token rotate edge01 --site berlin"
MINUTE = 60


def cloud(registry: Conversation) -> Any:
    """The cloud registry inside the sandbox."""
    assert registry.box.azure
    return registry.box.azure.cloud.registries["contosoacr"]


def extension(registry: Conversation, name: str = "edge01") -> Any:
    """The extension inside the sandbox, with its secrets."""
    assert registry.box.azure
    return registry.box.azure.cloud.cluster("edge-rg", "berlin-arc").extensions[name]  # type: ignore[union-attr]  # it is there


def passwords(registry: Conversation) -> list[str]:
    """The slots of the sync token that hold a password."""
    return sorted(cloud(registry).tokens["edge01"].passwords)


async def contacts(registry: Conversation, target: str = "edge01") -> None:
    """Let the edge make contact a minute after it got the new password, and once more after the old one has ended."""
    for step in ("token.contact", "token.still_in_contact"):
        await registry.running(step, target)
        await registry.post("/sandbox/clock", turn=MINUTE)
    await registry.quiet()


async def rotate(registry: Conversation, line: str = ROTATE) -> None:
    """Say it, and let the edge make its contacts."""
    await registry.say(line, quiet=False)
    await contacts(registry)


@pytest.fixture
async def deployed(registry: Conversation) -> Conversation:
    """With edge01 online at berlin."""
    await registry.say("deploy edge01 --site berlin")
    registry.said.clear()
    return registry


async def test_the_old_password_ends_when_the_edge_works_with_the_new_one_and_the_next_time_the_other_way_round(
    deployed: Conversation,
) -> None:
    await deployed.say(f"{ROTATE} --expires 90d --dry-run")
    preview, before, settings = await deployed.answer(), passwords(deployed), dict(extension(deployed).settings)
    await rotate(deployed)
    card, thread, after = await deployed.answer(), await deployed.thread(), passwords(deployed)
    await rotate(deployed, f"{ROTATE} --expires 90d")

    assert preview == snapshot("""\
Registry (only you): :mag:  *Rotate the sync token of edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  *Plan: 4 steps*
  :white_circle:  Change: Password in the extension edge01  ·  password2 of edge01, expires TIME; the runtime starts again with it
  :white_circle:  Verify: edge01 makes contact with the new password
  :white_circle:  Delete: Password password1 of edge01  ·  the old one, only after that contact
  :white_circle:  Verify: edge01 stays in contact without the old password
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert card == snapshot("""\
Registry: :white_check_mark:  *Rotate the sync token of edge01 at berlin*  ·  rotated
  requested by @alice TIME  ·  development  ·  `op-1`
  4 of 4 steps done
  *In use* password2 of edge01
  *Ended* password1 of edge01
  *Last contact* TIME
  *Took* N s
  [Show details]\
""")
    assert thread == snapshot(
        [
            ":white_check_mark:  Change: Password in the extension edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Verify: edge01 makes contact with the new password  ·  N s",
            ":white_check_mark:  Delete: Password password1 of edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Verify: edge01 stays in contact without the old password  ·  N s",
            ":white_check_mark:  Rotate the sync token of edge01 at berlin: rotated in N s. @alice",
        ]
    )
    assert [before, after, passwords(deployed)] == snapshot([["password1"], ["password2"], ["password1"]])
    assert cloud(deployed).tokens["edge01"].passwords["password1"].expiry is not None
    assert extension(deployed).settings == settings
    secret = extension(deployed).protected["connectionString"].split(";")[2].partition("=")[2]
    assert secret not in str(await deployed.messages())
    assert cloud(deployed).tokens["edge01"].opens(secret, deployed.box.clock.now())


async def test_what_would_cut_an_edge_off_is_refused_before_anything_is_written(deployed: Conversation) -> None:
    acr, answers = cloud(deployed), []

    async def refused(line: str = ROTATE) -> None:
        await deployed.say(line)
        answers.append(await deployed.blockers() or await deployed.answer())

    await refused(f"{ROTATE} --expires 2h")
    await refused("token rotate edge10 --site berlin")
    acr.connected["line1"] = ConnectedRegistry("line1", "ReadOnly", "edge01", Origin.now("x", deployed.box.clock.now()))
    extension(deployed).protected |= {"proxy.password": "hidden", "tls.key": "key"}
    await refused()
    del acr.connected["line1"], extension(deployed).protected["proxy.password"]
    await refused()
    del extension(deployed).protected["tls.key"]
    acr.tokens["edge01"].status = "disabled"
    await refused()
    acr.tokens["edge01"].status = "enabled"
    await deployed.azure_deactivates()
    await refused()

    assert answers == snapshot(
        [
            "Registry (only you): 2 h is too short: `--expires` takes 1 d or longer, such as `90d`.",
            """\
  :no_entry:  The cloud registry `contosoacr` has no connected registry `edge10`.
  Check the name; similar ones: `edge01`.
  `az acr connected-registry list --registry contosoacr --resource-group edge-rg --subscription ID --output table`\
""",
            """\
  :no_entry:  Others use the token `edge01` too, and would lose its password: `line1`.
  Rotate it by hand, for all of them together.
  :no_entry:  The extension `edge01` has further protected settings (`proxy.password`). Azure replaces them only as a whole and never shows them, so that the rotation would delete them.
  Where that is `tls.secret` alone, `extension update --tls secret --tls-secret NAME` sends a new password with it. Else whoever has them can send them with a new connection string: `az k8s-extension update --config-protected-file`.
  :no_entry:  The site file names no certificate for `berlin`, so that the bot has none to send.
  Whoever runs the bot names its files under `extension.certificate`.\
""",
            """\
  :no_entry:  The site file names no certificate for `berlin`, so that the bot has none to send.
  Whoever runs the bot names its files under `extension.certificate`.\
""",
            """\
  :no_entry:  The sync token `edge01` is disabled, perhaps to cut `edge01` off.
  If it was not on purpose, enable it first.
  `az acr token update --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --status enabled`\
""",
            """\
  :no_entry:  `edge01` is not activated, so no runtime works with its password.
  Install its extension: that makes a new password too.\
""",
        ]
    )
    assert len(await deployed.requests("POST .*/generateCredentials")) == 1


async def test_without_a_contact_both_passwords_stay_and_a_retry_goes_on_from_there(deployed: Conversation) -> None:
    await deployed.say(ROTATE, quiet=False)
    await deployed.running("token.contact")
    await deployed.edge(scenario="firewall")
    await deployed.post("/sandbox/clock", turn=MINUTE)
    await deployed.wait_until(timedelta(minutes=20))
    failed, kept = await deployed.card_of("berlin"), passwords(deployed)
    await deployed.mended()
    await deployed.click("Retry", as_="carol", quiet=False)
    await contacts(deployed)

    assert failed == snapshot("""\
Registry: :x:  *Rotate the sync token of edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  1 of 4 steps done, stopped at *Verify: edge01 makes contact with the new password*
  `edge01` has not been in contact since it got the new password: it is `Online`, last seen TIME (schedule `* * * * *`). The old password is still valid, and so is the new one.
  Its runtime makes contact by its schedule. If it should have done so by now, look at its log. A retry waits for a contact again, and ends the old password after it.
  `kubectl logs --namespace connected-registry --selector app.kubernetes.io/name=connected-registry`
  Left behind: Password in the extension edge01. Nothing was deleted. Still there: Password password1 of edge01.
  [Retry] [Show details]\
""")
    assert kept == snapshot(["password1", "password2"])
    assert (await deployed.operation()).state == "succeeded"
    assert passwords(deployed) == snapshot(["password2"])
    assert len(await deployed.requests("PATCH .*/extensions/edge01")) == 1


async def test_an_extension_that_does_not_take_it_leaves_the_old_password_and_a_retry_sends_another(
    deployed: Conversation,
) -> None:
    await deployed.edge(scenario="chart-not-found", times=1)
    await deployed.say(ROTATE)
    failed, kept = await deployed.card_of("berlin"), passwords(deployed)
    await deployed.click("Retry", as_="carol", quiet=False)
    await contacts(deployed)

    assert failed == snapshot("""\
Registry: :x:  *Rotate the sync token of edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  0 of 4 steps done, stopped at *Change: Password in the extension edge01*
  The extension `edge01` did not take the new password: it is `Failed` (`release edge01 failed: chart path not found. Helm installation failed : Unable to create/update Kubernetes resources for the extension`). The old password is still valid.
  See to what the extension complains of. A retry makes another new password and sends it.
  `az k8s-extension show --name edge01 --cluster-name berlin-arc --cluster-type connectedClusters --resource-group edge-rg --subscription ID`
  Left behind: perhaps Password in the extension edge01. Nothing was deleted. Still there: Password password1 of edge01.
  The token `edge01` has a new password in `password2`, and something may work with it already: a retry replaces it. This ends it once nothing works with it:
  `az acr token credential delete --name edge01 --registry contosoacr --resource-group edge-rg --subscription ID --password2`
  [Retry] [Show details]\
""")
    assert kept == snapshot(["password1", "password2"])
    assert (await deployed.operation()).state == "succeeded"
    assert passwords(deployed) == snapshot(["password2"])


async def test_one_below_another_gets_a_password_where_somebody_says_how_its_parent_is_served(
    registry: Conversation,
) -> None:
    acr, now = cloud(registry), registry.box.clock.now()
    acr.images.put("hello-world", "latest", sample_image("hello-world:latest"), now)
    for line in ("create plant --site berlin --mode ReadWrite", "create line1 --site berlin --parent plant"):
        await registry.say(line)
    await registry.say("extension deploy line1 --site berlin --parent-protocol http")
    installed = extension(registry, "line1").protected["connectionString"].split(";")
    refused = []
    for command in (
        "token rotate line1",
        "extension reinstall line1",
        "extension update line1 --tls secret --tls-secret edge",
    ):
        await registry.say(f"{command} --site berlin --dry-run")
        refused.append(await registry.blockers())
    await registry.say("extension reinstall line1 --site berlin --parent-protocol https --dry-run")
    reinstallation = await registry.answer()
    await registry.say("token rotate line1 --site berlin --parent-protocol http", quiet=False)
    await contacts(registry, "line1")
    rotated = extension(registry, "line1").protected["connectionString"].split(";")

    assert (
        refused
        == [
            snapshot("""\
  :no_entry:  `line1` syncs through `plant`, and Azure does not show by which protocol that is served.
  Say it: `--parent-protocol https`, or `http` where `plant` is served without TLS.\
""")
        ]
        * 3
    )
    assert reinstallation.splitlines()[0] == snapshot(
        "Registry (only you): :mag:  *Reinstall the extension of line1 at berlin*  ·  dry run"
    )
    assert (await registry.operation("line1")).state == "succeeded"
    assert installed[3:] == snapshot(
        ["ParentGatewayEndpoint=contosoacr.westeurope.data.azurecr.io", "ParentEndpointProtocol=http"]
    )
    assert rotated[3:] == installed[3:]
    assert rotated[2] != installed[2]
