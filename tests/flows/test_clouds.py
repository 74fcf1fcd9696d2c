"""Each of Azure's clouds, and in each one every way to a cluster: other audiences, names, regions and api-versions."""

import re
from collections.abc import AsyncIterator
from copy import deepcopy
from pathlib import Path

import pytest

from sandbox import world
from tests.arc_proxy import ArcProxy
from tests.flows.conversation import Conversation, conversation, site

MINUTE = 60
CONNECTED_REGISTRIES = "Microsoft.ContainerRegistry/registries/connectedRegistries"
LAGGING = pytest.mark.parametrize("cloud", ["china", "us-government"])


@pytest.fixture
async def registry(tmp_path: Path, cloud: str) -> AsyncIterator[Conversation]:
    """A registry whose login server has a domain name label; the bot reaches each of three clusters in another way."""
    content = deepcopy(world.load())
    content["azure"]["cloud"] = cloud
    content["azure"]["registries"][0]["domain_name_label_scope"] = "TenantReuse"
    facts = {"service_range": "10.144.0.0/24", "addresses": ["10.144.0.12"], "cert_manager": False}
    behind_a_proxy = {"name": "hamburg-arc", "kubernetes": {"kubeconfig": str(tmp_path / "arc.kubeconfig")}}
    async with conversation(
        tmp_path,
        world=content,
        berlin=site("berlin"),
        hamburg=site("hamburg", environment="development", access="arc", cluster=behind_a_proxy),
        oslo=site("oslo", access="none", cluster={"name": "oslo-arc", "facts": facts}),
    ) as talk:
        proxy = ArcProxy(Path(talk.box.environment()["KUBECONFIG"]), "hamburg", tmp_path)
        await proxy.start()
        yield talk
        await proxy.stop()


@pytest.mark.parametrize(
    ("cloud", "data_endpoint"),
    [
        ("public", "westeurope.data.azurecr.io"),
        ("china", "chinaeast2.data.azurecr.cn"),
        ("us-government", "usgovvirginia.data.azurecr.us"),
    ],
)
async def test_the_quickstart_goes_through_by_every_way_to_a_cluster(
    registry: Conversation, cloud: str, data_endpoint: str
) -> None:
    await deploy_and_verify(registry, "berlin")
    await hand_over(registry, cloud)
    await registry.say("acr show berlin")
    shown = await registry.answer()
    assert "contosoacr-" in shown
    assert f".{data_endpoint}" in shown
    await pull(registry, "berlin")
    await clean_up(registry, "berlin")

    await deploy_and_verify(registry, "hamburg")
    await pull(registry, "hamburg")
    await clean_up(registry, "hamburg")

    # Without access nobody can make a Deployment in the cluster, so there is no pull to prove.
    await deploy_and_verify(registry, "oslo", verdict="its extension Succeeded, as Azure shows them")
    await clean_up(registry, "oslo")


async def deploy_and_verify(registry: Conversation, place: str, verdict: str = "works: installed, running") -> None:
    """The quickstart's prerequisites, both creations, and its three verifications."""
    await succeeds(registry, f"deploy edge01 --site {place}")
    await registry.say(f"extension show edge01 --site {place}")
    assert verdict in await registry.answer()
    await registry.say(f"list --site {place}")
    assert "edge01 | " in await registry.answer()
    await registry.say(f"show edge01 --site {place}")
    assert f"*edge01* at *{place}* is Online" in await registry.answer()


async def hand_over(registry: Conversation, cloud: str) -> None:
    """The plan as a script and as a Bicep file, for the Azure CLI in this cloud and in versions that it offers."""
    operation = await registry.operation()
    await registry.say(f"operation script {operation.id}")
    await registry.say(f"operation script {operation.id} --bicep")
    script, bicep = [file["content"] for file in await registry.sent_files("alice")]
    azure = registry.box.azure
    assert azure
    title, offered = azure.cloud.environment.title, azure.cloud.environment.newest_registry_version
    assert (f"az cloud set --name {title}" in script, f"az cloud set --name {title}" in bicep) == (
        cloud != "public",
    ) * 2
    stated = re.findall(r"'Microsoft.ContainerRegistry/[^@]+@(\d{4}-\d\d-\d\d)", bicep)
    assert len(stated) == 4
    assert max(stated) <= offered


async def pull(registry: Conversation, place: str) -> None:
    """The Pod that uses the connected registry's image."""
    await registry.say(f"workload deploy edge01 --site {place} --image hello-world:latest", quiet=False)
    await registry.running("client_token.synced")
    await registry.post("/sandbox/clock", turn=MINUTE)
    await registry.quiet()
    assert (await registry.operation()).state == "succeeded"


async def clean_up(registry: Conversation, place: str) -> None:
    """The workload, the extension and the connected registry."""
    await succeeds(registry, f"remove edge01 --site {place} --confirm edge01")


async def succeeds(registry: Conversation, line: str) -> None:
    """Say what becomes an operation, and see it end well."""
    await registry.say(line)
    assert (await registry.operation()).state == "succeeded"


@LAGGING
async def test_what_the_cloud_does_not_offer_yet_is_said_once_with_the_newest_that_it_has(
    registry: Conversation, cloud: str
) -> None:
    await registry.say("deploy edge01 --site berlin")
    await registry.say("resync edge01 --site berlin")
    assert (await registry.operation()).state == "blocked"
    assert "API version" in await registry.blockers()
    await registry.say("provider show berlin")
    assert "`2025-09-01-preview`" in await registry.answer()

    await registry.post("/sandbox/azure/versions", **{CONNECTED_REGISTRIES: ["2019-01-01", "2027-01-01"]})
    await registry.say("check berlin")
    checked = await registry.answer()
    assert checked.count("in no API version that the bot supports. Its newest one is `2027-01-01`.") == 1
    assert f"`{CONNECTED_REGISTRIES.lower()}=2027-01-01`" in checked
