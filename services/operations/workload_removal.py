"""How a workload goes: its Deployment, then the secrets that it pulled by. For each kind of operation that needs it."""

import hashlib
from dataclasses import dataclass

from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import command_line, kubectl_options
from services.operations.step import Done, Going, Progress, Scene, Step
from services.operations.token_steps import SLOTS
from services.policy.sites import Site

TOKEN_NAME_LENGTH = 50
"""A token's name has 5 to 50 letters, digits and dashes (SDK: azure-mgmt-containerregistry)."""


@dataclass(frozen=True)
class Place:
    """A workload's namespace and name, and what is named after them."""

    namespace: str
    name: str

    @property
    def pull_secrets(self) -> tuple[str, str]:
        """Names of its pull secrets, one for each password of its client token; mostly one of them exists."""
        first, second = (f"regcred-{self.name}-{slot[-1]}" for slot in SLOTS)
        return first, second

    def token(self, registry: str) -> str:
        """Name of its client token at a connected registry, and of the token's scope map."""
        mark = hashlib.sha256(f"{self.namespace}/{self.name}".encode()).hexdigest()[:8]
        return f"{f'{registry}-{self.name}'[: TOKEN_NAME_LENGTH - 9].rstrip('-')}-{mark}"


def place_of(planned: PlannedStep) -> Place:
    """The workload that a step is about."""
    return Place(str(planned.params["namespace"]), str(planned.params["workload"]))


def delete_workload(kind: str) -> Step:
    """A step that deletes a Deployment that the bot has made, and is done when its Pods are gone."""

    async def begin(scene: Scene) -> Progress:
        cluster, place = await scene.cluster(), place_of(scene.planned)
        workload = await cluster.workload(place.namespace, place.name)
        if workload is None or not workload.managed:
            return Done()
        await cluster.delete_workload(place.namespace, place.name, workload.uid)
        return Going()

    async def wait(scene: Scene, _token: object) -> Progress:
        cluster, place = await scene.cluster(), place_of(scene.planned)
        workload = await cluster.workload(place.namespace, place.name)
        return Done() if workload is None or not workload.managed else Going()

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        place = place_of(planned)
        return command_line("kubectl delete deployment", place.name, **kubectl_options(site, place.namespace))

    return Step(kind, begin, line, wait=wait, interval=2)


def delete_pull_secrets(kind: str) -> Step:
    """A step that deletes the Secrets that a workload's Pods pulled by."""

    async def begin(scene: Scene) -> Progress:
        cluster, place = await scene.cluster(), place_of(scene.planned)
        for name in place.pull_secrets:
            await cluster.delete_pull_secret(place.namespace, name)
        return Done()

    def line(site: Site, _operation: Operation, planned: PlannedStep) -> str:
        place = place_of(planned)
        options = kubectl_options(site, place.namespace)
        return command_line("kubectl delete secret", *place.pull_secrets, **options, ignore_not_found=True)

    return Step(kind, begin, line)


DELETE_WORKLOAD = delete_workload("workload.delete")
DELETE_PULL_SECRETS = delete_pull_secrets("pull_secret.delete")
