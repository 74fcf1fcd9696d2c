"""A site's cloud registry and its subscription: made ready, filled and deleted, as conversations."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from inline_snapshot import snapshot

from tests.flows.azure_roles import grant
from tests.flows.conversation import SUBSCRIPTION, Conversation, conversation, site

LAB = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosolab"
)
OTHER = f"sha256:{'0' * 64}"
IMPORT = "acr import mcr.microsoft.com/hello-world:latest --site paris"
PRIVATE = (
    f"acr import contosolab.azurecr.io/hello-world:latest --site paris --repository team/app --source-registry {LAB}"
)


@pytest.fixture
async def talk(tmp_path: Path) -> AsyncIterator[Conversation]:
    """Paris has no cloud registry yet, and that of the lab is in the Basic tier."""
    new, lab = {"name": "contosoparis", "create_in": "westeurope"}, {"name": "contosolab"}
    async with conversation(tmp_path, paris=site("paris", acr=new), lab=site("lab", acr=lab)) as talk:
        grant(talk, "writer", "subscription", "registry-deletion")
        yield talk


async def registries(talk: Conversation) -> list[Any]:
    """What Azure has."""
    return list((await talk.azure())["registries"])


async def answers(talk: Conversation, *lines: str) -> list[str]:
    """What is read after each line."""
    texts = []
    for line in lines:
        await talk.say(line)
        texts.append(await talk.answer())
    return texts


async def test_a_name_that_azure_could_not_be_asked_about_does_not_keep_a_registry_from_being_created(
    talk: Conversation,
) -> None:
    await talk.fault("azure", "POST .*/checkNameAvailability", "drop", times=None)
    preview, created = await answers(talk, "acr create paris --dry-run", "acr create paris")

    assert preview == snapshot("""\
Registry (only you): :mag:  *Create the cloud registry contosoparis*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :grey_question:  Azure could not be reached (`NoConnection`: `Server disconnected`).
  Not checked: Name of the new registry is free.
  This may be temporary; check again.
  [Check]
  :warning:  `contosoparis` is created in `westeurope`, in the Premium tier, which costs money every month.
  *Plan: 2 steps*
  :white_circle:  Create: Cloud registry contosoparis  ·  Premium, in westeurope, with its data endpoint on
  :white_circle:  Verify: contosoparis is Premium and has its data endpoint on
  This was a dry run: nothing was written.
  [Show details]\
""")
    assert "*Create the cloud registry contosoparis*  ·  created" in created


# Another replica than the one that created the registry deletes it: the first does not believe for a minute that it is
# gone (docs/decisions/azure-requests.md).
@pytest.mark.only_on("sqlite", "postgresql")
async def test_providers_are_registered_and_a_registry_is_created_filled_and_deleted(talk: Conversation) -> None:
    before = await registries(talk)
    assert talk.box.azure
    talk.box.azure.cloud.providers["microsoft.containerregistry"] = "NotRegistered"
    await talk.say("acr create paris")
    unregistered = await talk.blockers()
    await talk.click("Provider register", as_="alice")
    registered = [await talk.answer(), *(await answers(talk, "provider register paris", "acr create paris --dry-run"))]
    created = await answers(talk, "acr create paris", "acr create paris", IMPORT, IMPORT, PRIVATE)
    created += await answers(talk, "acr delete paris --dry-run")
    await talk.say("acr delete paris")
    slip = await talk.fill(confirm="contosolab")
    await talk.fill(confirm="contosoparis")
    deleted = [await talk.answer(), *(await answers(talk, "acr delete paris --dry-run"))]

    assert unregistered == snapshot("""\
  :no_entry:  The subscription has not registered `Microsoft.ContainerRegistry`, so Azure would refuse the registry.
  Register it first.
  `az provider register --namespace Microsoft.ContainerRegistry --subscription ID --wait`\
""")
    assert registered == snapshot(
        [
            """\
