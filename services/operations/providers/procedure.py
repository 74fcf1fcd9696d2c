"""The registration of resource providers, declared."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from services.model.plan import Finding, Plan, PlannedStep
from services.operations.acr_steps import REGISTER_PROVIDERS
from services.operations.answers import Answer, Questions, known
from services.operations.checks import check, ok, required
from services.operations.procedure import Draft, Procedure, site_names
from services.operations.providers.request import Code, ProviderOptions, ProviderRequest, provider_request
from services.operations.registration import provider_states
from services.policy.sites import Site
from services.ports import Azure, Kubernetes


@dataclass(frozen=True)
class Observation:
    """The registration state of each resource provider that is asked for."""

    states: Answer[Mapping[str, str]]


async def _observe(
    azure: Azure, _kubernetes: Kubernetes, site: Site, request: ProviderRequest, _approved: Plan | None
) -> Observation:
    """One ARM request, or two where the registry has another subscription than the cluster."""
    async with asyncio.TaskGroup() as group:
        arm = Questions(group, "azure")
        states = arm.ask(site.subscription, lambda: provider_states(azure, site, request.namespaces))
    return Observation(states.result())


def _missing(request: ProviderRequest, observation: Observation) -> tuple[str, ...]:
    states = known(observation.states, {})
    return tuple(name for name in request.namespaces if states.get(name, "Registered") != "Registered")


@check("providers.registered", title="Registration of the resource providers", essential=True)
def registered(_site: Site, request: ProviderRequest, observation: Observation) -> Finding:
    """One that is being registered is asked for once more: that changes nothing, and the operation waits for it."""
    required(observation.states)
    missing = _missing(request, observation)
    return ok(Code.TO_REGISTER, missing=missing) if missing else ok(Code.REGISTERED, providers=request.namespaces)


def _plan(_site: Site, request: ProviderRequest, observation: Observation) -> Draft:
    missing = _missing(request, observation)
    steps = (PlannedStep(REGISTER_PROVIDERS.kind, {"namespaces": missing}, "change"),) if missing else ()
    return Draft(steps, {})


def _locks(site: Site, _name: str) -> tuple[str, ...]:
    return tuple(f"/subscriptions/{subscription}/providers".lower() for subscription in site.subscriptions)


PROVIDER_REGISTRATION = Procedure[ProviderRequest, Observation](
    kind="provider register",
    options=ProviderOptions,
    request=provider_request,
    locks=_locks,
    observe=_observe,
    checks=(registered,),
    names=site_names,
    plan=_plan,
    steps=(REGISTER_PROVIDERS,),
    values={"providers.options": ProviderOptions},
)
