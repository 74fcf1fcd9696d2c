"""Checks before a workload is deployed or deleted, in the order in which people read them. Pure."""

from fnmatch import fnmatchcase
from typing import TypeVar

from services.model.azure import ConnectedRegistry
from services.model.plan import Finding
from services.operations.answers import Answer, Unknown
from services.operations.checks import Check, blocker, check, if_known, ok, required, warning
from services.operations.registry_checks import RegistryObservation, at_rest
from services.operations.workload.observation import DeletionObservation, Observation
from services.operations.workload.request import DeletionRequest, WorkloadRequest
from services.operations.workload.words import Code
from services.policy.extensions import extension_of
from services.policy.schedule import next_contact
from services.policy.sites import CLIENTS_PER_REGISTRY, CONTINUOUS, Site

T = TypeVar("T")
TRUST = "trustDistribution.enabled"


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: WorkloadRequest, seen: Observation) -> Finding:
    """Its list of client tokens is not changed while Azure changes the registry."""
    return at_rest(RegistryObservation(seen.connected), request.registry)


@check("connected.installed", title="Connected registry is installed at the site", essential=True)
def installed(_site: Site, request: WorkloadRequest, seen: Observation) -> Finding | None:
    """Its address means something in its own cluster alone."""
    if seen.connected_registry(request.registry) is None:
        return None
    registries, extensions = required(seen.connected), required(seen.extensions)
    extension = extension_of(request.registry, registries, extensions)
    if extension is None:
        return blocker(Code.NOT_INSTALLED)
    if extension.settings.get(TRUST, "true").casefold() == "false":
        return warning(Code.TRUST_OFF, extension=extension.name)
    return ok(Code.INSTALLED, extension=extension.name)


@check("connected.online", title="Connected registry is online")
def online(_site: Site, request: WorkloadRequest, seen: Observation) -> Finding | None:
    """An edge that is offline serves what it has, and learns of no new client token."""
    registry = seen.connected_registry(request.registry)
    if registry is None:
        return None
    if registry.activation != "Active" or not registry.login_server:
        return blocker(Code.NOT_ACTIVATED, activation=registry.activation)
    if registry.connection_state != "Offline":
        return ok(Code.ONLINE, address=registry.login_server)
    facts = {"last_activity": registry.last_activity, "schedule": registry.schedule}
    if registry.schedule == CONTINUOUS and not _is_linked(registry, request):
        return blocker(Code.OFFLINE, **facts)
    return warning(Code.OFFLINE_BY_SCHEDULE, next_contact=next_contact(registry), **facts)


@check("connected.clients", title="Room for one more client token")
def clients(_site: Site, request: WorkloadRequest, seen: Observation) -> Finding | None:
    """A quota of the service (Learn: intro-connected-registry)."""
    registry = seen.connected_registry(request.registry)
    if registry is None or _is_linked(registry, request):
        return None
    count = len(registry.client_token_ids)
    return blocker(Code.CLIENTS_FULL, count=count) if count >= CLIENTS_PER_REGISTRY else None


@check("image.synced", title="Repository is among the connected registry's", essential=True)
def synced(_site: Site, request: WorkloadRequest, seen: Observation) -> Finding | None:
    """By the scope map of its sync token. Newer ones may hold patterns such as `team/*`."""
    scope_map = required(seen.sync_scope_map)
    if scope_map is None:
        return None
    suffix = "/content/read"
    names = [action.split("/", 1)[1].removesuffix(suffix) for action in scope_map.actions if action.endswith(suffix)]
    if any(fnmatchcase(request.repository, name) for name in names):
        return ok(Code.REPOSITORY_SYNCED)
    return blocker(Code.REPOSITORY_NOT_SYNCED, repositories=tuple(names))


