"""Workloads that pull from a connected registry: Deployments that the bot makes, with the Secret that they pull by.

A Secret is created and deleted, never read: the bot has no right to that.
"""

import base64
import json
from collections.abc import Iterable

from services.gateways.kubernetes.api import Api
from services.gateways.kubernetes.objects import Object, condition, phase
from services.gateways.kubernetes.placeholders import MANAGED_BY
from services.gateways.kubernetes.rights import (
    CREATE_DEPLOYMENT,
    CREATE_SECRET,
    DELETE_DEPLOYMENT,
    DELETE_SECRET,
    LIST_DEPLOYMENTS,
    LIST_EVENTS,
    LIST_PODS,
    PATCH_DEPLOYMENT,
    Right,
)
from services.gateways.kubernetes.runtime import last_lines, warnings
from services.gateways.kubernetes.together import together
from services.model.errors import Absent, Conflict
from services.model.kubernetes import DeployedWorkload, PullSecret, WorkloadPod, WorkloadSpec
from services.model.redaction import short

REGISTRY_LABEL = "registry-bot/connected-registry"
NAME_LABEL = "app.kubernetes.io/name"
MANIFEST_ANNOTATION = "registry-bot/manifest"
POD_FIELDS = frozenset(
    {
        "volumes",
        "terminationGracePeriodSeconds",
        "nodeSelector",
        "enableServiceLinks",
        "automountServiceAccountToken",
        "securityContext",
    }
)
"""Of a Pod's specification: what a manifest may set beside its container (`services.operations.workload.manifest`)."""


async def workload(api: Api, namespace: str, name: str) -> DeployedWorkload | None:
    """The Deployment of this name with its Pods, whoever made it; None when there is none."""
    inside = LIST_DEPLOYMENTS.inside(namespace)
    deployments = await api.everything(inside, {"fieldSelector": f"metadata.name={name}"})
    return next(iter(await _with_pods(api, deployments)), None)


async def workloads_of(api: Api, registry: str) -> tuple[DeployedWorkload, ...]:
    """All workloads that the bot has made with images of this connected registry, or any; by namespace and name."""
    return await _with_pods(api, await _deployments(api, registry))


async def workload_specs(api: Api, registry: str) -> tuple[WorkloadSpec, ...]:
    """What they are, without a look at their Pods."""
    return tuple(map(_spec, await _deployments(api, registry)))


async def _deployments(api: Api, registry: str) -> list[Object]:
    selector = ",".join(f"{key}={value}" for key, value in MANAGED_BY.items())
    selector += f",{REGISTRY_LABEL}={registry}" if registry else f",{REGISTRY_LABEL}"
    deployments = await api.everything(LIST_DEPLOYMENTS, {"labelSelector": selector})
    return sorted(deployments, key=lambda item: (item["metadata"]["namespace"], item["metadata"]["name"]))


async def put_workload(api: Api, spec: WorkloadSpec, *, dry_run: bool = False) -> None:
    """Create the Deployment, or change it to this; with `dry_run` the API server only says what it would answer."""
    query = {"dryRun": "All"} if dry_run else None
    try:
        await api.ask(CREATE_DEPLOYMENT.inside(spec.namespace), query=query, body=deployment_manifest(spec))
    except Conflict:
        selector = {"fieldSelector": f"metadata.name={spec.name}"}
        deployments = await api.everything(LIST_DEPLOYMENTS.inside(spec.namespace), selector)
        patch = _patch(spec, next(iter(deployments), {}))
        await api.ask(PATCH_DEPLOYMENT.inside(spec.namespace), spec.name, query=query, body=patch)


async def switch_pull_secret(api: Api, namespace: str, name: str, secret: str) -> None:
    """Let a Deployment's Pods pull by another Secret, and change nothing else of it."""
    body = {"spec": {"template": {"spec": {"imagePullSecrets": [{"name": secret}]}}}}
    await api.ask(PATCH_DEPLOYMENT.inside(namespace), name, body=body)


