"""Checks of a creation: nothing is overwritten, and those above it can pass on what it syncs."""

from services.model.azure import resource_name
from services.model.plan import Finding
from services.operations import azure_checks
from services.operations.checks import Check, blocker, check, ok, required, warning
from services.operations.create.observation import ACTIONS, Observation
from services.operations.create.plan import lacking, plan
from services.operations.create.request import Code, CreateRequest
from services.operations.create.sync_token import assess_sync_token
from services.policy.sites import CONNECTED_REGISTRIES_PER_ACR, SCOPE_MAP_PERMISSIONS, Site

_CHANGING = {"Creating", "Updating", "Deleting"}


@check("registry.ready", title="Cloud registry can have connected registries", essential=True)
def registry_ready(_site: Site, _request: CreateRequest, observation: Observation) -> Finding:
    """Only Premium can; without the data endpoint Azure refuses."""
    registry = required(observation.registry)
    if registry is None:
        return blocker(Code.REGISTRY_ABSENT)
    if registry.sku != "Premium":
        return blocker(Code.REGISTRY_NOT_PREMIUM, sku=registry.sku)
    if registry.provisioning_state != "Succeeded":
        return blocker(Code.REGISTRY_BUSY, state=registry.provisioning_state)
    return ok(Code.REGISTRY_READY) if registry.data_endpoint else warning(Code.DATA_ENDPOINT_OFF)


@check("connected.name", title="Name is free, or its own", essential=True)
def name(_site: Site, request: CreateRequest, observation: Observation) -> Finding:
    """What differs is changed by other commands, or can't be changed at all."""
    required(observation.connected)
    registry = observation.registry_named(request.name)
    if registry is None:
        return ok(Code.NAME_FREE)
    pairs: dict[str, tuple[object, object]] = {
        "mode": (registry.mode, request.mode),
        "parent": (registry.parent.casefold(), request.parent.casefold()),
        "token": (resource_name(registry.token_id), request.token_name.casefold()),
        "schedule": (registry.schedule, request.schedule),
        "window": (registry.window, request.window),
        "message_ttl": (registry.message_ttl, request.message_ttl),
    }
    if registry.gc_enabled is not None:  # else the service does not say
        pairs["gc_enabled"] = (registry.gc_enabled, request.gc_enabled)
        pairs["gc_schedule"] = (registry.gc_schedule, request.gc_schedule)
    if registry.audit_logs is not None:
        pairs["audit_logs"] = (registry.audit_logs, request.audit_logs)
    if changes := {field: pair for field, pair in pairs.items() if pair[0] != pair[1]}:
        return blocker(Code.CONNECTED_DIFFERS, changes=changes)
    return ok(Code.CONNECTED_SAME, state=registry.connection_state)


@check("connected.quota", title="Cloud registry has room for one more")
def quota(_site: Site, request: CreateRequest, observation: Observation) -> Finding | None:
    """The quota counts all connected registries of a registry, nested ones too."""
    if observation.registry_named(request.name) is not None:
        return None
    count = len(required(observation.connected))
    answer = blocker if count >= CONNECTED_REGISTRIES_PER_ACR else ok
    code = Code.QUOTA_FULL if answer is blocker else Code.QUOTA_LEFT
    return answer(code, count=count, limit=CONNECTED_REGISTRIES_PER_ACR)


@check("connected.parent", title="Parent fits")
def parent(_site: Site, request: CreateRequest, observation: Observation) -> Finding | None:
    """By its mode, and with a scope map that can be widened."""
    if not request.parent:
        return None
    above = observation.registry_named(request.parent)
    if above is None:
        names = tuple(sorted(registry.name for registry in required(observation.connected)))
        return blocker(Code.PARENT_ABSENT, parent=request.parent, names=names)
    if above.provisioning_state in _CHANGING:
        return blocker(Code.PARENT_BUSY, parent=above.name, state=above.provisioning_state)
    if above.mode not in {request.mode, "ReadWrite"}:
        return blocker(Code.PARENT_MODE, parent=above.name, parent_mode=above.mode, mode=request.mode)
    required(observation.tokens)
    required(observation.scope_maps)
    line = observation.line_above(request.parent)
    fixed = tuple(holder.name for holder in line if holder.scope_map is None or holder.scope_map.system_defined)
    if fixed:
        return blocker(Code.PARENT_WITHOUT_RIGHTS, holders=fixed)
    return ok(Code.PARENT_FITS, parent=above.name)


