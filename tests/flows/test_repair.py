"""What a failed operation has left: mended by the button on its card, or removed without a trace."""

from collections.abc import Mapping
from typing import Any

from inline_snapshot import snapshot

from tests.flows.conversation import Conversation
from tests.flows.worlds import world

DEPLOY, REINSTALL = "deploy edge01 --site berlin", "extension reinstall edge01 --site berlin"
CHOICES: Mapping[str, dict[str, Any]] = {
    "storage-class-missing": {"storage_class": "standard"},
    "name-in-use": {"extension_name": "edge"},
}
"""What is chosen in the form, by the scenario under which the installation fails."""
FAILED = ("storage-class-missing", "crd-status-not-populated", "already-activated")
"""Scenarios that leave different things: a claim without a volume, a failed extension, and one that crashes."""


async def test_what_needs_other_options_is_installed_from_scratch_with_those_that_are_chosen(
    registry: Conversation,
) -> None:
    ends = []
    for line, (scenario, values) in zip((DEPLOY, REINSTALL), CHOICES.items(), strict=True):
        await registry.edge(scenario=scenario)
        await registry.say(line)
        failed = (await registry.operation()).state
        await registry.mended()
        await registry.click("Extension reinstall…", as_="alice", quiet=False)
        await registry.fill(**values)
        ends.append((failed, (await registry.operation()).kind, (await registry.operation()).state))

    assert ends == [("failed", "extension reinstall", "succeeded")] * len(CHOICES)


async def test_what_a_reinstallation_alone_mends_has_a_button_and_the_plan_says_what_goes(
    registry: Conversation,
) -> None:
    await registry.edge(scenario="cert-manager-present")
    await registry.say(DEPLOY)
    await registry.say(f"{REINSTALL} --dry-run")
    preview = await registry.answer()
    await registry.mended()
    await registry.click("Extension reinstall", as_="alice", card="Deploy")

    assert preview == snapshot("""\
Registry (only you): :mag:  *Reinstall the extension of edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  The extension `edge01` is deleted with its volume. Until `edge01` is online again nobody can pull from it, and it syncs all its images again.
  *Plan: 6 steps*
  :white_circle:  Delete: Extension edge01  ·  the Arc agents uninstall it, with its namespace and its volume
  :white_circle:  Verify: Namespace connected-registry is gone from the cluster
  :white_circle:  Hold: Service IP 10.96.0.2  ·  or the next free one, if somebody takes it first
  :white_circle:  Create: Extension edge01  ·  pvc.storageRequest=250Gi
  :white_circle:  Verify: Deployment, Service and volume in the cluster
  :white_circle:  Verify: edge01 comes online
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert await registry.card_of("berlin") == snapshot("""\
Registry: :white_check_mark:  *Reinstall the extension of edge01 at berlin*  ·  online
  requested by @alice TIME  ·  development  ·  `op-3`
  6 of 6 steps done
  *Connected registry* edge01 is Online
  *Extension* Succeeded
  *Service IP* `10.96.0.2`
  *Volume* Bound
  *Last sync* TIME
  *Took* N s
  [Show details]\
""")


async def test_what_a_failed_deployment_has_left_is_removed_without_a_trace(registry: Conversation) -> None:
    before, after = await world(registry), []
    for scenario in FAILED:
        await registry.edge(scenario=scenario)
        await registry.say(DEPLOY)
        failed = (await registry.operation()).state
        await registry.say("remove edge01 --site berlin --confirm edge01")
        after.append((failed, await world(registry), await registry.leases()))

    assert after == [("failed", before, frozenset())] * len(FAILED)