async def delete_workload(api: Api, namespace: str, name: str, uid: str) -> None:
    """Delete this very Deployment, which goes when its Pods are gone; nothing to do where it is gone already."""
    options = {"propagationPolicy": "Foreground", "preconditions": {"uid": uid}}
    await _delete(api, DELETE_DEPLOYMENT.inside(namespace), name, options)


async def put_pull_secret(api: Api, secret: PullSecret) -> None:
    """Create the Secret; one of that name, which can't be read or compared, is deleted before."""
    right, manifest = CREATE_SECRET.inside(secret.namespace), secret_manifest(secret)
    try:
        await api.ask(right, body=manifest)
    except Conflict:
        await delete_pull_secret(api, secret.namespace, secret.name)
        await api.ask(right, body=manifest)


async def delete_pull_secret(api: Api, namespace: str, name: str) -> None:
    """Nothing to do where there is none."""
    await _delete(api, DELETE_SECRET.inside(namespace), name, {})


def deployment_manifest(spec: WorkloadSpec) -> Object:
    """As `kubectl` would be given it. Its Pods are found by the workload's name and by who manages them."""
    selector = {NAME_LABEL: spec.name, **MANAGED_BY}
    labels = {**selector, REGISTRY_LABEL: spec.registry}
    [container] = spec.pod.get("containers") or [{"name": spec.name}]
    container = {**container, "image": spec.image}
    if spec.port is not None and not spec.manifest:
        container["ports"] = [{"containerPort": spec.port}]
    pod = {**spec.pod, "imagePullSecrets": [{"name": spec.pull_secret}], "containers": [container]}
    annotations = {MANIFEST_ANNOTATION: spec.manifest} if spec.manifest else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": spec.name, "labels": labels, "annotations": annotations},
        "spec": {
            "replicas": spec.replicas,
            "selector": {"matchLabels": selector},
            "template": {"metadata": {"labels": {**spec.labels, **labels}}, "spec": pod},
        },
    }


def _patch(spec: WorkloadSpec, existing: Object) -> Object:
    """A merge patch that makes an existing Deployment this one: what it has and this one lacks is null, and so goes.

    Of the Pods' specification that is what a manifest can set; the API server's defaults stay.
    """
    manifest = deployment_manifest(spec)
    former = (existing.get("spec") or {}).get("template") or {}
    template = manifest["spec"]["template"]
    template["spec"] = dict.fromkeys(POD_FIELDS & (former.get("spec") or {}).keys()) | template["spec"]
    labels = (former.get("metadata") or {}).get("labels") or {}
    template["metadata"]["labels"] = dict.fromkeys(labels) | template["metadata"]["labels"]
    manifest["metadata"]["annotations"] = {MANIFEST_ANNOTATION: None} | manifest["metadata"]["annotations"]
    return manifest


def secret_manifest(secret: PullSecret) -> Object:
    """As `kubectl create secret docker-registry` makes it."""
    user, password = secret.user, secret.password.reveal()
    auth = base64.b64encode(f"{user}:{password}".encode()).decode()
    content = {"auths": {secret.server: {"username": user, "password": password, "auth": auth}}}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "kubernetes.io/dockerconfigjson",
        "metadata": {
            "name": secret.name,
            "labels": {NAME_LABEL: secret.workload, **MANAGED_BY, REGISTRY_LABEL: secret.registry},
        },
        "data": {".dockerconfigjson": base64.b64encode(json.dumps(content).encode()).decode()},
    }


async def _delete(api: Api, right: Right, name: str, options: Object) -> None:
    try:
        await api.ask(right, name, body={"apiVersion": "v1", "kind": "DeleteOptions", **options})
    except Absent:
        return


async def _with_pods(api: Api, deployments: list[Object]) -> tuple[DeployedWorkload, ...]:
    return tuple(await together(_workload(api, deployment) for deployment in deployments))


