"""Where each value of a site comes from."""

from typing import Any

import pytest

from handlers.views import site_values
from handlers.views.clusters import ClusterDetail
from services.model.about import Setting
from services.model.azure import ArcCluster
from services.model.errors import NoAccess, Unreachable
from services.model.kubernetes import Node, ServiceRanges, StorageClass
from services.operations.answers import Known, NotAsked, Unknown
from services.policy.sites import Site
from tests.golden.values import ACR, NOW, SITE

ARC = ArcCluster("/arc", "hamburg-arc", "westeurope", "Connected", NOW, "1.33.4", "k3s", "1.36.1", 3)
UNASKED = Unknown(Unreachable("kubernetes", "hamburg"))
SETTINGS = (
    Setting("AZURE_CLOUD", "china", is_default=False),
    Setting("REGISTRY_BOT_IDENTITY", "auto", is_default=True),
    Setting("KUBECONFIG", "/etc/bot/kubeconfig", is_default=False),
)


def cluster(site: Site, **changes: Any) -> ClusterDetail:
    answers: dict[str, Any] = {
        "arc": Known(ARC),
        "extensions": Known(()),
        "version": Known("v1.33.4"),
        "nodes": Known((Node("one", "linux", "amd64", True), Node("two", "linux", "arm64", False))),
        "storage_classes": Known((StorageClass("fast", True), StorageClass("slow", False))),
        "cert_manager": Known(False),
        "cert_manager_runs": Known(False),
        "ranges": Known(ServiceRanges(("10.112.0.0/24",), frozenset(), "refusal")),
        "identity": Known("proven"),
    }
    return ClusterDetail(site, **{**answers, **changes})


def origins(site: Site, **changes: Any) -> dict[str, tuple[str, str]]:
    lines = {"environment": 4, "acr.name": 7}
    values = site_values.values(lines, SETTINGS, Known(ACR), cluster(site, **changes))
    return {value.what: (value.value, ", ".join(filter(None, (value.origin, value.detail)))) for value in values}


def site(**changes: Any) -> Site:
    return Site.model_validate(SITE.model_dump(exclude_unset=True) | changes)


@pytest.mark.parametrize(
    ("noun", "value", "origin"),
    [
        ("environment", "production", "Site file, line 4"),
        ("acr.name", "contosoacr", "Site file, line 7"),
        ("subscription", SITE.subscription, "Site file"),
        ("access", "kubeconfig", "Defaults"),
        ("sync.schedule", "* * * * *", "Defaults"),
        ("sync.message_ttl", "2 d", "Defaults"),
        ("extension.service_ip", "a free one is picked", "Defaults"),
        ("extension.release_train", "Stable", "Defaults"),
        ("AZURE_CLOUD", "china", "Settings"),
        ("REGISTRY_BOT_IDENTITY", "auto", "Defaults"),
        ("KUBECONFIG", "/etc/bot/kubeconfig", "Settings"),
        ("login server", ACR.login_server, "Azure, of the registry"),
        ("distribution", "k3s 1.33.4", "Azure Arc"),
        ("storage classes", "fast (default), slow", "The cluster itself"),
        ("ready nodes", "one linux/amd64", "The cluster itself"),
        ("cert-manager", "none", "The cluster itself"),
        ("Service ranges", "10.112.0.0/24", "The cluster itself, by its refusal of an address"),
        ("that it is the site's", "proven", "The cluster itself, azure-clusterconfig"),
    ],
)
def test_each_value_stands_beside_what_it_comes_from(noun: str, value: str, origin: str) -> None:
    assert origins(site())[noun] == (value, origin)


def test_what_could_not_be_asked_is_not_called_none() -> None:
    assert origins(site(), cert_manager=UNASKED)["cert-manager"] == ("could not be asked", "The cluster itself")


def test_a_cluster_that_nobody_asks_has_the_facts_of_the_site_file_alone() -> None:
    facts = {"service_range": "10.112.0.0/24", "addresses": ["10.112.0.9"], "cert_manager": True}
    silent = site(access="none", cluster={"name": "hamburg-arc", "facts": facts})
    unasked = NotAsked(NoAccess("kubernetes", "hamburg"))
    inside = dict.fromkeys(("version", "nodes", "storage_classes", "cert_manager", "ranges", "identity"), unasked)
    shown = origins(silent, **inside)

    assert shown["cluster.facts.cert_manager"] == ("yes", "Site file")
    assert shown["extension.service_ip"] == ("the first free one of cluster.facts", "Defaults")
    assert not {origin for _, origin in shown.values() if origin.startswith("The cluster itself")}
    assert "KUBECONFIG" not in shown


def test_settings_that_a_site_does_not_use_are_left_out() -> None:
    own = {"name": "hamburg-arc", "kubernetes": {"kubeconfig": "/own", "context": "hamburg"}}
    shown = origins(site(identity="plant-de", cluster=own))

    assert shown["identity"] == ("plant-de", "Site file")
    assert not {"REGISTRY_BOT_IDENTITY", "KUBECONFIG"} & shown.keys()


def test_a_long_list_of_images_loses_none() -> None:
    images = {f"app{number}": f"mcr.microsoft.com/team/app{number}:1" for number in range(200)}
    values = site_values.values({}, (), Known(ACR), cluster(site(images=images)))
    paragraphs = list(site_values.paragraphs(values))

    assert max(map(len, paragraphs)) < 3000
    assert all(any(f"`images.{name}`" in paragraph for paragraph in paragraphs) for name in images)
