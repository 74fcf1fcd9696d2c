"""Checks of the Arc extension: one of its type in a cluster, and it must be this connected registry's."""

from collections.abc import Mapping

from services.model.azure import Extension
from services.model.plan import Finding
from services.operations.answers import Known
from services.operations.checks import blocker, check, if_known, ok, required, warning
from services.operations.deploy.checks.names import existing
from services.operations.deploy.codes import Code
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployRequest
from services.policy.sites import EXTENSION_TYPE, Site

SERVICE_ADDRESS = "service.clusterIP"
STORAGE_CLASS = "pvc.storageClassName"
STORAGE_REQUEST = "pvc.storageRequest"
CERT_MANAGER_INSTALL = "cert-manager.install"


@check("extension.free", title="Extension is free or of this connected registry", essential=True)
def extension(_site: Site, request: DeployRequest, seen: Observation) -> Finding | None:
    """The extension is cluster-scoped, so that a second one of its type can't be installed beside it."""
    found = required(seen.extensions)
    if taken := next((one for one in found if _is_named(one, request) and not _is_registry(one)), None):
        return blocker(Code.EXTENSION_NAME_TAKEN, type=taken.type)
    if other := next((one for one in found if _is_registry(one) and not _is_named(one, request)), None):
        # A question about a site alone is asked under no name, so that there any extension is somebody's own.
        answer = blocker if request.name else warning
        return answer(Code.EXTENSION_OTHER_NAME, other=other.name, address=other.settings.get(SERVICE_ADDRESS, ""))
    own = own_extension(request, seen)
    return ok(Code.EXTENSION_FREE) if own is None else _own(own, request, seen)


@check("connected.activation", title="Connected registry is not active elsewhere")
def activation(_site: Site, request: DeployRequest, seen: Observation) -> Finding | None:
    """Only one live instance may exist; the next one is refused with ALREADY_ACTIVATED until the old is deactivated."""
    registry = existing(request, seen)
    if registry is None or not isinstance(seen.extensions, Known):
        return None
    if registry.activation != "Active":
        return ok(Code.NOT_ACTIVATED)
    if own_extension(request, seen) is not None:
        return ok(Code.ACTIVATED_HERE)
    return blocker(Code.ALREADY_ACTIVATED, last_activity=registry.last_activity)


def own_extension(request: DeployRequest, seen: Observation) -> Extension | None:
    """The extension that has the request's name and the right type."""
    found = if_known(seen.extensions) or ()
    return next((one for one in found if _is_named(one, request) and _is_registry(one)), None)


def _own(found: Extension, request: DeployRequest, seen: Observation) -> Finding:
    state = found.provisioning_state
    registry = existing(request, seen)
    if isinstance(seen.connected, Known) and request.name and registry is None:
        return blocker(Code.EXTENSION_OTHER_REGISTRY, state=state)
    if state in {"Creating", "Updating", "Deleting"}:
        return blocker(Code.EXTENSION_BUSY, state=state)
    if state != "Succeeded":
        problems = tuple(problem.message for problem in found.problems if problem.message)
        return warning(Code.EXTENSION_FAILED, state=state, problems=problems)
    if changes := _changes(found, request):
        return blocker(Code.EXTENSION_SETTINGS_DIFFER, changes=changes)
    if registry is not None and registry.activation != "Active":
        return warning(Code.EXTENSION_IDLE)
    return ok(Code.EXTENSION_REUSED, version=found.version)


def _changes(found: Extension, request: DeployRequest) -> Mapping[str, tuple[object, object]]:
    """Settings that can't be changed in an installed release: a Service's address and a claim's class and size."""
    wanted = {
        SERVICE_ADDRESS: request.service_ip,
        STORAGE_CLASS: request.storage_class,
        STORAGE_REQUEST: request.storage_request,
    }
    pairs = {key: (found.settings.get(key), value) for key, value in wanted.items()}
    return {key: pair for key, pair in pairs.items() if None not in pair and pair[0] != pair[1]}


def _is_named(one: Extension, request: DeployRequest) -> bool:
    return one.name.casefold() == request.extension_name.casefold()


def _is_registry(one: Extension) -> bool:
    return one.type.casefold() == EXTENSION_TYPE
