"""The installation of the extension alone, declared: for a connected registry that exists already."""

import asyncio
from dataclasses import dataclass, replace

from services.model.azure import Token, resource_name
from services.model.plan import Finding, Plan, PlannedStep
from services.operations.acr_steps import REGISTER_PROVIDERS
from services.operations.answers import Questions, known
from services.operations.checks import Check, blocker, check, ok, required
from services.operations.connection_string import Protocol
from services.operations.deploy import plan as deployment
from services.operations.deploy.checks import cloud, cluster, extension, tls
from services.operations.deploy.codes import Code, ExtensionCode
from services.operations.deploy.observation import Observation
from services.operations.deploy.observation import observe as observe_deployment
from services.operations.deploy.procedure import DEPLOY
from services.operations.deploy.request import DeployOptions, DeployRequest, filled_up
from services.operations.deploy.steps.cluster import HOLD_ADDRESS, RESERVE_ADDRESS, VERIFY
from services.operations.deploy.steps.connected import ENABLE_DATA_ENDPOINT, ONLINE
from services.operations.deploy.steps.extension import INSTALL
from services.operations.parents import parent_params, way_to_parent
from services.operations.procedure import Draft
from services.operations.registry_checks import RegistryObservation, at_rest
from services.policy.sites import Site, Tls
from services.ports import Azure, Kubernetes

STEPS = (HOLD_ADDRESS, RESERVE_ADDRESS, REGISTER_PROVIDERS, ENABLE_DATA_ENDPOINT, INSTALL, VERIFY, ONLINE)


@dataclass(frozen=True)
class ExtensionDeployOptions:
    """What somebody asks for; what is left out comes from the site. Stored with the operation."""

    service_ip: str | None = None
    storage_class: str | None = None
    storage_request: str | None = None
    extension_name: str | None = None
    parent_protocol: Protocol | None = None
    tls: Tls | None = None
    tls_secret: str = ""


def extension_request(site: Site, name: str, options: ExtensionDeployOptions) -> DeployRequest:
    """Raises `Invalid` for a value that breaks a rule. What the connected registry is like is not for it to say."""
    wish = DeployOptions(
        service_ip=options.service_ip,
        storage_class=options.storage_class,
        storage_request=options.storage_request,
        extension_name=options.extension_name,
        tls=options.tls,
        tls_secret=options.tls_secret,
    )
    return replace(filled_up(site, name, wish), repositories=(), parent_protocol=options.parent_protocol)


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: DeployRequest, observation: Observation) -> Finding:
    """And is at rest."""
    return at_rest(RegistryObservation(observation.connected), request.name)


@check("connected.parent", title="Way to its parent")
def parent(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """By the endpoint that Azure shows for it, and the protocol that somebody names."""
    registry = observation.registry_named(request.name)
    return way_to_parent(registry, request.parent_protocol) if registry else None


@check("token.found", title="Sync token is there", essential=True)
def token(_site: Site, request: DeployRequest, observation: Observation) -> Finding | None:
    """A disabled token was disabled by somebody, perhaps to cut this registry off: it is not switched on silently."""
    existing = required(observation.token)
    if observation.registry_named(request.name) is None:
        return None
    if existing is None:
        return blocker(ExtensionCode.TOKEN_ABSENT)
    if users := _other_users(request, observation, existing):
        return blocker(ExtensionCode.TOKEN_SHARED, token=existing.name, users=users)
    if not existing.enabled:
        return blocker(Code.TOKEN_DISABLED)
    return ok(Code.TOKEN_REUSED, passwords=tuple(slot.name for slot in existing.passwords))


def _other_users(request: DeployRequest, observation: Observation, sync_token: Token) -> tuple[str, ...]:
    """Other connected registries that use the token, and would lose a password of it."""
    return tuple(
        other.name
        for other in known(observation.connected, ())
        if other.name.casefold() != request.name.casefold()
        if sync_token.name.casefold() in map(resource_name, (other.token_id, *other.client_token_ids))
    )


async def observe(
    azure: Azure, kubernetes: Kubernetes, site: Site, request: DeployRequest, approved: Plan | None = None
) -> Observation:
    """As for a deployment, but with the token that the registry syncs by: older Azure CLIs gave it another name."""
    observation, acr = await observe_deployment(azure, kubernetes, site, request, approved), site.acr_ref
    registry = observation.registry_named(request.name)
    name = registry.token_id.rpartition("/")[2] if registry else ""
    if not name or name.casefold() == request.name.casefold():
        return observation
    async with asyncio.TaskGroup() as group:
        token = Questions(group, "azure").find(acr.id, lambda: azure.tokens.get(acr, name))
    return replace(observation, token=token.result())


def _with_own(step: PlannedStep, params: dict[str, object]) -> PlannedStep:
    return replace(step, params={**step.params, **params}) if step.kind == INSTALL.kind else step


def _plan(site: Site, request: DeployRequest, observation: Observation) -> Draft:
    """The steps of a whole deployment that are about the extension, and about what it can't work without."""
    draft = deployment.plan(site, request, observation)
    registry = observation.registry_named(request.name)
    if registry is None:
        return Draft((), draft.observed)
    kinds, sync_token = {step.kind for step in STEPS}, known(observation.token, None)
    own: dict[str, object] = {"token": sync_token.name} if sync_token else {}
    own |= parent_params(registry, request.parent_protocol)
    return Draft(tuple(_with_own(step, own) for step in draft.steps if step.kind in kinds), draft.observed)


CHECKS: tuple[Check[DeployRequest, Observation], ...] = (
    exists,
    parent,
    token,
    cloud.providers,
    cloud.premium,
    cloud.data_endpoint,
    cloud.cluster,
    extension.extension,
    extension.settings,
    extension.activation,
    cluster.reached,
    cluster.rights,
    cluster.namespace,
    cluster.node,
    cluster.storage,
    cluster.cert_manager,
    cluster.address,
    tls.encryption,
    tls.certificate,
    cluster.runtime,
)

EXTENSION_DEPLOY = replace(
    DEPLOY,
    kind="extension deploy",
    options=ExtensionDeployOptions,
    request=extension_request,
    observe=observe,
    checks=CHECKS,
    plan=_plan,
    steps=STEPS,
    values={"extension_deploy.options": ExtensionDeployOptions},
)
