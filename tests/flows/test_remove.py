"""Removing a connected registry, as a conversation."""

from datetime import timedelta
from typing import Any

import pytest
from inline_snapshot import snapshot

from sandbox.azure.cloud import ConnectedRegistry, Origin, ScopeMap, Token
from tests.flows.conversation import Conversation
from tests.flows.worlds import world

HALF_DONE = {
    "deploy edge01 --site berlin": "PUT .*/extensions/edge01",
    "create edge01 --site berlin": "PUT .*/connectedRegistries/edge01",
    "create edge01 --site berlin --mode ReadOnly": "nothing",
}
"""Commands with what Azure refuses of them: there is a registry without an extension, then only its token, then all."""


async def remove(registry: Conversation, line: str = "remove edge01 --site berlin") -> None:
    """Say it, and confirm it in the form."""
    await registry.say(line)
    await registry.fill(confirm="edge01")


@pytest.fixture
async def deployed(registry: Conversation) -> Conversation:
    """With edge01 online at berlin."""
    await registry.say("deploy edge01 --site berlin")
    registry.said.clear()
    return registry


def cloud(registry: Conversation) -> Any:
    """The cloud registry inside the sandbox, for what people do to it without the bot."""
    assert registry.box.azure
    return next(one for one in registry.box.azure.cloud.registries.values() if one.name == "contosoacr")


def origin(registry: Conversation) -> Origin:
    return Origin.now("somebody", registry.box.clock.now())


async def test_the_world_is_as_it_was_before_the_deployment(registry: Conversation) -> None:
    before = await world(registry)
    await registry.say("deploy edge01 --site berlin")
    await remove(registry)

    assert await registry.answer() == snapshot("""\
Registry: :white_check_mark:  *Remove edge01 from berlin*  ·  removed
  requested by @alice TIME  ·  development  ·  `op-1`
  5 of 5 steps done
  *Extension* edge01 deleted
  *Connected registry* edge01 deleted
  *Tokens* edge01 deleted
  *Scope maps* edge01 deleted
  *Cluster* connected-registry is gone
  *Took* N s
  [Show details]\
""")
    assert await registry.thread() == snapshot(
        [
            ":white_check_mark:  Delete: Extension edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Verify: Namespace connected-registry is gone from the cluster  ·  N s",
            ":white_check_mark:  Delete: Connected registry edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Delete: Sync token edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Delete: Scope map edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Remove edge01 from berlin: removed in N s. @alice",
        ]
    )
    assert await world(registry) == before


async def test_a_name_that_differs_keeps_the_form_open(deployed: Conversation) -> None:
    await deployed.say("remove edge01 --site berlin")
    shown = await deployed.form()
    slip = await deployed.fill(confirm="edge10")
    await deployed.fill(confirm="edge01")

    note, field = shown["view"]["blocks"]
    assert (note["text"]["text"], field["label"]["text"]) == snapshot(
        (
            "`edge01` is deleted, with its extension and its images at the edge. You see the whole plan first.",
            "Type edge01 once more",
        )
    )
    assert slip["errors"] == snapshot({"confirm": "edge10 is not the name that is to be confirmed: type edge01."})
    assert await deployed.transcript() == snapshot("""\
alice  /registry remove edge01 --site berlin
alice  (form) confirm=edge10
alice  (form) confirm=edge01
bot    Remove edge01 from berlin: removed\
""")


