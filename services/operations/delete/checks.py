"""Checks of a deletion: nothing that runs loses its cloud side, and what stays is named."""

from collections.abc import Iterable
from difflib import get_close_matches

from services.model.azure import resource_name
from services.model.plan import Finding
from services.operations import azure_checks
from services.operations.belongings import DELETION_ACTIONS, ownership
from services.operations.checks import Check, blocker, check, ok, required, warning
from services.operations.delete.observation import Observation
from services.operations.delete.plan import plan
from services.operations.delete.request import Code, DeleteRequest
from services.policy.extensions import registry_extensions
from services.policy.sites import CONTINUOUS, Site


@check("connected.exists", title="Connected registry", essential=True)
def exists(_site: Site, request: DeleteRequest, observation: Observation) -> Finding:
    """One that is gone already is no obstacle."""
    names = [registry.name for registry in required(observation.connected)]
    registry = observation.belongings(request).registry
    if registry is None:
        return warning(Code.CONNECTED_ABSENT, near=tuple(get_close_matches(request.name, names, n=3)))
    if registry.provisioning_state in {"Creating", "Updating"}:
        return blocker(Code.CONNECTED_BUSY, state=registry.provisioning_state)
    return ok(Code.CONNECTED_FOUND, mode=registry.mode, state=registry.connection_state)


@check("connected.children", title="Connected registries below it")
def children(_site: Site, request: DeleteRequest, observation: Observation) -> Finding | None:
    """They sync through it, and Azure deletes no parent."""
    below = observation.belongings(request).children
    return blocker(Code.CHILDREN, children=below) if below else None


@check("extension.none", title="No extension at the site runs it", essential=True)
def extension(_site: Site, request: DeleteRequest, observation: Observation) -> Finding | None:
    """An installation would go on asking for a connected registry that is no longer there."""
    registries, extensions = required(observation.connected), required(observation.extensions)
    if observation.belongings(request).registry is None:
        return None
    for candidate in registry_extensions(extensions):
        verdict, _ = ownership(candidate, request.name, registries)
        if verdict != "other":
            code = Code.EXTENSION_SERVES if verdict == "own" else Code.EXTENSION_UNCLEAR
            return blocker(code, extension=candidate.name)
    return ok(Code.NO_EXTENSION)


@check("connected.contact", title="No installation is in contact")
def contact(_site: Site, request: DeleteRequest, observation: Observation) -> Finding | None:
    """It may run at another site."""
    registry = observation.belongings(request).registry
    if registry is None or registry.activation != "Active":
        return None
    facts = {"state": registry.connection_state, "last_activity": registry.last_activity}
    if registry.connection_state != "Offline":
        return blocker(Code.IN_CONTACT, **facts)
    # One that syncs by a schedule is Offline most of the time, and well.
    if registry.schedule != CONTINUOUS:
        return blocker(Code.SILENT_BY_SCHEDULE, schedule=registry.schedule, **facts)
    return warning(Code.DEACTIVATED_FIRST, **facts)


@check("connected.data", title="Data that exists at the edge alone")
def data(_site: Site, request: DeleteRequest, observation: Observation) -> Finding | None:
    """A ReadWrite registry takes pushes, and sends them to the cloud when it syncs the next time."""
    registry = observation.belongings(request).registry
    if registry is None or registry.mode != "ReadWrite" or registry.last_activity is None:
        return None
    return warning(Code.UNSYNCED_DATA, last_sync=registry.last_sync)


@check("tokens.sync", title="Sync token and scope map", essential=True)
def sync_access(_site: Site, request: DeleteRequest, observation: Observation) -> Finding | None:
    """They are of no use without it, and stay unless somebody says otherwise, as with the Azure CLI."""
    required(observation.tokens)
    required(observation.scope_maps)
    own = observation.belongings(request)
    if not request.cleanup:
        remains = own.registry and (own.tokens or own.scope_maps)
        facts = {"tokens": tuple(own.tokens), "scope_maps": own.scope_maps}
        return warning(Code.SYNC_ACCESS_STAYS, **facts) if remains else None
    if own.tokens_in_use:
        users = _all(own.tokens_in_use.values())
        return warning(Code.TOKENS_IN_USE, tokens=tuple(own.tokens_in_use), users=users)
    if own.maps_in_use:
        return warning(Code.SCOPE_MAPS_IN_USE, scope_maps=tuple(own.maps_in_use), users=_all(own.maps_in_use.values()))
    return None


@check("tokens.clients", title="Client tokens")
def clients(_site: Site, request: DeleteRequest, observation: Observation) -> Finding | None:
    """They work at the cloud registry too, so they stay."""
    registry = observation.belongings(request).registry
    names = tuple(map(resource_name, registry.client_token_ids)) if registry else ()
    return warning(Code.CLIENT_TOKENS_STAY, tokens=names) if names else None


@check("scope_maps.above", title="Rights of connected registries above it")
def above(_site: Site, request: DeleteRequest, observation: Observation) -> Finding | None:
    """Whether they sync a repository for themselves too is written nowhere, so they keep it."""
    rights = observation.belongings(request).repositories_kept
    return warning(Code.ANCESTORS_KEEP, ancestors=tuple(rights), repositories=_all(rights.values())) if rights else None


@check("azure.actions", title="Bot has the Azure rights that the deletion uses")
def actions(site: Site, request: DeleteRequest, observation: Observation) -> Finding | None:
    """By its roles; a lock or a deny assignment shows only when Azure refuses."""
    needed = {DELETION_ACTIONS[step.kind] for step in plan(site, request, observation).steps}
    finding = azure_checks.actions((observation.missing_actions, site.acr_ref.name), needed=needed)
    return finding if needed else None


def _all(several: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(sorted({name for names in several for name in names}))


CHECKS: tuple[Check[DeleteRequest, Observation], ...] = (
    exists,
    children,
    extension,
    contact,
    data,
    sync_access,
    clients,
    above,
    actions,
)
