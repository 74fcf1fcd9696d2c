"""Images that come from private registries, as conversations."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import world as worlds
from tests.flows.conversation import SUBSCRIPTION, Conversation, conversation, site

LAB = "contosolab.azurecr.io"
LAB_ID = (
    f"/subscriptions/{SUBSCRIPTION}/resourceGroups/edge-rg/providers/Microsoft.ContainerRegistry/registries/contosolab"
)


@pytest.fixture
def source() -> dict[str, Any]:
    """How the site file says to read in the laboratory's registry; empty where it says nothing."""
    return {}


@pytest.fixture
async def registry(tmp_path: Path, source: dict[str, Any]) -> AsyncIterator[Conversation]:
    """The site's image comes from the laboratory, whose registry has an admin user."""
    world = worlds.load()
    world["azure"]["registries"][1]["admin_user"] = True
    sources = {LAB: {key: str(value).format(folder=tmp_path) for key, value in source.items()}} if source else {}
    berlin = site("berlin", images={"hello-world": f"{LAB}/hello-world:latest"}, sources=sources)
    async with conversation(tmp_path, world=world, berlin=berlin) as talk:
        yield talk


@pytest.mark.parametrize("source", [{"resource_id": LAB_ID}])
async def test_an_own_registry_is_read_with_the_rights_of_the_bot(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"
    assert registry.box.azure
    assert registry.box.azure.cloud.registries["contosoacr"].images.find("hello-world", "latest")


@pytest.mark.parametrize("source", [{"username": "contosolab", "password_file": "{folder}/password"}])
async def test_a_password_is_read_when_it_is_used_and_a_missing_one_is_named(
    registry: Conversation, tmp_path: Path
) -> None:
    await registry.say("deploy edge01 --site berlin")
    failed = await registry.card_of("berlin")
    assert registry.box.azure
    password = registry.box.azure.cloud.registries["contosolab"].admin_passwords[0]
    (tmp_path / "password").write_text(f"{password}\n")
    await registry.click("Retry", as_="alice")

    assert f"The password for the registry `{LAB}`, from which `hello-world:latest` comes, can't be read" in failed
    assert f"`{tmp_path}/password: No such file or directory`" in failed
    assert (await registry.operation()).state == "succeeded"
    await registry.say(f"operation script {(await registry.operation()).id}")
    assert password not in await registry.transcript()


async def test_a_private_registry_that_the_site_file_says_nothing_of_is_refused_by_azure(
    registry: Conversation,
) -> None:
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "failed"
    assert "unauthorized to read from" in await registry.card_of("berlin")


async def test_what_the_other_registry_answers_is_not_said_to_be_azures_refusal_of_the_bot(
    registry: Conversation,
) -> None:
    await registry.say("acr import docker.io/library/nosuch:1 --site berlin")
    unknown = await registry.answer()
    await registry.say("acr import mcr.microsoft.com/hello-world:nosuch --site berlin")
    absent = await registry.answer()
    closed = "Access to corpacr.azurecr.io denied."
    await registry.fault("azure", "POST .*/importImage", status=401, code="UnAuthorized", message=closed)
    await registry.say("acr import corpacr.azurecr.io/team/app:1 --site berlin")

    assert "`docker.io` does not let Azure read `docker.io/library/nosuch:1` for the import" in unknown
    assert "`mcr.microsoft.com` has no image `mcr.microsoft.com/hello-world:nosuch`" in absent
    assert "`corpacr.azurecr.io` does not let Azure read" in await registry.answer()
