"""The resync of a connected registry, declared."""

from services.model.plan import PlannedStep
from services.operations.procedure import Draft, Procedure, site_names
from services.operations.resync.checks import CHECKS, Observation, observe
from services.operations.resync.request import (
    Resynced,
    ResyncOptions,
    ResyncRequest,
    ResyncRequested,
    resync_request,
)
from services.operations.resync.steps import ENDED, REQUEST
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.acr_ref.connected_id(name).lower(),)


def _plan(_site: Site, request: ResyncRequest, observation: Observation) -> Draft:
    registry = observation.registry(request.name)
    if registry is None:
        return Draft((), {})
    params = {"name": registry.name}
    steps = (PlannedStep(REQUEST.kind, params, "change"), PlannedStep(ENDED.kind, params, "verify"))
    return Draft(steps, {"connected_registry.activation": registry.activation})


RESYNC = Procedure[ResyncRequest, Observation](
    kind="resync",
    options=ResyncOptions,
    request=resync_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=_plan,
    steps=(REQUEST, ENDED),
    values={"resync.options": ResyncOptions, "resync.requested": ResyncRequested, "resync.resynced": Resynced},
)
