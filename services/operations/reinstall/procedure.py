"""The extension of a connected registry from scratch, declared: deleted, waited for, and installed, in one operation.

It is how most failed installations are repaired. A volume claim, a release's name and the decision on cert-manager
can't be changed in place, and a namespace that is terminating has to be waited for.
"""

import asyncio
from dataclasses import dataclass, replace
from typing import Any

from services.model.azure import Extension
from services.model.plan import Finding, Plan, PlannedStep
from services.operations import azure_checks
from services.operations.answers import Answer, Known, Questions
from services.operations.checks import Check, check, warning
from services.operations.deactivate.steps import DEACTIVATE, INACTIVE
from services.operations.deploy.causes import Cause
from services.operations.deploy.diagnosis import diagnose
from services.operations.deploy.extension_alone import EXTENSION_DEPLOY, ExtensionDeployOptions, extension_request
from services.operations.deploy.extension_alone import observe as observe_installation
from services.operations.deploy.observation import Observation as DeployObservation
from services.operations.deploy.request import DeployRequest, site_names
from services.operations.deploy.settings import lost_settings
from services.operations.procedure import Draft, Procedure
from services.operations.reinstall.request import NEWEST, Code, ReinstallOptions
from services.operations.remove import checks as removal
from services.operations.remove.observation import Observation as RemovalObservation
from services.operations.remove.observation import observe as observe_removal
from services.operations.remove.plan import at_edge, extension_of
from services.operations.remove.request import Code as RemovalCode
from services.operations.remove.request import RemoveOptions, RemoveRequest
from services.operations.remove.steps import NAMESPACE_GONE, REMOVE_EXTENSION
from services.policy.extensions import brings_cert_manager
from services.policy.sites import RUNTIME_NAMESPACE, Site
from services.ports import Azure, Kubernetes

_INSTALL = "extension.install"
_ACR = "Microsoft.ContainerRegistry/registries"
_EXTENSIONS = "Microsoft.KubernetesConfiguration/extensions"
AT_ACR = {
    DEACTIVATE.kind: f"{_ACR}/connectedRegistries/deactivate/action",
    _INSTALL: f"{_ACR}/generateCredentials/action",
}
AT_CLUSTER = {REMOVE_EXTENSION.kind: f"{_EXTENSIONS}/delete", _INSTALL: f"{_EXTENSIONS}/write"}
"""What Azure's roles call the writes of each kind of step, at the cloud registry and at the Arc-enabled cluster."""


@dataclass(frozen=True)
class ReinstallRequest:
    """An extension as it is to be installed, in the place of the one that is there."""

    installation: DeployRequest

    @property
    def name(self) -> str:
        """Of the connected registry."""
        return self.installation.name

    @property
    def removal(self) -> RemoveRequest:
        """Of what is there."""
        return RemoveRequest(self.name, RemoveOptions())


@dataclass(frozen=True)
class Observation:
    """What a removal looks at, and what an installation does."""

    removal: RemovalObservation
    installation: DeployObservation
    missing_at_acr: Answer[tuple[str, ...] | None]
    missing_at_cluster: Answer[tuple[str, ...] | None]

    def extension(self, request: ReinstallRequest) -> Extension | None:
        """The one that goes."""
        return extension_of(request.removal, self.removal)

    def afterwards(self, request: ReinstallRequest) -> DeployObservation:
        """The world that the installation will meet: without the extension, its namespace and its activation."""
        extension, present = self.extension(request), self.installation
        if extension is None:
            return replace(present, namespace_phase=_if_known(present.namespace_phase, ""))
        connected, extensions, cert_manager = present.connected, present.extensions, present.cert_manager
        ranges = present.ranges
        if isinstance(ranges, Known):
            # Its Service goes with the namespace, so that the address is free for the next installation.
            used = ranges.value.used - frozenset(present.installed.service_addresses)
            ranges = replace(ranges, value=replace(ranges.value, used=used))
        if isinstance(connected, Known):
            own = present.registry_named(request.name)
            connected = Known(
                tuple(replace(one, activation="Inactive") if one is own else one for one in connected.value)
            )
        if isinstance(extensions, Known):
            extensions = Known(tuple(one for one in extensions.value if one.name != extension.name))
        if _brought_cert_manager(extension):
            cert_manager = _if_known(cert_manager, False)
        return replace(
            present,
            connected=connected,
            extensions=extensions,
            cert_manager=cert_manager,
            ranges=ranges,
            replaced=extension,
            namespace_phase=_if_known(present.namespace_phase, ""),
            runtime=_if_known(present.runtime, None),
        )


