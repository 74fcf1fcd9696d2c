"""The installation of the extension alone, declared: for a connected registry that exists already."""

from dataclasses import dataclass, replace

from services.model.plan import Finding
from services.operations.acr_steps import REGISTER_PROVIDERS
from services.operations.checks import Check, blocker, check, ok, required
from services.operations.deploy import plan as whole
from services.operations.deploy.checks import cloud, cluster, extension, names
from services.operations.deploy.codes import Code, ExtensionCode
from services.operations.deploy.observation import Observation
from services.operations.deploy.procedure import DEPLOY
from services.operations.deploy.request import DeployOptions, DeployRequest, filled_up
from services.operations.deploy.steps.cluster import HOLD_ADDRESS, RESERVE_ADDRESS, VERIFY
from services.operations.deploy.steps.connected import ENABLE_DATA_ENDPOINT, ONLINE
from services.operations.deploy.steps.extension import INSTALL
from services.operations.procedure import Draft
from services.operations.registry_checks import RegistryObservation, at_rest
from services.policy.sites import Site

STEPS = (HOLD_ADDRESS, RESERVE_ADDRESS, REGISTER_PROVIDERS, ENABLE_DATA_ENDPOINT, INSTALL, VERIFY, ONLINE)


@dataclass(frozen=True)
class ExtensionDeployOptions:
    """What somebody asks for; what is left out comes from the site. Stored with the operation."""

    service_ip: str | None = None
    storage_class: str | None = None
    storage_request: str | None = None
    extension_name: str | None = None


def extension_request(site: Site, name: str, options: ExtensionDeployOptions) -> DeployRequest:
    """Raises `Invalid` for a value that breaks a rule. What the connected registry is like is not for it to say."""
    wish = DeployOptions(
        service_ip=options.service_ip,
        storage_class=options.storage_class,
        storage_request=options.storage_request,
        extension_name=options.extension_name,
    )
    return replace(filled_up(site, name, wish), repositories=())


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: DeployRequest, observation: Observation) -> Finding:
    """With its own sync token, under the cloud registry itself: the connection string is built for such a one."""
    finding = at_rest(RegistryObservation(observation.connected), request.name)
    registry = observation.registry_named(request.name)
    if registry is None or finding.level == "blocker":
        return finding
    return names.bound_otherwise(registry, request) or finding


@check("token.found", title="Sync token is there", essential=True)
def token(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """A disabled token was disabled by somebody, perhaps to cut this registry off: it is not switched on silently."""
    existing = required(observation.token)
    if observation.registry_named(request.name) is None:
        return None
    if existing is None:
        return blocker(ExtensionCode.TOKEN_ABSENT)
    if not existing.enabled:
        return blocker(Code.TOKEN_DISABLED)
    return ok(Code.TOKEN_REUSED, passwords=tuple(slot.name for slot in existing.passwords))


def _plan(site: Site, request: DeployRequest, observation: Observation) -> Draft:
    """The steps of a whole deployment that are about the extension, and about what it can't work without."""
    draft = whole.plan(site, request, observation)
    if observation.registry_named(request.name) is None:
        return Draft((), draft.observed)
    kinds = {step.kind for step in STEPS}
    return Draft(tuple(step for step in draft.steps if step.kind in kinds), draft.observed)


CHECKS: tuple[Check[DeployRequest, Observation], ...] = (
    exists,
    token,
    cloud.providers,
    cloud.premium,
    cloud.data_endpoint,
    cloud.cluster,
    extension.extension,
    extension.activation,
    cluster.reached,
    cluster.rights,
    cluster.namespace,
    cluster.node,
    cluster.storage,
    cluster.cert_manager,
    cluster.address,
    cluster.runtime,
)

EXTENSION_DEPLOY = replace(
    DEPLOY,
    kind="extension deploy",
    options=ExtensionDeployOptions,
    request=extension_request,
    checks=CHECKS,
    plan=_plan,
    steps=STEPS,
    values={"extension_deploy.options": ExtensionDeployOptions},
)
