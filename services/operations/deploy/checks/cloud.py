"""Checks of the subscription, the cloud registry and the Arc-enabled cluster."""

from services.model.plan import Finding
from services.operations.checks import blocker, check, if_known, ok, required, warning
from services.operations.deploy.codes import Code
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployRequest
from services.policy.sites import PROVIDERS, Site

PREMIUM = "Premium"


@check("providers.registered", title="Resource providers are registered")
def providers(_site: Site, _request: DeployRequest, seen: Observation) -> Finding:
    """The plan registers those that are missing."""
    states = {name.casefold(): state for name, state in required(seen.providers).items()}
    missing = {
        name: states.get(name.casefold(), "NotRegistered")
        for name in PROVIDERS
        if states.get(name.casefold()) != "Registered"
    }
    if missing:
        return warning(Code.PROVIDERS_MISSING, missing=tuple(missing), states=missing)
    return ok(Code.PROVIDERS_REGISTERED, providers=PROVIDERS)


@check("registry.exists", title="Registry exists", essential=True)
def registry(site: Site, _request: DeployRequest, seen: Observation) -> Finding:
    """An absent one is created only where the site says so: it costs money every month."""
    found = required(seen.registry)
    if found is not None:
        return ok(Code.REGISTRY_FOUND, location=found.location, login_server=found.login_server)
    if site.acr.create_in:
        return warning(Code.REGISTRY_TO_CREATE, location=site.acr.create_in)
    return blocker(Code.REGISTRY_ABSENT)


@check("registry.premium", title="Registry is Premium")
def premium(_site: Site, _request: DeployRequest, seen: Observation) -> Finding | None:
    """Connected registries need the Premium tier (Learn: intro-connected-registry)."""
    if (found := if_known(seen.registry)) is None:
        return None
    if found.sku.casefold() == PREMIUM.casefold():
        return ok(Code.REGISTRY_PREMIUM)
    return blocker(Code.REGISTRY_NOT_PREMIUM, sku=found.sku)


@check("registry.ready", title="Registry is not being changed")
def registry_ready(_site: Site, _request: DeployRequest, seen: Observation) -> Finding | None:
    """By its provisioning state."""
    if (found := if_known(seen.registry)) is None:
        return None
    state = found.provisioning_state
    if state in {"Failed", "Canceled", "Deleting"}:
        return blocker(Code.REGISTRY_BROKEN, state=state)
    if state in {"Creating", "Updating"}:
        return warning(Code.REGISTRY_BUSY, state=state)
    return ok(Code.REGISTRY_READY)


@check("registry.data_endpoint", title="Dedicated data endpoint is on")
def data_endpoint(_site: Site, _request: DeployRequest, seen: Observation) -> Finding | None:
    """The plan switches it on; from then on clients are sent to another host name, which firewalls must let through."""
    if (found := if_known(seen.registry)) is None:
        return None
    hosts = found.data_endpoint_hosts or (f"{found.name.lower()}.{found.location}.data.azurecr.io",)
    if found.data_endpoint:
        return ok(Code.DATA_ENDPOINT_ON, hosts=hosts)
    return warning(Code.DATA_ENDPOINT_OFF, hosts=hosts)


@check("cluster.connected", title="Cluster is connected to Azure Arc", essential=True)
def cluster(_site: Site, _request: DeployRequest, seen: Observation) -> Finding:
    """Offline: no heartbeat for 15 minutes. Expired: the cluster's identity certificate has run out."""
    found = required(seen.cluster)
    if found is None:
        return blocker(Code.CLUSTER_ABSENT)
    if found.connectivity == "Connected":
        return ok(Code.CLUSTER_CONNECTED, version=found.kubernetes_version, heartbeat=found.last_heartbeat)
    code = {"Connecting": Code.CLUSTER_CONNECTING, "Expired": Code.CLUSTER_EXPIRED}.get(
        found.connectivity, Code.CLUSTER_OFFLINE
    )
    return blocker(code, state=found.connectivity, heartbeat=found.last_heartbeat)
