"""Deployments, Pods and volumes, with the test playing the kubelet where the outcome depends on it."""

from typing import Any

import pytest
from kubernetes.aio import client
from kubernetes.aio.client import ApiException

from sandbox.testing import watches
from sandbox.tests.contract.kube.conftest import api
from sandbox.tests.contract.kube.test_service_addresses import refusal

DIGEST = "sha256:" + "a" * 64
KUBELET = {"sandbox.local/kubelet": "edge"}
"""Keeps a stand-in's own kubelet away; other API servers don't care."""


def deployment(image: str = "nginx:1.25") -> dict[str, Any]:
    labels = {"app": "web"}
    containers = [{"name": "main", "image": image}]
    template = {
        "metadata": {"labels": labels, "annotations": dict(KUBELET)},
        "spec": {"containers": containers, "nodeName": "berlin-1", "terminationGracePeriodSeconds": 0},
    }
    return {
        "metadata": {"name": "web"},
        "spec": {"replicas": 1, "selector": {"matchLabels": labels}, "template": template},
    }


def running(ready: bool = True) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": "nginx:1.25",
        "imageID": f"docker.io/library/nginx@{DIGEST}",
        "ready": ready,
        "restartCount": 0,
        "state": {"running": {}},
    }
    conditions = [{"type": kind, "status": str(ready)} for kind in ("Initialized", "ContainersReady", "Ready")]
    return {"status": {"phase": "Running", "conditions": conditions, "containerStatuses": [container]}}


async def started(core: Any, namespace: str) -> Any:
    """Play the kubelet for the first Pod of the namespace."""
    pod = await watches.first(
        core.list_namespaced_pod, lambda one: not one.metadata.deletion_timestamp, namespace=namespace
    )
    return await core.patch_namespaced_pod_status(pod.metadata.name, namespace, running())


async def test_a_deployment_makes_a_replica_set_and_pods(core: Any, apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())

    pod = await watches.first(core.list_namespaced_pod, lambda _: True, namespace=namespace)

    owner = pod.metadata.owner_references[0]
    assert owner.kind == "ReplicaSet"
    assert pod.metadata.name.startswith(f"{owner.name}-")
    assert pod.metadata.labels["app"] == "web"
    assert "pod-template-hash" in pod.metadata.labels


async def test_a_job_is_complete_when_its_pod_has_ended(admin: Any, namespace: str) -> None:
    batch = api(client.BatchV1Api, admin)
    spec = {"restartPolicy": "Never", "containers": [{"name": "main", "image": "busybox:1.37"}]}
    await batch.create_namespaced_job(namespace, {"metadata": {"name": "once"}, "spec": {"template": {"spec": spec}}})

    job = await watches.first(batch.list_namespaced_job, lambda one: one.status.succeeded == 1, namespace=namespace)

    assert job.status.completion_time is not None


async def test_a_deployment_is_available_when_the_kubelet_says_its_pod_is_ready(
    core: Any, apps: Any, namespace: str
) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())
    await started(core, namespace)

    available = await watches.first(
        apps.list_namespaced_deployment, lambda one: one.status.available_replicas == 1, namespace=namespace
    )

    conditions = {one.type: (one.status, one.reason) for one in available.status.conditions}
    assert available.status.observed_generation == available.metadata.generation
    assert conditions["Available"] == ("True", "MinimumReplicasAvailable")


async def test_a_pod_shows_the_digest_that_the_kubelet_reports(core: Any, apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())

    pod = await started(core, namespace)

    assert pod.status.container_statuses[0].image_id == f"docker.io/library/nginx@{DIGEST}"


async def test_a_pod_that_has_a_node_can_not_be_bound_again(core: Any, apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())
    pod = await watches.first(core.list_namespaced_pod, lambda _: True, namespace=namespace)
    body = {
        "metadata": {"name": pod.metadata.name},
        "target": {"apiVersion": "v1", "kind": "Node", "name": "elsewhere"},
    }

    status = await refusal(core.create_namespaced_pod_binding(pod.metadata.name, namespace, body))

    assert status["code"] == 409
    assert 'is already assigned to node "berlin-1"' in status["message"]


