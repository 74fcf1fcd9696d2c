"""The change of a connected registry's settings, declared."""

from services.model.azure import ConnectedRegistry
from services.model.plan import PlannedStep
from services.operations import client_tokens
from services.operations.procedure import Draft, Procedure, site_names
from services.operations.update.checks import CHECKS, Observation, observe
from services.operations.update.request import UpdateOptions, UpdateRequest, update_request
from services.operations.update.steps import CLIENT_TOKENS, FIELDS, TAKEN, UPDATE, ordered, settings
from services.policy.sites import Site


def _locks(site: Site, name: str) -> tuple[str, ...]:
    return (site.acr_ref.connected_id(name).lower(),)


def _plan(site: Site, request: UpdateRequest, observation: Observation) -> Draft:
    """What already is as it was asked for is not sent again."""
    registry, options = observation.registry(request.name), request.options
    if registry is None:
        return Draft((), {})
    steps = list[PlannedStep]()
    current = settings(registry)
    requested = {field: ordered(value) for field in FIELDS if (value := getattr(options, field)) is not None}
    if requested:
        changes = {field: (current[field], value) for field, value in requested.items() if current[field] != value}
        params = {"name": registry.name, "changes": changes}
        steps.append(PlannedStep(UPDATE.kind, params, "change" if changes else "reuse"))
    proof: dict[str, object] = {"name": registry.name, "settings": requested}
    if options.add_client_tokens or options.remove_client_tokens:
        tokens = {"add": options.add_client_tokens, "remove": options.remove_client_tokens}
        steps.append(_client_tokens(site, registry, **tokens))
        proof |= tokens
    if any(step.runs for step in steps):
        steps.append(PlannedStep(TAKEN.kind, proof, "verify"))
    return Draft(tuple(steps), {f"connected_registry.{field}": current[field] for field in requested})


def _client_tokens(
    site: Site, registry: ConnectedRegistry, *, add: tuple[str, ...], remove: tuple[str, ...]
) -> PlannedStep:
    after = client_tokens.changed(site, registry, add=add, remove=remove)
    lists = {"before": client_tokens.names(registry.client_token_ids), "after": client_tokens.names(after)}
    params = {"name": registry.name, "add": add, "remove": remove, **lists}
    return PlannedStep(CLIENT_TOKENS.kind, params, "reuse" if after == registry.client_token_ids else "change")


SETTINGS = Procedure[UpdateRequest, Observation](
    kind="update",
    options=UpdateOptions,
    request=update_request,
    locks=_locks,
    observe=observe,
    checks=CHECKS,
    names=site_names,
    plan=_plan,
    steps=(UPDATE, CLIENT_TOKENS, TAKEN),
    values={"update.options": UpdateOptions},
)
