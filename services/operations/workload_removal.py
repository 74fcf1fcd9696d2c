"""How a workload goes: its Deployment, then the secrets that it pulled by. For each kind of operation that needs it."""

import hashlib
from dataclasses import dataclass

from services.model.operation import Operation
from services.model.plan import PlannedStep
from services.operations.command_line import command_line
from services.operations.step import Done, Going, Progress, Scene, Step
from services.policy.sites import Site

TOKEN_NAME_LENGTH = 50
"""A token's name has 5 to 50 letters, digits and dashes (SDK: azure-mgmt-containerregistry)."""
SLOTS = ("password1", "password2")


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


async def _delete_workload(scene: Scene) -> Progress:
    cluster, place = await scene.cluster(), place_of(scene.planned)
    workload = await cluster.workload(place.namespace, place.name)
    if workload is None or not workload.managed:
        return Done()
    await cluster.delete_workload(place.namespace, place.name, workload.uid)
    return Going()


async def _is_deleted(scene: Scene, _token: object) -> Progress:
    cluster, place = await scene.cluster(), place_of(scene.planned)
    workload = await cluster.workload(place.namespace, place.name)
    return Done() if workload is None or not workload.managed else Going()


def _delete_workload_line(_site: Site, _operation: Operation, planned: PlannedStep) -> str:
    params = planned.params
    return command_line("kubectl delete deployment", params["workload"], namespace=params["namespace"])


async def _delete_pull_secrets(scene: Scene) -> Progress:
    cluster, place = await scene.cluster(), place_of(scene.planned)
    for name in place.pull_secrets:
        await cluster.delete_pull_secret(place.namespace, name)
    return Done()


def _delete_pull_secrets_line(_site: Site, _operation: Operation, planned: PlannedStep) -> str:
    place = place_of(planned)
    return command_line("kubectl delete secret", *place.pull_secrets, namespace=place.namespace, ignore_not_found=True)


DELETE_WORKLOAD = Step("workload.delete", _delete_workload, _delete_workload_line, wait=_is_deleted, interval=2)
DELETE_PULL_SECRETS = Step("pull_secret.delete", _delete_pull_secrets, _delete_pull_secrets_line)
