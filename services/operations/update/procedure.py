"""The change of a connected registry's settings, declared."""

from services.model.plan import PlannedStep
from services.operations.procedure import Draft, Procedure
from services.operations.update.checks import CHECKS, Observation, observe
from services.operations.update.request import UpdateOptions, UpdateRequest, site_names, update_request
from services.operations.update.steps import FIELDS, TAKEN, UPDATE, ordered, settings
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.acr_ref.connected_id(name).lower(),)


def _plan(_site: Site, request: UpdateRequest, observation: Observation) -> Draft:
    """What already is as it was asked for is not sent again."""
    registry = observation.registry(request.name)
    if registry is None:
        return Draft((), {})
    current = settings(registry)
    requested = {field: ordered(value) for field in FIELDS if (value := getattr(request.options, field)) is not None}
    changes = {field: (current[field], value) for field, value in requested.items() if current[field] != value}
    observed = {f"connected_registry.{field}": current[field] for field in requested}
    if not changes:
        return Draft((PlannedStep(UPDATE.kind, {"name": registry.name, "changes": {}}, "reuse"),), observed)
    steps = (
        PlannedStep(UPDATE.kind, {"name": registry.name, "changes": changes}, "change"),
        PlannedStep(TAKEN.kind, {"name": registry.name, "settings": requested}, "verify"),
    )
    return Draft(steps, observed)


SETTINGS = Procedure[UpdateRequest, Observation](
    kind="update",
    options=UpdateOptions,
    request=update_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=_plan,
    steps=(UPDATE, TAKEN),
    values={"update.options": UpdateOptions},
)