async def test_a_new_image_makes_a_new_pod(core: Any, apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())
    first = await started(core, namespace)
    body = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "nginx:1.26"}]}}}}

    await apps.patch_namespaced_deployment("web", namespace, body)
    second = await watches.first(
        core.list_namespaced_pod, lambda one: one.metadata.name != first.metadata.name, namespace=namespace
    )

    assert second.spec.containers[0].image == "nginx:1.26"


async def test_a_deployment_takes_its_pods_along(core: Any, apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())
    pod = await watches.first(core.list_namespaced_pod, lambda _: True, namespace=namespace)

    await apps.delete_namespaced_deployment("web", namespace)

    await watches.first(
        core.list_namespaced_pod,
        lambda one: one.metadata.name == pod.metadata.name,
        deleted_after=pod,
        namespace=namespace,
    )


async def test_a_scale_is_set_apart_from_the_rest(apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())

    await apps.patch_namespaced_deployment_scale("web", namespace, {"spec": {"replicas": 3}})
    scaled = await apps.read_namespaced_deployment("web", namespace)

    assert scaled.spec.replicas == 3


async def test_a_selector_has_to_match_the_template(apps: Any, namespace: str) -> None:
    body = deployment()
    body["spec"]["selector"] = {"matchLabels": {"app": "other"}}

    status = await refusal(apps.create_namespaced_deployment(namespace, body))

    assert status["message"] == (
        'Deployment.apps "web" is invalid: spec.template.metadata.labels: Invalid value: {"app":"web"}: '
        "`selector` does not match template `labels`"
    )


async def test_a_selector_can_not_be_changed(apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())
    labels = {"app": "web", "more": "yes"}
    body = {"spec": {"selector": {"matchLabels": labels}, "template": {"metadata": {"labels": labels}}}}

    status = await refusal(apps.patch_namespaced_deployment("web", namespace, body))

    assert status["code"] == 422
    assert status["message"].endswith("field is immutable")


async def test_a_container_needs_an_image(core: Any, namespace: str) -> None:
    body = {"metadata": {"name": "bare"}, "spec": {"containers": [{"name": "main"}]}}

    status = await refusal(core.create_namespaced_pod(namespace, body))

    assert status["message"] == 'Pod "bare" is invalid: spec.containers[0].image: Required value'


async def test_a_claim_without_a_storage_class_stays_pending(core: Any, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "", "resources": {"requests": {"storage": "1Gi"}}}
    await core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "disk"}, "spec": spec})

    event = await watches.first(
        core.list_namespaced_event, lambda one: one.reason == "FailedBinding", namespace=namespace
    )
    claim = await core.read_namespaced_persistent_volume_claim("disk", namespace)

    assert claim.status.phase == "Pending"
    assert event.involved_object.name == "disk"
    assert event.message == "no persistent volumes available for this claim and no storage class is set"


async def test_a_claim_takes_the_default_storage_class(core: Any, namespace: str) -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}

    created = await core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": "d"}, "spec": spec})

    assert created.spec.storage_class_name == "standard"


async def test_the_status_is_not_written_with_the_rest(core: Any, apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())
    pod = await watches.first(core.list_namespaced_pod, lambda _: True, namespace=namespace)

    patched = await core.patch_namespaced_pod(pod.metadata.name, namespace, running())

    assert patched.status.phase == "Pending"


async def test_a_deleted_pod_is_gone_when_its_grace_is_over(core: Any, apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())
    pod = await watches.first(core.list_namespaced_pod, lambda _: True, namespace=namespace)

    await core.delete_namespaced_pod(pod.metadata.name, namespace, grace_period_seconds=0)

    with pytest.raises(ApiException, match="404"):
        await core.read_namespaced_pod(pod.metadata.name, namespace)


