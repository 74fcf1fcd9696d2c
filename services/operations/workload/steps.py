"""The steps that deploy a workload.

The client token's password lives between two awaits of `_make_pull_secret` and nowhere else: no answer, error or
checkpoint holds it.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from services.model.azure import Pending
from services.model.errors import Absent, DomainError, Failure
from services.model.kubernetes import DeployedWorkload, PullSecret, WorkloadSpec
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import acr_options, command_line, lines
from services.operations.step import Done, Going, Progress, Scene, Step, follow, followed
from services.operations.token_steps import delete_scope_map, delete_token, put_scope_map, put_token
from services.operations.workload.diagnosis import LASTING, diagnose
from services.operations.workload.outputs import ImagePulled, PullSecretMade, TokenLinked
from services.operations.workload.words import Cause
from services.operations.workload_removal import DELETE_PULL_SECRETS, DELETE_WORKLOAD, SLOTS, Place, place_of
from services.policy.schedule import next_contact
from services.policy.sites import CONTINUOUS, Site

GRACE = timedelta(minutes=2)
"""A new password takes up to a minute to be known everywhere (Learn: repository-scoped tokens), and the edge syncs in
the next minute; a node tries again after 10, 20 and 40 seconds."""
SYNCED_WITHIN = timedelta(minutes=10)
"""By then an edge that syncs all the time has had the change."""


# --- client token ---------------------------------------------------------------------------------------------------


async def _put_scope_map(scene: Scene) -> Progress:
    acr, params = scene.site.acr_ref, scene.params
    description = f"Created by the registry bot for workload {params['workload']} of connected registry {scene.name}."
    return followed(await scene.azure.scope_maps.put(acr, params["name"], params["actions"], description))


def _scope_map_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    repository = str(planned.params["repository"])
    words = command_line("az acr scope-map create", name=planned.params["name"], **acr_options(site.acr_ref))
    return f"{words} {command_line('--repository', repository, 'content/read', 'metadata/read')}"


async def _put_token(scene: Scene) -> Progress:
    acr, params = scene.site.acr_ref, scene.params
    return followed(await scene.azure.tokens.put(acr, params["name"], f"{acr.id}/scopeMaps/{params['name']}"))


def _token_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    name = planned.params["name"]
    return command_line(
        "az acr token create", name=name, **acr_options(site.acr_ref), scope_map=name, no_passwords="true"
    )


async def _link(scene: Scene) -> Progress:
    """The list is replaced as a whole, so those of others are sent along."""
    acr = scene.site.acr_ref
    registry = await scene.azure.connected.get(acr, scene.name)
    token_id = f"{acr.id}/tokens/{scene.params['token']}"
    if token_id.casefold() in {each.casefold() for each in registry.client_token_ids}:
        return Done(TokenLinked(registry.last_sync))
    pending = await scene.azure.connected.set_client_tokens(acr, scene.name, (*registry.client_token_ids, token_id))
    synced = registry.last_sync.isoformat() if registry.last_sync else ""
    return _linked_so_far(replace(pending, facts={"synced_before": synced}))


async def _linked(scene: Scene, token: Pending) -> Progress:
    return _linked_so_far(await scene.azure.operations.poll(token))


def _linked_so_far(pending: Pending) -> Progress:
    synced = pending.facts.get("synced_before")
    return followed(pending, TokenLinked(datetime.fromisoformat(synced) if synced else None))


def _link_line(site: Site, operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "az acr connected-registry update",
        name=operation.target,
        **acr_options(site.acr_ref),
        add_client_tokens=planned.params["token"],
    )


async def _look_for_sync(scene: Scene) -> Progress:
    return await _is_synced(scene, None)


async def _is_synced(scene: Scene, _token: object) -> Progress:
    """The edge learns of a change with the first sync after it; Azure tells of nothing finer."""
    registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    linked = scene.operation.output(TokenLinked)
    if registry.last_sync and (linked is None or registry.last_sync != linked.synced_before):
        return Done()
    # Outside its window a scheduled edge is silent for hours: that is no reason to hold the cluster's lock.
    is_silent = registry.schedule != CONTINUOUS and registry.connection_state == "Offline"
    if is_silent or scene.waited >= SYNCED_WITHIN * scene.patience:
        facts = {"schedule": registry.schedule, "last_sync": registry.last_sync, "next_sync": next_contact(registry)}
        raise Failure(Cause.TOKEN_NOT_SYNCED, facts)
    return Going()


def _sync_line(site: Site, operation: Operation, _planned: PlannedStep) -> str:
    query = "parent.syncProperties.lastSyncTime"
    return command_line(
        "az acr connected-registry show", name=operation.target, **acr_options(site.acr_ref), query=query, output="tsv"
    )


# --- in the cluster -------------------------------------------------------------------------------------------------


async def _make_pull_secret(scene: Scene) -> Progress:
    """A password in the slot that the workload does not use, in a Secret that it does not use.

    So neither a repetition nor a reply that was lost takes anything from Pods that run.
    """
    cluster, params, place = await scene.cluster(), scene.params, place_of(scene.planned)
    workload = await cluster.workload(place.namespace, place.name)
    second = workload is not None and workload.spec.pull_secret == place.pull_secrets[0]
    name, slot = place.pull_secrets[second], SLOTS[second]
    acr = scene.site.acr_ref
    password = await scene.azure.tokens.generate_password(acr, f"{acr.id}/tokens/{params['token']}", slot)
    await cluster.put_pull_secret(
        PullSecret(place.namespace, name, place.name, scene.name.lower(), params["server"], params["token"], password)
    )
    return Done(PullSecretMade(name))


def _pull_secret_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    params = planned.params
    secret = command_line(
        "kubectl create secret docker-registry",
        Place(str(params["namespace"]), str(params["workload"])).pull_secrets[0],
        namespace=params["namespace"],
        docker_server=params["server"],
        docker_username=params["token"],
    )
    return lines(
        (
            command_line(
                "az acr token credential generate", name=params["token"], **acr_options(site.acr_ref), password1=True
            )
            + "   # into PASSWORD",
            f'{secret} --docker-password "$PASSWORD"',
        )
    )


async def _put_workload(scene: Scene) -> Progress:
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
        )
    )
    return Done()


def _workload_line(_site: Site, _operation: Operation, planned: PlannedStep) -> str:
    params = planned.params
    name, namespace = params["workload"], params["namespace"]
    place = Place(str(namespace), str(name))
    patch = f'{{"spec":{{"template":{{"spec":{{"imagePullSecrets":[{{"name":"{place.pull_secrets[0]}"}}]}}}}}}}}'
    create = command_line(
        "kubectl create deployment",
        name,
        namespace=namespace,
        image=params["image"],
        replicas=params["replicas"],
        port=params["port"],
    )
    return lines((create, command_line("kubectl patch deployment", name, namespace=namespace, patch=patch)))


def _pull_failed(operation: Operation, _index: int) -> bool:
    """After a pull that failed a retry makes another password: nobody has the one that may be lost."""
    return any(operation.planned[run.index].kind == PULLED.kind and run.state == "error" for run in operation.steps)


# --- the proof ------------------------------------------------------------------------------------------------------


async def _look_at_pods(scene: Scene) -> Progress:
    return await _is_pulled(scene, None)


async def _is_pulled(scene: Scene, _token: object) -> Progress:
    """What counts is the digest that nodes report, not that a container runs: hello-world ends at once."""
    cluster, params, place = await scene.cluster(), scene.params, place_of(scene.planned)
    workload = await cluster.workload(place.namespace, place.name)
    if workload is None:
        raise Failure(Cause.WORKLOAD_GONE, {})
    failure = diagnose(workload)
    pods = [pod for pod in workload.pods if pod.image == params["image"]]
    pulled = {pod.name: pod.image_id.rpartition("@")[2] for pod in pods if pod.image_id}
    digests = await _cloud_digests(scene) if set(pulled.values()) - {*params["digests"]} else {*params["digests"]}
    proven = [pod for pod in pods if pulled.get(pod.name) in digests]
    if len(proven) >= params["replicas"] and not (failure and failure.cause in LASTING):
        await _drop_former_secret(scene, workload)
        nodes = tuple(dict.fromkeys(pod.node for pod in proven))
        exit_code = next((pod.exit_code for pod in proven if pod.exit_code is not None), None)
        return Done(ImagePulled(pulled[proven[0].name], nodes, len(proven), exit_code))
    strangers = [pod for pod in pods if pod.name in pulled and pulled[pod.name] not in digests]
    if failure is None and strangers:
        facts = {"digest": pulled[strangers[0].name], "cloud": params["digests"][0], "node": strangers[0].node}
        failure = Failure(Cause.DIGEST_DIFFERS, facts)
    if failure and (failure.cause in LASTING or scene.waited >= GRACE * scene.patience):
        raise replace(failure, facts={**failure.facts, **await _sync_facts(scene)})
    return Going()


async def _cloud_digests(scene: Scene) -> set[str]:
    """The tag may have moved since the plan was made; then the node is right to have the newer image."""
    params = scene.params
    image = await scene.azure.images.get(params["cloud"], params["repository"], params["reference"])
    return {*image.digests}


async def _drop_former_secret(scene: Scene, workload: DeployedWorkload) -> None:
    place = place_of(scene.planned)
    for name in set(place.pull_secrets) - {workload.spec.pull_secret}:
        await (await scene.cluster()).delete_pull_secret(place.namespace, name)


async def _sync_facts(scene: Scene) -> dict[str, object]:
    """When the edge had and will have news of the cloud; empty where Azure can't be asked now."""
    try:
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
    except DomainError:
        return {}
    return {"schedule": registry.schedule, "last_sync": registry.last_sync, "next_sync": next_contact(registry)}