Registry: :white_check_mark:  *Register resource providers for paris*  ·  registered
  requested by @alice TIME  ·  development  ·  `op-1`
  1 of 1 step done
  *Registered* Microsoft.Kubernetes, Microsoft.KubernetesConfiguration, Microsoft.ExtendedLocation and Microsoft.ContainerRegistry
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Register resource providers for paris*  ·  registered already
  requested by @alice TIME  ·  development  ·  `op-1`
  There was nothing to do: all of them are registered in the subscription.
  [Show details]\
""",
            """\
Registry (only you): :mag:  *Create the cloud registry contosoparis*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  `contosoparis` is created in `westeurope`, in the Premium tier, which costs money every month.
  *Plan: 2 steps*
  :white_circle:  Create: Cloud registry contosoparis  ·  Premium, in westeurope, with its data endpoint on
  :white_circle:  Verify: contosoparis is Premium and has its data endpoint on
  This was a dry run: nothing was written.
  [Show details]\
""",
        ]
    )
    assert created == snapshot(
        [
            """\
Registry: :white_check_mark:  *Create the cloud registry contosoparis*  ·  created
  requested by @alice TIME  ·  development  ·  `op-1`
  2 of 2 steps done
  *Login server* `HOST`
  *Data endpoints* `contosoparis.westeurope.data.azurecr.io`
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Create the cloud registry contosoparis*  ·  exists already
  requested by @alice TIME  ·  development  ·  `op-1`
  There was nothing to create: `contosoparis` exists. `acr update paris` gives it what connected registries need.
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Import images into contosoparis*  ·  imported
  requested by @alice TIME  ·  development  ·  `op-1`
  1 of 1 step done
  *Imported* `hello-world:latest@sha256:ac7d26b223ed4d0fb25267ea8331c92453e590aa50a4a3f35685491152f00f48`
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Import images into contosoparis*  ·  imported
  requested by @alice TIME  ·  development  ·  `op-1`
  1 of 1 step done
  *Kept* `hello-world:latest@sha256:ac7d26b223ed4d0fb25267ea8331c92453e590aa50a4a3f35685491152f00f48`
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Import images into contosoparis*  ·  imported
  requested by @alice TIME  ·  development  ·  `op-1`
  1 of 1 step done
  *Imported* `team/app:latest@sha256:1af429b11b6fe09604ec227ddb1bff53cf6e595ab4233cae413323412b80224b`
  *Took* N s
  [Show details]\
""",
            """\
Registry (only you): :mag:  *Delete the cloud registry contosoparis*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  :warning:  All images, tokens and scope maps of `contosoparis` are deleted with it, and can't be brought back. Its name is free for anybody afterwards.
  *Plan: 1 step*
  :white_circle:  Delete: Cloud registry contosoparis  ·  with all its images, tokens and scope maps
  This was a dry run: nothing was written.
  [Show details]\
""",
        ]
    )
    assert slip["errors"] == snapshot(
        {"confirm": "contosolab is not the name that is to be confirmed: type contosoparis."}
    )
    assert deleted == snapshot(
        [
            """\
Registry: :white_check_mark:  *Delete the cloud registry contosoparis*  ·  deleted
  requested by @alice TIME  ·  development  ·  `op-1`
  1 of 1 step done
  *Took* N s
  [Show details]\
""",
            """\
Registry (only you): :mag:  *Delete the cloud registry contosoparis*  ·  dry run
  requested by @alice TIME  ·  development  ·  `op-1`
  There was nothing to delete: there is no cloud registry `contosoparis`.
  This was a dry run: nothing was written.
  [Show details]\
""",
        ]
    )
    assert await registries(talk) == before


async def test_a_registry_gets_what_connected_registries_need_and_goes_only_without_any(talk: Conversation) -> None:
    read = await answers(talk, "acr update lab", "acr update lab")
    grant(talk, "writer", "subscription")
    refused = []
    await talk.say("create edge01 --site lab")
    for line in (
        "acr update paris",
        "acr delete lab --confirm contosolab",
        f"acr import mcr.microsoft.com/hello-world:latest@{OTHER} --site lab",
    ):
        await talk.say(line)
        refused.append(await talk.blockers())
    slips = await answers(talk, "acr import hello-world --site lab", "provider register lab --namespace Microsoft.Foo")

    assert read == snapshot(
        [
            """\
