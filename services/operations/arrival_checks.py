"""Whether an operation can wait for images at the edge. Pure but for the look; for each kind that can."""

from dataclasses import dataclass

from services.model.azure import ConnectedRegistry, resource_name
from services.model.plan import Finding
from services.operations.answers import Answer, NotAsked
from services.operations.arrival_codes import ArrivalCode
from services.operations.arrival_steps import reader_of
from services.operations.checks import blocker, ok, required
from services.policy.sites import CLIENTS_PER_REGISTRY, Site
from services.ports import Cluster


@dataclass(frozen=True)
class ReaderPlace:
    """The namespace in which the Job and its Secret are to be, and what the bot may not do there."""

    phase: str
    missing_rights: tuple[str, ...]


async def look_at_place(cluster: Cluster, namespace: str) -> ReaderPlace:
    """What the cluster says of the namespace."""
    return ReaderPlace(await cluster.namespace_phase(namespace), await cluster.missing_rights_to_read(namespace))


def may_wait(site: Site, registry: ConnectedRegistry | None, answer: Answer[ReaderPlace]) -> Finding:
    """`registry` is None where the operation is about to create it."""
    namespace = site.cluster.kubernetes.reader_namespace
    if isinstance(answer, NotAsked):
        return blocker(ArrivalCode.WAIT_NO_ACCESS)
    place = required(answer)
    if place.phase != "Active":
        return blocker(ArrivalCode.WAIT_NO_NAMESPACE, namespace=namespace)
    if place.missing_rights:
        return blocker(ArrivalCode.WAIT_RIGHTS_MISSING, namespace=namespace, missing=place.missing_rights)
    listed = {resource_name(token_id) for token_id in registry.client_token_ids} if registry else set()
    if len(listed - {reader_of(registry.name) if registry else ""}) >= CLIENTS_PER_REGISTRY:
        return blocker(ArrivalCode.WAIT_CLIENTS_FULL, name=registry.name if registry else "", count=len(listed))
    return ok(ArrivalCode.WAIT_POSSIBLE, namespace=namespace)
