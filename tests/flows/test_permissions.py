"""Changing which repositories a connected registry syncs, as conversations."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from sandbox.azure.cloud import ConnectedRegistry, Origin, ScopeMap, Token
from sandbox.azure.images import sample_image
from services.policy.sites import sync_actions, synced_repositories
from tests.flows.conversation import Conversation

ADD = "permissions add edge01 team/app --site berlin"
MINUTE = 60


def cloud(registry: Conversation) -> Any:
    """The cloud registry inside the sandbox, for what people do to it without the bot."""
    assert registry.box.azure
    return registry.box.azure.cloud.registries["contosoacr"]


def make(registry: Conversation, name: str, *, parent: str | None = None, repositories: tuple[str, ...] = ()) -> None:
    """Let somebody have a connected registry with its sync token."""
    acr, now = cloud(registry), registry.box.clock.now()
    origin = Origin.now("somebody", now)
    acr.scope_maps[name] = ScopeMap(name, list(sync_actions(name, "ReadWrite", repositories)), now, origin)
    acr.tokens[name] = Token(name, name, now, origin)
    acr.connected[name] = ConnectedRegistry(name, "ReadWrite", name, origin, parent=parent)


def repositories(registry: Conversation, *names: str) -> dict[str, list[str]]:
    """What the scope maps of these names let their tokens read."""
    maps = cloud(registry).scope_maps
    return {name: list(synced_repositories(maps[name].actions)) for name in names}


async def change(registry: Conversation, line: str) -> None:
    """Say it, and let the edge sync a minute later."""
    await registry.say(line, quiet=False)
    await registry.running("permissions.synced")
    await registry.post("/sandbox/clock", turn=MINUTE)
    await registry.quiet()


async def at_the_edge(registry: Conversation) -> list[str]:
    """Repositories that berlin's edge holds."""
    clusters = (await registry.get("/sandbox/edge"))["clusters"]
    [runtime] = next(cluster["runtimes"] for cluster in clusters if cluster["name"] == "berlin-arc")
    return sorted(runtime["images"])


@pytest.fixture
async def deployed(registry: Conversation) -> Conversation:
    """With edge01 online at berlin below plant, and an image in the cloud that neither syncs."""
    await registry.say("deploy edge01 --site berlin")
    make(registry, "plant", repositories=("hello-world",))
    cloud(registry).connected["edge01"].parent = "plant"
    cloud(registry).images.put("team/app", "v1", sample_image("team/app:v1"), registry.box.clock.now())
    registry.said.clear()
    return registry


