"""Clusters and cloud registries as people read them: whose cert-manager it is, and what stands in the way."""

from dataclasses import replace
from typing import Any

import pytest

from handlers.kit.message import Message
from handlers.views import cloud_registries, clusters
from services.model.azure import ArcCluster, ClusterRef, Extension
from services.model.errors import NoAccess, Unreachable
from services.model.kubernetes import Node, ServiceRanges, StorageClass
from services.operations.answers import Known, NotAsked, Unknown
from services.policy.sites import Site
from tests.golden.values import ACR, EXTENSION, NOW, SITE

ARC = ArcCluster("/arc", "hamburg-arc", "westeurope", "Connected", NOW, "1.33.4", "k3s", "1.36.1", 3)
UNASKED = Unknown(Unreachable("kubernetes", "hamburg"))
MICROSOFTS = Extension("/cm", "cert-manager", "microsoft.certmanagement", "Succeeded")
BRINGS_ITS_OWN = replace(EXTENSION, settings={"cert-manager.install": "true"})
USES_ANOTHERS = replace(EXTENSION, settings={"cert-manager.install": "false"})


def detail(**changes: Any) -> clusters.ClusterDetail:
    values: dict[str, Any] = {
        "arc": Known(ARC),
        "extensions": Known(()),
        "version": Known("v1.33.4"),
        "nodes": Known(
            (Node("one", "linux", "amd64", True), Node("two", "linux", "amd64", False, troubles=("DiskPressure",)))
        ),
        "storage_classes": Known((StorageClass("fast", False), StorageClass("slow", False))),
        "cert_manager": Known(True),
        "cert_manager_runs": Known(True),
        "ranges": Known(ServiceRanges(("10.112.0.0/24",), frozenset({"10.112.0.1"}), "ServiceCIDR")),
        "identity": Known("proven"),
    }
    return clusters.ClusterDetail(SITE, **{**values, **changes})


def fields(message: Message) -> dict[str, str]:
    cells = [cell["text"] for block in message.blocks for cell in block.get("fields", ())]
    return {label.strip("*"): value for label, _, value in (cell.partition("\n") for cell in cells)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"extensions": Known((MICROSOFTS,))}, "Microsoft's, extension `cert-manager` Succeeded"),
        ({"extensions": Known((BRINGS_ITS_OWN,))}, "installed by the extension `edge01`"),
        ({"extensions": Known((USES_ANOTHERS,))}, "installed, not by an extension"),
        ({"extensions": UNASKED}, "installed; by whom could not be asked"),
        (
            {"cert_manager_runs": Known(False)},
            "its resource types are installed, and no Deployment of it is available",
        ),
        ({"cert_manager": Known(False)}, "none"),
        ({"cert_manager": UNASKED}, "could not be asked"),
    ],
)
def test_it_is_said_whose_cert_manager_it_is(changes: dict[str, Any], words: str) -> None:
    assert fields(clusters.card(detail(**changes)))["cert-manager"] == words


def test_what_the_site_file_states_is_not_taken_for_an_answer() -> None:
    facts = {"service_range": "10.112.0.0/24", "addresses": ["10.112.0.9"], "cert_manager": True}
    changes = {"access": "none", "cluster": {"name": "hamburg-arc", "facts": facts}}
    site = Site.model_validate(SITE.model_dump(exclude_defaults=True) | changes)
    unasked = NotAsked(NoAccess("kubernetes", "hamburg"))
    inside = dict.fromkeys(("version", "nodes", "storage_classes", "cert_manager", "ranges", "identity"), unasked)
    shown = fields(clusters.card(replace(detail(**inside), site=site)))

    assert (shown["Service ranges"], shown["cert-manager"], shown["Nodes"]) == (
        "`10.112.0.0/24`, as the site file says",
        "installed, as the site file says",
        "was not asked",
    )


def test_what_a_deployment_would_miss_is_visible() -> None:
    shown = fields(clusters.card(detail()))

    assert shown["Nodes"] == "2 linux/amd64 (1 not ready: DiskPressure)"
    assert shown["Storage classes"] == "`fast` and `slow`; none is the default"


def test_only_the_clusters_of_one_page_are_asked() -> None:
    refs = [ClusterRef("s", "g", f"cluster{number:02}") for number in range(30)]
    pages = clusters.pages(refs)
    rows = [clusters.Row(ref, ("hamburg",), Known(ARC)) for ref in pages[1]]

    assert [len(page) for page in pages] == [25, 5]
    assert "page 2 of 2" in clusters.listing(rows, 2, 2, 30).blocks[0]["text"]["text"]


def test_a_cloud_registry_that_is_closed_to_the_public_says_so() -> None:
    closed = replace(ACR, sku="Basic", data_endpoint=True, public_network_access="Disabled")
    message = cloud_registries.card(SITE, Known(closed), Known(()))

    assert "its tier is Basic, and connected registries need Premium" in message.blocks[0]["text"]["text"]
    assert fields(message)["Network access"] == "private endpoints only"
