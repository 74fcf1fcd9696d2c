"""The steps of a client token's new password, beside those that deploying a workload has too."""

import json
from dataclasses import replace
from datetime import timedelta

from services.model.contents import EdgeQuestion, EdgeSilence
from services.model.errors import Absent, Failure
from services.model.kubernetes import PULL_REASONS, DeployedWorkload
from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.client_token_steps import sync_facts
from services.operations.command_line import acr_options, command_line, kubectl_options, lines
from services.operations.step import Done, Going, Progress, Scene, Step, again, follow, followed
from services.operations.token_steps import SLOTS
from services.operations.workload.diagnosis import LASTING, diagnose
from services.operations.workload.outputs import PullSecretMade
from services.operations.workload.steps import (
    GRACE,
    KNOWN,
    SYNCED_WITHIN,
    put_pull_secret,
)
from services.operations.workload.words import Cause
from services.operations.workload_removal import place_of
from services.policy.sites import CONTINUOUS, Site


def _secret(_params: object) -> frozenset[str]:
    """The Secret's name follows from the one that the workload has then: a retry may find the other one in use."""
    return frozenset({"secret"})


def switch_workload(kind: str) -> Step:
    """A step that gives the workload's Pods the new pull secret, and changes nothing else of it."""

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        params = planned.params
        patch = {"spec": {"template": {"spec": {"imagePullSecrets": [{"name": params["secret"]}]}}}}
        options = kubectl_options(site, params["namespace"])
        return command_line("kubectl patch deployment", params["workload"], **options, patch=json.dumps(patch))

    async def begin(scene: Scene) -> Progress:
        place, made = place_of(scene.planned), scene.operation.output(PullSecretMade)
        secret = made.name if made else scene.params["secret"]
        await (await scene.cluster()).switch_pull_secret(place.namespace, place.name, secret)
        return Done()

    return Step(kind, begin, line, free=_secret)


def _never(_operation: Operation, _index: int) -> bool:
    return False


def see_accepted(kind: str) -> Step:
    """A step that asks the edge by the new pull secret until it answers: before that, no Pod may get the Secret."""

    async def look(scene: Scene, number: int | None) -> Progress:
        """The number is of the look: a process that goes on after a crash takes the answer to the same question."""
        number, secret = number or 1, scene.operation.output(PullSecretMade)
        params, cluster = scene.params, await scene.cluster()
        name = secret.name if secret else ""
        image = scene.site.cluster.kubernetes.reader_image
        # Whether the edge has that tag does not matter, only that it lets the client in.
        question = EdgeQuestion(
            params["namespace"],
            params["server"],
            {params["repository"]: name},
            image,
            tags=("latest",),
            key=f"{scene.run_id} {number}",
        )
        answer = (await cluster.edge_contents(question))[params["repository"]]
        if not isinstance(answer, EdgeSilence):
            return Done()
        registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
        is_silent = registry.schedule != CONTINUOUS and registry.connection_state == "Offline"
        if answer.code not in {"Refused", "Unreachable"} or is_silent or scene.waited >= SYNCED_WITHIN * scene.patience:
            raise Failure(Cause.PASSWORD_NOT_ACCEPTED, {"message": answer.detail, **sync_facts(registry)})
        return Going(number + 1)

    async def begin(scene: Scene) -> Progress:
        return await look(scene, None)

    return Step(kind, begin, KNOWN.line, wait=look, interval=10, within=2 * SYNCED_WITHIN)


def is_rolled_out(workload: DeployedWorkload, replicas: int) -> bool:
    """Whether so many Pods have the image by the workload's pull secret, and none needs another one any more."""
    secret = workload.spec.pull_secret
    renewed = [pod for pod in workload.pods if pod.pull_secret == secret and pod.image_id]
    former = [pod for pod in workload.pods if pod.pull_secret != secret]
    # Kubernetes replaces a Pod when the new one is available, which one of an image that ends at once never is. So a
    # former Pod counts only while it runs, or while its node has yet to pull, as after an eviction.
    needy = [pod for pod in former if pod.state == "running" or not (pod.image_id or pod.reason in PULL_REASONS)]
    return len(renewed) >= replicas and not needy


def see_rolled_out(kind: str) -> Step:
    """A step that looks until Pods with the new pull secret and the image have taken the place of all others."""

    async def look(scene: Scene) -> Progress:
        place = place_of(scene.planned)
        workload = await (await scene.cluster()).workload(place.namespace, place.name)
        if workload is None:
            raise Failure(Cause.WORKLOAD_GONE, {})
        if is_rolled_out(workload, scene.params["replicas"]):
            return Done()
        failure = diagnose(workload, last=scene.last)
        if failure and (failure.cause in LASTING or scene.waited >= GRACE * scene.patience):
            registry = await scene.azure.connected.get(scene.site.acr_ref, scene.name)
            raise replace(failure, facts={**failure.facts, **sync_facts(registry)})
        return Going()

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        place = place_of(planned)
        return command_line("kubectl rollout status deployment", place.name, **kubectl_options(site, place.namespace))

    return Step(kind, look, line, wait=again(look), interval=5, within=timedelta(minutes=15))


def end_password(kind: str) -> Step:
    """A step that deletes the pull secret which the workload does not use, and ends the password in it."""

    async def begin(scene: Scene) -> Progress:
        place = place_of(scene.planned)
        cluster = await scene.cluster()
        workload = await cluster.workload(place.namespace, place.name)
        if workload is None or workload.spec.pull_secret not in place.pull_secrets:
            raise Failure(Cause.WORKLOAD_GONE, {})
        former = 1 - place.pull_secrets.index(workload.spec.pull_secret)
        await cluster.delete_pull_secret(place.namespace, place.pull_secrets[former])
        try:
            pending = await scene.azure.tokens.end_password(scene.site.acr_ref, scene.params["token"], SLOTS[former])
        except Absent:
            return Done()
        return followed(pending)

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        place, name = place_of(planned), str(planned.params["secret"])
        slot = {SLOTS[place.pull_secrets.index(name)]: True}
        secret = command_line("kubectl delete secret", name, **kubectl_options(site, place.namespace))
        token = command_line(
            "az acr token credential delete", name=planned.params["token"], **acr_options(site.acr_ref), **slot
        )
        return lines((secret, token))

    return Step(kind, begin, line, wait=follow, free=_secret)


RENEW = replace(put_pull_secret("pull_secret.renew"), free=_secret, repeats=_never)
SWITCH = switch_workload("workload.switch")
ACCEPTED = see_accepted("client_password.accepted")
ROLLED_OUT = see_rolled_out("workload.rolled_out")
END_PASSWORD = end_password("client_password.end")
ROTATION_STEPS: tuple[Step, ...] = (RENEW, ACCEPTED, SWITCH, ROLLED_OUT, END_PASSWORD)
