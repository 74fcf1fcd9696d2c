"""What a workload's client token needs to get a new password: request, observation, checks and plan.

The new password goes into a second pull secret, and nothing uses it before the edge has accepted it. The old one ends
when no Pod of the workload has its Secret any more, so no pull fails meanwhile.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from services.model.azure import Token
from services.model.kubernetes import DeployedWorkload
from services.model.plan import Effect, Finding, Plan, PlannedStep
from services.operations.answers import Answer, Questions, Unknown, known
from services.operations.checks import Check, blocker, check, ok, required
from services.operations.procedure import Draft
from services.operations.reach import ClusterQuestions
from services.operations.registry_checks import RegistryObservation, at_rest
from services.operations.workload.checks import lists, other_users
from services.operations.workload.request import DeletionOptions, deletion_request
from services.operations.workload.rotation_steps import ACCEPTED, END_PASSWORD, RENEW, ROLLED_OUT, SWITCH
from services.operations.workload.words import Code
from services.operations.workload_removal import Place
from services.policy.schedule import next_contact
from services.policy.sites import Site
from services.ports import Azure, Kubernetes


@dataclass(frozen=True)
class RotationOptions:
    """Which workload, and when the new password ends by itself (None: never). Stored with the operation."""

    workload: str
    namespace: str = "default"
    expires: datetime | None = None


@dataclass(frozen=True)
class RotationRequest:
    """A workload of the connected registry `registry` that is to pull by a new password."""

    registry: str
    place: Place
    expires: datetime | None

    @property
    def token(self) -> str:
        """Name of the client token."""
        return self.place.token(self.registry)


def rotation_request(site: Site, registry: str, options: RotationOptions) -> RotationRequest:
    """Raises `Invalid`."""
    place = deletion_request(site, options.workload, DeletionOptions(options.namespace)).place
    return RotationRequest(registry.lower(), place, options.expires)


def rotation_names(site: Site, request: RotationRequest) -> Mapping[str, object]:
    """Facts for sentences and command lines."""
    place = request.place
    return {
        **site.names,
        "name": request.registry,
        "workload": place.name,
        "namespace": place.namespace,
        "token": request.token,
    }


@dataclass(frozen=True)
class RotationObservation(RegistryObservation):
    """The world around a workload whose token gets a new password. `tokens` are all of the cloud registry."""

    tokens: Answer[tuple[Token, ...]]
    missing_rights: Answer[tuple[str, ...]]
    workload: Answer[DeployedWorkload | None]

    def token(self, request: RotationRequest) -> Token | None:
        """The workload's client token."""
        name = request.token.casefold()
        return next((token for token in known(self.tokens, ()) if token.name.casefold() == name), None)


async def observe_rotation(
    azure: Azure, kubernetes: Kubernetes, site: Site, request: RotationRequest, _approved: Plan | None
) -> RotationObservation:
    """Two ARM requests."""
    acr, place = site.acr_ref, request.place
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        tokens = arm.list(acr.id, lambda: azure.tokens.list(acr))
        inside = ClusterQuestions.of(Questions(group, "kubernetes"), azure, kubernetes, site)
        missing = inside.ask(lambda cluster: cluster.missing_rights_to_rotate(place.namespace))
        workload = inside.ask(lambda cluster: cluster.workload(place.namespace, place.name))
    return RotationObservation(connected.result(), tokens.result(), missing.result(), workload.result())


# --- checks -----------------------------------------------------------------------------------------------------------


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: RotationRequest, observation: RotationObservation) -> Finding:
    """Whether it is there, and at rest."""
    return at_rest(observation, request.registry)


@check("connected.online", title="Connected registry is online")
def online(_site: Site, request: RotationRequest, observation: RotationObservation) -> Finding | None:
    """It has to accept the new password before anything uses it."""
    registry = observation.registry(request.registry)
    if registry is None:
        return None
    if registry.connection_state == "Offline" or not registry.login_server:
        facts = {"last_activity": registry.last_activity, "next_contact": next_contact(registry)}
        return blocker(Code.OUT_OF_CONTACT, **facts)
    return ok(Code.ONLINE, address=registry.login_server)


