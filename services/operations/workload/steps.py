"""The steps that deploy a workload.

The client token's password lives between two awaits of `put_pull_secret` and nowhere else: no answer, error or
checkpoint holds it.
"""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from services.model.errors import DomainError, Failure
from services.model.kubernetes import PullSecret, WorkloadSpec
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.client_token_steps import (
    link_token,
    pull_secret_lines,
    put_client_scope_map,
    put_client_token,
    sync_facts,
    unlink_token,
)
from services.operations.command_line import acr_options, command_line, kubectl_options, lines
from services.operations.outputs import TokenLinked
from services.operations.passwords import new_password, password_left
from services.operations.step import Done, Going, Progress, Scene, Step, again
from services.operations.token_steps import SLOTS, delete_scope_map, delete_token
from services.operations.workload.diagnosis import LASTING, diagnose
from services.operations.workload.outputs import ImagePulled, PullSecretMade
from services.operations.workload.words import Cause
from services.operations.workload_removal import DELETE_PULL_SECRETS, DELETE_WORKLOAD, place_of
from services.policy.sites import CONTINUOUS, Site

GRACE = timedelta(minutes=2)
"""A new password takes up to a minute to be known everywhere (Learn: repository-scoped tokens), and the edge syncs in
the next minute; a node tries again after 10, 20 and 40 seconds."""
SYNCED_WITHIN = timedelta(minutes=10)
"""By then an edge that syncs all the time has had the change."""
NAME_LABEL = "app.kubernetes.io/name"
"""Whose value is the workload's name (Kubernetes: recommended labels)."""


# --- client token ---------------------------------------------------------------------------------------------------


def see_sync(kind: str) -> Step:
    """A step that looks until the edge has synced: it learns of a change with the first sync after it."""

    async def look(scene: Scene) -> Progress:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        linked = scene.operation.output(TokenLinked)
        if registry.last_sync and (linked is None or registry.last_sync != linked.synced_before):
            return Done()
        # Outside its window a scheduled edge is silent for hours: that is no reason to hold the cluster's lock.
        is_silent = registry.schedule != CONTINUOUS and registry.connection_state == "Offline"
        if is_silent or scene.waited >= SYNCED_WITHIN * scene.patience:
            raise Failure(Cause.TOKEN_NOT_SYNCED, sync_facts(registry))
        return Going()

    def line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
        query = "parent.syncProperties.lastSyncTime"
        return command_line(
            "az acr connected-registry show",
            name=operation.target,
            **acr_options(site.acr_ref),
            query=query,
            output="tsv",
        )

    return Step(kind, look, line, wait=again(look), interval=5, within=2 * SYNCED_WITHIN)


# --- in the cluster -------------------------------------------------------------------------------------------------


async def _idle_slot(scene: Scene) -> str:
    """The slot of the password that the workload does not pull by."""
    place = place_of(scene.planned)
    workload = await (await scene.cluster()).workload(place.namespace, place.name)
    return SLOTS[workload is not None and workload.spec.pull_secret == place.pull_secrets[0]]


def put_pull_secret(kind: str) -> Step:
    """A step that makes a password and its Secret.

    The slot is the one that the workload does not use, and so is the Secret: neither a repetition nor a reply that was
    lost takes anything from Pods that run.
    """

    async def begin(scene: Scene) -> Progress:
        params, place, slot = scene.params, place_of(scene.planned), await _idle_slot(scene)
        name, cluster = place.pull_secrets[SLOTS.index(slot)], await scene.cluster()
        registry, server, token = scene.name.lower(), params["server"], params["token"]
        async with new_password(scene, slot, expires=params.get("expires")) as password:
            secret = PullSecret(place.namespace, name, place.name, registry, server, token, password)
            await cluster.put_pull_secret(secret)
        return Done(PullSecretMade(name))

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        params, place = planned.params, place_of(planned)
        name = str(params.get("secret") or place.pull_secrets[0])
        slot = SLOTS[place.pull_secrets.index(name)]
        return pull_secret_lines(site, place.namespace, name, slot, token=params["token"], server=params["server"])

    return Step(kind, begin, line, leaves=password_left(_idle_slot), repeats=_pull_failed)


