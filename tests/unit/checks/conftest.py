"""A site where nothing stands in the way, and what is seen of it."""

from datetime import UTC, datetime
from typing import Any

import pytest

from services.model.azure import ArcCluster, Registry
from services.model.kubernetes import Node, ServiceRanges, StorageClass
from services.operations.answers import Known
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployOptions, DeployRequest, deploy_request
from services.policy.sites import PROVIDERS, Site

SUBSCRIPTION = "22222222-2222-4222-8222-222222222222"


@pytest.fixture
def site() -> Site:
    return Site.model_validate(
        {
            "name": "berlin",
            "environment": "development",
            "subscription": SUBSCRIPTION,
            "resource_group": "edge-rg",
            "acr": {"name": "contosoacr"},
            "cluster": {"name": "berlin-arc"},
            "sync": {"repositories": ["hello-world"]},
            "images": {"team/app": f"mcr.microsoft.com/team/app:1.0@sha256:{'a' * 64}"},
        }
    )


@pytest.fixture
def request_() -> DeployRequest:
    """`deploy edge01 --site berlin`."""
    site = {"name": "berlin", "environment": "development", "subscription": SUBSCRIPTION, "resource_group": "edge-rg"}
    parts: dict[str, Any] = {"acr": {"name": "contosoacr"}, "cluster": {"name": "berlin-arc"}}
    return deploy_request(Site.model_validate(site | parts), "edge01", DeployOptions(("hello-world",)))


@pytest.fixture
def clean() -> Observation:
    """Everything is there, nothing is deployed."""
    acr = Registry("/acr", "contosoacr", "westeurope", "Premium", True, "contosoacr.azurecr.io", "Succeeded")
    arc = ArcCluster("/arc", "berlin-arc", "westeurope", "Connected", datetime(2026, 9, 1, 8, tzinfo=UTC), "1.33.4")
    return Observation(
        providers=Known(dict.fromkeys(PROVIDERS, "Registered")),
        registry=Known(acr),
        connected=Known(()),
        scope_map=Known(None),
        token=Known(None),
        cluster=Known(arc),
        extensions=Known(()),
        kubernetes_version=Known("v1.33.4"),
        nodes=Known((Node("berlin-1", "linux", "amd64", True),)),
        storage_classes=Known((StorageClass("standard", True),)),
        namespace_phase=Known(""),
        cert_manager=Known(False),
        ranges=Known(ServiceRanges(("10.96.0.0/16",), frozenset({"10.96.0.1"}), "ServiceCIDR")),
        missing_rights=Known(()),
        runtime=Known(None),
    )
