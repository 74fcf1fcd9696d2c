"""Nothing is believed of a cluster, and nothing written into it, before it has said which one it is."""

from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from sandbox.kube import KubePart
from services.gateways.kubernetes import KubernetesGateway
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.azure import ClusterRef
from services.model.errors import NotAuthenticated, WrongCluster
from tests.contract.kubernetes.conftest import ARC


@pytest.fixture
def content(kubeconfig: Path) -> dict[str, Any]:
    """The kubeconfig's."""
    return cast("dict[str, Any]", yaml.safe_load(kubeconfig.read_text()))


async def test_a_cluster_that_says_the_expected_resource_is_proven(
    gateway: KubernetesGateway, kubeconfig: Path
) -> None:
    assert (await gateway.cluster(str(kubeconfig), "berlin", ARC)).identity == "proven"


async def test_ids_are_compared_without_regard_to_case(gateway: KubernetesGateway, kubeconfig: Path) -> None:
    shouted = replace(ARC, resource_group="EDGE-RG", name="Berlin-Arc")

    assert (await gateway.cluster(str(kubeconfig), "berlin", shouted)).identity == "proven"


@pytest.mark.parametrize(
    "other",
    [
        replace(ARC, name="hamburg-arc"),
        replace(ARC, resource_group="other-rg"),
        replace(ARC, subscription="99999999-2222-4222-8222-222222222222"),
    ],
    ids=["name", "group", "subscription"],
)
async def test_another_cluster_is_refused_with_both_names(
    gateway: KubernetesGateway, kubeconfig: Path, other: ClusterRef
) -> None:
    with pytest.raises(WrongCluster) as refused:
        await gateway.cluster(str(kubeconfig), "berlin", other)
    assert (refused.value.expected, refused.value.actual) == (other.id, ARC.id)


async def test_a_cluster_that_does_not_say_is_unproven_and_nothing_is_written_into_it(
    gateway: KubernetesGateway, part: KubePart
) -> None:
    lyon = await gateway.cluster(str(part.kubeconfig), "lyon", ARC)

    assert lyon.identity == "unproven"
    with pytest.raises(WrongCluster) as refused:
        await lyon.hold_address("10.128.0.20", "default", "op-1")
    assert refused.value.reason == "unproven"


async def test_without_an_expectation_nothing_is_compared(lyon: KubernetesCluster) -> None:
    await lyon.hold_address("10.128.0.20", "default", "op-1")

    assert lyon.identity == "proven"


async def test_one_client_serves_a_context_whatever_is_expected(gateway: KubernetesGateway, kubeconfig: Path) -> None:
    plain = await gateway.cluster(str(kubeconfig), "berlin")

    assert await gateway.cluster(str(kubeconfig), "berlin", ARC) is plain


async def test_a_token_file_that_was_renewed_is_read_again(
    gateway: KubernetesGateway, content: dict[str, Any], tmp_path: Path
) -> None:
    good = next(user["user"]["token"] for user in content["users"] if user["name"] == "bot")
    token = tmp_path / "token"
    token.write_text("expired")
    for user in content["users"]:
        user["user"] = {"tokenFile": "token"}
    file = tmp_path / "by-file"
    file.write_text(yaml.safe_dump(content))
    with pytest.raises(NotAuthenticated):
        await (await gateway.cluster(str(file), "berlin")).nodes()

    token.write_text(good)
    assert await (await gateway.cluster(str(file), "berlin")).nodes()