@check("workload.exists", title="Workload exists and is the bot's", essential=True)
def rotatable(_site: Site, request: RotationRequest, observation: RotationObservation) -> Finding:
    """It pulls from this connected registry, with a pull secret that the bot has made."""
    workload = required(observation.workload)
    if workload is None:
        return blocker(Code.WORKLOAD_ABSENT)
    if not workload.managed or workload.spec.pull_secret not in request.place.pull_secrets:
        return blocker(Code.WORKLOAD_FOREIGN)
    if workload.spec.registry != request.registry:
        return blocker(Code.WORKLOAD_OF_ANOTHER_REGISTRY, other=workload.spec.registry)
    return ok(Code.WORKLOAD_FOUND)


@check("token.client", title="Client token is in use, by this workload alone", essential=True)
def token(_site: Site, request: RotationRequest, observation: RotationObservation) -> Finding | None:
    """Whoever else pulls by it would be cut off with the old password."""
    registries, _ = required(observation.connected), required(observation.tokens)
    registry, client_token = observation.registry(request.registry), observation.token(request)
    if registry is None or known(observation.workload, None) is None:
        return None  # other checks say so
    if client_token is None or not lists(registry, client_token.id):
        return blocker(Code.TOKEN_NOT_LINKED)
    if not client_token.enabled:
        return blocker(Code.TOKEN_DISABLED)
    users = other_users(client_token.id, request.registry, registries)
    return blocker(Code.TOKEN_SHARED, users=users) if users else ok(Code.TOKEN_REUSED)


@check("kubernetes.workload_rights", title="Bot has the rights that a new password uses")
def rights(_site: Site, _request: RotationRequest, observation: RotationObservation) -> Finding | None:
    """Those of a workload, and Jobs, by which the edge is asked whether it accepts the password."""
    if isinstance(observation.workload, Unknown):
        return None
    missing = required(observation.missing_rights)
    return blocker(Code.ROTATION_RIGHTS_MISSING, missing=missing) if missing else ok(Code.RIGHTS_COMPLETE)


ROTATION_CHECKS: tuple[Check[RotationRequest, RotationObservation], ...] = (exists, online, rotatable, token, rights)


# --- plan -------------------------------------------------------------------------------------------------------------


def rotation_plan(_site: Site, request: RotationRequest, observation: RotationObservation) -> Draft:
    """Nothing is planned for a workload or a connected registry that is not there; checks say so."""
    registry, workload = observation.registry(request.registry), known(observation.workload, None)
    if registry is None or workload is None:
        return Draft((), {})
    place = {"namespace": request.place.namespace, "workload": request.place.name}
    spec = workload.spec

    def step(kind: str, effect: Effect, **params: object) -> PlannedStep:
        return PlannedStep(kind, {**place, **params}, effect)

    server, repository = registry.login_server, spec.image.partition("/")[2].partition("@")[0].partition(":")[0]
    secrets = request.place.pull_secrets
    second = spec.pull_secret == secrets[0]
    new, old = secrets[second], secrets[not second]
    steps = (
        step(RENEW.kind, "create", server=server, token=request.token, expires=request.expires, secret=new),
        step(ACCEPTED.kind, "verify", repository=repository, server=server),
        step(
            SWITCH.kind, "change", image=spec.image, replicas=spec.replicas, port=spec.port, pull_secret="", secret=new
        ),
        step(ROLLED_OUT.kind, "verify", replicas=spec.replicas),
        step(END_PASSWORD.kind, "delete", token=request.token, secret=old),
    )
    return Draft(steps, {"workload.image": spec.image, "workload.replicas": spec.replicas})