@check("image.cloud", title="Image is in the cloud registry", essential=True)
def image(_site: Site, _request: WorkloadRequest, seen: Observation) -> Finding:
    """Its digest there is what the node has to report."""
    cloud = required(seen.image)
    if cloud.image is not None:
        return ok(Code.IMAGE_FOUND, digest=cloud.image.digest)
    return blocker(Code.IMAGE_ABSENT if cloud.repository else Code.REPOSITORY_ABSENT)


@check("token.client", title="Client token is free or of this workload", essential=True)
def token(_site: Site, request: WorkloadRequest, seen: Observation) -> Finding:
    """A disabled token was disabled by somebody, perhaps to cut this workload off: it is not switched on silently."""
    client_token = required(seen.token)
    if client_token is None:
        return ok(Code.TOKEN_FREE)
    scope_map = client_token.scope_map_id.rpartition("/")[2]
    if scope_map.casefold() != request.token.casefold():
        return blocker(Code.TOKEN_FOREIGN, scope_map=scope_map)
    return ok(Code.TOKEN_REUSED) if client_token.enabled else blocker(Code.TOKEN_DISABLED)


@check("kubernetes.reached", title="Kubernetes API answers", essential=True)
def reached(_site: Site, _request: WorkloadRequest, seen: Observation) -> Finding:
    """With the site's kubeconfig."""
    return ok(Code.KUBERNETES_REACHED, version=required(seen.kubernetes_version))


@check("kubernetes.namespace", title="Namespace exists", essential=True)
def namespace(_site: Site, _request: WorkloadRequest, seen: Observation) -> Finding | None:
    """The bot makes none: its rights are granted namespace by namespace, by those to whom the cluster belongs."""
    phase = _inside(seen.namespace_phase, seen)
    if phase is None:
        return None
    if not phase:
        return blocker(Code.NAMESPACE_ABSENT)
    return blocker(Code.NAMESPACE_TERMINATING) if phase == "Terminating" else ok(Code.NAMESPACE_USABLE)


@check("kubernetes.workload_rights", title="Bot has the rights that a workload uses")
def rights(_site: Site, _request: WorkloadRequest, seen: Observation) -> Finding | None:
    """`deploy/rbac` grants exactly these."""
    missing = _inside(seen.missing_rights, seen)
    if missing is None or not if_known(seen.namespace_phase):
        return None
    return blocker(Code.RIGHTS_MISSING, missing=missing) if missing else ok(Code.RIGHTS_COMPLETE)


@check("kubernetes.platform", title="A node fits the image")
def platform(_site: Site, _request: WorkloadRequest, seen: Observation) -> Finding | None:
    """An image that names no platform may fit any node."""
    nodes, cloud = _inside(seen.nodes, seen), if_known(seen.image)
    if nodes is None or cloud is None or cloud.image is None:
        return None
    platforms = tuple(sorted(set(filter(None, cloud.image.platforms.values()))))
    ready = [node for node in nodes if node.ready]
    misfits = tuple(node.name for node in ready if f"{node.os}/{node.architecture}" not in platforms)
    if not platforms or not misfits:
        return ok(Code.PLATFORM_FITS)
    if len(misfits) < len(ready):
        return warning(Code.PLATFORM_OF_SOME_NODES, platforms=platforms, nodes=misfits)
    return blocker(Code.PLATFORM_OF_NO_NODE, platforms=platforms)


@check("kubernetes.manifest", title="API server takes the manifest")
def manifest(_site: Site, request: WorkloadRequest, seen: Observation) -> Finding | None:
    """By a dry run, in which admission has its say too."""
    refusal = _inside(seen.refusal, seen) if request.manifest else None
    if refusal is None:
        return None
    return blocker(Code.MANIFEST_REFUSED, message=refusal) if refusal else ok(Code.MANIFEST_TAKEN)


