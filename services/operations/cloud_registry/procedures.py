"""The four kinds of operation on a cloud registry, declared."""

from dataclasses import replace

from services.model.plan import Effect, PlannedStep
from services.operations import arrival_steps
from services.operations.acr_steps import CREATE_ACR, IMPORT_IMAGE
from services.operations.answers import known
from services.operations.arrival_steps import ARRIVED, READER_STEPS, arrival_step, reader_steps
from services.operations.cloud_registry import checks, steps
from services.operations.cloud_registry.observation import Observation, observe
from services.operations.cloud_registry.request import (
    AcrCreateOptions,
    AcrImportOptions,
    AcrOptions,
    AcrReady,
    AcrRequest,
    acr_request,
    create_request,
    import_request,
)
from services.operations.procedure import Draft, Procedure, site_names
from services.policy.sites import Site


def _locks(site: Site, _name: str) -> tuple[str, ...]:
    return (site.acr_ref.id.lower(),)


def _facts(observation: Observation) -> dict[str, object]:
    registry = known(observation.registry, None)
    if registry is None:
        return {}
    return {"registry.sku": registry.sku, "registry.data_endpoint": registry.data_endpoint}


def _step(kind: str, effect: Effect, **params: object) -> PlannedStep:
    return PlannedStep(kind, params, effect)


def _plan_update(site: Site, _request: AcrRequest, observation: Observation) -> Draft:
    registry, name = checks.registry_at_rest(observation), site.acr_ref.name
    if registry is None:
        return Draft((), _facts(observation))
    # The data endpoint comes second: other tiers have none.
    upgrade = () if checks.is_premium(registry) else (_step(steps.UPGRADE.kind, "change", name=name, sku=registry.sku),)
    endpoint = () if registry.data_endpoint else (_step(steps.ENABLE_DATA_ENDPOINT.kind, "change", name=name),)
    verified = (_step(steps.READY.kind, "verify", name=name),) if upgrade or endpoint else ()
    return Draft((*upgrade, *endpoint, *verified), _facts(observation))


def _plan_create(site: Site, request: AcrRequest, observation: Observation) -> Draft:
    if known(observation.registry, None) is not None:
        return Draft((), {"registry": "exists"})
    name = site.acr_ref.name
    created = _step(CREATE_ACR.kind, "create", name=name, location=request.location)
    return Draft((created, _step(steps.READY.kind, "verify", name=name)), {"registry": "absent"})


def _plan_import(site: Site, request: AcrRequest, observation: Observation) -> Draft:
    planned: list[PlannedStep] = []
    edge = known(observation.edge, None)
    if edge is not None:
        planned += reader_steps(site, edge.registry.name, request.repositories)
    for image in request.images:
        params = {"source": image.source, "image": image.image}
        if image.digest:
            params["digest"] = image.digest
        if request.source_registry:
            params["source_registry"] = request.source_registry
        planned.append(_step(IMPORT_IMAGE.kind, "create", **params))
    if edge is not None:
        images = tuple(image.image for image in request.images)
        planned.append(arrival_step(site, edge.registry.name, request.repositories, images))
    return Draft(tuple(planned), {} if known(observation.registry, None) is None else {"registry": "exists"})


def _locks_of_wait(site: Site, options: AcrImportOptions) -> tuple[str, ...]:
    """Whatever changes the connected registry that is installed in a cluster locks the cluster."""
    return (site.cluster_ref.id.lower(),) if options.wait_for_images else ()


def _plan_delete(site: Site, _request: AcrRequest, observation: Observation) -> Draft:
    registry = known(observation.registry, None)
    if registry is None:
        return Draft((), {"registry": "absent"})
    return Draft((_step(steps.DELETE.kind, "delete", name=site.acr_ref.name),), {"registry": "exists"})


ACR_UPDATE = Procedure[AcrRequest, Observation](
    kind="acr update",
    options=AcrOptions,
    request=acr_request,
    locks=_locks,
    observe=observe,
    checks=(checks.exists, checks.tier, checks.data_endpoint, checks.actions),
    names=site_names,
    plan=_plan_update,
    steps=(steps.UPGRADE, steps.ENABLE_DATA_ENDPOINT, steps.READY),
    values={"acr.options": AcrOptions, "acr.ready": AcrReady},
)
ACR_CREATION = replace(
    ACR_UPDATE,
    kind="acr create",
    options=AcrCreateOptions,
    request=create_request,
    checks=(checks.absent, checks.name, checks.provider),
    plan=_plan_create,
    steps=(CREATE_ACR, steps.READY),
    values={"acr.create_options": AcrCreateOptions},
)
ACR_IMPORT = replace(
    ACR_UPDATE,
    kind="acr import",
    options=AcrImportOptions,
    request=import_request,
    locks_of_options=_locks_of_wait,
    checks=(checks.exists, checks.tags, checks.actions, checks.edge, checks.wait),
    plan=_plan_import,
    steps=(*READER_STEPS, IMPORT_IMAGE, ARRIVED),
    values={"acr.import_options": AcrImportOptions, **arrival_steps.VALUES},
)
ACR_DELETION = replace(
    ACR_UPDATE,
    kind="acr delete",
    checks=(checks.deletable, checks.unused, checks.may_delete),
    plan=_plan_delete,
    steps=(steps.DELETE,),
    values={},
)
