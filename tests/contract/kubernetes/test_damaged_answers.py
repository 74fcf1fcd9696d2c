"""Kubernetes objects of which parts are missing or are something else: an answer of ours, or one of our errors."""

import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.gateways.kubernetes.cluster import KubernetesCluster
from services.model.errors import Foreign
from tests.contract.kubernetes.test_border import QUESTIONS, Server, cluster, server
from tests.fuzzing import damaged, fuzzed

__all__ = ["cluster", "server"]  # fixtures
CONTAINER = {
    "name": "registry",
    "image": "edge/registry:1",
    "imageID": "edge/registry@sha256:1",
    "ports": [{"containerPort": 80}],
}
STATE = {"waiting": {"reason": "CrashLoopBackOff", "message": "again"}, "terminated": {"exitCode": 1}}
OBJECT: dict[str, Any] = {
    "apiVersion": "v1",
    "kind": "List",
    "gitVersion": "v1.37.2",
    "metadata": {
        "name": "edge01",
        "namespace": "connected-registry",
        "uid": "1",
        "labels": {"kubernetes.io/arch": "amd64", "app.kubernetes.io/managed-by": "registry-bot"},
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true", "registry-bot/registry": "edge01"},
        "ownerReferences": [{"kind": "ReplicaSet", "name": "edge01-1", "controller": True}],
        "creationTimestamp": "2026-11-30T09:00:00Z",
    },
    "data": {"AZURE_SUBSCRIPTION_ID": "s", "AZURE_RESOURCE_GROUP": "g", "AZURE_RESOURCE_NAME": "berlin-arc"},
    "involvedObject": {"uid": "1", "name": "edge01"},
    "type": "Warning",
    "reason": "Failed",
    "message": "no such image",
    "lastTimestamp": "2026-11-30T09:00:00Z",
    "spec": {
        "nodeName": "n1",
        "unschedulable": False,
        "clusterIP": "10.96.0.2",
        "clusterIPs": ["10.96.0.2"],
        "cidrs": ["10.96.0.0/24"],
        "storageClassName": "standard",
        "resources": {"requests": {"storage": "250Gi"}},
        "replicas": 1,
        "containers": [CONTAINER],
        "initContainers": [CONTAINER],
        "template": {"metadata": {"annotations": {}}, "spec": {"containers": [CONTAINER]}},
        "selector": {"matchLabels": {"app": "edge01"}},
    },
    "status": {
        "phase": "Running",
        "allowed": True,
        "notAfter": "2027-11-30T09:00:00Z",
        "replicas": 1,
        "readyReplicas": 1,
        "nodeInfo": {"architecture": "amd64", "operatingSystem": "linux"},
        "conditions": [{"type": "Ready", "status": "True"}, {"type": "Available", "status": "False", "reason": "No"}],
        "containerStatuses": [CONTAINER | {"state": STATE, "lastState": STATE, "restartCount": 3}],
        "initContainerStatuses": [CONTAINER | {"state": STATE, "restartCount": 0}],
    },
}
ANSWER = OBJECT | {"items": [OBJECT]}
ALL: dict[str, Callable[[KubernetesCluster], Awaitable[object]]] = QUESTIONS | {
    "storage classes": lambda cluster: cluster.storage_classes(),
    "phase": lambda cluster: cluster.namespace_phase("connected-registry"),
    "arc": lambda cluster: cluster.arc_resource(),
    "pulling": lambda cluster: cluster.workloads(["10.96.0.2"]),
    "certificates": lambda cluster: cluster.certificates("connected-registry"),
    "workload": lambda cluster: cluster.workload("default", "edge01"),
    "workloads": lambda cluster: cluster.workloads_of("edge01"),
}


@pytest.mark.parametrize("question", ALL)
async def test_a_sound_answer_is_understood(server: Server, cluster: KubernetesCluster, question: str) -> None:
    server.body = json.dumps(ANSWER)

    await ALL[question](cluster)


@fuzzed
@given(question=st.sampled_from(sorted(ALL)), answer=damaged(ANSWER))
async def test_a_damaged_answer_is_an_answer_or_an_error_of_ours(
    server: Server, cluster: KubernetesCluster, question: str, answer: Any
) -> None:
    server.body = json.dumps(answer)
    try:
        await ALL[question](cluster)
    except Foreign:
        return
