"""A central registry in one tenant, and a plant's cluster in another tenant, subscription and resource group."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from services.gateways.azure.identity import Identity
from services.model.secret import Secret
from tests.flows.conversation import SUBSCRIPTION, Conversation, conversation, site
from tests.flows.tenants import (
    PLANTS_CLIENT,
    PLANTS_SECRET,
    PLANTS_SUBSCRIPTION,
    PLANTS_TENANT,
    two_tenants,
)

PLANTS = Identity("secret", PLANTS_TENANT, PLANTS_CLIENT, Secret(PLANTS_SECRET))
BERLIN = site(
    "berlin",
    cluster={
        "name": "berlin-arc",
        "subscription": PLANTS_SUBSCRIPTION,
        "resource_group": "plants-rg",
        "identity": "plants",
        "kubernetes": {"context": "berlin"},
    },
)


@pytest.fixture
async def registry(tmp_path: Path) -> AsyncIterator[Conversation]:
    """The bot with an identity in each tenant."""
    async with conversation(tmp_path, world=two_tenants(), identities={"plants": PLANTS}, berlin=BERLIN) as talk:
        yield talk


def lines(talk: Conversation) -> set[str]:
    """What the plants' subscription was asked, and by whom."""
    assert talk.box.azure
    (plants,) = talk.box.azure.neighbours
    return {f"{seen.principal} {seen.method} {seen.path.rpartition('/providers/')[2]}" for seen in plants.arm.log}


async def test_a_deployment_writes_into_both_subscriptions_each_by_its_own_identity(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")

    assert (await registry.operation()).state == "succeeded"
    asked = lines(registry)
    extension = "Microsoft.KubernetesConfiguration/extensions/edge01"
    assert f"{PLANTS_CLIENT} PUT {extension}" in asked
    assert f"{PLANTS_CLIENT} POST Microsoft.Kubernetes/register" in asked
    assert {line.partition(" ")[0] for line in asked} == {PLANTS_CLIENT}
    assert await registry.requests("PUT .*/connectedRegistries/edge01")
    assert await registry.requests(f"subscriptions/{PLANTS_SUBSCRIPTION}") == []


async def test_a_removal_leaves_nothing_in_either_subscription(registry: Conversation) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("remove edge01 --site berlin --confirm edge01")

    assert (await registry.operation()).state == "succeeded"
    assert await registry.requests("DELETE .*/connectedRegistries/edge01")
    assert f"{PLANTS_CLIENT} DELETE Microsoft.KubernetesConfiguration/extensions/edge01" in lines(registry)


async def test_the_card_of_the_site_names_both_places(registry: Conversation) -> None:
    await registry.say("site show berlin")
    card = await registry.answer()
    await registry.say("provider show berlin")

    assert "`resource_group` edge-rg" in card
    assert "`cluster.resource_group` plants-rg" in card
    assert SUBSCRIPTION != PLANTS_SUBSCRIPTION
    assert "the subscriptions of *berlin*" in await registry.answer()


async def test_without_an_identity_in_the_clusters_tenant_the_check_says_so(tmp_path: Path) -> None:
    own = {**BERLIN.cluster.model_dump(), "identity": None}
    alone = BERLIN.model_validate(BERLIN.model_dump() | {"cluster": own})
    async with conversation(tmp_path, world=two_tenants(), berlin=alone) as talk:
        await talk.say("check berlin")

        assert "The bot's tenant or cloud is wrong." in await talk.answer()
