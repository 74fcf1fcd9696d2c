"""Checks of a removal: what it would take along, what it can't do, and what it would leave."""

from collections.abc import Iterable
from difflib import get_close_matches

from services.model.kubernetes import Workload
from services.model.plan import Finding
from services.operations import azure_checks
from services.operations.answers import Known, is_missing, known
from services.operations.belongings import DELETION_ACTIONS, ownership
from services.operations.checks import Check, blocker, check, ok, required, warning
from services.operations.remove.observation import CLUSTER_ACTIONS, Observation
from services.operations.remove.plan import extension_of, of_request, plan
from services.operations.remove.request import NO_EXTENSION, Code, RemoveRequest
from services.policy.extensions import registry_extensions
from services.policy.sites import Site

_RUNS = {"Online", "Syncing"}


@check("connected.exists", title="Connected registry", essential=True)
def exists(_site: Site, request: RemoveRequest, observation: Observation) -> Finding:
    """One that is gone already is no obstacle: what it left behind goes."""
    names = [one.name for one in required(observation.connected)]
    registry = of_request(request, observation).registry
    if registry is None:
        return warning(Code.CONNECTED_ABSENT, near=tuple(get_close_matches(request.name, names, n=3)))
    if registry.provisioning_state in {"Creating", "Updating"}:
        return blocker(Code.CONNECTED_BUSY, state=registry.provisioning_state)
    return ok(Code.CONNECTED_FOUND, mode=registry.mode, state=registry.connection_state)


