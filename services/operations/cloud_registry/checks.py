"""Checks on a cloud registry before something is done to it."""

from services.model.azure import Registry
from services.model.plan import Finding
from services.operations import azure_checks
from services.operations.answers import known
from services.operations.arrival_checks import may_wait
from services.operations.arrival_codes import ArrivalCode
from services.operations.azure_checks import AzureCode
from services.operations.checks import blocker, check, if_known, ok, required, warning
from services.operations.cloud_registry.observation import ACTIONS, DELETE, PROVIDER, Observation
from services.operations.cloud_registry.request import AcrRequest, Code
from services.operations.registry_checks import CHANGING
from services.policy.sites import Site
from services.policy.sync_permissions import grants

PREMIUM = "Premium"


def registry_at_rest(observation: Observation) -> Registry | None:
    """The registry, unless it is not there or Azure is changing it."""
    registry = known(observation.registry, None)
    return None if registry is None or registry.provisioning_state in CHANGING else registry


def is_premium(registry: Registry) -> bool:
    """Whether its tier is the one that connected registries need (Learn: intro-connected-registry)."""
    return registry.sku.casefold() == PREMIUM.casefold()


@check("registry.exists", title="Cloud registry exists", essential=True)
def exists(_site: Site, _request: AcrRequest, observation: Observation) -> Finding:
    """Nothing is done to one that Azure is changing."""
    registry = required(observation.registry)
    if registry is None:
        return blocker(Code.REGISTRY_ABSENT)
    if registry.provisioning_state in CHANGING:
        return blocker(Code.REGISTRY_BUSY, state=registry.provisioning_state)
    return ok(Code.REGISTRY_FOUND, sku=registry.sku, location=registry.location)


@check("registry.absent", title="Cloud registry does not exist yet", essential=True)
def absent(_site: Site, request: AcrRequest, observation: Observation) -> Finding | None:
    """One that is there already is no obstacle."""
    if (registry := required(observation.registry)) is not None:
        return ok(Code.REGISTRY_THERE, sku=registry.sku, location=registry.location)
    is_taken = known(observation.name_refusal, "") != ""
    return None if is_taken else warning(Code.REGISTRY_TO_CREATE, location=request.location)


@check("registry.name", title="Name of the new registry is free")
def name(_site: Site, _request: AcrRequest, observation: Observation) -> Finding | None:
    """It is unique in the whole cloud, so a registry of somebody whom nobody here knows may have it.

    Azure refuses the creation by itself where it is taken, so nothing has to wait for the answer.
    """
    refusal = required(observation.name_refusal)
    return blocker(Code.REGISTRY_NAME_TAKEN, message=refusal) if refusal else None


@check("providers.registered", title="Resource provider of registries is registered")
def provider(_site: Site, _request: AcrRequest, observation: Observation) -> Finding | None:
    """Azure refuses the first registry of a subscription without it."""
    states = required(observation.providers)
    return (
        blocker(Code.PROVIDER_MISSING, provider=PROVIDER)
        if states.get(PROVIDER, "Registered") != "Registered"
        else None
    )


@check("registry.tier", title="What the change brings along")
def tier(_site: Site, _request: AcrRequest, observation: Observation) -> Finding | None:
    """The tier is paid for."""
    registry = registry_at_rest(observation)
    return warning(Code.TIER_COSTS, sku=registry.sku) if registry and not is_premium(registry) else None


@check("registry.data_endpoint", title="Hosts of its data endpoint")
def data_endpoint(_site: Site, _request: AcrRequest, observation: Observation) -> Finding | None:
    """Clients fetch from hosts of its own as soon as it is on."""
    registry = registry_at_rest(observation)
    return warning(Code.DATA_ENDPOINT_HOSTS) if registry and not registry.data_endpoint else None


@check("images.tags", title="Tags that are there already")
def tags(_site: Site, request: AcrRequest, observation: Observation) -> Finding | None:
    """An import never overwrites."""
    existing = {image: digest for image, answer in observation.digests.items() if (digest := required(answer))}
    for image in request.images:
        digest = existing.get(image.image, "")
        if image.digest and digest and digest != image.digest:
            return blocker(Code.IMAGE_OTHER, image=image.image, digest=digest, expected=image.digest)
    return ok(Code.IMAGES_KEPT, images=tuple(existing)) if existing else None


@check("registry.unused", title="No connected registry syncs from it", essential=True)
def unused(_site: Site, _request: AcrRequest, observation: Observation) -> Finding | None:
    """They would be deleted with it, and every edge would be cut off."""
    connected = required(observation.connected)
    if required(observation.registry) is None:
        return None
    if connected:
        return blocker(Code.STILL_CONNECTED, connected=tuple(sorted(registry.name for registry in connected)))
    return warning(Code.ALL_IS_LOST)


@check("registry.gone", title="Cloud registry", essential=True)
def deletable(_site: Site, _request: AcrRequest, observation: Observation) -> Finding:
    """One that is gone already is no obstacle."""
    registry = required(observation.registry)
    if registry is None:
        return ok(Code.REGISTRY_GONE)
    if registry.provisioning_state in CHANGING - {"Deleting"}:
        return blocker(Code.REGISTRY_BUSY, state=registry.provisioning_state)
    return ok(Code.REGISTRY_FOUND, sku=registry.sku, location=registry.location)


@check("azure.actions", title="Bot has the Azure rights that this uses")
def actions(site: Site, request: AcrRequest, observation: Observation) -> Finding | None:
    """By its roles; a lock or a deny assignment shows only when Azure refuses."""
    write, import_, _ = ACTIONS
    needed = {import_ if request.images else write}
    return azure_checks.actions((observation.missing_actions, site.acr_ref.name), needed=needed)


@check("azure.actions", title="Bot has the Azure right to delete it")
def may_delete(_site: Site, _request: AcrRequest, observation: Observation) -> Finding | None:
    """It is in no role that something else needs."""
    if required(observation.registry) is None:
        return None
    missing = DELETE in (required(observation.missing_actions) or ())
    return blocker(Code.DELETION_NOT_ALLOWED, missing=(DELETE,)) if missing else ok(AzureCode.ACTIONS_COMPLETE)


@check("connected.installed", title="Site has a connected registry that gets the images", essential=True)
def edge(_site: Site, request: AcrRequest, observation: Observation) -> Finding | None:
    """Where images are waited for: at the site's own edge, which must be able to get them."""
    if not request.wait_for_images:
        return None
    found = required(observation.edge)
    if found is None or found.registry.activation != "Active":
        return blocker(ArrivalCode.WAIT_NO_EDGE)
    missing = tuple(
        repository
        for repository in request.repositories
        if found.actions is not None and not grants(found.actions, f"repositories/{repository}/content/read")
    )
    if missing:
        return blocker(ArrivalCode.WAIT_NOT_SYNCED, name=found.registry.name, repositories=missing)
    return ok(ArrivalCode.WAIT_EDGE, name=found.registry.name)


@check("images.wait", title="Images can be waited for at the edge", essential=True)
def wait(site: Site, request: AcrRequest, observation: Observation) -> Finding | None:
    """The edge is asked by a Job in its cluster."""
    found = if_known(observation.edge)
    if not request.wait_for_images or found is None:
        return None
    return may_wait(site, found.registry, observation.reader_place)