async def _workload(api: Api, deployment: Object) -> DeployedWorkload:
    meta, spec = deployment["metadata"], deployment["spec"]
    namespace, labels = meta["namespace"], meta.get("labels") or {}
    selector = ",".join(f"{key}={value}" for key, value in (spec["selector"].get("matchLabels") or {}).items())
    pods, events = await together(
        [
            api.everything(LIST_PODS.inside(namespace), {"labelSelector": selector}),
            api.everything(LIST_EVENTS.inside(namespace), {"fieldSelector": "type=Warning"}),
        ]
    )
    pods = [pod for pod in pods if "deletionTimestamp" not in pod["metadata"]]
    logs = await together(_failure_log(api, namespace, pod) for pod in pods)
    return DeployedWorkload(
        spec=_spec(deployment),
        uid=str(meta["uid"]),
        managed=MANAGED_BY.items() <= labels.items(),
        pods=tuple(_pod(pod, events, log) for pod, log in zip(pods, logs, strict=True)),
        refusal=_refusal(deployment),
    )


def _spec(deployment: Object) -> WorkloadSpec:
    meta, spec = deployment["metadata"], deployment["spec"]
    template = spec["template"]["spec"]
    container = (template.get("containers") or [{}])[0]
    return WorkloadSpec(
        namespace=meta["namespace"],
        name=meta["name"],
        registry=str((meta.get("labels") or {}).get(REGISTRY_LABEL) or ""),
        image=str(container.get("image") or ""),
        replicas=int(spec.get("replicas") or 0),
        port=next((int(port["containerPort"]) for port in container.get("ports") or ()), None),
        pull_secret=_pull_secret(template),
        manifest=str((meta.get("annotations") or {}).get(MANIFEST_ANNOTATION) or ""),
    )


def _refusal(deployment: Object) -> str:
    """Why the cluster makes no Pods: a quota, or Pod security; empty where it makes them."""
    failure = condition(deployment, "ReplicaFailure")
    return short(str(failure.get("message") or "")) if failure.get("status") == "True" else ""


async def _failure_log(api: Api, namespace: str, pod: Object) -> str:
    """The last lines of a container that ended badly; empty for all others."""
    if not _exit_code(_status(pod)):
        return ""
    log, previous = await together(last_lines(api, namespace, pod, previous=previous) for previous in (False, True))
    return log or previous


def _status(pod: Object) -> Object:
    statuses = (pod.get("status") or {}).get("containerStatuses") or [{}]
    first: Object = statuses[0]
    return first


def _exit_code(status: Object) -> int | None:
    """Of the container's last end; None when it has never ended."""
    ends = [(status.get(state) or {}).get("terminated") for state in ("state", "lastState")]
    return next((int(end.get("exitCode") or 0) for end in ends if end), None)


def _pod(pod: Object, events: Iterable[Object], log: str) -> WorkloadPod:
    status, meta = _status(pod), pod["metadata"]
    state, waiting = next(iter((status.get("state") or {"": {}}).items()))
    scheduled, pod_status = condition(pod, "PodScheduled"), pod.get("status") or {}
    if scheduled.get("status") == "False":
        waiting = scheduled
    if phase(pod) == "Failed" and pod_status.get("reason"):
        state, waiting = "failed", pod_status
    containers = pod["spec"].get("containers") or [{}]
    own = [event for event in events if (event.get("involvedObject") or {}).get("uid") == meta.get("uid")]
    return WorkloadPod(
        name=meta["name"],
        node=str(pod["spec"].get("nodeName") or ""),
        image=str(containers[0].get("image") or ""),
        image_id=str(status.get("imageID") or ""),
        state=str(state),
        reason=str((waiting or {}).get("reason") or ""),
        message=short(str((waiting or {}).get("message") or "")),
        exit_code=_exit_code(status),
        warnings=warnings(own),
        log=log,
        pull_secret=_pull_secret(pod["spec"]),
    )


def _pull_secret(spec: Object) -> str:
    """The first Secret by which Pods of this specification pull; empty where there is none."""
    return next((str(secret["name"]) for secret in spec.get("imagePullSecrets") or ()), "")
