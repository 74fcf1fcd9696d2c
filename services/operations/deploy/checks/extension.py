"""Checks of the Arc extension: one of its type in a cluster, and it must be this connected registry's."""

from collections.abc import Mapping

from services.model.azure import ConnectedRegistry, Extension
from services.model.plan import Finding
from services.operations.answers import Known
from services.operations.checks import blocker, check, if_known, ok, required, warning
from services.operations.deploy.codes import Code
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployRequest, storage_bytes
from services.operations.deploy.settings import lost_settings
from services.policy.extensions import (
    SERVICE_ADDRESS,
    STORAGE_CLASS,
    STORAGE_REQUEST,
    namespace_of,
    registry_extensions,
    served_registries,
)
from services.policy.sites import RUNTIME_NAMESPACE, Site


@check("extension.free", title="Extension is free or of this connected registry", essential=True)
def extension(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """The extension is cluster-scoped, so that a second one of its type can't be installed beside it."""
    extensions = required(observation.extensions)
    own = observation.own_extension(request.name)
    others = tuple(other for other in registry_extensions(extensions) if other is not own)
    if others and (own is None or own.provisioning_state != "Succeeded"):
        return _other(others[0], request, observation)
    if own is not None:
        return _own(own, others, request, observation)
    for namesake in extensions:
        if request.name and namesake.name.casefold() == request.extension_name.casefold():
            return blocker(Code.EXTENSION_NAME_TAKEN, type=namesake.type)
    return ok(Code.EXTENSION_FREE)


@check("extension.settings", title="Settings that were given to the extension since")
def settings(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """An extension that has failed is installed over, with what a deployment decides on alone."""
    own = observation.own_extension(request.name)
    if own is None or own.provisioning_state == "Succeeded" or not (lost := lost_settings(own)):
        return None
    return warning(Code.SETTINGS_NOT_SENT, extension=own.name, settings=lost)


@check("connected.activation", title="Connected registry is not active elsewhere")
def activation(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """Only one live instance may exist; the next one is refused with ALREADY_ACTIVATED until the old is deactivated."""
    registry = observation.registry_named(request.name)
    if registry is None or not isinstance(observation.extensions, Known):
        return None
    if registry.activation != "Active":
        return ok(Code.NOT_ACTIVATED)
    if observation.own_extension(request.name) is not None:
        return ok(Code.ACTIVATED_HERE)
    registries = if_known(observation.connected) or ()
    if any(registry in served_registries(other, registries) for other in observation.extensions.value):
        return None  # it may be active right here, so nobody must be advised to deactivate it
    return blocker(Code.ALREADY_ACTIVATED, last_activity=registry.last_activity)


def _other(other: Extension, request: DeployRequest, observation: Observation) -> Finding:
    """An extension that is in the way; in a question about a site alone it may be the right one."""
    served = tuple(registry.name for registry in served_registries(other, if_known(observation.connected) or ()))
    code = Code.EXTENSION_OTHER_NAME
    if served:
        code = Code.EXTENSION_SERVES_OTHER if len(served) == 1 else Code.EXTENSION_UNCLEAR
    answer = blocker if request.name else warning
    return answer(code, other=other.name, address=other.settings.get(SERVICE_ADDRESS, ""), serves=served)


def _own(own: Extension, others: tuple[Extension, ...], request: DeployRequest, observation: Observation) -> Finding:
    state, registry = own.provisioning_state, observation.registry_named(request.name)
    if isinstance(observation.connected, Known) and registry is None:
        return blocker(Code.EXTENSION_OTHER_REGISTRY, extension=own.name, state=state)
    if (place := namespace_of(own)) != RUNTIME_NAMESPACE:
        return blocker(Code.EXTENSION_ELSEWHERE, extension=own.name, namespace=place, own=RUNTIME_NAMESPACE)
    if state in {"Creating", "Updating", "Deleting"}:
        return blocker(Code.EXTENSION_BUSY, extension=own.name, state=state)
    if changes := _changes(own, request, observation):
        return blocker(Code.EXTENSION_SETTINGS_DIFFER, extension=own.name, changes=changes)
    if state != "Succeeded":
        problems = tuple(problem.message for problem in own.problems if problem.message)
        return warning(Code.EXTENSION_FAILED, extension=own.name, state=state, problems=problems)
    return _kept(own, others, request, registry)


def _kept(
    own: Extension, others: tuple[Extension, ...], request: DeployRequest, registry: ConnectedRegistry | None
) -> Finding:
    if others:
        return warning(Code.EXTENSION_SECOND, extension=own.name, other=others[0].name)
    if registry is not None and registry.activation != "Active":
        return warning(Code.EXTENSION_IDLE, extension=own.name)
    if own.name.casefold() != request.name.casefold():
        return warning(Code.EXTENSION_BY_ADDRESS, extension=own.name, address=own.settings.get(SERVICE_ADDRESS, ""))
    return ok(Code.EXTENSION_REUSED, extension=own.name, version=own.version)


def _changes(own: Extension, request: DeployRequest, observation: Observation) -> Mapping[str, tuple[object, object]]:
    """What is asked for and can't be changed in an installed release: a Service's address, a claim's class and size.

    What the extension does not set is the claim's own. A claim that is larger than asked for will do.
    """
    claim = observation.installed
    installed = {STORAGE_CLASS: claim.volume_class, STORAGE_REQUEST: claim.volume_request} | dict(own.settings)
    changes: dict[str, tuple[object, object]] = {}
    # A release that failed may have left its claim; its Service's address is held again for the next attempt.
    if own.provisioning_state == "Succeeded" and request.service_ip not in (None, installed.get(SERVICE_ADDRESS)):
        changes[SERVICE_ADDRESS] = (installed.get(SERVICE_ADDRESS), request.service_ip)
    if own.provisioning_state != "Succeeded" and not observation.may_have_claim:
        return changes
    if request.storage_class and installed[STORAGE_CLASS] and installed[STORAGE_CLASS] != request.storage_class:
        changes[STORAGE_CLASS] = (installed[STORAGE_CLASS], request.storage_class)
    installed_bytes, wanted_bytes = storage_bytes(installed[STORAGE_REQUEST]), storage_bytes(request.storage_request)
    if installed_bytes and wanted_bytes and installed_bytes < wanted_bytes:
        changes[STORAGE_REQUEST] = (installed[STORAGE_REQUEST], request.storage_request)
    return changes