async def test_production_waits_for_a_second_person(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site hamburg --mode ReadWrite")
    await registry.click("Approve", as_="bob")
    registry.said.clear()
    await remove(registry, "remove edge01 --site hamburg")
    requested = await registry.answer()
    await registry.click("Approve", as_="bob", card="Remove")

    assert requested == snapshot("""\
Registry: :raised_hand:  *Remove edge01 from hamburg*  ·  waiting for approval
  requested by @alice TIME  ·  production  ·  `op-1`
  :warning:  `edge01` takes pushes (ReadWrite). Whatever was pushed to it since its last sync (TIME) exists on its volume alone and is lost. It is `Online`.
  To keep it, let `edge01` sync first, or copy the images.
  Plan: 5 steps
  [ ] Delete: Extension edge01
      the Arc agents uninstall it, with its namespace and its volume
  [ ] Verify: Namespace connected-registry is gone from the cluster
  [ ] Delete: Connected registry edge01
  [ ] Delete: Sync token edge01
  [ ] Delete: Scope map edge01
  Rule *production needs a second person*  ·  plan `DIGEST`
  :raised_hand:  *Remove edge01 from hamburg?* Needs one approval from edge-approvers. Expires TIME.
  [Approve] [Reject…] [Cancel] [Show details]\
""")
    assert await registry.transcript() == snapshot("""\
alice  /registry remove edge01 --site hamburg
alice  (form) confirm=edge01
bot    Remove edge01 from hamburg: waiting for approval   [Approve] [Reject…] [Cancel]
bob    [Approve]
bot    Remove edge01 from hamburg: removed, approved by bob\
""")


async def test_a_dry_run_needs_no_confirmation_and_writes_nothing(deployed: Conversation) -> None:
    before = await world(deployed)
    await deployed.say("remove edge01 --site berlin --dry-run")
    card = await deployed.answer()
    await deployed.say(f"operation show {(await deployed.operation()).id}")

    assert card == snapshot("""\
Registry (only you): :mag:  *Remove edge01 from berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  *Plan: 5 steps*
  :white_circle:  Delete: Extension edge01  ·  the Arc agents uninstall it, with its namespace and its volume
  :white_circle:  Verify: Namespace connected-registry is gone from the cluster
  :white_circle:  Delete: Connected registry edge01
  :white_circle:  Delete: Sync token edge01
  :white_circle:  Delete: Scope map edge01
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert (await deployed.answer()).partition("By hand it would be:")[2] == snapshot("")
    assert await world(deployed) == before


async def test_what_azure_refuses_fails_and_a_retry_goes_on(deployed: Conversation) -> None:
    await deployed.fault("azure", "DELETE .*/tokens/edge01", status=403, code="AuthorizationFailed", message="No.")
    await remove(deployed)
    failed = await deployed.card_of("berlin")
    await deployed.click("Retry", as_="carol")

    assert failed == snapshot("""\
Registry: :x:  *Remove edge01 from berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  3 of 5 steps done, stopped at *Delete: Sync token edge01*
  Azure does not let the bot do this: `AuthorizationFailed` `No.`
  Fix what it names: a right that the bot's identity lacks, or a network rule. Then retry.
  Deleted: Extension edge01 and Connected registry edge01. Perhaps deleted: Sync token edge01. Still there: Scope map edge01.
  [Retry] [Show details]\
""")
    assert (await deployed.operation()).state == "succeeded"
    assert [len(cloud(deployed).connected), len(cloud(deployed).tokens)] == [0, 0]


async def test_what_a_command_has_left_that_did_not_come_to_its_end_is_removed_without_a_trace(
    registry: Conversation,
) -> None:
    before, ends = await world(registry), []
    for line, refused in HALF_DONE.items():
        await registry.fault("azure", refused, status=400, code="QuotaExceeded", message="No more.", times=None)
        await registry.say(line)
        begun = await registry.operation()
        await registry.mended()
        await remove(registry)
        ends.append((begun.state, (await registry.operation()).state, await world(registry) == before))

    assert ends == [("failed", "succeeded", True), ("failed", "succeeded", True), ("succeeded", "succeeded", True)]


async def test_a_namespace_that_stays_is_named_and_a_retry_waits_for_it_again(registry: Conversation) -> None:
    before = await world(registry)
    await registry.say("deploy edge01 --site berlin")
    async with registry.kubectl() as core:
        held = {"metadata": {"name": "held", "finalizers": ["example.com/hold"]}}
        await core.create_namespaced_config_map("connected-registry", held)
        await registry.say("remove edge01 --site berlin --confirm edge01", quiet=False)
        await registry.namespace_held(core)
        registry.time.ahead += timedelta(minutes=15)
        await registry.quiet()
        failed = await registry.card_of("berlin")
        await core.patch_namespaced_config_map("held", "connected-registry", {"metadata": {"finalizers": None}})
    await registry.click("Retry", as_="carol")

    assert failed == snapshot("""\
Registry: :x:  *Remove edge01 from berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  1 of 5 steps done, stopped at *Verify: Namespace connected-registry is gone from the cluster*
  Azure has deleted the extension, and its namespace `connected-registry` is still being deleted. What the cluster waits for: `Some content in the namespace has finalizers remaining: example.com/hold in 1 resource instances`
  Have whoever set a finalizer finish, or bring back the API service that it names; `kubectl get apiservices` shows those that are not available. Then retry.
  `kubectl get namespace connected-registry --output yaml`
  Deleted: Extension edge01. Still there: Connected registry edge01, Sync token edge01 and Scope map edge01.
  [Retry] [Show details]\
""")
    assert (await registry.operation()).state == "succeeded"
    assert await world(registry) == before


async def test_an_extension_that_is_all_that_somebody_has_left_is_removed(deployed: Conversation) -> None:
    acr = cloud(deployed)
    acr.connected.clear()
    del acr.tokens["edge01"], acr.scope_maps["edge01"]
    await remove(deployed)

    assert await deployed.answer() == snapshot("""\
Registry: :white_check_mark:  *Remove edge01 from berlin*  ·  removed
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Extension* edge01 deleted
  *Cluster* connected-registry is gone
  *Took* N s
  [Show details]\
""")
    assert await deployed.services("berlin") == snapshot(
        {"default/kubernetes": "10.96.0.1", "kube-system/kube-dns": "10.96.0.10"}
    )


async def test_a_second_run_finds_nothing_and_says_so(deployed: Conversation) -> None:
    await deployed.say("deploy edge02 --site hamburg")
    await deployed.click("Approve", as_="bob")
    await remove(deployed)
    await remove(deployed)

    assert await deployed.answer() == snapshot("""\
Registry: :white_check_mark:  *Remove edge01 from berlin*  ·  nothing to remove
  requested by @alice TIME  ·  development  ·  `op-1`
  There was nothing to remove: Azure has no connected registry, token or scope map of `edge01`, and `berlin` has no extension of it. Similar names: `edge02`.
  [Show details]\
""")


async def test_connected_registries_below_it_stand_in_the_way(deployed: Conversation) -> None:
    acr = cloud(deployed)
    acr.connected["line1"] = ConnectedRegistry("line1", "ReadOnly", "edge01", origin(deployed), parent="edge01")
    await remove(deployed)

    assert await deployed.blockers() == snapshot("""\
  :no_entry:  Connected registries below `edge01` sync through it: `line1`.
  Remove them first.\
""")


async def test_the_plan_says_who_depends_on_it_and_keeps_what_others_use(deployed: Conversation) -> None:
    acr, now = cloud(deployed), deployed.box.clock.now()
    address = (await deployed.services("berlin"))["connected-registry/connected-registry"]
    async with deployed.kubectl() as core:
        pod = {"containers": [{"name": "shop", "image": f"{address}/hello-world:latest"}]}
        await core.create_namespaced_pod("default", {"metadata": {"name": "shop"}, "spec": pod})
    for name in ("till", "scanner"):
        acr.scope_maps[name] = ScopeMap(name, ["repositories/hello-world/content/read"], now, origin(deployed))
        acr.tokens[name] = Token(name, name, now, origin(deployed))
    tokens = [f"{deployed.bot.services.sites['berlin'].acr_ref.id}/tokens/{name}" for name in ("till", "scanner")]
    acr.connected["edge01"].client_tokens = tokens
    acr.tokens["edge09"] = Token("edge09", "till", now, origin(deployed))
    acr.connected["edge09"] = ConnectedRegistry("edge09", "ReadOnly", "edge09", origin(deployed))
    acr.connected["edge09"].client_tokens = tokens[1:]
    await deployed.say("remove edge01 --site berlin --dry-run")
    card = await deployed.answer()
    await remove(deployed)

    assert card == snapshot("""\
Registry (only you): :mag:  *Remove edge01 from berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  Other tokens use these scope maps, so they stay: `till` (`edge09`).
  :warning:  The client tokens of `edge01` are deleted: `till`. Nobody can sign in with them any more, at the cloud registry either; Azure does not show whether somebody does.
  To keep them, add `--keep-client-tokens`.
  :warning:  Other connected registries use these tokens, so they stay: `scanner` (`edge09`).
  :warning:  Workloads pull from `edge01`: `default/shop` (`10.96.0.2/hello-world:latest`). They run on with the images that their nodes have, and can't start where an image is missing.
  Point them to another registry first.
  *Plan: 6 steps*
  :white_circle:  Delete: Extension edge01  ·  the Arc agents uninstall it, with its namespace and its volume
  :white_circle:  Verify: Namespace connected-registry is gone from the cluster
  :white_circle:  Delete: Connected registry edge01
  :white_circle:  Delete: Sync token edge01
  :white_circle:  Delete: Client token till
  :white_circle:  Delete: Scope map edge01
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert [sorted(acr.tokens), sorted(name for name in acr.scope_maps if name[0] != "_")] == snapshot(
        [["edge09", "scanner"], ["scanner", "till"]]
    )


async def test_the_registry_above_loses_the_rights_that_name_it(deployed: Conversation) -> None:
    acr, now = cloud(deployed), deployed.box.clock.now()
    gateways = [f"gateway/{name}/config/read" for name in ("plant", "edge01")]
    acr.scope_maps["plant"] = ScopeMap(
        "plant", [*gateways, "repositories/hello-world/content/read"], now, origin(deployed)
    )
    acr.tokens["plant"] = Token("plant", "plant", now, origin(deployed))
    acr.connected["plant"] = ConnectedRegistry("plant", "ReadWrite", "plant", origin(deployed))
    acr.connected["edge01"].parent = "plant"
    await deployed.say("remove edge01 --site berlin --dry-run")
    card = await deployed.answer()
    await remove(deployed)

    assert card == snapshot("""\
Registry (only you): :mag:  *Remove edge01 from berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  `plant` may read repositories that only `edge01` is known to use: `hello-world`. It may sync them for itself, so these rights stay.
  If nobody needs them there, take them away afterwards with `permissions remove`.
  *Plan: 6 steps*
  :white_circle:  Delete: Extension edge01  ·  the Arc agents uninstall it, with its namespace and its volume
  :white_circle:  Verify: Namespace connected-registry is gone from the cluster
  :white_circle:  Delete: Connected registry edge01
  :white_circle:  Change: Scope map plant  ·  loses the gateway rights of edge01
  :white_circle:  Delete: Sync token edge01
  :white_circle:  Delete: Scope map edge01
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert acr.scope_maps["plant"].actions == ["gateway/plant/config/read", "repositories/hello-world/content/read"]


async def test_a_cluster_that_does_not_answer_is_never_said_to_be_clean(deployed: Conversation) -> None:
    await deployed.fault("kube", ".", status=503, times=1000)
    await remove(deployed)
    blocked = await deployed.blockers()
    await remove(deployed, "remove edge01 --site berlin --without-cluster")

    assert blocked == snapshot("""\
  :no_entry:  The cluster could not be reached (`503`: `The server encountered an internal error.`).
  Not checked: Kubernetes API answers.
  This may be temporary; check again.\
""")
    assert await deployed.answer() == snapshot("""\
Registry: :white_check_mark:  *Remove edge01 from berlin*  ·  removed
  requested by @alice TIME  ·  development  ·  `op-1`
  4 of 4 steps done
  *Extension* edge01 deleted
  *Connected registry* edge01 deleted
  *Tokens* edge01 deleted
  *Scope maps* edge01 deleted
  *Cluster* was not looked at
  *Took* N s
  [Show details]\
""")


async def test_an_extension_of_another_name_is_known_by_its_address(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --extension-name plant")
    await remove(registry)

    assert await registry.transcript() == snapshot("""\
alice  /registry deploy edge01 --site berlin --extension-name plant
bot    Deploy edge01 to berlin: online
alice  /registry remove edge01 --site berlin
alice  (form) confirm=edge01
bot    Remove edge01 from berlin: removed\
""")
    assert "connected-registry/connected-registry" not in await registry.services("berlin")


async def test_another_registrys_extension_is_not_removed_for_its_name(registry: Conversation) -> None:
    await registry.say("deploy edge02 --site berlin --extension-name edge01")
    await remove(registry)
    doubtful = await registry.blockers()
    await registry.say("remove edge01 --site berlin --extension none --confirm edge01")

    assert doubtful == snapshot("""\
  :no_entry:  Azure does not show whether the extension `edge01` at `berlin` runs `edge01`.
  If it does, run the command again with `--extension` and its name. If it runs another one, run it with `--extension none`: then the extension stays.
  `az k8s-extension show --name edge01 --cluster-name berlin-arc --cluster-type connectedClusters --resource-group edge-rg --subscription ID`\
""")
    assert await registry.answer() == snapshot("""\
Registry: :white_check_mark:  *Remove edge01 from berlin*  ·  nothing to remove
  requested by @alice TIME  ·  development  ·  `op-1`
  There was nothing to remove: Azure has no connected registry, token or scope map of `edge01`, and `berlin` has no extension of it. Similar names: `edge02`.
  [Show details]\
""")
    assert "connected-registry/connected-registry" in await registry.services("berlin")


async def test_a_registry_that_azure_wants_deactivated_first_is_deactivated(deployed: Conversation) -> None:
    message = "The connected registry has to be deactivated first."
    await deployed.fault("azure", "DELETE .*/connectedRegistries/edge01", status=409, code="Active", message=message)
    await remove(deployed)

    assert (await deployed.operation()).state == "succeeded"
    assert len(await deployed.requests("POST .*/deactivate")) == 1


async def test_a_viewer_may_not(deployed: Conversation) -> None:
    await deployed.say("remove edge01 --site berlin", as_="dave")

    assert await deployed.transcript() == snapshot("""\
dave   /registry remove edge01 --site berlin
bot    (only dave) This needs `registry:write`, which you don't have. The role *operator* or *admin* includes it; the access file grants roles. `/registry whoami` shows what you have.\
""")
