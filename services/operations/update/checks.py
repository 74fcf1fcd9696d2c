"""What a change of settings looks at, and the checks on it."""

import asyncio
from dataclasses import dataclass
from difflib import get_close_matches

from services.model.azure import Token, resource_name
from services.model.kubernetes import DeployedWorkload
from services.model.plan import Finding, Plan
from services.operations import azure_checks, client_tokens
from services.operations.answers import Answer, Questions
from services.operations.checks import Check, blocker, check, ok, required, warning
from services.operations.reach import ClusterQuestions
from services.operations.registry_checks import RegistryObservation, at_rest
from services.operations.update.request import Code, UpdateRequest
from services.operations.workload_removal import Place
from services.policy.sites import CLIENTS_PER_REGISTRY, CONTINUOUS, Site
from services.ports import Azure, Kubernetes

WRITE = "Microsoft.ContainerRegistry/registries/connectedRegistries/write"


@dataclass(frozen=True)
class Observation(RegistryObservation):
    """All connected registries of the cloud registry, and the actions that the bot's identity lacks there.

    `tokens` are all of the cloud registry, asked for where client tokens change; `own_workloads` are those that the bot
    deployed from the connected registry, asked for where client tokens are removed.
    """

    missing_actions: Answer[tuple[str, ...] | None]
    tokens: Answer[tuple[Token, ...]]
    own_workloads: Answer[tuple[DeployedWorkload, ...]]


async def observe(
    azure: Azure, kubernetes: Kubernetes, site: Site, request: UpdateRequest, _approved: Plan | None
) -> Observation:
    """Two ARM requests, a third one where client tokens change, and one to the cluster where some are removed."""
    acr, options = site.acr_ref, request.options
    async with asyncio.TaskGroup() as group:
        arm, kube = Questions(group, "azure"), Questions(group, "kubernetes")
        connected = arm.list(acr.id, lambda: azure.connected.list(acr))
        missing = arm.find(acr.id, lambda: azure.permissions.missing(acr.id, [WRITE]))
        tokens: asyncio.Task[Answer[tuple[Token, ...]]] = (
            arm.list(acr.id, lambda: azure.tokens.list(acr))
            if options.add_client_tokens or options.remove_client_tokens
            else arm.skip()
        )
        inside = (
            ClusterQuestions.of(kube, azure, kubernetes, site)
            if options.remove_client_tokens
            else ClusterQuestions(kube, site.name, kube.skip())
        )
        own_workloads = inside.ask(lambda cluster: cluster.workloads_of(request.name.lower()))
    return Observation(connected.result(), missing.result(), tokens.result(), own_workloads.result())


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: UpdateRequest, observation: Observation) -> Finding:
    """Nothing is changed while Azure is changing it."""
    return at_rest(observation, request.name)


@check("connected.window", title="Schedule and window fit together")
def window(_site: Site, request: UpdateRequest, observation: Observation) -> Finding | None:
    """Only a registry that syncs all the time needs no window."""
    registry, options = observation.registry(request.name), request.options
    if registry is None:
        return None
    schedule = options.schedule or registry.schedule
    if schedule == CONTINUOUS or options.window or registry.window:
        return None
    return blocker(Code.WINDOW_MISSING, schedule=schedule)


@check("connected.contact", title="The edge learns of it")
def contact(_site: Site, request: UpdateRequest, observation: Observation) -> Finding | None:
    """By its next contact, which its present schedule decides."""
    registry = observation.registry(request.name)
    if registry is None:
        return None
    if registry.activation == "Active" and registry.connection_state in {"Online", "Syncing"}:
        return ok(Code.NEXT_CONTACT, schedule=registry.schedule)
    return warning(Code.NOT_IN_CONTACT, state=registry.connection_state, last_activity=registry.last_activity)


@check("azure.actions", title="Bot has the Azure right to change it")
def actions(site: Site, request: UpdateRequest, observation: Observation) -> Finding | None:
    """By its roles."""
    if observation.registry(request.name) is None:
        return None
    return azure_checks.actions((observation.missing_actions, site.acr_ref.name))


@check("client_tokens.exist", title="Client tokens exist", essential=True)
def existing_tokens(_site: Site, request: UpdateRequest, observation: Observation) -> Finding | None:
    """Nothing is done for a name that is misspelt. A disabled one may be listed, though nobody can pull by it."""
    registry, options = observation.registry(request.name), request.options
    if registry is None or not (options.add_client_tokens or options.remove_client_tokens):
        return None
    tokens = {token.name.casefold(): token for token in required(observation.tokens)}
    # A list may name a token that is deleted; it can be taken from there.
    removable = {*tokens, *map(resource_name, registry.client_token_ids)}
    absent = (
        *(name for name in options.add_client_tokens if name.casefold() not in tokens),
        *(name for name in options.remove_client_tokens if name.casefold() not in removable),
    )
    if absent:
        similar = dict.fromkeys(match for name in absent for match in get_close_matches(name.casefold(), tokens, n=3))
        near = tuple(tokens[name].name for name in similar or sorted(tokens)[:3])
        return blocker(Code.CLIENT_TOKENS_ABSENT, tokens=absent, near=near)
    if disabled := tuple(name for name in options.add_client_tokens if not tokens[name.casefold()].enabled):
        return warning(Code.CLIENT_TOKENS_DISABLED, tokens=disabled)
    return ok(Code.CLIENT_TOKENS_EXIST, tokens=(*options.add_client_tokens, *options.remove_client_tokens))


@check("client_tokens.room", title="Room for the client tokens")
def room(site: Site, request: UpdateRequest, observation: Observation) -> Finding | None:
    """A quota of the service (Learn: intro-connected-registry)."""
    registry, options = observation.registry(request.name), request.options
    if registry is None or not options.add_client_tokens:
        return None
    after = client_tokens.changed(site, registry, add=options.add_client_tokens, remove=options.remove_client_tokens)
    facts = {"count": len(after), "limit": CLIENTS_PER_REGISTRY}
    return blocker(Code.CLIENT_TOKENS_TOO_MANY, **facts) if len(after) > CLIENTS_PER_REGISTRY else None


@check(
    "client_tokens.workloads",
    title="Workloads that pull by the client tokens",
    proofs=("workloads that this bot made and that pull by the client tokens",),
)
def workloads(_site: Site, request: UpdateRequest, observation: Observation) -> Finding | None:
    """They run on with the images that their nodes have. Who else has a token's password is written nowhere."""
    registry = observation.registry(request.name)
    if registry is None or not request.options.remove_client_tokens:
        return None
    removed = {name.casefold() for name in request.options.remove_client_tokens}
    places = [Place(workload.spec.namespace, workload.spec.name) for workload in required(observation.own_workloads)]
    losing = tuple(
        f"{place.namespace}/{place.name}"
        for place in places
        if place.token(registry.name.lower()).casefold() in removed
    )
    return warning(Code.WORKLOADS_LOSE, workloads=losing) if losing else ok(Code.NO_WORKLOAD_LOSES)


CHECKS: tuple[Check[UpdateRequest, Observation], ...] = (
    exists,
    window,
    existing_tokens,
    room,
    workloads,
    contact,
    actions,
)
