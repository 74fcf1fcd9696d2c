"""The change of an extension, declared, with its steps."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import asdict
from typing import Any

from services.model.azure import Extension, Pending
from services.model.operation import Operation
from services.model.plan import Finding, PlannedStep
from services.operations.certificates import Certificate
from services.operations.command_line import command_line, lines
from services.operations.extension_steps import (
    PROTECTED,
    availability_of,
    change_extension,
    extension_options,
    new_protected_settings,
    protected_lines,
    see_available,
)
from services.operations.extension_update.change import change_of
from services.operations.extension_update.checks import CHECKS
from services.operations.extension_update.observation import Observation, observe
from services.operations.extension_update.request import (
    Cause,
    Code,
    ExtensionUpdateOptions,
    ExtensionUpdateRequest,
    extension_update_request,
)
from services.operations.parents import parent_params
from services.operations.procedure import Draft, Procedure, site_names
from services.operations.step import Scene
from services.operations.token_steps import idle_slot
from services.policy.sites import Site


def _after(params: Mapping[str, Any], field: str) -> dict[str, Any]:
    return {key: pair[1] for key, pair in params[field].items()}


async def _send(scene: Scene) -> Pending:
    params = scene.params
    async with new_protected_settings(scene) if params["token"] else nullcontext() as protected:
        return await scene.azure.extensions.update(
            scene.site.cluster_ref,
            params["name"],
            settings=_after(params, "settings"),
            protected=protected,
            **_after(params, "release"),
        )


def _is_done(scene: Scene, extension: Extension) -> bool:
    """What a run before this one has changed. Of a secret that can't be read nobody knows it."""
    if scene.params["token"] or extension.provisioning_state.lower() != "succeeded":
        return False
    settings, release = _after(scene.params, "settings"), _after(scene.params, "release")
    return settings.items() <= dict(extension.settings).items() and all(
        getattr(extension, key) == value for key, value in release.items()
    )


def _line(site: Site, operation: Operation, planned: PlannedStep) -> str:
    params: Mapping[str, Any] = planned.params
    release = _after(params, "release")
    upgrade = release.get("auto_upgrade")
    update = command_line(
        "az k8s-extension update",
        **extension_options(site, params["name"]),
        release_train=release.get("release_train"),
        version=release.get("version"),
        auto_upgrade_minor_version=None if upgrade is None else str(upgrade).lower(),
        config=tuple(f"{key}={value}" for key, value in _after(params, "settings").items()),
        config_protected_file=PROTECTED if params["token"] else None,
        yes=True,
    )
    return lines((*(protected_lines(site, operation, planned) if params["token"] else ()), update))


UPDATE = change_extension("extension.update", _send, _line, cause=Cause.CHANGE_FAILED, is_done=_is_done)
AVAILABLE = see_available("extension.available")


def _plan(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Draft:
    change, token = change_of(request, observation), observation.token(request.name)
    extension = observation.extension(request.name)
    facts: dict[str, object] = {}
    if extension is not None:
        facts = {"extension.version": extension.version, "extension.state": extension.provisioning_state}
    if change is None:
        return Draft((), facts)
    sends_secret = change.replaces_secrets and token is not None
    params: dict[str, object] = {
        "name": change.extension.name,
        "settings": change.settings,
        "release": change.release,
        "tls_secret": request.options.tls_secret,
        "token": token.name if sends_secret and token else "",
        "slot": idle_slot(token) if sends_secret else "",
    }
    registry = observation.registry(request.name)
    if sends_secret and registry is not None:
        params |= parent_params(registry, request.options.parent_protocol)
    if request.options.tls == "certificate" and isinstance(observation.certificate, Certificate):
        params["certificate"] = asdict(observation.certificate)
    steps = [PlannedStep(UPDATE.kind, params, "change")]
    if observation.sees_cluster:
        steps.append(PlannedStep(AVAILABLE.kind, availability_of(change.extension), "verify"))
    return Draft(tuple(steps), facts)


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.cluster_ref.id.lower(), site.acr_ref.connected_id(name).lower())


def _is_own_doing(operation: Operation, blocker: Finding) -> bool:
    """The extension that the last attempt has begun to change."""
    tried = {operation.planned[run.index].kind for run in operation.steps if run.state == "error"}
    return blocker.code == Code.EXTENSION_BUSY and UPDATE.kind in tried


EXTENSION_UPDATE = Procedure[ExtensionUpdateRequest, Observation](
    kind="extension update",
    options=ExtensionUpdateOptions,
    request=extension_update_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=_plan,
    steps=(UPDATE, AVAILABLE),
    with_files=Observation.with_certificate,
    values={"extension_update.options": ExtensionUpdateOptions},
    is_own_doing=_is_own_doing,
)
