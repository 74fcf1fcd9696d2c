"""One look at the world: what is asked, and what comes back when something can't be."""

import pytest

from sandbox.kube import KubePart
from services.gateways.azure import Connection
from services.gateways.kubernetes import KubernetesGateway
from services.model.errors import NotAllowed, Unreachable
from services.operations.answers import Known, Unknown
from services.operations.deploy.checks import run
from services.operations.deploy.observation import observe
from services.operations.deploy.request import deploy_request
from services.policy.sites import Site
from tests.contract.azure.sandboxed import Sandboxed
from tests.contract.checks.conftest import site
from tests.golden.values import plan


async def test_a_whole_look_takes_seven_requests_to_arm(
    arm: Sandboxed, connection: Connection, kubernetes: KubernetesGateway, berlin: Site
) -> None:
    await observe(connection.azure, kubernetes, berlin, deploy_request(berlin, "edge01"))

    assert len(await arm.lines()) == 7


async def test_a_second_look_takes_six_for_it_knows_the_providers(
    arm: Sandboxed, connection: Connection, kubernetes: KubernetesGateway, berlin: Site
) -> None:
    await observe(connection.azure, kubernetes, berlin, deploy_request(berlin, "edge01"), plan())

    assert len(await arm.lines()) == 6


async def test_a_look_at_a_site_alone_asks_for_no_scope_map_and_no_token(
    arm: Sandboxed, connection: Connection, kubernetes: KubernetesGateway, berlin: Site
) -> None:
    await observe(connection.azure, kubernetes, berlin, deploy_request(berlin, None))

    assert not [line for line in await arm.lines() if "scopeMaps" in line or "tokens" in line]


async def test_every_question_has_its_answer(
    connection: Connection, kubernetes: KubernetesGateway, berlin: Site
) -> None:
    seen = await observe(connection.azure, kubernetes, berlin, deploy_request(berlin, "edge01"))

    unasked = {name for name, answer in vars(seen).items() if isinstance(answer, Unknown)}
    # Whether somebody may ask the edge for images is asked for a deployment that waits for them.
    assert unasked == {"reader_place"}


async def test_the_fresh_world_has_no_blocker(
    connection: Connection, kubernetes: KubernetesGateway, berlin: Site
) -> None:
    seen = await observe(connection.azure, kubernetes, berlin, deploy_request(berlin, "edge01"))
    findings = run(berlin, deploy_request(berlin, "edge01"), seen)

    assert {finding.code: finding.level for finding in findings if finding.level != "ok"} == {
        "providers_missing": "warning",
        "data_endpoint_off": "warning",
    }


async def test_an_older_arm_cluster_without_storage_is_told_to_be_unfit(
    connection: Connection, kubernetes: KubernetesGateway, clusters: KubePart
) -> None:
    lyon = site("lyon", str(clusters.kubeconfig))
    findings = run(
        lyon,
        deploy_request(lyon, "edge01"),
        await observe(connection.azure, kubernetes, lyon, deploy_request(lyon, "edge01")),
    )

    assert {finding.code for finding in findings if finding.level == "blocker"} == {"node_absent", "storage_no_default"}


async def test_a_registry_that_is_not_there_is_seen_as_none_and_so_are_its_children(
    connection: Connection, kubernetes: KubernetesGateway, clusters: KubePart
) -> None:
    place = site("berlin", str(clusters.kubeconfig), acr={"name": "absentacr"})
    seen = await observe(connection.azure, kubernetes, place, deploy_request(place, "edge01"))

    assert (seen.registry, seen.connected, seen.scope_map, seen.token) == (
        Known(None),
        Known(()),
        Known(None),
        Known(None),
    )


async def test_a_kubeconfig_that_is_missing_costs_only_the_clusters_answers(
    connection: Connection, kubernetes: KubernetesGateway, berlin: Site
) -> None:
    place = site("berlin", "/nowhere/kubeconfig")
    seen = await observe(connection.azure, kubernetes, place, deploy_request(place, "edge01"))

    assert isinstance(seen.registry, Known)
    assert {type(answer) for answer in (seen.kubernetes_version, seen.nodes, seen.ranges, seen.runtime)} == {Unknown}


async def test_a_cluster_that_can_not_be_reached_is_told_once(
    connection: Connection, kubernetes: KubernetesGateway, clusters: KubePart, berlin: Site
) -> None:
    clusters.set_offline("berlin", offline=True)
    seen = await observe(connection.azure, kubernetes, berlin, deploy_request(berlin, "edge01"))
    unasked = [
        finding.check for finding in run(berlin, deploy_request(berlin, "edge01"), seen) if finding.code == "unasked"
    ]

    assert unasked == ["kubernetes.reached"]


async def test_a_question_that_takes_too_long_has_no_answer(
    arm: Sandboxed, connection: Connection, kubernetes: KubernetesGateway, berlin: Site
) -> None:
    arm.strike("GET .*/connectedRegistries", action="delay", seconds=60)
    seen = await observe(connection.azure, kubernetes, berlin, deploy_request(berlin, "edge01"), deadline=0.5)

    assert isinstance(seen.connected, Unknown)
    assert isinstance(seen.connected.error, Unreachable)


async def test_a_right_that_the_bot_lacks_is_no_answer_either(
    arm: Sandboxed, connection: Connection, kubernetes: KubernetesGateway, berlin: Site
) -> None:
    arm.strike("GET .*/scopeMaps/", status=403, code="AuthorizationFailed")
    seen = await observe(connection.azure, kubernetes, berlin, deploy_request(berlin, "edge01"))

    assert isinstance(seen.scope_map, Unknown)
    assert isinstance(seen.scope_map.error, NotAllowed)


@pytest.mark.parametrize("name", ["edge01", None])
async def test_every_code_that_comes_out_can_be_told(
    connection: Connection, kubernetes: KubernetesGateway, berlin: Site, name: str | None
) -> None:
    seen = await observe(connection.azure, kubernetes, berlin, deploy_request(berlin, name))

    assert all(finding.facts["site"] == "berlin" for finding in run(berlin, deploy_request(berlin, name), seen))