async def test_a_repository_is_added_from_the_top_down_and_synced_and_then_nothing_is_left(
    deployed: Conversation,
) -> None:
    await deployed.say(f"{ADD} --dry-run")
    preview = await deployed.answer()
    before = repositories(deployed, "plant", "edge01")
    await change(deployed, ADD)
    card, thread = await deployed.answer(), await deployed.thread()
    await deployed.say(ADD)

    assert preview == snapshot("""\
Registry (only you): :mag:  *Change the repositories of edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  *Plan: 3 steps*
  :white_circle:  Change: Rights of plant  ·  may read team/app
  :white_circle:  Change: Rights of edge01  ·  may read team/app
  :white_circle:  Verify: Next sync of edge01
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert before == snapshot({"plant": ["hello-world"], "edge01": ["hello-world"]})
    assert card == snapshot("""\
Registry: :white_check_mark:  *Change the repositories of edge01 at berlin*  ·  changed
  requested by @alice TIME  ·  development  ·  `op-1`
  3 of 3 steps done
  *Added* team/app
  *Edge* has synced since (TIME)
  *Took* N s
  [Show details]\
""")
    assert thread == snapshot(
        [
            ":white_check_mark:  Change: Rights of plant  ·  N s  ·  `ID`",
            ":white_check_mark:  Change: Rights of edge01  ·  N s  ·  `ID`",
            ":white_check_mark:  Verify: Next sync of edge01  ·  N s",
            ":white_check_mark:  Change the repositories of edge01 at berlin: changed in N s. @alice",
        ]
    )
    assert repositories(deployed, "plant", "edge01") == snapshot(
        {"plant": ["hello-world", "team/app"], "edge01": ["hello-world", "team/app"]}
    )
    assert await at_the_edge(deployed) == snapshot(["hello-world", "team/app"])
    assert await deployed.answer() == snapshot("""\
Registry: :white_check_mark:  *Change the repositories of edge01 at berlin*  ·  nothing to change
  requested by @alice TIME  ·  development  ·  `op-1`
  2 steps, kept as they are
  There was nothing to do: everything is as requested.
  [Show details]\
""")


async def test_a_removal_shows_who_loses_images_and_leaves_those_above_alone(deployed: Conversation) -> None:
    acr, now = cloud(deployed), deployed.box.clock.now()
    address = (await deployed.services("berlin"))["connected-registry/connected-registry"]
    async with deployed.kubectl() as core:
        pod = {"containers": [{"name": "shop", "image": f"{address}/hello-world:latest"}]}
        await core.create_namespaced_pod("default", {"metadata": {"name": "shop"}, "spec": pod})
    origin = Origin.now("somebody", now)
    acr.scope_maps["till"] = ScopeMap("till", ["repositories/hello-world/content/read"], now, origin)
    acr.tokens["till"] = Token("till", "till", now, origin)
    acr.connected["edge01"].client_tokens = [f"{deployed.bot.services.sites['berlin'].acr_ref.id}/tokens/till"]
    await deployed.say("permissions remove edge01 hello-world --site berlin --dry-run")
    preview = await deployed.answer()
    await change(deployed, "permissions remove edge01 hello-world --site berlin")

    assert preview == snapshot("""\
Registry (only you): :mag:  *Change the repositories of edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  `edge01` syncs no repository at all afterwards, and its edge serves nothing.
  :warning:  `plant` may read repositories that only `edge01` is known to use: `hello-world`. It may sync them for itself, so these rights stay.
  If nobody needs them there, take them away afterwards with `permissions remove`.
  :warning:  These client tokens can no longer pull `hello-world` from `edge01`, since the edge deletes the images: `till`.
  :warning:  Workloads run images of these repositories from `edge01`: `default/shop`. They run on with the images that their nodes have, and can't start where an image is missing.
  Point them to another registry first.
  *Plan: 2 steps*
  :white_circle:  Change: Rights of edge01  ·  loses hello-world
  :white_circle:  Verify: Next sync of edge01
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert await deployed.answer() == snapshot("""\
Registry: :white_check_mark:  *Change the repositories of edge01 at berlin*  ·  changed
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Removed* hello-world
  *Edge* has synced since (TIME)
  *Took* N s
  [Show details]\
""")
    assert repositories(deployed, "plant", "edge01") == snapshot({"plant": ["hello-world"], "edge01": []})
    assert await at_the_edge(deployed) == snapshot([])


async def test_what_can_not_be_or_would_harm_others_is_refused_before_anything_is_written(
    deployed: Conversation,
) -> None:
    make(deployed, "line1", parent="edge01", repositories=("hello-world",))
    full = cloud(deployed).scope_maps["plant"]
    full.actions += [f"repositories/other{number}/content/read" for number in range(499 - len(full.actions))]
    lines = (
        "permissions add edge01 Team/App:v1 --site berlin",
        "permissions add edge10 team/app --site berlin",
        "permissions add edge01 team/ap --site berlin",
        ADD,
        "permissions remove edge01 hello-world --site berlin",
    )
    answers = []
    for line in lines:
        await deployed.say(line)
        answers.append(await deployed.blockers() or await deployed.answer())

    assert answers == snapshot(
        [
            """\
Registry (only you): `Team/App:v1` is not a repository. Use lowercase without a tag, such as `hello-world` or `team/app`.
  /registry permissions add edge01 team/app --site berlin
  [Run this]\
""",
            """\
  :no_entry:  The cloud registry `contosoacr` has no connected registry `edge10`.
  Check the name; similar ones: `edge01`.
  `az acr connected-registry list --registry contosoacr --resource-group edge-rg --subscription ID --output table`\
""",
            """\
  :no_entry:  The scope map `plant` would have 501 permissions, and Azure allows 500.
  Take repositories away first with `permissions remove`, or spread them over several connected registries.
  :no_entry:  The cloud registry `contosoacr` has no image in `team/ap`, so the edge would sync nothing from there.
  Push or import an image first, or check the name.\
""",
            """\
  :no_entry:  The scope map `plant` would have 501 permissions, and Azure allows 500.
  Take repositories away first with `permissions remove`, or spread them over several connected registries.\
""",
            """\
  :no_entry:  Connected registries below `edge01` sync `hello-world` through it: `line1`.
  Take the repositories from those first, with `permissions remove`.\
""",
        ]
    )
    assert await deployed.requests("PATCH .*/scopeMaps/.*") == []


async def test_what_azure_refuses_fails_with_its_cause_and_a_retry_goes_on(deployed: Conversation) -> None:
    line = "PATCH .*/scopeMaps/edge01"
    await deployed.fault("azure", line, status=403, code="AuthorizationFailed", message="No.")
    await deployed.say(ADD)
    failed = await deployed.card_of("berlin")
    await deployed.click("Retry", as_="carol", quiet=False)
    await deployed.running("permissions.synced")
    await deployed.post("/sandbox/clock", turn=MINUTE)
    await deployed.quiet()

    assert failed == snapshot("""\
Registry: :x:  *Change the repositories of edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  1 of 3 steps done, stopped at *Change: Rights of edge01*
  Azure does not let the bot do this: `AuthorizationFailed` `No.`
  Fix what it names: a right that the bot's identity lacks, or a network rule. Then retry.
  Left behind: Rights of plant; perhaps Rights of edge01.
  [Retry] [Show details]\
""")
    assert (await deployed.operation()).state == "succeeded"
    assert len(await deployed.requests("PATCH .*/scopeMaps/plant")) == 1
