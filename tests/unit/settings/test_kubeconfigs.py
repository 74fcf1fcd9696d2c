"""What `check-config` says of the kubeconfigs that the site file names, without asking anybody."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.checking import site_problems
from services.policy.sites import Site, SourceRegistry

CLUSTERS = {"berlin": "https://10.1.0.1:6443", "hamburg": "https://10.2.0.1:6443", "bonn": "https://10.1.0.1:6443/"}


@pytest.fixture
def kubeconfig(tmp_path: Path) -> str:
    """A context for each cluster, of which two lead to one server."""
    content = {
        "clusters": [{"name": name, "cluster": {"server": server}} for name, server in CLUSTERS.items()],
        "contexts": [{"name": name, "context": {"cluster": name, "user": "bot"}} for name in CLUSTERS],
        "users": [{"name": "bot", "user": {"token": "t"}}],
        "current-context": "berlin",
    }
    file = tmp_path / "kubeconfig"
    file.write_text(yaml.safe_dump(content))
    return str(file)


def site(name: str, cluster: str = "", **kubernetes: str) -> Site:
    values: dict[str, Any] = {
        "name": name,
        "environment": "production",
        "subscription": "22222222-2222-4222-8222-222222222222",
        "resource_group": "edge-rg",
        "acr": {"name": "contosoacr"},
        "cluster": {"name": f"{cluster or name}-arc", "kubernetes": kubernetes},
    }
    return Site.model_validate(values)


def problems(kubeconfig: str, *sites: Site) -> list[str]:
    return [str(problem) for problem in site_problems({one.name: one for one in sites}, {"KUBECONFIG": kubeconfig})]


def test_sites_with_servers_of_their_own_are_in_order(kubeconfig: str) -> None:
    assert problems(kubeconfig, site("berlin", context="berlin"), site("hamburg", context="hamburg")) == []


def test_two_sites_whose_clusters_are_one_api_server_are_named(kubeconfig: str) -> None:
    (problem,) = problems(kubeconfig, site("berlin", context="berlin"), site("bonn", context="bonn"))

    assert problem == (
        "cluster of site bonn: it is reached at https://10.1.0.1:6443/, as that of site berlin is, but their clusters"
        " are bonn-arc and berlin-arc: set `cluster.kubernetes` of one of them"
    )


def test_an_arc_proxy_is_on_the_bots_own_machine(kubeconfig: str) -> None:
    behind = site("berlin", kubeconfig=kubeconfig, context="berlin").model_copy(update={"access": "arc"})
    (problem,) = problems(kubeconfig, behind)

    assert "its kubeconfig leads to https://10.1.0.1:6443: name the file that `az connectedk8s proxy --file`" in problem


def test_a_password_of_an_image_source_that_is_not_there_is_named(kubeconfig: str) -> None:
    source = SourceRegistry(username="pull", password_variable="PULL_PASSWORD")
    private = site("berlin", context="berlin").model_copy(update={"sources": {"registry.example.com": source}})

    (problem,) = problems(kubeconfig, private)

    assert problem == (
        "images of site berlin: the password for registry.example.com can't be read: the environment variable"
        " PULL_PASSWORD is not set"
    )


def test_two_sites_of_one_cluster_may_share_its_server(kubeconfig: str) -> None:
    assert problems(kubeconfig, site("berlin", context="berlin"), site("test", "berlin", context="bonn")) == []


def test_a_site_that_names_no_context_of_several_is_told_so(kubeconfig: str) -> None:
    (problem,) = problems(kubeconfig, site("berlin"))

    assert problem.startswith(f"cluster of site berlin: The site names no context, and the kubeconfig {kubeconfig} has")


def test_two_sites_without_a_kubeconfig_are_both_the_bots_own_cluster(tmp_path: Path) -> None:
    in_cluster = {"HOME": str(tmp_path), "KUBERNETES_SERVICE_HOST": "10.0.0.1"}
    (problem,) = site_problems({"berlin": site("berlin"), "bonn": site("bonn")}, in_cluster)

    assert "it is reached at the bot's own API server, as that of site berlin is" in str(problem)


def test_a_machine_without_a_kubeconfig_says_nothing_of_it(tmp_path: Path) -> None:
    assert problems(str(tmp_path / "nowhere"), site("berlin", context="berlin")) == []