def put_workload(kind: str) -> Step:
    """A step that creates the Deployment, or changes it."""

    async def begin(scene: Scene) -> Progress:
        params, made = scene.params, scene.operation.output(PullSecretMade)
        await (await scene.cluster()).put_workload(
            WorkloadSpec(
                namespace=params["namespace"],
                name=params["workload"],
                registry=scene.name.lower(),
                image=params["image"],
                replicas=params["replicas"],
                port=params["port"],
                pull_secret=made.name if made else params["pull_secret"],
                manifest=params.get("manifest", ""),
                pod=params.get("pod", {}),
                labels=params.get("labels", {}),
            )
        )
        return Done()

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        params, place = planned.params, place_of(planned)
        name, options = place.name, kubectl_options(site, place.namespace)
        image, replicas = params["image"], params["replicas"]
        put = [
            command_line(
                "kubectl create deployment", name, **options, image=image, replicas=replicas, port=params["port"]
            )
        ]
        if planned.effect == "change":
            put = [
                command_line("kubectl set image", f"deployment/{name}", f"*={image}", **options),
                command_line("kubectl scale deployment", name, **options, replicas=replicas),
            ]
        secret = str(params.get("pull_secret") or place.pull_secrets[0])
        # kubectl's own label is `app`; it is by the other one that the bot and the lines below find the Pods.
        pod: dict[str, object] = {"imagePullSecrets": [{"name": secret}]}
        labels = {NAME_LABEL: name}
        if isinstance(manifest_pod := params.get("pod"), Mapping):
            [container] = manifest_pod["containers"]
            pod = {**manifest_pod, **pod, "containers": [{**container, "image": image}]}
            labels = {**params["labels"], **labels} if isinstance(params["labels"], Mapping) else labels
            # As a whole: the container that kubectl has made bears another name.
            options |= {"type": "merge"}
        patch = json.dumps({"spec": {"template": {"metadata": {"labels": labels}, "spec": pod}}})
        return lines((*put, command_line("kubectl patch deployment", name, **options, patch=patch)))

    return Step(kind, begin, line, repeats=_pull_failed)


def _pull_failed(operation: Operation, _index: int) -> bool:
    """After a pull that failed a retry makes another password: nobody has the one that may be lost."""
    return any(operation.planned[run.index].kind == PULLED.kind and run.state == "error" for run in operation.steps)


# --- the proof ------------------------------------------------------------------------------------------------------


def see_pulled(kind: str) -> Step:
    """A step that looks until every Pod has the cloud's image."""

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        return command_line(
            "kubectl get pods",
            **kubectl_options(site, planned.params["namespace"]),
            selector=f"{NAME_LABEL}={planned.params['workload']}",
            output="jsonpath={.items[*].status.containerStatuses[*].imageID}",
        )

    return Step(kind, _is_pulled, line, wait=again(_is_pulled), interval=5, within=timedelta(minutes=15))


async def _is_pulled(scene: Scene) -> Progress:
    """What counts is the digest that nodes report, not that a container runs: hello-world ends at once."""
    cluster, params, place = await scene.cluster(), scene.params, place_of(scene.planned)
    workload = await cluster.workload(place.namespace, place.name)
    if workload is None:
        raise Failure(Cause.WORKLOAD_GONE, {})
    failure = diagnose(workload, last=scene.last)
    pods = [pod for pod in workload.pods if pod.image == params["image"]]
    pulled = {pod.name: pod.image_id.rpartition("@")[2] for pod in pods if pod.image_id}
    digests = {*params["digests"]}
    if set(pulled.values()) - digests:
        # The tag may have moved since the plan was made; then the node is right to have the newer image.
        image = await scene.azure.images.get(
            scene.site.acr_ref, params["cloud"], params["repository"], params["reference"]
        )
        digests = {*image.digests}
    proven = [pod for pod in pods if pulled.get(pod.name) in digests]
    if len(proven) >= params["replicas"] and not (failure and failure.cause in LASTING):
        for former in set(place.pull_secrets) - {workload.spec.pull_secret}:
            await cluster.delete_pull_secret(place.namespace, former)
        nodes = tuple(dict.fromkeys(pod.node for pod in proven))
        exit_code = next((pod.exit_code for pod in proven if pod.exit_code is not None), None)
        return Done(ImagePulled(pulled[proven[0].name], nodes, len(proven), exit_code))
    strangers = [pod for pod in pods if pod.name in pulled and pulled[pod.name] not in digests]
    if failure is None and strangers:
        facts = {"digest": pulled[strangers[0].name], "cloud": params["digests"][0], "node": strangers[0].node}
        failure = Failure(Cause.DIGEST_DIFFERS, facts)
    if failure and (failure.cause in LASTING or scene.last or scene.waited >= GRACE * scene.patience):
        with suppress(DomainError):  # they are left out where Azure can't be asked now
            registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
            failure = replace(failure, facts={**failure.facts, **sync_facts(registry)})
        raise failure
    return Going()


def _purpose(scene: Scene) -> str:
    return f"workload {scene.params['workload']} of connected registry {scene.name}"


PUT_SCOPE_MAP = put_client_scope_map("client_scope_map.put", _purpose)
PUT_TOKEN = put_client_token("client_token.put")
LINK = link_token("client_token.link")
KNOWN = see_sync("client_token.synced")
PULL_SECRET = put_pull_secret("pull_secret.put")
PUT_WORKLOAD = put_workload("workload.put")
PULLED = see_pulled("workload.pulled")
STEPS: tuple[Step, ...] = (PUT_SCOPE_MAP, PUT_TOKEN, LINK, KNOWN, PULL_SECRET, PUT_WORKLOAD, PULLED)
"""Of a deployment."""

UNLINK = unlink_token("client_token.unlink")
DELETE_TOKEN = delete_token("client_token.delete", interval=2)
DELETE_SCOPE_MAP = delete_scope_map("client_scope_map.delete")
DELETION_STEPS: tuple[Step, ...] = (DELETE_WORKLOAD, DELETE_PULL_SECRETS, UNLINK, DELETE_TOKEN, DELETE_SCOPE_MAP)