def _pods_line(_site: Site, _operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "kubectl get pods",
        namespace=planned.params["namespace"],
        selector=f"app.kubernetes.io/name={planned.params['workload']}",
        output="jsonpath={.items[*].status.containerStatuses[*].imageID}",
    )


# --- deletion -------------------------------------------------------------------------------------------------------


async def _unlink(scene: Scene) -> Progress:
    acr, params = scene.site.acr_ref, scene.params
    try:
        registry = await scene.azure.connected.get(acr, params["registry"])
    except Absent:
        return Done()
    token_id = f"{acr.id}/tokens/{params['token']}".casefold()
    others = [each for each in registry.client_token_ids if each.casefold() != token_id]
    if len(others) == len(registry.client_token_ids):
        return Done()
    return followed(await scene.azure.connected.set_client_tokens(acr, params["registry"], others))


def _unlink_line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
    return command_line(
        "az acr connected-registry update",
        name=planned.params["registry"],
        **acr_options(site.acr_ref),
        remove_client_tokens=planned.params["token"],
    )


PUT_SCOPE_MAP = put_scope_map("client_scope_map.put", _put_scope_map, _scope_map_line)
PUT_TOKEN = put_token("client_token.put", _put_token, _token_line)
LINK = Step("client_token.link", _link, _link_line, wait=_linked)
KNOWN = Step("client_token.synced", _look_for_sync, _sync_line, wait=_is_synced, interval=5, within=2 * SYNCED_WITHIN)
PULL_SECRET = Step("pull_secret.put", _make_pull_secret, _pull_secret_line, repeats=_pull_failed)
PUT_WORKLOAD = Step("workload.put", _put_workload, _workload_line, repeats=_pull_failed)
PULLED = Step("workload.pulled", _look_at_pods, _pods_line, wait=_is_pulled, interval=5, within=timedelta(minutes=15))
STEPS: tuple[Step, ...] = (PUT_SCOPE_MAP, PUT_TOKEN, LINK, KNOWN, PULL_SECRET, PUT_WORKLOAD, PULLED)
"""Of a deployment."""

UNLINK = Step("client_token.unlink", _unlink, _unlink_line, wait=follow)
DELETE_TOKEN = delete_token("client_token.delete", interval=2)
DELETE_SCOPE_MAP = delete_scope_map("client_scope_map.delete")
DELETION_STEPS: tuple[Step, ...] = (DELETE_WORKLOAD, DELETE_PULL_SECRETS, UNLINK, DELETE_TOKEN, DELETE_SCOPE_MAP)