@check("scope_maps.ceiling", title="Permissions fit in the scope maps")
def ceiling(_site: Site, request: CreateRequest, observation: Observation) -> Finding | None:
    """Of itself and of each one above it, which needs all that it has."""
    actions = observation.actions(request)
    counts = {
        holder.scope_map.name: len(holder.actions) + len(lacking(actions, holder))
        for holder in observation.line_above(request.parent)
        if holder.scope_map
    }
    counts[request.token_name] = len(actions)
    fullest = max(counts, key=lambda scope_map: counts[scope_map])
    facts = {"scope_map": fullest, "count": counts[fullest], "limit": SCOPE_MAP_PERMISSIONS}
    answer = blocker if counts[fullest] > SCOPE_MAP_PERMISSIONS else ok
    return answer(Code.PERMISSIONS_TOO_MANY if answer is blocker else Code.PERMISSIONS_FIT, **facts)


@check("scope_map.name", title="Scope map is free, or as asked for", essential=True)
def scope_map(_site: Site, request: CreateRequest, observation: Observation) -> Finding | None:
    """An existing one is never overwritten; that of the registry itself is changed by `permissions`."""
    required(observation.scope_maps)
    if request.sync_token:
        return None
    existing = observation.scope_map(request.name)
    if existing is None:
        return ok(Code.SCOPE_MAP_FREE)
    present = {action.casefold() for action in existing.actions}
    registry = observation.registry_named(request.name)
    if registry is not None and registry.mode != request.mode:
        return None  # another check says that it can't be changed
    missing = tuple(sorted(set(request.actions) - present))
    surplus = tuple(sorted(present - set(request.actions)))
    if registry is not None:
        return blocker(Code.REPOSITORIES_DIFFER, missing=missing) if missing else ok(Code.SCOPE_MAP_SAME)
    if missing or surplus:
        return blocker(Code.SCOPE_MAP_FOREIGN, surplus=surplus, missing=missing)
    return ok(Code.SCOPE_MAP_SAME)


@check("token.name", title="Sync token is free, or as asked for", essential=True)
def token(_site: Site, request: CreateRequest, observation: Observation) -> Finding:
    """A disabled token was disabled by somebody, and one that others use is theirs."""
    if request.sync_token:
        return assess_sync_token(request, observation)
    required(observation.tokens)
    existing = observation.token(request.name)
    if existing is None:
        return ok(Code.TOKEN_FREE)
    users = tuple(
        registry.name
        for registry in required(observation.connected)
        if registry.name.casefold() != request.name
        if request.name in {resource_name(arm_id) for arm_id in (registry.token_id, *registry.client_token_ids)}
    )
    if users or not existing.enabled or resource_name(existing.scope_map_id) != request.name:
        facts = {"scope_map": resource_name(existing.scope_map_id), "enabled": existing.enabled}
        return blocker(Code.TOKEN_FOREIGN, users=users, **facts)
    return ok(Code.TOKEN_SAME)


@check("repositories.found", title="Repositories hold images")
def images(_site: Site, request: CreateRequest, observation: Observation) -> Finding | None:
    """An edge that only reads would sync nothing from an empty one; one that takes pushes may fill it."""
    if request.sync_token or observation.registry_named(request.name) is not None:
        return None
    empty = tuple(repository for repository, answer in observation.images.items() if not required(answer))
    if not empty:
        return ok(Code.REPOSITORIES_FOUND, repositories=request.repositories)
    if request.mode == "ReadWrite":
        return warning(Code.REPOSITORIES_EMPTY_FOR_NOW, empty=empty)
    return blocker(Code.REPOSITORIES_EMPTY, empty=empty)


@check("azure.actions", title="Bot has the Azure rights that the creation uses")
def actions(site: Site, request: CreateRequest, observation: Observation) -> Finding | None:
    """By its roles; a lock or a deny assignment shows only when Azure refuses."""
    kinds = {step.kind for step in plan(site, request, observation).steps if step.runs}
    needed = {ACTIONS[kind] for kind in kinds}
    return azure_checks.actions((observation.missing_actions, site.acr_ref.name), needed=needed)


CHECKS: tuple[Check[CreateRequest, Observation], ...] = (
    registry_ready,
    name,
    quota,
    parent,
    ceiling,
    scope_map,
    token,
    images,
    actions,
)