LOGS = {"sandbox.local/log": "one\ntwo\nthree\n", "sandbox.local/previous-log": "before\n"}
"""What a kubelet reads a container's logs from."""


async def written(core: Any, apps: Any, namespace: str, annotations: dict[str, str]) -> str:
    """The name of a running Pod that has these annotations."""
    body = deployment()
    body["spec"]["template"]["metadata"]["annotations"] |= annotations
    await apps.create_namespaced_deployment(namespace, body)
    return str((await started(core, namespace)).metadata.name)


async def test_a_log_is_what_the_container_wrote(core: Any, apps: Any, namespace: str) -> None:
    pod = await written(core, apps, namespace, LOGS)

    assert await core.read_namespaced_pod_log(pod, namespace) == "one\ntwo\nthree\n"
    assert await core.read_namespaced_pod_log(pod, namespace, container="main", tail_lines=2) == "two\nthree\n"
    assert await core.read_namespaced_pod_log(pod, namespace, previous=True) == "before\n"


async def test_a_container_that_was_never_restarted_has_no_previous_log(core: Any, apps: Any, namespace: str) -> None:
    pod = await written(core, apps, namespace, {})

    status = await refusal(core.read_namespaced_pod_log(pod, namespace, previous=True))

    assert (status["code"], status["reason"]) == (400, "BadRequest")
    assert status["message"] == f'previous terminated container "main" in pod "{pod}" not found'


async def test_a_container_that_has_not_started_has_no_log(core: Any, apps: Any, namespace: str) -> None:
    await apps.create_namespaced_deployment(namespace, deployment())
    pod = await watches.first(core.list_namespaced_pod, lambda _: True, namespace=namespace)

    status = await refusal(core.read_namespaced_pod_log(pod.metadata.name, namespace))

    assert status["message"] == (
        f'container "main" in pod "{pod.metadata.name}" is waiting to start: ContainerCreating'
    )


async def test_a_log_of_a_container_that_is_not_there(core: Any, apps: Any, namespace: str) -> None:
    pod = await written(core, apps, namespace, LOGS)

    status = await refusal(core.read_namespaced_pod_log(pod, namespace, container="other"))

    assert (status["code"], status["message"]) == (400, f"container other is not valid for pod {pod}")


async def test_a_volume_that_is_made_for_a_claim_is_bound_to_it(core: Any, namespace: str) -> None:
    size = {"storage": "1Gi"}
    spec = {"accessModes": ["ReadWriteOnce"], "storageClassName": "standard", "resources": {"requests": size}}
    claim = await core.create_namespaced_persistent_volume_claim(
        namespace, {"metadata": {"name": "disk"}, "spec": spec}
    )
    reference = {"kind": "PersistentVolumeClaim", "namespace": namespace, "name": "disk", "uid": claim.metadata.uid}
    await core.create_persistent_volume(
        {
            "metadata": {"name": f"volume-{namespace}"},
            "spec": {
                "capacity": size,
                "accessModes": ["ReadWriteOnce"],
                "storageClassName": "standard",
                "claimRef": reference,
                "hostPath": {"path": "/nowhere"},
            },
        }
    )

    bound = await watches.first(
        core.list_namespaced_persistent_volume_claim, lambda one: one.status.phase == "Bound", namespace=namespace
    )

    assert bound.spec.volume_name == f"volume-{namespace}"


@pytest.mark.parametrize("name", ["config-agent", "extension-manager"])
async def test_the_agents_of_arc_are_available_from_the_start(apps: Any, name: str) -> None:
    agents = await watches.first(
        apps.list_namespaced_deployment,
        lambda one: one.metadata.name == name and one.status.available_replicas == 1,
        namespace="azure-arc",
    )

    assert agents.status.replicas == 1
