"""What the gateway shows of an installed connected registry."""

from typing import Any

import pytest

from sandbox.testing import watches
from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.kubernetes import Runtime

NAMESPACE = "connected-registry"
LABELS = {"app.kubernetes.io/name": "connected-registry"}
LOG = "sandbox.local/log"


@pytest.fixture
async def installed(admin: Any) -> None:
    """A runtime that works, made of what the extension's chart makes, and its Pod running: before, it has no log."""
    await admin.create_namespace({"metadata": {"name": NAMESPACE}})
    await admin.create_namespaced_service(
        NAMESPACE,
        {"metadata": {"name": "connected-registry"}, "spec": {"clusterIP": "10.96.0.30", "ports": [{"port": 443}]}},
    )
    await admin.create_namespaced_persistent_volume_claim(
        NAMESPACE,
        {
            "metadata": {"name": "connected-registry-pvc"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
        },
    )
    await admin.create_namespaced_pod(
        NAMESPACE,
        {
            "metadata": {
                "name": "connected-registry-1",
                "labels": LABELS,
                "annotations": {LOG: "activating\nConnectedRegistryName=edge01;SyncTokenPassword=hunter2;Parent=x\n"},
            },
            "spec": {"containers": [{"name": "registry", "image": "mcr.microsoft.com/acr/connected-registry:0.11.0"}]},
        },
    )
    await watches.first(admin.list_namespaced_pod, lambda one: one.status.phase == "Running", namespace=NAMESPACE)


async def test_an_empty_cluster_shows_nothing(berlin: KubernetesCluster, admin: Any) -> None:
    await admin.create_namespace({"metadata": {"name": NAMESPACE}})

    assert await berlin.runtime(NAMESPACE) == Runtime(namespace_phase="Active")


async def test_service_and_claim_are_shown(installed: None, berlin: KubernetesCluster) -> None:
    seen = await berlin.runtime(NAMESPACE)

    assert seen.service_addresses == ("10.96.0.30",)
    assert seen.volume_class == "standard"


async def test_the_log_comes_without_secrets(installed: None, berlin: KubernetesCluster) -> None:
    log = (await berlin.runtime(NAMESPACE)).log

    assert "activating" in log
    assert "hunter2" not in log


async def test_warnings_come_once_and_the_newest_last(installed: None, berlin: KubernetesCluster, admin: Any) -> None:
    for at, text in enumerate(("first", "second", "first")):
        await admin.create_namespaced_event(
            NAMESPACE,
            {
                "metadata": {"name": f"event{at}"},
                "type": "Warning",
                "reason": "Failed",
                "message": text,
                "involvedObject": {"kind": "Pod", "name": "connected-registry-1", "namespace": NAMESPACE},
                "lastTimestamp": f"2026-09-01T08:00:0{at}Z",
            },
        )

    assert (await berlin.runtime(NAMESPACE)).warnings == ("Failed: second", "Failed: first")


async def test_a_cluster_without_cert_manager_has_no_certificates(installed: None, berlin: KubernetesCluster) -> None:
    assert await berlin.certificates(NAMESPACE) == ()
