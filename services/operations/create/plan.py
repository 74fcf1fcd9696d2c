"""The plan of a creation: first what those above have to allow, then the registry itself. Pure."""

from services.model.plan import Effect, PlannedStep
from services.operations.answers import known
from services.operations.create.observation import Observation
from services.operations.create.request import CreateRequest
from services.operations.procedure import Draft
from services.operations.registry_steps import (
    create_registry,
    enable_data_endpoint,
    put_sync_scope_map,
    put_sync_token,
    unusual_settings,
)
from services.operations.step import Step
from services.operations.token_steps import widen_scope_map
from services.policy.sites import Site
from services.policy.sync_permissions import SyncAccess, grants

DATA_ENDPOINT = enable_data_endpoint("acr.data_endpoint")
GRANT = widen_scope_map("scope_map.grant")
PUT_SCOPE_MAP = put_sync_scope_map("scope_map.put")
PUT_TOKEN = put_sync_token("sync_token.put")
CREATE = create_registry("connected.create")
STEPS: tuple[Step, ...] = (DATA_ENDPOINT, GRANT, PUT_SCOPE_MAP, PUT_TOKEN, CREATE)


def plan(site: Site, request: CreateRequest, observation: Observation) -> Draft:
    """What exists is kept as it is; checks see to it that it is as asked for."""
    name, steps = request.name, list[PlannedStep]()
    registry = known(observation.registry, None)
    if registry is not None and not registry.data_endpoint:
        steps.append(_step(DATA_ENDPOINT, "change", name=site.acr_ref.name))
    for holder in observation.line_above(request.parent):
        if holder.scope_map is not None:
            actions = lacking(observation.actions(request), holder)
            params = {"name": holder.scope_map.name, "registry": holder.name, "actions": actions}
            steps.append(_step(GRANT, "change" if actions else "reuse", **params))
    if not request.sync_token:
        steps += [
            _step(PUT_SCOPE_MAP, _made(observation.scope_map(name)), name=name, actions=request.actions),
            _step(PUT_TOKEN, _made(observation.token(name)), name=name, scope_map=name),
        ]
    steps.append(
        _step(
            CREATE,
            _made(observation.registry_named(name)),
            name=name,
            token=request.token_name,
            mode=request.mode,
            schedule=request.schedule,
            window=request.window,
            message_ttl=request.message_ttl,
            log_level=request.log_level,
            **unusual_settings(request.gc_enabled, request.gc_schedule, request.audit_logs),
            parent=request.parent,
        )
    )
    facts: dict[str, object] = {}
    if registry is not None:
        facts |= {"registry.sku": registry.sku, "registry.data_endpoint": registry.data_endpoint}
    if request.sync_token:
        facts["sync_token.actions"] = " ".join(sorted(observation.actions(request)))
    return Draft(tuple(steps), facts)


def lacking(actions: tuple[str, ...], holder: SyncAccess) -> tuple[str, ...]:
    """What of these the scope map of one above gets."""
    return tuple(action for action in actions if not grants(holder.actions, action))


def _made(existing: object) -> Effect:
    return "create" if existing is None else "reuse"


def _step(step: Step, effect: Effect, **params: object) -> PlannedStep:
    return PlannedStep(step.kind, params, effect)