def _if_known(answer: Any, value: Any) -> Any:
    """The answer with another value; a question that has none keeps having none."""
    return replace(answer, value=value) if isinstance(answer, Known) else answer


def _brought_cert_manager(extension: Extension) -> bool:
    """Whether the cert-manager that is there goes with the extension.

    It was installed with the wish for one, so there was none then, unless its failure says that there was.
    """
    failure = diagnose(extension)
    is_foreign = failure is not None and failure.cause == Cause.CERT_MANAGER_CONFLICT
    return brings_cert_manager(extension) and not is_foreign


def _request(site: Site, name: str, options: ReinstallOptions) -> ReinstallRequest:
    """Raises `Invalid` for a value that breaks a rule."""
    request = extension_request(
        site,
        name,
        ExtensionDeployOptions(
            options.service_ip,
            options.storage_class,
            options.storage_request,
            options.extension_name,
            options.parent_protocol,
            options.tls,
            options.tls_secret,
        ),
    )
    version = {"": request.version, NEWEST: None}.get(options.version, options.version)
    return ReinstallRequest(replace(request, version=version))


async def _observe(
    azure: Azure, kubernetes: Kubernetes, site: Site, request: ReinstallRequest, approved: Plan | None
) -> Observation:
    """The requests of both, at once."""
    async with asyncio.TaskGroup() as group:
        removal_world = group.create_task(observe_removal(azure, kubernetes, site, request.removal, None))
        installation = group.create_task(observe_installation(azure, kubernetes, site, request.installation, approved))
        arm, acr, arc = Questions(group, "azure"), site.acr_ref, site.cluster_ref
        at_acr = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, tuple(AT_ACR.values())))
        at_cluster = arm.find(arc.id, lambda: azure.permissions.missing(arc.id, tuple(AT_CLUSTER.values())))
    return Observation(removal_world.result(), installation.result(), at_acr.result(), at_cluster.result())


def _plan(site: Site, request: ReinstallRequest, observation: Observation) -> Draft:
    """An activation outlives its extension, and no other installation is let in before it ends."""
    registry = observation.installation.registry_named(request.name)
    draft = EXTENSION_DEPLOY.plan(site, request.installation, observation.afterwards(request))
    if registry is None:
        return draft
    steps = [*at_edge(request.removal, observation.removal)]
    if registry.activation == "Active" and observation.extension(request) is not None:
        steps += [
            PlannedStep(DEACTIVATE.kind, {"name": registry.name, "activation": registry.activation}, "change"),
            PlannedStep(INACTIVE.kind, {"name": registry.name}, "verify"),
        ]
    return Draft((*steps, *draft.steps), draft.observed)


# --- checks -----------------------------------------------------------------------------------------------------------


@check("extension.volume", title="What is on the extension's volume")
def volume(_site: Site, request: ReinstallRequest, observation: Observation) -> Finding | None:
    """The edge syncs all of it again."""
    extension = observation.extension(request)
    return warning(Code.EXTENSION_GOES, extension=extension.name) if extension is not None else None


@check("extension.owner", title="Extension of this connected registry", essential=True)
def owner(site: Site, request: ReinstallRequest, observation: Observation) -> Finding | None:
    """Another connected registry's never goes, and one that may be another's only by its own command."""
    finding = removal.extension.rule(site, request.removal, observation.removal)
    is_unclear = finding is not None and finding.code == RemovalCode.EXTENSION_UNCLEAR
    return replace(finding, code=Code.OWNER_UNCLEAR) if finding is not None and is_unclear else finding


