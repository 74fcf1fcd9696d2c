"""Checks of a change of permissions: what fits, what would be missing, and who loses images."""

from collections.abc import Iterable

from services.model.azure import resource_name
from services.model.plan import Finding
from services.operations import azure_checks
from services.operations.answers import known
from services.operations.checks import Check, blocker, check, ok, required, warning
from services.operations.permissions.observation import Observation
from services.operations.permissions.plan import holders, lacking, revoked
from services.operations.permissions.request import Code, PermissionsRequest
from services.operations.registry_checks import at_rest
from services.policy.sites import SCOPE_MAP_PERMISSIONS, Site, synced_repositories
from services.policy.sync_permissions import grants, repositories_kept_above


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding:
    """With a managed identity there is no sync token: roles decide what is synced."""
    finding, registry = at_rest(observation, request.name), observation.registry(request.name)
    has_token = registry is None or registry.token_id
    return finding if has_token or finding.level == "blocker" else blocker(Code.MANAGED_IDENTITY)


@check("scope_maps.found", title="Scope maps of it and of those above it", essential=True)
def scope_maps(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """A scope map that other tokens have gives them the same rights, or takes them."""
    required(observation.scope_maps)
    required(observation.tokens)
    family = observation.family(request.name)
    if family is None or not family.own.registry.token_id:
        return None
    shared: dict[str, tuple[str, ...]] = {}
    for holder in holders(request, family):
        if holder.scope_map is None:
            return blocker(Code.SCOPE_MAP_ABSENT, holder=holder.name, token=resource_name(holder.registry.token_id))
        if holder.scope_map.system_defined:
            return blocker(Code.SCOPE_MAP_SYSTEM, holder=holder.name, scope_map=holder.scope_map.name)
        if len(tokens := observation.tokens_with(holder.scope_map)) > 1:
            shared[holder.scope_map.name] = tokens
    if shared:
        return warning(Code.SCOPE_MAP_SHARED, scope_maps=tuple(shared), tokens=_all(shared.values()))
    return ok(Code.SCOPE_MAPS_FOUND)


@check("scope_maps.ceiling", title="Repositories fit in the scope maps")
def ceiling(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """Of the registry itself and of each one above it, whose scope map also holds what its other children need."""
    family = observation.family(request.name)
    if family is None or not request.add:
        return None
    counts = {
        holder.scope_map.name: len(holder.actions) + len(lacking(request, family, holder))
        for holder in holders(request, family)
        if holder.scope_map
    }
    if not counts:
        return None
    fullest = max(counts, key=lambda name: counts[name])
    facts = {"scope_map": fullest, "count": counts[fullest], "limit": SCOPE_MAP_PERMISSIONS}
    answer = blocker if counts[fullest] > SCOPE_MAP_PERMISSIONS else ok
    return answer(Code.PERMISSIONS_TOO_MANY if answer is blocker else Code.PERMISSIONS_FIT, **facts)


@check("repositories.found", title="Repositories hold images")
def images(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """An edge that only reads would sync nothing from an empty one; one that takes pushes may fill it."""
    registry = observation.registry(request.name)
    if registry is None or not request.add:
        return None
    empty = tuple(repository for repository, answer in observation.images.items() if not required(answer))
    if not empty:
        return ok(Code.REPOSITORIES_FOUND, repositories=request.add)
    if registry.mode == "ReadWrite":
        return warning(Code.REPOSITORIES_EMPTY_FOR_NOW, empty=empty)
    return blocker(Code.REPOSITORIES_EMPTY, empty=empty)


@check("repositories.synced", title="Repositories are synced by it")
def synced(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """A slip in the name takes nothing away; taking the last one leaves an edge that syncs nothing."""
    family = observation.family(request.name)
    if family is None or family.own.scope_map is None or not request.remove:
        return None
    repositories = synced_repositories(family.own.actions)
    absent = tuple(repository for repository in request.remove if repository not in repositories)
    if absent:
        return warning(Code.REPOSITORIES_ABSENT, absent=absent, repositories=repositories)
    return warning(Code.NOTHING_LEFT) if not set(repositories) - set(request.remove) else None


@check("connected.below", title="Connected registries below it")
def below(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """They sync through it, so that they would keep a right that gets them nothing."""
    family = observation.family(request.name)
    users = tuple(access.name for access in family.below if revoked(request, access)) if family else ()
    return blocker(Code.BELOW, below=users, repositories=request.remove) if users else None


@check("connected.above", title="Rights of connected registries above it")
def above(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """Whether they sync a repository for themselves too is written nowhere, so they keep it."""
    registry = observation.registry(request.name)
    if registry is None or not request.remove:
        return None
    everything = (known(observation.connected, ()), known(observation.tokens, ()), known(observation.scope_maps, ()))
    kept = {
        ancestor: rights
        for ancestor, repositories in repositories_kept_above(registry, *everything).items()
        if (rights := tuple(repository for repository in repositories if repository in request.remove))
    }
    return warning(Code.ANCESTORS_KEEP, ancestors=tuple(kept), repositories=_all(kept.values())) if kept else None


@check("connected.data", title="Data that exists at the edge alone")
def data(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """What was pushed to a ReadWrite registry reaches the cloud by a sync, which needs the right."""
    registry = observation.registry(request.name)
    if registry is None or registry.mode != "ReadWrite" or not _loses(request, observation):
        return None
    return warning(Code.UNSYNCED_DATA, repositories=request.remove, last_sync=registry.last_sync)


@check("tokens.clients", title="Client tokens that pull from these repositories")
def clients(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """Their rights stay as they are, but there is nothing at the edge any more that they could pull."""
    registry = observation.registry(request.name)
    if registry is None or not _loses(request, observation):
        return None
    client_ids = {resource_name(arm_id) for arm_id in registry.client_token_ids}
    actions_of = {scope_map.name.casefold(): scope_map.actions for scope_map in required(observation.scope_maps)}
    names = tuple(
        token.name
        for token in required(observation.tokens)
        if token.name.casefold() in client_ids
        if any(
            grants(actions_of.get(resource_name(token.scope_map_id), ()), f"repositories/{repository}/content/read")
            for repository in request.remove
        )
    )
    return warning(Code.CLIENTS_LOSE, tokens=names, repositories=request.remove) if names else ok(Code.NO_CLIENT_LOSES)


@check(
    "kubernetes.workloads",
    title="Workloads that run images of these repositories",
    proofs=("workloads that run images of these repositories",),
)
def workloads(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """They run on with the images that their nodes have."""
    if not _loses(request, observation):
        return None
    own = {
        f"{workload.spec.namespace}/{workload.spec.name}"
        for workload in required(observation.own_workloads)
        if _repository(workload.spec.image) in request.remove
    }
    running = {
        f"{workload.namespace}/{workload.name}"
        for workload in required(observation.workloads)
        if any(_repository(image) in request.remove for image in workload.images)
    }
    names = tuple(sorted(own | running))
    return warning(Code.WORKLOADS_LOSE, workloads=names) if names else ok(Code.NO_WORKLOAD_LOSES)


@check("connected.contact", title="The edge learns of it")
def contact(_site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """By its next sync, which its schedule decides."""
    registry = observation.registry(request.name)
    if registry is None:
        return None
    facts = {"state": registry.connection_state, "schedule": registry.schedule}
    if registry.activation == "Active" and registry.connection_state in {"Online", "Syncing"}:
        return ok(Code.IN_CONTACT, **facts)
    return warning(Code.NOT_IN_CONTACT, last_activity=registry.last_activity, **facts)


@check("azure.actions", title="Bot has the Azure right to change scope maps")
def actions(site: Site, request: PermissionsRequest, observation: Observation) -> Finding | None:
    """By its roles."""
    if observation.registry(request.name) is None:
        return None
    return azure_checks.actions((observation.missing_actions, site.acr_ref.name))


def _loses(request: PermissionsRequest, observation: Observation) -> bool:
    """Whether anything goes that the registry syncs now."""
    family = observation.family(request.name)
    return family is not None and bool(revoked(request, family.own))


def _repository(image: str) -> str:
    """Of an image reference: `10.0.0.2/team/app:v1@sha256:…` is of `team/app`."""
    path = image.partition("/")[2].partition("@")[0]
    head, _, tag = path.rpartition(":")
    return head if head and "/" not in tag else path


def _all(several: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for names in several for name in names}))


CHECKS: tuple[Check[PermissionsRequest, Observation], ...] = (
    exists,
    scope_maps,
    ceiling,
    images,
    synced,
    below,
    above,
    data,
    clients,
    workloads,
    contact,
    actions,
)
"""In the order of reading."""