Registry: :white_check_mark:  *Prepare the cloud registry contosolab*  ·  ready for connected registries
  requested by @alice TIME  ·  development  ·  `op-1`
  3 of 3 steps done
  *Login server* `HOST`
  *Data endpoints* `contosolab.westeurope.data.azurecr.io`
  *Took* N s
  [Show details]\
""",
            """\
Registry: :white_check_mark:  *Prepare the cloud registry contosolab*  ·  ready for connected registries
  requested by @alice TIME  ·  development  ·  `op-1`
  There was nothing to do: `contosolab` is Premium and has its data endpoint on.
  [Show details]\
""",
        ]
    )
    assert refused == snapshot(
        [
            """\
  :no_entry:  There is no cloud registry `contosoparis` in the resource group `edge-rg`.
  Create it, if the name is right.\
""",
            """\
  :no_entry:  Connected registries sync from `contosolab`: `edge01`. They would go with it, and their edges be cut off.
  Remove each of them first, with `remove`.
  :no_entry:  The bot's Azure identity lacks rights at `contosolab`: `Microsoft.ContainerRegistry/registries/delete`.
  Whoever runs the bot has to give it the custom role in `deploy/azure/registry-deletion.json`.\
""",
            """\
  :no_entry:  `contosolab` has `hello-world:latest` as `sha256:1af429b11b6fe09604ec227ddb1bff53cf6e595ab4233cae413323412b80224b`; `sha256:0000000000000000000000000000000000000000000000000000000000000000` is asked for, and an import never overwrites.
  Delete that tag if nothing needs it, or import under another one.\
""",
        ]
    )
    assert slips == snapshot(
        [
            """\
Registry (only you): `hello-world` does not do: an image source has host, repository and tag, such as `mcr.microsoft.com/hello-world:latest`.
  /registry acr import docker.io/library/hello-world:latest --site lab
  [Run this]\
""",
            """\
Registry (only you): Connected registries don't need `Microsoft.Foo`, so the bot does not register it. They need `Microsoft.Kubernetes`, `Microsoft.KubernetesConfiguration`, `Microsoft.ExtendedLocation` and `Microsoft.ContainerRegistry`.
  /registry provider register lab --namespace Microsoft.ExtendedLocation
  [Run this]\
""",
        ]
    )
    assert await talk.requests("DELETE ") == []


async def test_what_azure_refuses_fails_and_a_retry_goes_on(talk: Conversation) -> None:
    await talk.fault("azure", "PATCH .*/contosolab$", status=400, code="QuotaExceeded", message="No more of them.")
    await talk.fault("azure", "POST .*/register$", status=403, code="AuthorizationFailed", message="No.")
    failed = []
    for line, subject in (("acr update lab", "contosolab"), ("provider register lab", "lab")):
        await talk.say(line)
        failed.append(await talk.card_of(subject))
        await talk.click("Retry", as_="carol")
    operations = await talk.bot.store.operations.find()

    assert failed == snapshot(
        [
            """\
Registry: :x:  *Prepare the cloud registry contosolab*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-1`
  0 of 3 steps done, stopped at *Change: Tier of contosolab*
  A quota or a limit of the service is reached, so `registries/contosolab` can't be made or changed. Its message: `No more of them.`
  Delete what nobody needs, or have the limit raised.
  Left behind: perhaps Tier of contosolab.
  [Retry] [Show details]\
""",
            """\
Registry: :x:  *Register resource providers for lab*  ·  failed
  requested by @alice TIME  ·  development  ·  `op-2`
  0 of 1 step done, stopped at *Change: Registration of resource providers*
  Azure does not let the bot do this: `AuthorizationFailed` `No.`
  Fix what it names: a right that the bot's identity lacks, or a network rule. Then retry.
  Left behind: perhaps Registration of resource providers.
  [Retry] [Show details]\
""",
        ]
    )
    assert [operation.state for operation in operations] == ["succeeded"] * 2
