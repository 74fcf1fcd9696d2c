"""Checks of a change: what it brings along, what it can't do, and what nobody has looked at."""

from services.model.plan import Finding
from services.operations import azure_checks
from services.operations.checks import Check, blocker, check, ok, required, warning
from services.operations.extension_update.change import change_of
from services.operations.extension_update.observation import Observation
from services.operations.extension_update.request import Code, ExtensionUpdateRequest
from services.operations.parents import way_to_parent
from services.operations.registry_checks import CHANGING, at_rest
from services.operations.tls import TlsCode
from services.operations.token_steps import idle_slot
from services.policy.extensions import (
    CERT_MANAGER_INSTALL,
    DNS_NAME,
    HTTP,
    SERVICE_ADDRESS,
    SERVICE_TYPE,
    TRUST_LABEL,
    TRUST_NODE_SELECTOR,
)
from services.policy.sites import RUNTIME_NAMESPACE, Site


@check("connected.exists", title="Connected registry exists", essential=True)
def exists(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding:
    """By it the extension is known."""
    return at_rest(observation, request.name)


@check("extension.found", title="Extension that runs it", essential=True)
def extension(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """One that has failed may be mended by the change."""
    required(observation.extensions)
    if (registry := observation.registry(request.name)) is None:
        return None
    own = observation.extension(request.name)
    if own is None:
        return blocker(Code.EXTENSION_ABSENT, parent=registry.parent, protocol=request.options.parent_protocol)
    facts = {"extension": own.name, "state": own.provisioning_state, "version": own.version}
    if own.provisioning_state in CHANGING:
        return blocker(Code.EXTENSION_BUSY, **facts)
    code = Code.EXTENSION_FOUND if own.provisioning_state == "Succeeded" else Code.EXTENSION_FAILED
    return ok(code, **facts) if code is Code.EXTENSION_FOUND else warning(code, **facts)


@check("extension.restart", title="What pulls meanwhile")
def restart(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """Its one Pod is replaced, unless only the upgrades of later days change."""
    change = change_of(request, observation)
    if change is None or not ({*change.settings, *change.release} - {"auto_upgrade"} or change.replaces_secrets):
        return None
    return warning(Code.RESTARTS)


@check("extension.http", title="Encryption of what nodes pull")
def http(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """Passwords and images travel in the clear, and nodes refuse such a registry until they are configured for it."""
    change = change_of(request, observation)
    return warning(TlsCode.PLAIN_HTTP) if change and change.sets(HTTP, "true") else None


@check("extension.service", title="Who reaches it")
def service(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """Nodes go on pulling by its address inside the cluster."""
    change = change_of(request, observation)
    service_type = request.options.service_type
    if change is None or SERVICE_TYPE not in change.settings or service_type == "ClusterIP":
        return None
    return warning(Code.FROM_OUTSIDE, type=service_type)


@check("extension.dns_name", title="Name in its certificate")
def dns_name(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """Known from the articles on a private preview alone (2026-10); other versions of the chart ignore it."""
    change = change_of(request, observation)
    return warning(Code.DNS_NAME, host=request.options.dns_name) if change and DNS_NAME in change.settings else None


@check("extension.cert_manager", title="cert-manager that the extension brought along")
def cert_manager(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """It belongs to the release."""
    change = change_of(request, observation)
    if change is None or not change.sets(CERT_MANAGER_INSTALL, "false"):
        return None
    return warning(TlsCode.CERT_MANAGER_GOES, extension=change.extension.name)


@check("extension.tls_secret", title="Secret with the certificate")
def tls_secret(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """The bot has no right to read secrets there."""
    if observation.extension(request.name) is None or not request.options.tls_secret:
        return None
    return warning(TlsCode.TLS_SECRET_UNSEEN, secret=request.options.tls_secret, namespace=RUNTIME_NAMESPACE)


@check("tls.certificate", title="Certificate of the site's own", essential=True)
def certificate(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """Nodes pull by the Service address, and by the DNS name where there is one."""
    own = observation.extension(request.name)
    if own is None or request.options.tls != "certificate":
        return None
    hosts = (own.settings.get(SERVICE_ADDRESS, ""), request.options.dns_name or own.settings.get(DNS_NAME, ""))
    return observation.certificate_finding(*filter(None, hosts))


@check("kubernetes.labels", title="Nodes that trust is given to", proofs=("whether nodes bear the label of the trust",))
def labels(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """With the selector only nodes with the label learn to trust the certificate (Learn: glossary)."""
    change, (key, value) = change_of(request, observation), TRUST_LABEL
    if change is None or not change.sets(TRUST_NODE_SELECTOR, "true"):
        return None
    nodes = tuple(node.name for node in required(observation.nodes) if node.labels.get(key) == value)
    facts = {"label": f"{key}={value}", "nodes": nodes}
    return ok(Code.NODES_LABELLED, **facts) if nodes else warning(Code.NO_NODE_LABELLED, **facts)


@check("token.password", title="New connection string", essential=True)
def password(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """Protected settings go as a whole, and nobody can read those that are there."""
    change, registry = change_of(request, observation), observation.registry(request.name)
    if change is None or registry is None or not change.replaces_secrets:
        return None
    if change.lost_secrets:
        return blocker(Code.OTHER_SECRETS, keys=change.lost_secrets, extension=change.extension.name)
    required(observation.tokens)
    token = observation.token(request.name)
    if token is None or not token.enabled or not (registry.parent or registry.gateway_endpoint):
        return blocker(Code.NO_CONNECTION_STRING)
    return ok(Code.NEW_PASSWORD, slot=idle_slot(token), token=token.name)


@check("connected.parent", title="Way to its parent")
def parent(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """As the new connection string has to name it."""
    change, registry = change_of(request, observation), observation.registry(request.name)
    if change is None or registry is None or not change.replaces_secrets:
        return None
    return way_to_parent(registry, request.options.parent_protocol)


@check("cluster.agents", title="Arc agents reach Azure", essential=True)
def agents(_site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """They carry the change out."""
    arc_cluster = required(observation.cluster)
    if arc_cluster is None or observation.extension(request.name) is None:
        return None
    return azure_checks.agents(arc_cluster)


@check("azure.actions", title="Bot has the Azure rights that the change uses")
def actions(site: Site, request: ExtensionUpdateRequest, observation: Observation) -> Finding | None:
    """By its roles."""
    own = observation.extension(request.name)
    if own is None:
        return None
    places = [(observation.missing_at_cluster, site.cluster_ref.name)]
    if (change := change_of(request, observation)) and change.replaces_secrets:
        places.append((observation.missing_at_acr, site.acr_ref.name))
    return azure_checks.actions(*places)


CHECKS: tuple[Check[ExtensionUpdateRequest, Observation], ...] = (
    exists,
    extension,
    restart,
    http,
    service,
    dns_name,
    cert_manager,
    tls_secret,
    certificate,
    labels,
    password,
    parent,
    agents,
    actions,
)
