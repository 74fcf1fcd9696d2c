"""Preflight checks of a deployment: pure functions over what was observed, in the order in which people read them."""

from services.model.plan import Finding
from services.operations import checks
from services.operations.checks import Check
from services.operations.deploy.checks import cloud, cluster, extension, images, names, tls
from services.operations.deploy.observation import Observation
from services.operations.deploy.request import DeployRequest, site_names
from services.policy.sites import Site

CHECKS: tuple[Check[DeployRequest, Observation], ...] = (
    cloud.providers,
    cloud.registry,
    cloud.registry_name,
    cloud.premium,
    cloud.registry_ready,
    cloud.data_endpoint,
    cloud.network,
    images.images,
    cloud.cluster,
    names.connected_name,
    names.quota,
    names.permissions,
    names.scope_map,
    names.token,
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
    images.wait,
)


def run(site: Site, request: DeployRequest, observation: Observation) -> tuple[Finding, ...]:
    """What they find."""
    return checks.run(CHECKS, site, request, observation, site_names(site, request))
