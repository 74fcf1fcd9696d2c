"""Azure in China and of the US Government: other audiences, names and regions, and older api-versions."""

from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path

import pytest

from sandbox import world
from tests.flows.conversation import Conversation, conversation, site

MINUTE = 60
CLOUDS = pytest.mark.parametrize(
    ("cloud", "hosts"),
    [("china", r"chinaeast2.data.azurecr.cn"), ("us-government", r"usgovvirginia.data.azurecr.us")],
)


@pytest.fixture
async def registry(tmp_path: Path, cloud: str) -> AsyncIterator[Conversation]:
    """A registry whose login server has a domain name label."""
    content = deepcopy(world.load())
    content["azure"]["cloud"] = cloud
    content["azure"]["registries"][0]["domain_name_label_scope"] = "TenantReuse"
    async with conversation(tmp_path, world=content, berlin=site("berlin")) as talk:
        yield talk


@CLOUDS
async def test_the_whole_life_of_a_registry_in_another_cloud(registry: Conversation, cloud: str, hosts: str) -> None:
    await registry.say("deploy edge01 --site berlin")
    assert (await registry.operation()).state == "succeeded"

    await registry.say("check berlin")
    assert f".{hosts}" in await registry.answer()
    await registry.say("acr show berlin")
    shown = await registry.answer()
    assert "contosoacr-" in shown
    assert hosts in shown

    await registry.say("workload deploy edge01 --site berlin --image hello-world:latest", quiet=False)
    await registry.running("client_token.synced")
    await registry.post("/sandbox/clock", turn=MINUTE)
    await registry.quiet()
    assert (await registry.operation()).state == "succeeded"

    await registry.say("remove edge01 --site berlin --confirm edge01")
    assert (await registry.operation()).state == "succeeded"


@CLOUDS
async def test_what_the_cloud_does_not_offer_yet_is_said(registry: Conversation, cloud: str, hosts: str) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("resync edge01 --site berlin")

    assert (await registry.operation()).state == "blocked"
    assert "API version" in await registry.blockers()
    await registry.say("provider show berlin")
    assert "`2025-09-01-preview`" in await registry.answer()