@check("kubernetes.workload", title="Name is free or of this workload", essential=True)
def workload(_site: Site, request: WorkloadRequest, seen: Observation) -> Finding | None:
    """Nobody else's Deployment is changed, and none is moved to another connected registry."""
    if isinstance(seen.kubernetes_version, Unknown) and isinstance(seen.workload, Unknown):
        return None
    deployment = required(seen.workload)
    if deployment is None:
        return ok(Code.WORKLOAD_FREE)
    if not deployment.managed:
        return blocker(Code.WORKLOAD_FOREIGN)
    if deployment.spec.registry != request.registry:
        return blocker(Code.WORKLOAD_OF_ANOTHER_REGISTRY, other=deployment.spec.registry)
    registry = seen.connected_registry(request.registry)
    new = request.image_at(registry.login_server) if registry else ""
    if deployment.spec.image == new and deployment.spec.manifest == _manifest_word(request):
        return ok(Code.WORKLOAD_REUSED)
    changes = {"image": (deployment.spec.image, new), "manifest": (deployment.spec.manifest, _manifest_word(request))}
    return warning(Code.WORKLOAD_CHANGES, changes={name: pair for name, pair in changes.items() if pair[0] != pair[1]})


CHECKS: tuple[Check[WorkloadRequest, Observation], ...] = (
    exists,
    installed,
    online,
    clients,
    synced,
    image,
    token,
    reached,
    namespace,
    rights,
    platform,
    manifest,
    workload,
)


@check("workload.exists", title="Workload exists and is the bot's", essential=True)
def deletable(_site: Site, request: DeletionRequest, seen: DeletionObservation) -> Finding:
    """What is left of one whose Deployment is gone can be deleted too."""
    deployment = required(seen.workload)
    if deployment is not None:
        return ok(Code.WORKLOAD_FOUND) if deployment.managed else blocker(Code.WORKLOAD_FOREIGN)
    required(seen.tokens)
    return ok(Code.WORKLOAD_FOUND) if seen.token(request) else blocker(Code.WORKLOAD_ABSENT)


@check("kubernetes.workload_rights", title="Bot has the rights that a workload uses")
def deletion_rights(_site: Site, _request: DeletionRequest, seen: DeletionObservation) -> Finding | None:
    """The same as for a deployment."""
    if isinstance(seen.workload, Unknown):
        return None
    missing = required(seen.missing_rights)
    return blocker(Code.RIGHTS_MISSING, missing=missing) if missing else ok(Code.RIGHTS_COMPLETE)


@check("token.users", title="Client token is the workload's alone", essential=True)
def users(_site: Site, request: DeletionRequest, seen: DeletionObservation) -> Finding | None:
    """Somebody may have given it to another connected registry by hand; then it stays."""
    registries, client_token = required(seen.connected), seen.token(request)
    if client_token is None:
        return None
    names = other_users(client_token.id, seen.registry, registries)
    return warning(Code.TOKEN_ELSEWHERE, token=client_token.name, users=names) if names else None


DELETION_CHECKS: tuple[Check[DeletionRequest, DeletionObservation], ...] = (deletable, deletion_rights, users)


def other_users(token_id: str, registry: str, registries: tuple[ConnectedRegistry, ...]) -> tuple[str, ...]:
    """Connected registries other than this one that list the client token."""
    return tuple(one.name for one in registries if one.name.casefold() != registry.casefold() and lists(one, token_id))


def lists(registry: ConnectedRegistry, token_id: str) -> bool:
    """Whether a connected registry lists a client token."""
    return token_id.casefold() in {each.casefold() for each in registry.client_token_ids}


def _manifest_word(request: WorkloadRequest) -> str:
    return request.manifest.digest if request.manifest else ""


def _is_linked(registry: ConnectedRegistry, request: WorkloadRequest) -> bool:
    names = {each.rpartition("/")[2].casefold() for each in registry.client_token_ids}
    return request.token.casefold() in names


def _inside(answer: Answer[T], seen: Observation) -> T | None:
    """The cluster's answer; None where it was not reached at all, which another check says."""
    unreached = isinstance(seen.kubernetes_version, Unknown) and isinstance(answer, Unknown)
    return None if unreached else required(answer)
