"""The deactivation of a connected registry, declared."""

from services.model.plan import PlannedStep
from services.operations.deactivate.checks import CHECKS, Observation, observe
from services.operations.deactivate.request import (
    Deactivated,
    DeactivateOptions,
    DeactivateRequest,
    deactivate_request,
)
from services.operations.deactivate.steps import DEACTIVATE, INACTIVE
from services.operations.procedure import Draft, Procedure, site_names
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.acr_ref.connected_id(name).lower(), site.cluster_ref.id.lower())


def _plan(_site: Site, request: DeactivateRequest, seen: Observation) -> Draft:
    registry = seen.registry(request.name)
    if registry is None:
        return Draft((), {})
    params = {"name": request.name, "activation": registry.activation}
    observed = {"connected_registry.activation": registry.activation}
    if registry.activation != "Active":
        return Draft((PlannedStep(DEACTIVATE.kind, params, "reuse"),), observed)
    steps = (
        PlannedStep(DEACTIVATE.kind, params, "change"),
        PlannedStep(INACTIVE.kind, {"name": request.name}, "verify"),
    )
    return Draft(steps, observed)


DEACTIVATION = Procedure[DeactivateRequest, Observation](
    kind="deactivate",
    options=DeactivateOptions,
    request=deactivate_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=_plan,
    steps=(DEACTIVATE, INACTIVE),
    values={"deactivate.options": DeactivateOptions, "deactivate.deactivated": Deactivated},
)
