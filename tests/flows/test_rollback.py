"""Taking back what an operation that stopped halfway has made, as conversations."""

from typing import Any

from inline_snapshot import snapshot

from tests.flows.conversation import Conversation
from tests.flows.test_client_rotation import ROTATE
from tests.flows.test_edge_images import push
from tests.flows.test_update import make_tokens
from tests.flows.test_workload import HELLO, deploy, in_cluster, online
from tests.flows.worlds import Surroundings, world

__all__ = ["online"]

PLANT = "create plant --site berlin --mode ReadWrite"
EXTENSION_UPDATE = "extension update edge01 --site berlin --trust-distribution"
LINE = "create line1 --site berlin --parent plant --mode ReadWrite --repository team/app"


async def roll_back(registry: Conversation, options: str = "") -> str:
    """Of the newest operation that is no rollback itself; the id differs in every run."""
    operations = await registry.bot.store.operations.find()
    operation = next(one for one in operations if one.kind != "operation rollback")
    await registry.say(f"operation rollback {operation.id} {options}".rstrip())
    return await registry.answer()


def cloud_registry(registry: Surroundings) -> Any:
    """The cloud registry inside the sandbox."""
    assert registry.box.azure
    return registry.box.azure.cloud.registries["contosoacr"]


async def test_a_failed_deployment_is_taken_back_in_reverse(registry: Conversation) -> None:
    before = await world(registry)
    await registry.edge(scenario="chart-not-found")
    await registry.say("deploy edge01 --site berlin")
    await registry.mended()
    preview = await roll_back(registry, "--dry-run")
    await registry.fault("azure", "DELETE .*/tokens/edge01", status=403, code="AuthorizationFailed", message="No.")
    await roll_back(registry)
    failed = await registry.card_of("berlin")
    await registry.click("Retry", as_="carol", card="Roll back")
    done = await registry.card_of("berlin")
    after = await world(registry)
    nothing = await roll_back(registry)
    await registry.click("Retry", as_="carol", card="Deploy")

    assert preview == snapshot("""\
Registry (only you): :mag:  *Roll back edge01 at berlin*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  Resource providers, the cloud registry with its data endpoint, and images stay, since others may use them.
  *Plan: 5 steps*
  :white_circle:  Delete: Extension edge01  ·  the Arc agents uninstall it, with its namespace and its volume
  :white_circle:  Verify: Namespace connected-registry is gone from the cluster
  :white_circle:  Delete: Connected registry edge01
  :white_circle:  Delete: Sync token edge01
  :white_circle:  Delete: Scope map edge01
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert failed == snapshot("""\
Registry: :x:  *Roll back edge01 at berlin*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-3`
  3 of 5 steps done, stopped at *Delete: Sync token edge01*
  Azure does not let the bot do this: `AuthorizationFailed` `No.`
  Fix what it names: a right that the bot's identity lacks, or a network rule. Then retry.
  Deleted: Extension edge01 and Connected registry edge01. Perhaps deleted: Sync token edge01. Still there: Scope map edge01.
  [Retry] [Show details]\
""")
    assert done == snapshot("""\
Registry: :white_check_mark:  *Roll back edge01 at berlin*  ·  rolled back, retried by carol
  requested by @alice TIME  ·  development  ·  `op-3`
  5 of 5 steps done
  *Taken back* what `op-1` had done
  *Extension* edge01 deleted
  *Connected registry* edge01 deleted
  *Tokens* edge01 deleted
  *Scope maps* edge01 deleted
  *Cluster* connected-registry is gone
  *Took* N s
  [Show details]\
""")
    assert after == before
    assert nothing == snapshot("""\
Registry: :white_check_mark:  *Roll back edge01 at berlin*  ·  nothing to take back
  requested by @alice TIME  ·  development  ·  `op-1`
  There was nothing to take back. Resource providers, the cloud registry with its data endpoint, and images stay, since others may use them.
  [Show details]\
""")
    operations = await registry.bot.store.operations.find()
    assert {one.state for one in operations if one.kind == "deploy"} == {"succeeded"}


async def test_images_that_an_import_has_brought_stay_and_the_answer_says_why(registry: Conversation) -> None:
    images = "mcr.microsoft.com/hello-world:latest mcr.microsoft.com/azuredocs/aci-helloworld:latest"
    await registry.fault("azure", "POST .*/importImage", skip=1, status=400, code="BadRequest", message="No.")
    await registry.say(f"acr import {images} --site berlin")
    refused = await roll_back(registry)

    assert refused == snapshot(
        "Registry (only you): `op-1` can't be rolled back. Resource providers, the cloud registry with its data endpoint, and images stay, since others may use them."
    )
    assert "hello-world" in cloud_registry(registry).images.repositories


async def test_a_creation_below_another_registry_gives_the_rights_above_back(registry: Conversation) -> None:
    await registry.say(PLANT)
    before = await world(registry)
    await registry.fault("azure", "PUT .*/connectedRegistries/line1", status=400, code="BadRequest", message="No.")
    await registry.say(f"{LINE} --repository team/tool")
    done = await roll_back(registry)
    after = await world(registry)
    await registry.say(f"{LINE} --repository team/tool")
    refused = await roll_back(registry)

    assert done == snapshot("""\
Registry: :white_check_mark:  *Roll back line1 at berlin*  ·  rolled back
  requested by @alice TIME  ·  development  ·  `op-1`
  3 of 3 steps done
  *Taken back* what `op-2` had done
  *Tokens* line1 deleted
  *Scope maps* line1 deleted
  *Scope map* plant loses the rights to team/app and team/tool and the gateway rights of line1
  *Took* N s
  [Show details]\
""")
    assert refused == snapshot(
        "Registry (only you): `op-1` has succeeded. This is only possible for an operation that has failed or was cancelled."
    )
    assert after == before


async def test_what_was_cancelled_is_taken_back_but_not_what_others_use_by_now(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --mode ReadWrite")
    before = await world(registry)
    await registry.say("permissions add edge01 team/app --site berlin", quiet=False)
    await registry.running("permissions.synced")
    await registry.click("Cancel", as_="alice")
    done = await roll_back(registry)
    after = await world(registry)
    await registry.edge(cluster="hamburg", link="down")
    await registry.say("deploy edge02 --site hamburg")
    await registry.click("Approve", as_="bob", quiet=False)
    await registry.running("extension.install", "edge02")
    await registry.click("Cancel", as_="alice", card="edge02")
    cloud_registry(registry).connected["edge01"].parent = "edge02"
    await roll_back(registry)

    assert done == snapshot("""\
Registry: :white_check_mark:  *Roll back edge01 at berlin*  ·  rolled back
  requested by @alice TIME  ·  development  ·  `op-1`
  1 of 1 step done
  *Taken back* what `op-2` had done
  *Scope map* edge01 loses the rights to team/app
  *Took* N s
  [Show details]\
""")
    assert after == before
    assert await registry.blockers() == snapshot("""\
  :no_entry:  Connected registries below `edge02` sync through it: `edge01`.
  Remove them first.\
""")


async def test_what_is_done_is_undone_by_its_counterpart(registry: Conversation) -> None:
    await registry.say(PLANT)
    before = await world(registry)
    await registry.say(LINE)
    created = await world(registry)
    for verb, name in (("add", "line1"), ("remove", "line1"), ("remove", "plant")):
        await registry.say(f"permissions {verb} {name} team/tool --site berlin")
    taken_away = await world(registry)
    await registry.say("delete line1 --site berlin --cleanup")
    # What only line1 was known to use stays with plant, which may sync it for itself.
    await registry.say("permissions remove plant team/app --site berlin")

    assert taken_away == created
    assert await world(registry) == before


async def everything(registry: Surroundings) -> Any:
    """What Azure, berlin's cluster with its workloads, and the database have."""
    deployments = [
        (one["metadata"]["name"], one["spec"]["replicas"], one["spec"]["template"]["spec"])
        for one in await in_cluster(registry, "deployments")
    ]
    secrets = [one["metadata"]["name"] for one in await in_cluster(registry, "secrets")]
    passwords = {name: sorted(token.passwords) for name, token in cloud_registry(registry).tokens.items()}
    return await world(registry), deployments, secrets, passwords, await registry.leases()


async def test_a_change_that_failed_is_taken_back_and_the_world_is_as_before(online: Conversation) -> None:
    make_tokens(online, "till")
    before = await everything(online)
    seen = "GET .*/connectedRegistries/edge01$"
    await online.fault("azure", seen, skip=1, status=403, code="AuthorizationFailed", message="No.")
    await online.say("update edge01 --site berlin --log-level Debug --gc off --add-client-token till")
    settings, after_settings = await roll_back(online), await everything(online)
    await online.mended()

    await online.edge(scenario="trust-missing")
    await deploy(online)
    workload, after_workload = await roll_back(online), await everything(online)
    await online.mended()

    await deploy(online)
    pulling = await everything(online)
    push(online, "v2")
    await online.edge(scenario="trust-missing")
    await online.say(HELLO.replace("latest", "v2 --replicas 2"))
    image, after_image = await roll_back(online), await everything(online)
    await online.mended()

    await online.forbid_job()
    await online.say(ROTATE)
    password, after_password = await roll_back(online), await everything(online)
    await online.mended()

    await online.fault("kube", "PATCH .*/deployments/hello-world", "lose_reply", times=None)
    await online.say(ROTATE)
    await online.mended()
    switched = await everything(online)
    switch, after_switch = await roll_back(online), await everything(online)

    # A setting that the extension never had comes back as the chart's default, so it is set before.
    await online.say(f"{EXTENSION_UPDATE} off")
    untrusted = await everything(online)
    await online.edge(scenario="silent-failure", times=1)
    await online.say(f"{EXTENSION_UPDATE} on --auto-upgrade off")
    changed = await everything(online)
    extension, after_extension = await roll_back(online), await everything(online)

    assert [settings, workload, image, password, switch, extension] == snapshot(
        [
            """\
Registry: :white_check_mark:  *Roll back edge01 at berlin*  ·  rolled back
  requested by @alice TIME  ·  development  ·  `op-1`
  4 of 4 steps done
  *Taken back* what `op-2` had done
  *Changed back* Client tokens of edge01: remove till: till → none
  *Changed back* Settings of edge01: log level Debug → Information, garbage collection off → on
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Roll back edge01 at berlin*  ·  rolled back
  requested by @alice TIME  ·  development  ·  `op-1`
  5 of 5 steps done
  *Taken back* what `op-2` had done
  *Deleted* Workload hello-world: namespace default
  *Deleted* Pull secret regcred-hello-world: namespace default
  *Changed back* Client tokens of edge01: edge01-hello-world-e79d9388 may not pull any more
  *Deleted* Client token edge01-hello-world-e79d9388
  *Deleted* Scope map edge01-hello-world-e79d9388
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Roll back edge01 at berlin*  ·  rolled back
  requested by @alice TIME  ·  development  ·  `op-1`
  1 of 1 step done
  *Taken back* what `op-2` had done
  *Changed back* Workload hello-world: 10.96.0.2/hello-world:latest, 1 Pod, in the namespace default
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Roll back edge01 at berlin*  ·  rolled back
  requested by @alice TIME  ·  development  ·  `op-1`
  1 of 1 step done
  *Taken back* what `op-2` had done
  *Deleted* Pull secret regcred-hello-world-2: with the password of edge01-hello-world-e79d9388 in it
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Roll back edge01 at berlin*  ·  rolled back
  requested by @alice TIME  ·  development  ·  `op-1`
  3 of 3 steps done
  *Taken back* what `op-2` had done
  *Changed back* Workload hello-world: 10.96.0.2/hello-world:latest, 1 Pod, in the namespace default
  *Deleted* Pull secret regcred-hello-world-2: with the password of edge01-hello-world-e79d9388 in it
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Roll back edge01 at berlin*  ·  rolled back
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Taken back* what `op-2` had done
  *Changed back* Extension edge01: automatic upgrades off → on, trustDistribution.enabled true → false
  *Took* N s
  [Show details]\
""",
        ]
    )
    assert [after_settings, after_workload] == [before, before]
    assert [after_image, after_password, after_switch] == [pulling, pulling, pulling]
    assert after_extension == untrusted
    assert switched != pulling
    assert changed != untrusted
