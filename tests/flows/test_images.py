"""An edge is online when there is something for it to serve: what the cloud registry holds is looked at, not assumed."""

from pathlib import Path

from inline_snapshot import snapshot

from sandbox import world as worlds
from services.operations.deploy.outputs import RegistrySynced
from tests.flows.conversation import Conversation, conversation, site

EXISTS = "Tag hello-world:latest already exists in target registry."
CLOSED = "client with IP '203.0.113.7' is not allowed access"


async def test_a_repository_that_holds_nothing_stands_in_the_way_before_anything_is_written(
    registry: Conversation,
) -> None:
    before = (await registry.azure())["registries"]
    await registry.say("deploy edge01 --site berlin --repository helo-world")

    assert await registry.blockers() == snapshot("""\
  :no_entry:  Nothing is in `helo-world`: `contosoacr` has no tag there, and the site imports none. Did you mean `hello-world`?
  Correct `--repository`, or push an image first.
  `az acr repository list --name contosoacr --subscription ID --output table`\
""")
    assert (await registry.azure())["registries"] == before


async def test_a_repository_that_is_filled_from_the_edge_may_be_empty(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin --mode ReadWrite --repository team/app")

    assert (await registry.operation()).state == "succeeded"
    assert "*Not proven to hold an image* `team/app`" in await registry.card_of("berlin")


async def test_a_refusal_because_the_tag_exists_is_no_proof_that_it_does(registry: Conversation) -> None:
    await registry.fault("azure", "POST .*/importImage", status=409, code="Conflict", message=EXISTS, times=None)
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "failed"
    assert "The import of `hello-world:latest` has ended, but `contosoacr` has no such tag." in (
        await registry.card_of("berlin")
    )


async def test_a_registry_that_keeps_the_bot_out_is_deployed_from_and_says_what_was_not_proven(
    registry: Conversation,
) -> None:
    await registry.fault("azure", "POST /oauth2/exchange", status=403, code="DENIED", message=CLOSED, times=None)
    await registry.say("check berlin")
    answer = await registry.answer()
    await registry.say("deploy edge01 --site berlin")

    assert CLOSED in answer
    assert "imported, as Azure says; the bot could not look" in "\n".join(await registry.thread())
    card = await registry.card_of("berlin")
    assert "*Not proven to hold an image* `hello-world`" in card


async def test_what_a_failure_leaves_behind_is_only_what_the_operation_made(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.fault("azure", "PUT .*/scopeMaps/edge02", status=400, code="ValidationError", message="no")
    await registry.say("deploy edge02 --site hamburg")
    await registry.click("Approve", as_="bob")

    assert (await registry.operation("edge02")).state == "failed"
    assert "Nothing was left behind." in await registry.card_of("hamburg")


async def test_a_repository_that_is_added_later_is_online_after_another_sync(tmp_path: Path) -> None:
    name = "azuredocs/aks-helloworld"
    images = {"hello-world": "mcr.microsoft.com/hello-world:latest", name: f"mcr.microsoft.com/{name}:v1"}
    async with conversation(tmp_path, berlin=site("berlin", images=images)) as talk:
        await talk.say("deploy edge01 --site berlin")
        first = (await talk.operation()).output(RegistrySynced)
        await talk.say(f"deploy edge01 --site berlin --repository hello-world --repository {name}", quiet=False)
        await talk.running("connected.synced")
        await talk.post("/sandbox/clock", turn=60)
        await talk.quiet()
        second = (await talk.operation()).output(RegistrySynced)

    assert first
    assert second
    assert (first.repositories, second.repositories) == (("hello-world",), (name, "hello-world"))
    assert first.last_sync != second.last_sync


async def test_a_name_that_somebody_else_has_stands_in_the_way_or_is_not_left_behind(tmp_path: Path) -> None:
    world = worlds.load()
    world["azure"]["taken_names"] = ["corpacr"]
    acr = {"name": "corpacr", "create_in": "westeurope"}
    async with conversation(tmp_path, world=world, berlin=site("berlin", acr=acr)) as talk:
        await talk.say("deploy edge01 --site berlin")
        blocked = await talk.blockers()
        # Somebody takes it between the plan and the run.
        assert talk.box.azure
        talk.box.azure.cloud.taken_names = frozenset()
        message = "The registry DNS name corpacr.azurecr.io is already in use."
        await talk.fault("azure", "PUT .*/registries/corpacr", status=409, code="AlreadyInUse", message=message)
        await talk.say("deploy edge01 --site berlin")
        card = await talk.card_of("berlin")

    assert blocked == snapshot("""\
  :no_entry:  No registry can be created under the name `corpacr`. Azure says: `The registry corpacr is already in use.`
  Choose another name for it in the site file (`acr.name`); it has to be unique in the whole cloud.\
""")
    assert "failed" in card.partition("\n")[0]
    assert "corpacr" not in next(line for line in card.splitlines() if "eft behind" in line)
