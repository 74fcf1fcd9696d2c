"""Creating and deleting connected registries that nothing runs, as conversations."""

from typing import Any

import pytest
from inline_snapshot import snapshot

from sandbox.azure.cloud import Origin, ScopeMap, Token
from sandbox.azure.images import sample_image
from services.policy.sites import sync_actions
from tests.flows.conversation import Conversation

PLANT = "create plant --site berlin --mode ReadWrite"
LINE = "create line1 --site berlin --parent plant"


def cloud(registry: Conversation) -> Any:
    """The cloud registry inside the sandbox."""
    assert registry.box.azure
    return registry.box.azure.cloud.registries["contosoacr"]


def world(registry: Conversation) -> dict[str, list[str]]:
    """What bears a name in the cloud registry."""
    acr = cloud(registry)
    return {
        "connected": sorted(acr.connected),
        "tokens": sorted(acr.tokens),
        "scope maps": sorted(name for name in acr.scope_maps if not name.startswith("_")),
    }


@pytest.fixture
async def stocked(registry: Conversation) -> Conversation:
    """With an image in the cloud registry."""
    cloud(registry).images.put("hello-world", "latest", sample_image("hello-world:latest"), registry.box.clock.now())
    return registry


async def test_one_is_created_below_another_with_its_rights_there_and_both_are_deleted_without_a_trace(
    stocked: Conversation,
) -> None:
    before = world(stocked)
    await stocked.say(PLANT)
    plant = await stocked.answer()
    await stocked.say(f"{LINE} --dry-run")
    preview = await stocked.answer()
    await stocked.say(f'{LINE} --gc-schedule "0 1 * * *" --audit-logs on')
    created, thread = await stocked.answer(), await stocked.thread()
    above = sorted(cloud(stocked).scope_maps["plant"].actions)
    await stocked.say(f'{LINE} --gc-schedule "0 1 * * *" --audit-logs on')
    again = await stocked.answer()
    listed = []
    for option in ("--parent plant", "--no-children"):
        await stocked.say(f"list {option}")
        listed.append((await stocked.answer()).splitlines()[2].split(" | ")[0].strip())
    await stocked.say("delete plant --site berlin --cleanup")
    refused = await stocked.blockers()
    await stocked.say("delete line1 --site berlin --dry-run")
    what_stays = await stocked.answer()
    for name in ("line1", "plant"):
        await stocked.say(f"delete {name} --site berlin --cleanup")
    deleted = await stocked.answer()
    await stocked.say("delete plants --site berlin --cleanup")

    assert listed == ["line1", "plant"]
    assert plant == snapshot("""\
Registry: :white_check_mark:  *Create plant for berlin*  ·  created
  requested by @alice TIME  ·  development  ·  `op-1`
  4 of 4 steps done
  *Repositories* hello-world
  *Connected registry* plant, ReadWrite, schedule * * * * *
  *Extension* none yet: `extension deploy` installs one
  *Took* N s
  [Show details]\
""")
    assert preview == snapshot("""\
Registry (only you): :mag:  *Create line1 for berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  *Plan: 4 steps*
  :white_circle:  Change: Rights of plant  ·  gets 4 rights that the one below it needs
  :white_circle:  Create: Scope map line1  ·  repositories hello-world
  :white_circle:  Create: Sync token line1  ·  without a password yet
  :white_circle:  Create: Connected registry line1  ·  ReadOnly, schedule * * * * *, below plant
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert created == snapshot("""\
Registry: :white_check_mark:  *Create line1 for berlin*  ·  created
  requested by @alice TIME  ·  development  ·  `op-1`
  4 of 4 steps done
  *Repositories* hello-world
  *Connected registry* line1, ReadOnly, schedule * * * * *, below plant, garbage collection 0 1 * * *, audit logs
  *Extension* none yet: `extension deploy` installs one, and `--parent-protocol` says how its parent is served
  *Took* N s
  [Show details]\
""")
    assert thread == snapshot(
        [
            ":white_check_mark:  Change: Rights of plant  ·  N s  ·  `ID`",
            ":white_check_mark:  Create: Scope map line1  ·  N s  ·  `ID`",
            ":white_check_mark:  Create: Sync token line1  ·  N s  ·  `ID`",
            ":white_check_mark:  Create: Connected registry line1  ·  N s  ·  `ID`",
            ":white_check_mark:  Create line1 for berlin: created in N s. @alice",
        ]
    )
    assert above == snapshot(
        [
            "gateway/line1/config/read",
            "gateway/line1/config/write",
            "gateway/line1/message/read",
            "gateway/line1/message/write",
            "gateway/plant/config/read",
            "gateway/plant/config/write",
            "gateway/plant/message/read",
            "gateway/plant/message/write",
            "repositories/hello-world/content/delete",
            "repositories/hello-world/content/read",
            "repositories/hello-world/content/write",
            "repositories/hello-world/metadata/read",
            "repositories/hello-world/metadata/write",
        ]
    )
    assert again == snapshot("""\
Registry: :white_check_mark:  *Create line1 for berlin*  ·  exists as asked for
  requested by @alice TIME  ·  development  ·  `op-1`
  4 steps, kept as they are
  There was nothing to do: everything is as requested.
  [Show details]\
""")
    assert refused == snapshot("""\
  :no_entry:  Connected registries below `plant` sync through it: `line1`.
  Delete them first.\
""")
    assert what_stays == snapshot("""\
Registry (only you): :mag:  *Delete line1 from the cloud registry of berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  Its sync token (`line1`) and its scope map (`line1`) stay, with the rights that name it in those of registries above it.
  To delete them too, add `--cleanup`.
  :warning:  `plant` may read repositories that only `line1` is known to use: `hello-world`. It may sync them for itself, so these rights stay.
  If nobody needs them there, take them away afterwards with `permissions remove`.
  *Plan: 1 step*
  :white_circle:  Delete: Connected registry line1
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert deleted == snapshot("""\
Registry: :white_check_mark:  *Delete plant from the cloud registry of berlin*  ·  deleted
  requested by @alice TIME  ·  development  ·  `op-1`
  3 of 3 steps done
  *Connected registry* plant deleted
  *Tokens* plant deleted
  *Scope maps* plant deleted
  *Took* N s
  [Show details]\
""")
    assert await stocked.answer() == snapshot("""\
Registry: :white_check_mark:  *Delete plants from the cloud registry of berlin*  ·  nothing to delete
  requested by @alice TIME  ·  development  ·  `op-1`
  There was nothing to delete: Azure has no connected registry, sync token or scope map of `plants`.
  [Show details]\
""")
    assert world(stocked) == before


async def test_what_would_overwrite_or_could_not_sync_is_refused_before_anything_is_written(
    stocked: Conversation,
) -> None:
    acr, now = cloud(stocked), stocked.box.clock.now()
    acr.scope_maps["edge02"] = ScopeMap("edge02", ["repositories/other/content/read"], now, Origin.now("somebody", now))
    await stocked.say("create plant --site berlin")
    answers = []
    for line in (
        "create Edge-1 --site berlin",
        "create edge01 --site lyon --repository team/app --parent nobody",
        "create edge02 --site berlin",
        f"{LINE} --mode ReadWrite",
        'create plant --site berlin --mode ReadWrite --schedule "0 3 * * *" --window 3h --gc off',
    ):
        await stocked.say(line)
        answers.append(await stocked.blockers() or await stocked.answer())

    assert answers == snapshot(
        [
            """\
Registry (only you): `Edge-1` can't be the name of a connected registry. Use 5 to 40 lowercase letters and digits, beginning with a letter.
  /registry create edge1 --site berlin
  [Run this]\
""",
            """\
  :no_entry:  The cloud registry `contosoacr` has no connected registry `nobody` to be the parent.
  Check the name. There are: `plant`.
  :no_entry:  The cloud registry `contosoacr` has no image in `team/app`, so the edge would sync nothing from there.
  Push or import an image first, or check the name.\
""",
            """\
  :no_entry:  There is a scope map `edge02` with other rights (too many: `repositories/other/content/read`; missing: `gateway/edge02/config/read`, `gateway/edge02/config/write`, `gateway/edge02/message/read`, `gateway/edge02/message/write`, `repositories/hello-world/content/read` and `repositories/hello-world/metadata/read`).
  If it is left from an earlier connected registry, run `delete` with `--cleanup` first.
  `az acr scope-map show --name edge02 --registry contosoacr --resource-group edge-rg --subscription ID`\
""",
            """\
  :no_entry:  `plant` is `ReadOnly`, so that one below it can't be `ReadWrite`.
  Choose the same mode, or a parent that takes pushes (ReadWrite).\
""",
            """\
  :no_entry:  `plant` exists with other values: mode `ReadOnly` → `ReadWrite`, schedule `* * * * *` → `0 3 * * *`, window none → `PT3H`, gc_enabled `True` → `False`.
  Schedule, window, message TTL, garbage collection and audit logs are changed by `update`. Mode, parent and sync token can't be changed: choose another name, or delete it first.\
""",
        ]
    )
    assert sorted(acr.connected) == ["plant"]


async def test_one_that_an_extension_runs_is_not_deleted_and_one_that_is_active_and_gone_is(
    stocked: Conversation,
) -> None:
    await stocked.say("deploy edge01 --site berlin")
    await stocked.say("delete edge01 --site berlin")
    here = await stocked.blockers()
    await stocked.say("delete edge01 --site lyon")
    elsewhere = await stocked.blockers()
    await stocked.edge(offline=True)
    await stocked.post("/sandbox/clock", turn=3600)
    cloud(stocked).connected["edge01"].schedule = "0 3 * * *"
    await stocked.say("delete edge01 --site lyon")
    silent = await stocked.blockers()
    cloud(stocked).connected["edge01"].schedule = "* * * * *"
    await stocked.say("delete edge01 --site lyon")

    assert here == snapshot("""\
  :no_entry:  The extension `edge01` at `berlin` runs `edge01`.
  `remove` takes the extension along, with the plan for its cluster.
  :no_entry:  `edge01` is active (`Online`, last seen TIME), so an installation runs somewhere, perhaps at another site.
  Remove it by the site where it runs.\
""")
    assert elsewhere == snapshot("""\
  :no_entry:  `edge01` is active (`Online`, last seen TIME), so an installation runs somewhere, perhaps at another site.
  Remove it by the site where it runs.\
""")
    assert await stocked.answer() == snapshot("""\
Registry: :white_check_mark:  *Delete edge01 from the cloud registry of lyon*  ·  deleted
  requested by @alice TIME  ·  development  ·  `op-1`
  1 of 1 step done
  *Connected registry* edge01 deleted
  *Took* N s
  [Show details]\
""")
    assert silent == snapshot("""\
  :no_entry:  `edge01` is active and `Offline` (last seen TIME), as its schedule `0 3 * * *` has it most of the time: an installation may run somewhere.
  Remove it by the site where it runs. If its installation is gone, deactivate it first.\
""")
    assert world(stocked) == snapshot({"connected": [], "tokens": ["edge01"], "scope maps": ["edge01"]})


async def test_what_azure_refuses_fails_with_its_cause_and_a_retry_goes_on(stocked: Conversation) -> None:
    line = "PUT .*/connectedRegistries/plant"
    await stocked.fault("azure", line, status=409, code="QuotaReached", message="No more.")
    await stocked.say(PLANT)
    failed = await stocked.card_of("berlin")
    await stocked.click("Retry", as_="carol")
    retried = (await stocked.operation("plant")).state
    await stocked.fault("azure", "DELETE .*/tokens/plant", status=403, code="AuthorizationFailed", message="No.")
    await stocked.say("delete plant --site berlin --cleanup")
    partly = await stocked.card_of("berlin")
    await stocked.click("Retry", as_="carol", card="Delete")

    assert failed == snapshot("""\
Registry: :x:  *Create plant for berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-1`
  3 of 4 steps done, stopped at *Create: Connected registry plant*
  Something is in the way of this change of `connectedRegistries/plant`: `QuotaReached` `No more.`
  Fix what it names, or wait until that has finished. Then retry.
  Left behind: Data endpoint of contosoacr, Scope map plant and Sync token plant.
  [Retry] [Show details]\
""")
    assert partly == snapshot("""\
Registry: :x:  *Delete plant from the cloud registry of berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  1 of 3 steps done, stopped at *Delete: Sync token plant*
  Azure does not let the bot do this: `AuthorizationFailed` `No.`
  Fix what it names: a right that the bot's identity lacks, or a network rule. Then retry.
  Deleted: Connected registry plant. Perhaps deleted: Sync token plant. Still there: Scope map plant.
  [Retry] [Show details]\
""")
    assert [retried, (await stocked.operation("plant")).state] == ["succeeded", "succeeded"]
    assert world(stocked) == snapshot({"connected": [], "tokens": [], "scope maps": []})


async def test_one_syncs_by_a_token_that_exists_where_nobody_else_uses_it_and_its_rights_suffice(
    stocked: Conversation,
) -> None:
    acr, now = cloud(stocked), stocked.box.clock.now()
    actions = list(sync_actions("edge01", "ReadOnly", ("hello-world",)))
    acr.scope_maps["edge-sync"] = ScopeMap("edge-sync", actions, now, Origin.now("somebody", now))
    acr.tokens["edge-sync"] = Token("edge-sync", "edge-sync", now, Origin.now("somebody", now))
    before, answers = world(stocked), []
    for line in (
        "create edge01 --site berlin --sync-token edge-sink",
        "create edge02 --site berlin --sync-token edge-sync",
        "create edge01 --site berlin --sync-token edge-sync --mode ReadWrite",
        "create edge01 --site berlin --sync-token edge-sync --repository hello-world",
    ):
        await stocked.say(line)
        answers.append(await stocked.blockers() or await stocked.answer())
    assert world(stocked) == before
    await stocked.say("create edge01 --site berlin --sync-token edge-sync")
    created = await stocked.answer()
    await stocked.say("create edge02 --site berlin --sync-token edge-sync")

    assert answers == snapshot(
        [
            """\
  :no_entry:  The cloud registry `contosoacr` has no token `edge-sink`.
  Check the name; similar ones: `edge-sync`. Without `--sync-token` it gets one of its own.
  `az acr token list --registry contosoacr --resource-group edge-rg --subscription ID --output table`\
""",
            """\
  :no_entry:  The scope map `edge-sync` of the token `edge-sync` lacks rights that `edge02` syncs by: `gateway/edge02/config/read`, `gateway/edge02/config/write`, `gateway/edge02/message/read` and `gateway/edge02/message/write`.
  Add them, with at least one repository, by `az acr scope-map update`.
  `az acr scope-map show --name edge-sync --registry contosoacr --resource-group edge-rg --subscription ID`\
""",
            """\
  :no_entry:  The scope map `edge-sync` of the token `edge-sync` lacks rights that `edge01` syncs by: `repositories/hello-world/content/delete`, `repositories/hello-world/content/write` and `repositories/hello-world/metadata/write`.
  Add them, with at least one repository, by `az acr scope-map update`.
  `az acr scope-map show --name edge-sync --registry contosoacr --resource-group edge-rg --subscription ID`\
""",
            "Registry (only you): A connected registry syncs what the scope map of its `--sync-token` lets it, so `--repository` can't stand beside it. Leave one of the two out.",
        ]
    )
    assert created == snapshot("""\
Registry: :white_check_mark:  *Create edge01 for berlin*  ·  created
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Connected registry* edge01, ReadOnly, schedule * * * * *, sync token edge-sync
  *Extension* none yet: `extension deploy` installs one
  *Took* N s
  [Show details]\
""")
    assert await stocked.blockers() == snapshot("""\
  :no_entry:  Others use the token `edge-sync`: `edge01`. Each new password of it would cut them off.
  Name a token that nobody uses, or leave out `--sync-token`: then it gets one of its own.\
""")
    assert acr.connected["edge01"].token == "edge-sync"
    assert sorted(acr.tokens) == ["edge-sync"]
