"""Checks of the subscription, the cloud registry and the Arc-enabled cluster."""

from services.model.plan import Finding
from services.operations.checks import blocker, check, if_known, ok, required, warning
from services.operations.deploy.codes import Code
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployRequest
from services.policy.sites import PROVIDERS, Site

PREMIUM = "Premium"


@check("providers.registered", title="Resource providers are registered")
def providers(_site: Site, _request: DeployRequest, observation: Observation) -> Finding:
    """The plan registers those that are missing."""
    states = {name.casefold(): state for name, state in required(observation.providers).items()}
    missing = {
        name: states.get(name.casefold(), "NotRegistered")
        for name in PROVIDERS
        if states.get(name.casefold()) != "Registered"
    }
    if missing:
        return warning(Code.PROVIDERS_MISSING, missing=tuple(missing), states=missing)
    return ok(Code.PROVIDERS_REGISTERED, providers=PROVIDERS)


@check("registry.exists", title="Registry exists", essential=True)
def registry(site: Site, _request: DeployRequest, observation: Observation) -> Finding:
    """An absent one is created only where the site says so: it costs money every month."""
    acr = required(observation.registry)
    if acr is not None:
        return ok(Code.REGISTRY_FOUND, location=acr.location, login_server=acr.login_server)
    if site.acr.create_in:
        return warning(Code.REGISTRY_TO_CREATE, location=site.acr.create_in)
    return blocker(Code.REGISTRY_ABSENT)


@check("registry.name", title="Name of the new registry is free")
def registry_name(_site: Site, _request: DeployRequest, observation: Observation) -> Finding | None:
    """It is unique in the whole cloud, so a registry of somebody whom nobody here knows may have it."""
    refusal = required(observation.name_refusal)
    return blocker(Code.REGISTRY_NAME_TAKEN, message=refusal) if refusal else None


@check("registry.premium", title="Registry is Premium")
def premium(_site: Site, _request: DeployRequest, observation: Observation) -> Finding | None:
    """Connected registries need the Premium tier (Learn: intro-connected-registry)."""
    if (acr := if_known(observation.registry)) is None:
        return None
    if acr.sku.casefold() == PREMIUM.casefold():
        return ok(Code.REGISTRY_PREMIUM)
    return blocker(Code.REGISTRY_NOT_PREMIUM, sku=acr.sku)


@check("registry.ready", title="Registry is not being changed")
def registry_ready(_site: Site, _request: DeployRequest, observation: Observation) -> Finding | None:
    """By its provisioning state."""
    if (acr := if_known(observation.registry)) is None:
        return None
    state = acr.provisioning_state
    if state in {"Failed", "Canceled", "Deleting"}:
        return blocker(Code.REGISTRY_BROKEN, state=state)
    if state in {"Creating", "Updating"}:
        return warning(Code.REGISTRY_BUSY, state=state)
    return ok(Code.REGISTRY_READY)


@check("registry.data_endpoint", title="Dedicated data endpoint is on")
def data_endpoint(_site: Site, _request: DeployRequest, observation: Observation) -> Finding | None:
    """The plan switches it on; from then on clients are sent to another host name, which firewalls must let through."""
    if (acr := if_known(observation.registry)) is None:
        return None
    if acr.data_endpoint:
        return ok(Code.DATA_ENDPOINT_ON, hosts=acr.data_endpoint_hosts)
    return warning(Code.DATA_ENDPOINT_OFF)


@check("registry.network", title="Network access of the registry")
def network(_site: Site, _request: DeployRequest, observation: Observation) -> Finding | None:
    """An edge that it keeps out never comes online; whether this one is let in, nobody can see from here."""
    if (acr := if_known(observation.registry)) is None:
        return None
    hosts = (acr.login_server, *acr.data_endpoint_hosts)
    if acr.public_network_access.casefold() == "disabled":
        return warning(Code.REGISTRY_PRIVATE, hosts=hosts)
    return warning(Code.REGISTRY_FENCED) if acr.default_action.casefold() == "deny" else None


@check("cluster.connected", title="Cluster is connected to Azure Arc", essential=True)
def cluster(_site: Site, _request: DeployRequest, observation: Observation) -> Finding:
    """Offline: no heartbeat for 15 minutes. Expired: the cluster's identity certificate has run out.

    AgentNotInstalled: Azure has the resource, and no agent has ever made contact or they are gone.
    """
    arc_cluster = required(observation.cluster)
    if arc_cluster is None:
        return blocker(Code.CLUSTER_ABSENT)
    if arc_cluster.connectivity == "Connected":
        return ok(Code.CLUSTER_CONNECTED, version=arc_cluster.kubernetes_version, heartbeat=arc_cluster.last_heartbeat)
    codes = {
        "Connecting": Code.CLUSTER_CONNECTING,
        "Offline": Code.CLUSTER_OFFLINE,
        "Expired": Code.CLUSTER_EXPIRED,
        "AgentNotInstalled": Code.CLUSTER_NO_AGENTS,
    }
    facts = {"state": arc_cluster.connectivity, "heartbeat": arc_cluster.last_heartbeat}
    code = codes.get(arc_cluster.connectivity)
    return blocker(code, **facts) if code else warning(Code.CLUSTER_STATE_UNKNOWN, **facts)