@check("connected.children", title="Connected registries below it")
def children(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """They sync through it, and Azure deletes no parent."""
    below = of_request(request, observation).children
    return blocker(Code.CHILDREN, children=below) if below else None


@check("connected.data", title="Data that exists at the edge alone")
def data(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """A ReadWrite registry takes pushes, and sends them to the cloud when it syncs the next time."""
    registry = of_request(request, observation).registry
    if registry is None or registry.mode != "ReadWrite":
        return None
    return warning(Code.UNSYNCED_DATA, state=registry.connection_state, last_sync=registry.last_sync)


@check("extension.owner", title="Extension of this connected registry", essential=True)
def extension(_site: Site, request: RemoveRequest, observation: Observation) -> Finding:
    """Another connected registry's extension never goes, and one that may be another's only by its name."""
    extensions, registries = required(observation.extensions), required(observation.connected)
    own, chosen = extension_of(request, observation), request.options.extension
    if own is not None:
        return ok(Code.EXTENSION_FOUND, extension=own.name, state=own.provisioning_state)
    for candidate in registry_extensions(extensions):
        verdict, others = ownership(candidate, request.name, registries)
        facts = {"extension": candidate.name, "others": others}
        if candidate.name.casefold() == chosen.casefold():
            return blocker(Code.EXTENSION_CHOSEN_OTHERS, **facts)
        if chosen and chosen != NO_EXTENSION:
            return blocker(Code.EXTENSION_CHOSEN_ABSENT, chosen=chosen, **facts)
        if verdict == "other" or chosen:
            return ok(Code.EXTENSION_OTHERS, **facts)
        return blocker(Code.EXTENSION_UNCLEAR, **facts)
    return ok(Code.EXTENSION_ABSENT)


@check("connected.elsewhere", title="It runs nowhere else")
def elsewhere(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """An installation at another site would go on without a cloud side."""
    registry = of_request(request, observation).registry
    if (
        registry is None
        or extension_of(request, observation) is not None
        or not isinstance(observation.extensions, Known)
    ):
        return None
    if registry.activation == "Active" and registry.connection_state in _RUNS:
        return warning(Code.ACTIVE_ELSEWHERE, state=registry.connection_state, last_activity=registry.last_activity)
    return None


@check("scope_maps.read", title="Scope maps of the cloud registry", essential=True)
def scope_maps(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """What somebody else's token uses stays."""
    required(observation.scope_maps)
    in_use = of_request(request, observation).maps_in_use
    return warning(Code.SCOPE_MAPS_IN_USE, scope_maps=tuple(in_use), users=_all(in_use.values())) if in_use else None


@check("scope_maps.above", title="Rights of connected registries above it")
def above(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """Whether they sync a repository for themselves too is written nowhere, so they keep it."""
    rights = of_request(request, observation).repositories_kept
    facts = {"ancestors": tuple(rights), "repositories": _all(rights.values())}
    return warning(Code.ANCESTORS_KEEP, **facts) if rights else None


@check("tokens.clients", title="Client tokens", essential=True)
def clients(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """A token works at the cloud registry too, and nobody can see whether it is used there."""
    required(observation.tokens)
    own = of_request(request, observation)
    if request.options.keep_client_tokens:
        return ok(Code.CLIENT_TOKENS_KEPT)
    names = tuple(name for name, purpose in own.tokens.items() if purpose == "Client")
    return warning(Code.CLIENT_TOKENS, tokens=names) if names else None


@check("tokens.in_use", title="Tokens that others use")
def in_use(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """They stay."""
    users = of_request(request, observation).tokens_in_use
    return warning(Code.TOKENS_IN_USE, tokens=tuple(users), users=_all(users.values())) if users else None


@check("azure.actions", title="Bot has the Azure rights that the removal uses")
def actions(site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """By its roles; a deny assignment shows only when Azure refuses."""
    kinds = {step.kind for step in plan(site, request, observation).steps}
    return azure_checks.actions_of_steps(
        kinds,
        (DELETION_ACTIONS, observation.missing_at_acr, site.acr_ref.name),
        (CLUSTER_ACTIONS, observation.missing_at_cluster, site.cluster_ref.name),
    )


@check("azure.locks", title="No management lock stops the removal halfway")
def locks(site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """The extension goes first: with a lock at the cloud registry the edge would be gone, and all else would stay."""
    if not plan(site, request, observation).steps:
        return None
    at_acr = observation.locks_at_acr, site.acr_ref.name, True
    at_cluster = observation.locks_at_cluster, site.cluster_ref.name, True
    return azure_checks.locks(at_acr, *([at_cluster] if extension_of(request, observation) is not None else []))


@check("cluster.agents", title="Arc agents reach Azure")
def agents(_site: Site, request: RemoveRequest, observation: Observation) -> Finding | None:
    """They uninstall the extension; without them everything of it stays in the cluster."""
    if (
        extension_of(request, observation) is None
        or (arc := required(observation.cluster)) is None
        or arc.connectivity == "Connected"
    ):
        return None
    return warning(Code.AGENTS_AWAY, state=arc.connectivity, last_heartbeat=arc.last_heartbeat)


@check(
    "kubernetes.reached",
    title="Kubernetes API answers",
    essential=True,
    proofs=("the extension's namespace and volume",),
)
def reached(_site: Site, request: RemoveRequest, observation: Observation) -> Finding:
    """What could not be asked is never said to be gone."""
    if request.options.without_cluster:
        return warning(Code.CLUSTER_LEFT_OUT)
    version, _ = required(observation.kubernetes_version), required(observation.namespace_phase)
    return ok(Code.KUBERNETES_REACHED, version=version)


@check("kubernetes.rights", title="Bot has the Kubernetes rights that the removal uses")
def rights(_site: Site, _request: RemoveRequest, observation: Observation) -> Finding | None:
    """`deploy/rbac/read-only.yaml` grants them, and `workloads.yaml` those for the bot's own workloads."""
    if is_missing(observation.kubernetes_version):
        return None
    missing = (*required(observation.missing_rights), *known(observation.missing_workload_rights, ()))
    return blocker(Code.RIGHTS_MISSING, missing=missing) if missing else ok(Code.RIGHTS_COMPLETE)


@check(
    "kubernetes.own_workloads",
    title="Workloads that the bot made",
    proofs=("workloads that this bot made earlier", "their pull secrets"),
)
def own_workloads(_site: Site, _request: RemoveRequest, observation: Observation) -> Finding | None:
    """They go too."""
    if is_missing(observation.kubernetes_version) or not (own := required(observation.own_workloads)):
        return None
    return warning(Code.OWN_WORKLOADS, workloads=tuple(f"{one.spec.namespace}/{one.spec.name}" for one in own))


@check(
    "kubernetes.workloads",
    title="Workloads that pull from it",
    proofs=("other workloads that pull from it",),
)
def workloads(_site: Site, _request: RemoveRequest, observation: Observation) -> Finding | None:
    """They run on with the images that their nodes have."""
    if is_missing(observation.kubernetes_version):
        return None
    own = {(one.spec.namespace, one.spec.name) for one in known(observation.own_workloads, ())}
    return pulling(one for one in required(observation.workloads) if (one.namespace, one.name) not in own)


def pulling(workloads: Iterable[Workload]) -> Finding:
    """Which workloads go on without a registry to pull from."""
    images = {f"{workload.namespace}/{workload.name}": workload.images for workload in workloads}
    if not images:
        return ok(Code.NO_WORKLOADS)
    return warning(Code.WORKLOADS, workloads=tuple(images), images=_all(images.values()))


def _all(several: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for names in several for name in names}))


CHECKS: tuple[Check[RemoveRequest, Observation], ...] = (
    exists,
    children,
    data,
    extension,
    elsewhere,
    scope_maps,
    above,
    clients,
    in_use,
    actions,
    locks,
    agents,
    reached,
    rights,
    own_workloads,
    workloads,
)
