"""The plans of a workload's deployment and deletion. Pure."""

from dataclasses import replace

from services.model.kubernetes import WorkloadSpec
from services.model.plan import Effect, PlannedStep
from services.operations.answers import Known, known
from services.operations.procedure import Draft
from services.operations.token_steps import SLOTS
from services.operations.workload.checks import lists, other_users
from services.operations.workload.diagnosis import diagnose
from services.operations.workload.observation import DeletionObservation, Observation
from services.operations.workload.request import DeletionRequest, WorkloadRequest
from services.operations.workload.steps import (
    DELETE_SCOPE_MAP,
    DELETE_TOKEN,
    KNOWN,
    LINK,
    PULL_SECRET,
    PULLED,
    PUT_SCOPE_MAP,
    PUT_TOKEN,
    PUT_WORKLOAD,
    UNLINK,
)
from services.operations.workload.words import Cause
from services.operations.workload_removal import DELETE_PULL_SECRETS, DELETE_WORKLOAD
from services.policy.sites import Site


def plan(_site: Site, request: WorkloadRequest, seen: Observation) -> Draft:
    """Without an image in the cloud, or an address at the edge, nothing can be thought out; checks say so."""
    registry, cloud = seen.connected_registry(request.registry), known(seen.registry, None)
    image = seen.image.value.image if isinstance(seen.image, Known) else None
    if registry is None or cloud is None or image is None:
        return Draft((), {})
    place = {"namespace": request.place.namespace, "workload": request.place.name}
    target = {**place, "image": request.image_at(registry.login_server), "replicas": request.replicas}
    steps = (
        *_token_steps(request, seen),
        *_secret_and_workload(request, seen, place, target, registry.login_server),
        _step(
            PULLED.kind,
            "verify",
            **target,
            cloud=cloud.login_server,
            repository=request.repository,
            reference=request.reference,
            digests=(image.digest, *sorted(image.platforms)),
        ),
    )
    return Draft(steps, _observed(seen, image.digest, registry.login_server))


def _token_steps(request: WorkloadRequest, seen: Observation) -> tuple[PlannedStep, ...]:
    name = request.token
    scope_map, token = known(seen.scope_map, None), known(seen.token, None)
    fits = scope_map is not None and set(scope_map.actions) == set(request.actions)
    map_effect: Effect = "create" if scope_map is None else "reuse" if fits else "change"
    registry = seen.connected_registry(request.registry)
    linked = registry is not None and token is not None and lists(registry, token.id)
    put_scope_map = _step(
        PUT_SCOPE_MAP.kind,
        map_effect,
        name=name,
        workload=request.place.name,
        repository=request.repository,
        actions=request.actions,
    )
    steps = (
        replace(put_scope_map, details={"before": scope_map.actions}) if scope_map else put_scope_map,
        _step(PUT_TOKEN.kind, "reuse" if token else "create", name=name),
        _step(LINK.kind, "reuse" if linked else "change", token=name, registry=request.registry),
    )
    # What a token may do comes to the edge by a sync too.
    if linked and map_effect == "reuse":
        return steps
    return (*steps, _step(KNOWN.kind, "verify", registry=request.registry))


def _secret_and_workload(
    request: WorkloadRequest, seen: Observation, place: dict[str, str], target: dict[str, object], server: str
) -> tuple[PlannedStep, ...]:
    workload, token = known(seen.workload, None), known(seen.token, None)
    used = workload.spec.pull_secret if workload else ""
    slots = dict(zip(request.place.pull_secrets, SLOTS, strict=True))
    passwords = {slot.name for slot in token.passwords} if token else set()
    # A Secret can't be read: whether its password is the right one shows only where a Pod has tried it.
    failure = diagnose(workload) if workload else None
    is_refused = failure is not None and failure.cause == Cause.PULL_UNAUTHORIZED
    has_secret = slots.get(used) in passwords and not is_refused
    secret = _step(PULL_SECRET.kind, "reuse" if has_secret else "create", **place, server=server, token=request.token)
    manifest = request.manifest
    requested = (target["image"], request.replicas, request.port, manifest.digest if manifest else "")
    spec = workload.spec if workload else None
    is_same = spec is not None and (spec.image, spec.replicas, spec.port, spec.manifest) == requested
    effect: Effect = "create" if workload is None else "reuse" if is_same and has_secret else "change"
    kept = used if has_secret else ""
    own = {"manifest": manifest.digest, "pod": manifest.pod, "labels": manifest.labels} if manifest else {}
    put = _step(PUT_WORKLOAD.kind, effect, **target, port=request.port, pull_secret=kept, **own)
    # A manifest that is there can't be read back, so nobody could restore it.
    is_restorable = spec is not None and not spec.manifest and manifest is None
    return secret, replace(put, details={"before": former_values(spec)}) if spec and is_restorable else put


def former_values(spec: WorkloadSpec) -> dict[str, object]:
    """What a change of a workload may replace, and a rollback restores."""
    return {"image": spec.image, "replicas": spec.replicas, "port": spec.port, "pull_secret": spec.pull_secret}


def _observed(seen: Observation, digest: str, server: str) -> dict[str, object]:
    """What the plan rests on."""
    facts: dict[str, object] = {"image.digest": digest, "connected_registry.login_server": server}
    if scope_map := known(seen.scope_map, None):
        facts["client_scope_map.actions"] = " ".join(scope_map.actions)
    if token := known(seen.token, None):
        facts["client_token.enabled"] = token.enabled
    if workload := known(seen.workload, None):
        facts |= {"workload.image": workload.spec.image, "workload.replicas": workload.spec.replicas}
    facts["namespace"] = known(seen.namespace_phase, "")
    return facts


def deletion_plan(_site: Site, request: DeletionRequest, seen: DeletionObservation) -> Draft:
    """First what pulls, then what it pulled by."""
    workload, token = known(seen.workload, None), seen.token(request)
    place = {"namespace": request.place.namespace, "workload": request.place.name}
    steps: list[PlannedStep] = []
    facts: dict[str, object] = {"connected_registry": seen.registry}
    if workload is not None:
        steps.append(_step(DELETE_WORKLOAD.kind, "delete", **place, image=workload.spec.image))
        facts["workload.image"] = workload.spec.image
    steps.append(_step(DELETE_PULL_SECRETS.kind, "delete", **place))
    if token is not None:
        registries = known(seen.connected, ())
        registry = next((one for one in registries if one.name.casefold() == seen.registry.casefold()), None)
        if registry is not None and lists(registry, token.id):
            steps.append(_step(UNLINK.kind, "change", registry=seen.registry, token=token.name))
        if not other_users(token.id, seen.registry, registries):
            steps.append(_step(DELETE_TOKEN.kind, "delete", name=token.name))
            steps += _scope_map_deletion(seen, token.id, token.scope_map_id)
        facts["client_token"] = token.name
    return Draft(tuple(steps), facts)


def _scope_map_deletion(seen: DeletionObservation, token_id: str, scope_map_id: str) -> tuple[PlannedStep, ...]:
    """Unless another token has it, which would be left without any permission."""
    tokens = known(seen.tokens, ())
    users = [one for one in tokens if one.scope_map_id.casefold() == scope_map_id.casefold() and one.id != token_id]
    return () if users else (_step(DELETE_SCOPE_MAP.kind, "delete", name=scope_map_id.rpartition("/")[2]),)


def _step(kind: str, effect: Effect, **params: object) -> PlannedStep:
    return PlannedStep(kind, params, effect)