@check("azure.actions", title="Bot has the Azure rights that the reinstallation uses")
def actions(site: Site, request: ReinstallRequest, observation: Observation) -> Finding | None:
    """Before anything is deleted: with a right missing for a later step the edge would stay without its extension."""
    if observation.extension(request) is None:
        return None
    registry = observation.installation.registry_named(request.name)
    kinds = {REMOVE_EXTENSION.kind, _INSTALL}
    if registry is not None and registry.activation == "Active":
        kinds.add(DEACTIVATE.kind)
    return azure_checks.actions_of_steps(
        kinds,
        (AT_ACR, observation.missing_at_acr, site.acr_ref.name),
        (AT_CLUSTER, observation.missing_at_cluster, site.cluster_ref.name),
    )


@check("azure.locks", title="No management lock stops the reinstallation halfway")
def locks(site: Site, request: ReinstallRequest, observation: Observation) -> Finding | None:
    """At the cloud registry nothing is deleted: a password is made, and an activation may end."""
    if observation.extension(request) is None:
        return None
    return azure_checks.locks(
        (observation.removal.locks_at_acr, site.acr_ref.name, False),
        (observation.removal.locks_at_cluster, site.cluster_ref.name, True),
    )


@check("extension.settings", title="Settings that were given to the extension since")
def settings(_site: Site, request: ReinstallRequest, observation: Observation) -> Finding | None:
    """An installation decides on few of them, and nobody can read the protected ones."""
    extension = observation.extension(request)
    if extension is None:
        return None
    lost = lost_settings(extension)
    return warning(Code.SETTINGS_LOST, settings=lost) if lost else None


@check("tls.secret", title="Secret with the certificate, which goes with the namespace")
def tls_secret(_site: Site, request: ReinstallRequest, observation: Observation) -> Finding | None:
    """The Pod waits for it."""
    installation = request.installation
    is_used = observation.afterwards(request).tls(installation) == "secret" and installation.tls_secret
    if observation.extension(request) is None or not is_used:
        return None
    return warning(Code.TLS_SECRET_GOES, secret=installation.tls_secret, namespace=RUNTIME_NAMESPACE)


def _of_removal(rule: Check[RemoveRequest, RemovalObservation]) -> Check[ReinstallRequest, Observation]:
    def of_what_is_there(site: Site, request: ReinstallRequest, observation: Observation) -> Finding | None:
        return rule.rule(site, request.removal, observation.removal)

    return Check(rule.id, rule.title, rule.essential, rule.proofs, of_what_is_there)


def _of_installation(rule: Check[DeployRequest, DeployObservation]) -> Check[ReinstallRequest, Observation]:
    def of_what_comes(site: Site, request: ReinstallRequest, observation: Observation) -> Finding | None:
        return rule.rule(site, request.installation, observation.afterwards(request))

    return Check(rule.id, rule.title, rule.essential, rule.proofs, of_what_comes)


CHECKS: tuple[Check[ReinstallRequest, Observation], ...] = (
    volume,
    settings,
    tls_secret,
    _of_removal(removal.data),
    owner,
    actions,
    locks,
    _of_removal(removal.agents),
    _of_removal(removal.workloads),
    *map(_of_installation, EXTENSION_DEPLOY.checks),
)


REINSTALLATION = Procedure[ReinstallRequest, Observation](
    kind="extension reinstall",
    options=ReinstallOptions,
    request=_request,
    locks=EXTENSION_DEPLOY.locks,
    observe=_observe,
    checks=CHECKS,
    names=lambda site, request: site_names(site, request.installation),
    plan=_plan,
    steps=(REMOVE_EXTENSION, NAMESPACE_GONE, DEACTIVATE, INACTIVE, *EXTENSION_DEPLOY.steps),
    values={"extension_reinstall.options": ReinstallOptions},
    with_files=lambda world, *machine: replace(world, installation=world.installation.with_certificate(*machine)),
    with_leased=lambda world, leased: replace(world, installation=replace(world.installation, leased=leased)),
    diagnose=EXTENSION_DEPLOY.diagnose,
)
